"""What the values of options can be, and the parser that says so in one line."""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from .console import say, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PLAIN_NUMBER: Final = re.compile(
    r"([0-9]{1,300}\.?[0-9]{0,300}|\.[0-9]{1,300})([eE][-+]?[0-9]{1,3})?"
)

USAGE: Final = 2
"""Exit code: what was asked for can never be, so that no service tries it again."""


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in a line, as everything else here does.

    An empty path, as of a variable that is not set, is not the folder that one is in.
    """

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - as inherited
        super().__init__(*args, **more)
        self.register("type", Path, _path)

    def parse_known_args(  # type: ignore[override] # the overloads of typeshed are all of them this
        self,
        args: Sequence[str] | None = None,
        namespace: Any = None,  # noqa: ANN401 - as inherited
    ) -> tuple[Any, list[str]]:
        """Parse, and refuse `--option=--`, for which argparse gives an empty list, unread."""
        found, spare = super().parse_known_args(args, namespace)
        for action in self._actions:
            taken = getattr(found, action.dest, None)
            unread = taken == [] or (isinstance(taken, list) and [] in taken)  # once, or of several
            if action.option_strings and action.nargs is None and unread:
                self.error(f"argument {'/'.join(action.option_strings)}: expected a value")
        return found, spare

    def _print_message(self, message: str, file: Any = None) -> None:  # noqa: ANN401 - as inherited
        """Write the help, and let out that it cannot be written, which argparse passes over."""
        (file or sys.stderr).write(message)

    def error(self, message: str) -> NoReturn:
        """Say it, and end with `USAGE`."""
        say(f"{self.prog}: {shortened(message)}; --help tells more")
        raise SystemExit(USAGE)


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Make a type of option: a whole number from `low` to `high`, in plain digits."""

    def parse(text: str) -> int:
        # Not what `int` reads: it knows other scripts' digits, and refuses more than 4,300.
        digits = text.lstrip("0") or "0"
        plain = text.isascii() and text.isdigit() and len(digits) <= len(str(high))
        if not plain or not low <= int(digits) <= high:
            raise argparse.ArgumentTypeError(
                f"expected a whole number from {low} to {high:,}, received {shortened(text, 40)!r}"
            )
        return int(digits)

    parse.__name__ = "whole number"
    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    """Make a type of option: a number from `low` to `high`, in plain digits."""

    def parse(text: str) -> float:
        # Not what `float` reads: nan, inf, other scripts' digits.
        if not _PLAIN_NUMBER.fullmatch(text) or not low <= float(text) <= high:
            raise argparse.ArgumentTypeError(
                f"expected a number from {low:g} to {high:,g}, received {shortened(text, 40)!r}"
            )
        return float(text)

    parse.__name__ = "number"
    return parse


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("expected a path, received ''")
    try:
        os.stat(text)  # noqa: PTH116 - of the text itself
    except OSError as error:
        # `Path.resolve` and `exists` raise what nobody expects of them, some only in old Pythons.
        if error.errno in (errno.ELOOP, errno.ENAMETOOLONG):
            raise argparse.ArgumentTypeError(f"{shortened(text, 80)!r}: {error.strerror}") from None
    return Path(text)
