"""The command line of an exported bundle."""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from . import runner
from .bundle import Bundle
from .classifier import Classifier
from .console import drop, open_closed_streams, say, shortened
from .errors import EdgeClassifierError, InvalidOptionError
from .interpreter import MOST_THREADS
from .option_types import USAGE, OneLineParser, number, whole_number
from .outputs.asked_for import add_output_arguments
from .stop import StopSignals, leave

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FAILED: Final = 1
"""Exit code: not possible as things are."""

_LONGEST_ERROR: Final = 2000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for, but for the bundle itself."""
    parser.add_argument(
        "source",
        nargs="?",
        default=None,
        help="0 (camera), picamera, a picture, a folder, a video, an address (default: the "
        "first camera, or the Pi's own where there is no other)",
    )
    parser.add_argument("--format", help="which of the bundle's models, for example int8")
    parser.add_argument(
        "--threads",
        type=_threads,
        default=1,
        metavar="N",
        help="1, 2, … or auto, which measures 1 to 4",
    )
    parser.add_argument("--no-window", action="store_true", help="even where there is a screen")
    parser.add_argument("--quiet", action="store_true", help="no JSON lines")
    parser.add_argument(
        "--changes", action="store_true", help="a JSON line for each new label, not each frame"
    )
    parser.add_argument("--no-smoothing", action="store_true", help="every frame on its own")
    parser.add_argument(
        "--every-frame",
        action="store_true",
        help="infer on every frame of a camera, also while nothing moves",
    )
    parser.add_argument(
        "--interval",
        type=number(0, 86_400),
        default=0.0,
        metavar="S",
        help="one answer of a camera every S seconds (default: 0, each frame)",
    )
    parser.add_argument(
        "--frames",
        type=whole_number(0, 1_000_000_000),
        default=0,
        metavar="N",
        help="stop after N frames",
    )
    parser.add_argument("--mjpeg", metavar="HOST:PORT", help="a page with the live picture")
    parser.add_argument(
        "--serve",
        metavar="HOST:PORT",
        help="that page, and answers to pictures that are sent there: POST /classify; also "
        "/answer, /metrics, /healthz",
    )
    parser.add_argument(
        "--no-camera", action="store_true", help="with --serve: nothing but what is sent there"
    )
    parser.add_argument(
        "--token",
        metavar="WORD",
        default=os.environ.get("CLASSIFY_TOKEN"),
        help="what those who look or ask have to know; needed for any HOST but 127.0.0.1 "
        "(default: the environment variable CLASSIFY_TOKEN)",
    )
    add_output_arguments(parser)
    parser.add_argument(
        "--adapt",
        choices=("off", "once", "follow"),
        default="off",
        help="adapt to the light and the place here: once each class was shown, or following what "
        "is seen; kept beside the bundle's files (default: off)",
    )
    parser.add_argument(
        "--heat",
        action="store_true",
        help="colour in the window and on the page where the picture is unlike its class",
    )
    parser.add_argument("--benchmark", action="store_true", help="print where the time goes")
    parser.add_argument(
        "--verify", action="store_true", help="check this device with the bundle's own frames"
    )


def main(bundle: Path, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the classifier of a bundle, and end the process."""
    open_closed_streams()
    parser = OneLineParser(
        prog="classify", description="Run an exported classifier on this device."
    )
    parser.add_argument("--bundle", type=Path, default=bundle, help=argparse.SUPPRESS)
    add_arguments(parser)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # JSON is, whatever the locale; and a file's name need not be text at all
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")

    def work() -> int:
        try:
            options = parser.parse_args(arguments)
        except SystemExit as end:  # --help, or what there is not
            return int(end.code or 0)
        return run(options)

    leave(_told(work))


def run(options: argparse.Namespace, open_bundle: Callable[[Path], Bundle] = Bundle.open) -> int:
    """Run the classifier in the folder `options.bundle`.

    Returns:
        0, or 1 after an error told in one line, 2 if an option has a value that it cannot have,
        3 if some pictures could not be read (as the `predict` command does), 130 after Ctrl-C, 143
        after SIGTERM; 0 after SIGTERM where the source has no end, because that is how a service
        is stopped.
    """
    with StopSignals() as stop:
        try:
            return _told(lambda: _run(options, open_bundle, stop))
        except KeyboardInterrupt:
            return stop.status


def _told(work: Callable[[], int]) -> int:
    """Do work and write out what it printed; an error is told in a line."""
    try:
        status = work()
        sys.stdout.flush()  # at exit it would be too late to say what is wrong
    except EdgeClassifierError as error:
        say(f"classify: {shortened(str(error), _LONGEST_ERROR)}")
        return USAGE if isinstance(error, InvalidOptionError) else FAILED
    except BrokenPipeError:  # `classify.py … | head`
        drop(sys.stdout)
        return 0
    except OSError as error:
        drop(sys.stdout)  # it may be what is full
        where = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or str(error) or type(error).__name__
        say(f"classify: {where}{reason}.")
        return FAILED
    except MemoryError:
        say("classify: there is not enough memory.")
        return FAILED
    return status


def _run(
    options: argparse.Namespace, open_bundle: Callable[[Path], Bundle], stop: StopSignals
) -> int:
    bundle = open_bundle(options.bundle)
    if options.verify:
        from .checks import verify  # noqa: PLC0415 - start-up counts on a small device

        return verify(bundle, options.threads, options.format)
    return runner.run(options, Classifier(bundle, options.format, options.threads), stop)


def _threads(text: str) -> int:
    """Read a number of threads; 0 for auto."""
    try:
        return 0 if text == "auto" else whole_number(1, MOST_THREADS)(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; or auto") from None
