"""The command line: `edge-classifier COMMAND …`."""

from __future__ import annotations

import argparse
import codecs
import gc
import importlib
import importlib.util
import io
import logging
import sys
from typing import TYPE_CHECKING, Final

from edge_classifier import __version__
from edge_classifier.device.console import (
    drop,
    one_line,
    open_closed_streams,
    say,
    settle,
    shortened,
)
from edge_classifier.device.option_types import USAGE, OneLineParser
from edge_classifier.device.stop import INTERRUPTED, NO_THREADS, StopSignals, threads_run_out
from edge_classifier.errors import CancelledError, EdgeClassifierError, InvalidOptionError
from edge_classifier.project.files import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = {
    "live": "teach and watch a classifier in a window",
    "add": "add pictures that are there already: folders, archives, tables, videos",
    "train": "train a project's head on its pictures, without a window",
    "adapt": "adapt a trained project to another light or place by unlabelled pictures",
    "evaluate": "measure how good a project's classifier is",
    "predict": "say what pictures show",
    "export": "write a folder that runs on a Raspberry Pi",
    "verify": "check that an exported folder says what the live picture says",
    "save": "save a copy of a project that goes on elsewhere",
    "run": "run an exported folder on this machine",
    "serve": "answer pictures that others send, by an exported folder",
    "fleet": "watch many devices by the broker that they tell of themselves",
    "demo": "the whole job on a rendered camera, by itself",
    "cameras": "list the cameras that can be opened",
}
"""Each is a module of `edge_classifier.commands` with `add_arguments` and `run`, and where it
changes something with `IF_CANCELLED`: what Ctrl-C leaves behind. Only the one
that was asked for is imported, so that no command waits for what another one needs."""

GREETING: Final = """\
Teach a webcam to tell things apart, then run the result on a Raspberry Pi.

  edge-classifier live            a window: show things, hold a key for each
  edge-classifier export PROJECT  what was taught, as a folder for the Raspberry Pi
  edge-classifier run BUNDLE      that folder at work, on this machine

`edge-classifier demo` shows it all by itself, `edge-classifier --help` lists all commands.
"""
"""What is said where no command is given."""

FAILED: Final = 1
_NOTHING_BEGUN: Final = "nothing was begun"
_LONGEST_ERROR: Final = 2000
_ANY_NAME: Final = "edge_classifier_any_name"
PIPE_CLOSED: Final = 141
"""As a shell reports a program that was ended by writing to a closed pipe."""


class _OneLine(logging.Formatter):
    """Lets no name of a file steer the terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line."""
        return one_line(super().format(record))


def top_parser() -> argparse.ArgumentParser:
    """Make the parser that finds out which command is meant."""
    width = max(map(len, COMMANDS))
    parser = OneLineParser(
        prog="edge-classifier",
        usage="edge-classifier COMMAND …",
        description="Teach a webcam to tell things apart, then run the result on a Raspberry Pi.",
        epilog="commands:\n"
        + "\n".join(f"  {name:{width}}  {what}" for name, what in COMMANDS.items())
        + "\n\n`edge-classifier COMMAND --help` tells more of each. Exit code of all: 0 done, 1 not"
        "\npossible, 2 an option that can never be, 130 after Ctrl-C, 143 after SIGTERM.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=argparse.SUPPRESS)
    return parser


def command_parser(name: str) -> argparse.ArgumentParser:
    """Make the parser of one command."""
    parser = OneLineParser(
        prog=f"edge-classifier {name}",
        description=f"{COMMANDS[name][0].upper()}{COMMANDS[name][1:]}.",
    )
    module = importlib.import_module(f"edge_classifier.commands.{name}")
    module.add_arguments(parser)
    if_cancelled = getattr(module, "IF_CANCELLED", "nothing was changed")
    parser.set_defaults(run=module.run, if_cancelled=if_cancelled)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command with arguments as on the command line; by default those of this process.

    Returns:
        The command's exit code, or 1 after an error that was told in one line on standard error,
        2 if an option has a value that it cannot have, 130 after Ctrl-C, 143 after SIGTERM, or 141
        where whoever read the answers has closed the pipe.
    """
    open_closed_streams()
    words = list(sys.argv[1:] if arguments is None else arguments)
    with StopSignals() as stop:
        try:
            return _main(words, stop)
        except RuntimeError as error:
            if str(error) != "can't start new thread":
                raise
            return _without_threads()


def _main(words: list[str], stop: StopSignals) -> int:
    _let_any_name_out()
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine("edge-classifier: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    left_behind = _NOTHING_BEGUN
    try:
        try:
            if not words:
                sys.stdout.write(GREETING)
                sys.stdout.flush()
                return 0
            name = top_parser().parse_args(words[:1]).command
            if problem := opencv_problem():
                say(f"edge-classifier: {problem}")
                return FAILED
            options = _parsed(command_parser(name), words[1:])
            left_behind = options.if_cancelled
            if not gc.isenabled():  # as it is while this is imported
                gc.freeze()
                gc.enable()
            exit_code = int(options.run(options))
        except SystemExit:  # --help, or what there is not
            sys.stdout.flush()
            raise
        sys.stdout.flush()  # at exit it would be too late to say what is wrong
    except (CancelledError, KeyboardInterrupt):
        stop.closing()
        return _cancelled(left_behind, stop)
    except EdgeClassifierError as error:
        say(f"edge-classifier: {shortened(str(error), _LONGEST_ERROR)}")
        return USAGE if isinstance(error, InvalidOptionError) else FAILED
    except MemoryError:
        say("edge-classifier: there is not enough memory.")
        return FAILED
    except BrokenPipeError:
        drop(sys.stdout)
        settle(sys.stderr)
        return PIPE_CLOSED
    except OSError as error:
        drop(sys.stdout)
        settle(sys.stderr)
        gone = isinstance(error, FileNotFoundError)  # which no output is
        what = error.filename or ("The working folder" if gone else "Cannot write the answers")
        say(f"edge-classifier: {shortened(str(what))}: {describe(error)}.")
        return FAILED
    # A command that tells itself what was done until then does not know which signal it was.
    return stop.status if exit_code == INTERRUPTED else exit_code


def _cancelled(left_behind: str, stop: StopSignals) -> int:
    """Say what is left, or that it was no person who cancelled; returns the exit code."""
    if left_behind == _NOTHING_BEGUN and threads_run_out():
        return _without_threads()
    say(f"edge-classifier: cancelled: {left_behind}.")
    return stop.status


def _without_threads() -> int:
    say(f"edge-classifier: {NO_THREADS}.")
    return FAILED


def opencv_problem() -> str | None:
    """Import OpenCV and return what to do if that fails, or `None` if it works."""
    try:
        import cv2  # noqa: F401, PLC0415 - trying is the point
    except ImportError as error:
        return explain_import_error(str(error))
    return None


def explain_import_error(reason: str) -> str:
    """Turn an import error's text into one line that says what to do next."""
    if sys.platform.startswith("linux") and ".so" in reason and "No such file" in reason:
        library = reason.split(":", 1)[0]
        return (
            f"OpenCV needs the system libraries libGL and glib ({library} is missing): "
            "sudo apt install libgl1 libglib2.0-0"
        )
    if importlib.util.find_spec("cv2") is None:
        return "OpenCV is not installed: pip install opencv-python"
    return (
        f"OpenCV cannot be imported ({reason}); install it again: "
        "pip install --force-reinstall opencv-python"
    )


def _let_any_name_out() -> None:
    r"""Let no name of a file or a class end a command at the moment when it is printed.

    Names of files are bytes, and go out as they came in; what the terminal or the pipe cannot
    spell (Windows gives a pipe the encoding of the country) goes out as `\uXXXX`.
    """

    def spelled(error: UnicodeError) -> tuple[str | bytes, int]:
        try:
            return codecs.lookup_error("surrogateescape")(error)
        except UnicodeError:
            return codecs.backslashreplace_errors(error)

    codecs.register_error(_ANY_NAME, spelled)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ANY_NAME)


def _parsed(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Parse a command's words, with options also between the project and the paths.

    There argparse takes the paths for left out, and then has words to spare: argparse itself
    says so of `parse_args`, and has `parse_intermixed_args` for it.
    """
    options, spare = parser.parse_known_args(words)
    return parser.parse_intermixed_args(words) if spare else options


if __name__ == "__main__":
    sys.exit(main())
