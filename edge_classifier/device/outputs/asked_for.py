"""The outputs to others that are asked for on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from .base import Output
    from .courier import Receiver


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of outputs that need a library or a device."""
    parser.add_argument(
        "--serial",
        metavar="PORT[:BAUD]",
        help="write a line with the label there on a new label, as for an Arduino (needs pyserial; "
        "default: 115200 baud)",
    )
    parser.add_argument(
        "--gpio",
        metavar="LABEL=PIN",
        action="append",
        default=[],
        help="switch a pin on for as long as this is the label; may be given several times, also "
        "for unknown (needs gpiozero)",
    )


def asked_for(options: argparse.Namespace, labels: tuple[str, ...]) -> Iterator[Output]:
    """Make them.

    What takes long to import is imported when it is used: start-up counts on a small device.

    Args:
        options: Of `add_output_arguments`, and `classify.py`'s own.
        labels: All that can come.

    Raises:
        EdgeClassifierError: if one of them can never be, or what it needs is not installed.
    """
    if options.mjpeg is not None:
        from .page import LivePage  # noqa: PLC0415 - as above

        yield LivePage(options.mjpeg, options.token)
    if receivers := list(_told_of_changes(options, labels)):
        from .on_change import OnChange  # noqa: PLC0415 - as above

        yield OnChange(receivers, options.hold)
    if receivers := list(_told_of_each_frame(options, labels)):
        from .each_frame import EachFrame  # noqa: PLC0415 - as above

        # Made last, so closed before those who may take long: pins are off at once.
        yield EachFrame(receivers, options.hold)


def _told_of_changes(options: argparse.Namespace, labels: tuple[str, ...]) -> Iterator[Receiver]:
    if options.on_change is not None:
        from .command import Command  # noqa: PLC0415 - as above

        yield Command(options.on_change, labels)
    if options.webhook is not None:
        from .webhook import Webhook  # noqa: PLC0415 - as above

        yield Webhook(options.webhook)
    if options.serial is not None:
        from .serial_port import SerialPort  # noqa: PLC0415 - as above

        yield SerialPort(options.serial)


def _told_of_each_frame(options: argparse.Namespace, labels: tuple[str, ...]) -> Iterator[Receiver]:
    if options.gpio:
        from .gpio import Gpio  # noqa: PLC0415 - as above

        yield Gpio(options.gpio, labels)
