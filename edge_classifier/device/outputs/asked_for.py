"""The outputs to others that are asked for on the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidOptionError
from ..looking import asked_regions
from ..option_types import whole_number
from .addresses import MQTT_PASSWORD

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ..classifier import Classifier
    from ..requests import Requests
    from .base import Output
    from .courier import Receiver
    from .device_report import DeviceReport


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of outputs to others."""
    parser.set_defaults(region=None)  # of the live session, which has one at most
    parser.add_argument(
        "--on-change",
        metavar="COMMAND",
        help="run this on a new label, without a shell; label and score are in its environment, "
        "CLASSIFY_LABEL and CLASSIFY_SCORE, and the label on its standard input; {label} and "
        "{score} in its arguments are filled in, where all labels are plain words",
    )
    parser.add_argument("--webhook", metavar="URL", help="post a JSON object there on a new label")
    parser.add_argument(
        "--hold",
        type=whole_number(0, 100_000),
        default=5,
        metavar="N",
        help="frames that a label must hold to be new (default: 5)",
    )
    parser.add_argument(
        "--serial",
        metavar="PORT[:BAUD]",
        help="write a line with the label there on a new label, as for an Arduino (needs pyserial; "
        "default: 115200 baud)",
    )
    parser.add_argument(
        "--csv",
        type=Path,
        metavar="FILE",
        help="add a row to this table for each new label; begun anew at 10 MB, and five are kept",
    )
    parser.add_argument(
        "--osc",
        metavar="HOST:PORT",
        help="send each answer there as Wekinator does, /wek/outputs, and /label, /scores, /score, "
        "/familiar (needs python-osc)",
    )
    parser.add_argument(
        "--gpio",
        metavar="[REGION:]LABEL=PIN",
        action="append",
        help="switch a pin on for as long as this is the label; may be given several times, also "
        "for unknown (needs gpiozero)",
    )
    parser.add_argument(
        "--mqtt",
        metavar="URL",
        help="keep a broker told, and Home Assistant by it: mqtt[s]://[user@]host[:port][/prefix]; "
        f"the password is in the environment variable {MQTT_PASSWORD} (needs paho-mqtt)",
    )
    add_broker_arguments(parser)


def add_broker_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of whoever speaks to a broker."""
    parser.add_argument(
        "--mqtt-password-file", type=Path, metavar="FILE", help="the password, in a file's one line"
    )
    parser.add_argument(
        "--mqtt-ca",
        type=Path,
        metavar="FILE",
        help="the certificate that has signed the broker's (default: those the system believes)",
    )


def asked_for(
    options: argparse.Namespace,
    name: str,
    labels: tuple[str, ...],
    requests: Requests,
    classifier: Classifier | None = None,
) -> Iterator[Output]:
    """Make them.

    What takes long to import is imported when it is used: start-up counts on a small device.

    Args:
        options: Of `add_output_arguments`.
        name: Of the classifier.
        labels: All that can come.
        requests: Where what others ask for goes.
        classifier: Of a device, of which those are told who watch many.

    Raises:
        EdgeClassifierError: if one of them can never be, or what it needs is not installed.
    """
    if receivers := list(_told_of_changes(options, labels)):
        from .on_change import OnChange  # noqa: PLC0415 - as above

        yield OnChange(receivers, options.hold)
    report = None
    if classifier is not None and options.mqtt is not None:
        from .device_report import DeviceReport  # noqa: PLC0415 - as above

        yield (report := DeviceReport(classifier))
    if receivers := list(_told_of_each_frame(options, name, labels, requests, report)):
        from .each_frame import EachFrame  # noqa: PLC0415 - as above

        # Made last, so closed before those who may take long: pins are off at once.
        yield EachFrame(receivers, options.hold)


def check_labels(options: argparse.Namespace, labels: tuple[str, ...]) -> None:
    """Refuse labels of another model that what was asked for cannot be told.

    Raises:
        InvalidOptionError: if it could not have been asked for with these.
    """
    if options.on_change is not None:
        from . import command  # noqa: PLC0415 - as below

        command.check_labels(options.on_change, labels)
    if options.gpio:
        from .gpio import pins_of  # noqa: PLC0415 - as below

        pins_of(options.gpio, labels, _regions(options))


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
    if options.csv is not None:
        from .csv_log import CsvLog  # noqa: PLC0415 - as above

        yield CsvLog(options.csv, regions=bool(_regions(options)))


def _told_of_each_frame(
    options: argparse.Namespace,
    name: str,
    labels: tuple[str, ...],
    requests: Requests,
    report: DeviceReport | None,
) -> Iterator[Receiver]:
    if options.gpio:
        from .gpio import Gpio  # noqa: PLC0415 - as above

        yield Gpio(options.gpio, labels, _regions(options))
    if options.osc is not None:
        from .osc import Osc  # noqa: PLC0415 - as above

        yield Osc(options.osc, _regions(options))
    if options.mqtt is not None:
        from .broker import Broker  # noqa: PLC0415 - as above
        from .mqtt import Mqtt  # noqa: PLC0415 - as above

        password = os.environ.get(MQTT_PASSWORD)
        broker = Broker.parse(options.mqtt, password, options.mqtt_password_file, options.mqtt_ca)
        yield Mqtt(broker, name, labels, requests, _regions(options), report=report)
    elif options.mqtt_password_file or options.mqtt_ca:
        raise InvalidOptionError("--mqtt-password-file and --mqtt-ca need --mqtt.")


def _regions(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the names of what is looked at, where it has names."""
    return tuple(region.name for region in asked_regions(options) if region.name)
