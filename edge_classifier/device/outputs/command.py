"""A command that is told of each new label."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from ..errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLACEHOLDER: Final = re.compile(r"\{(?:label|score|region)\}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""What no program takes for an option, a path or a command. Not a letter more: Windows makes quotes
and bars of some foreign ones on the way to a program."""


def check_labels(command: str, labels: Iterable[str]) -> None:
    """Refuse labels that a command has a place for, where they do not fit in.

    Raises:
        InvalidOptionError: if there are any.
    """
    wrong = next((label for label in labels if not _PLAIN.fullmatch(label)), None)
    if wrong is not None and any("{label}" in word for word in shlex.split(command)):
        raise InvalidOptionError(
            f"--on-change: the label {wrong!r} is no plain word (A-Z, a-z, 0-9, _, and further "
            "on . and -), which {label} stands for; take it from the environment variable "
            "CLASSIFY_LABEL or from standard input instead."
        )


class Command:
    """Runs a command on each change; its end is waited for, as long as the deadline allows.

    The command finds the label in `CLASSIFY_LABEL` and on standard input, the score in
    `CLASSIFY_SCORE`, and the region's name in `CLASSIFY_REGION`, empty where it has none: there
    nothing takes them for an option, or for a command. Only labels that are plain words are filled
    in for `{label}` in the arguments.

    Args:
        command: Split as a shell does, but run without one.
        labels: All that can come.
        deadline_s: Seconds after which it is ended, with all that it has started.

    Raises:
        InvalidOptionError: if it cannot be read, or has a place for labels that do not fit there.
    """

    name = "--on-change"
    retries = False

    def __init__(self, command: str, labels: Iterable[str], *, deadline_s: float = 10.0) -> None:
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise InvalidOptionError(f"--on-change {command!r} cannot be read: {error}.") from error
        if not self._words:
            raise InvalidOptionError("--on-change: expected a command.")
        if _PLACEHOLDER.search(self._words[0]):
            raise InvalidOptionError(
                "--on-change: the program itself cannot be {label}, {score} or {region}."
            )
        check_labels(command, labels)
        self._deadline_s = deadline_s
        self._process: subprocess.Popen[bytes] | None = None

    def tell(self, change: dict[str, Any]) -> str:
        """Run it; returns what went wrong."""
        label, score = str(change["label"]), f"{change['score']:.3f}"
        region = str(change.get("region", ""))
        values = {"{label}": label, "{score}": score, "{region}": region}
        words = [_PLACEHOLDER.sub(lambda m: values[m[0]], word) for word in self._words]
        try:
            told = f"{label}\n".encode()
            with subprocess.Popen(  # noqa: S603 - the user's own command
                words,
                stdin=subprocess.PIPE,
                stdout=sys.stderr,  # what it prints must not end up between our JSON lines
                env={
                    **os.environ,
                    "CLASSIFY_LABEL": label,
                    "CLASSIFY_SCORE": score,
                    "CLASSIFY_REGION": region,
                },
                start_new_session=True,  # so that it can be ended with all that it has started
            ) as self._process:
                try:
                    self._process.communicate(told, self._deadline_s)
                except subprocess.TimeoutExpired:
                    self.stop()
                    return f"{self._words[0]} was ended: it took more than {self._deadline_s:g} s."
        except (OSError, ValueError) as error:
            return f"{self._words[0]}: {error}"
        status = self._process.returncode
        return f"{self._words[0]} ended with status {status}." if status else ""

    def stop(self) -> None:
        """End what runs, with all that it has started."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(OSError):  # it has just ended by itself
            if sys.platform == "win32":
                subprocess.run(  # noqa: S603 - our own words
                    ["taskkill", "/F", "/T", "/PID", str(process.pid)],  # noqa: S607 - where Windows has it
                    check=False,
                    capture_output=True,
                )
            else:
                os.killpg(process.pid, signal.SIGKILL)
