"""A command or a webhook on each new label."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import shlex
import subprocess
import sys
import threading
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.request import Request, urlopen

from ..console import say
from ..errors import InvalidValueError
from ..verdict import Hold
from .base import Output
from .json_lines import as_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..frame import Frame
    from ..verdict import Prediction


_MOST_READ: Final = 1 << 16
_PLACEHOLDER: Final = re.compile(r"\{label\}|\{score\}")
_SHELLS: Final = frozenset(
    {"sh", "bash", "dash", "zsh", "ksh", "fish", "busybox", "cmd", "powershell", "pwsh"}
)
_SCRIPT_OPTION: Final = re.compile(
    r"-[a-z]*c[a-z]*|--(init-)?command(=.*)?|/[ck]", re.IGNORECASE | re.DOTALL
)


class OnChange(Output):
    """Runs a command and calls a webhook when the label has changed, in a thread of its own.

    The command also finds label and score in `CLASSIFY_LABEL` and `CLASSIFY_SCORE`.

    Args:
        command: Split as a shell does, then `{label}` and `{score}` filled in; no shell runs, so
            a class name cannot become a command. Whoever asks for one (`sh -c '…'`) has to take
            the label from `$CLASSIFY_LABEL`, which a shell does not interpret. `None` for none.
        webhook: An http(s) address that gets a JSON object by POST, or `None`.
        frames: For how many frames in a row a label must hold.
    """

    def __init__(self, command: str | None, webhook: str | None, frames: int) -> None:
        try:
            self._words = shlex.split(command) if command else []
        except ValueError as error:
            raise InvalidValueError(f"--on-change {command!r} cannot be read: {error}.") from error
        _check_command(self._words)
        if webhook is not None and not webhook.startswith(("http://", "https://")):
            raise InvalidValueError(f"--webhook {webhook}: expected an http or https address.")
        self._webhook = webhook
        self._hold = Hold(frames)
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue(16)
        self._thread = threading.Thread(target=self._run, name="on-change", daemon=True)
        self._thread.start()

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Take a prediction, and hand on a change; never waits for who is told."""
        before = self._hold.label
        if self._hold.update(prediction.label):
            event = {**as_record(frame, prediction), "previous": before}
            try:
                self._events.put_nowait(event)
            except queue.Full:
                say("The receiver of changes is too slow; a change was not told.")
        return True

    def close(self) -> None:
        """Tell what is left, for some seconds at most."""
        with contextlib.suppress(queue.Full):
            self._events.put_nowait(None)
        self._thread.join(12.0)

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            if self._words:
                self._call(event)
            if self._webhook:
                self._post(event)

    def _call(self, event: dict[str, Any]) -> None:
        score = f"{event['score']:.3f}"
        values = {"{label}": event["label"], "{score}": score}
        # In one go: a label that reads {score} stays as it is.
        words = [_PLACEHOLDER.sub(lambda m: values[m[0]], word) for word in self._words]
        told = {"CLASSIFY_LABEL": event["label"], "CLASSIFY_SCORE": score}
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command
                words,
                check=False,
                timeout=10,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,  # what it prints must not end up between our JSON lines
                env={**os.environ, **told},
            )
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            say(f"--on-change {words[0]}: {error}")
        else:
            if done.returncode:
                say(f"--on-change {words[0]} ended with status {done.returncode}.")

    def _post(self, event: dict[str, Any]) -> None:
        body = json.dumps(event).encode()
        request = Request(  # noqa: S310 - http or https, checked above
            str(self._webhook), data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with urlopen(request, timeout=5) as response:  # noqa: S310 - as above
                response.read(_MOST_READ)
        except (OSError, ValueError, HTTPException) as error:
            say(f"--webhook: {error}")


def _check_command(words: Sequence[str]) -> None:
    """Refuse a command in which a label would be run, as a program or by a shell.

    Raises:
        InvalidValueError: saying what to write instead.
    """
    if not words:
        return
    if _PLACEHOLDER.search(words[0]):
        raise InvalidValueError("--on-change: the program itself cannot be {label} or {score}.")
    shell = next((n for n, w in enumerate(words) if Path(w).stem.lower() in _SHELLS), len(words))
    # Which word after them is the script, only the shell knows: -c may be followed by others.
    scripted = any(map(_SCRIPT_OPTION.fullmatch, words[shell + 1 :]))
    if scripted and any(map(_PLACEHOLDER.search, words)):
        raise InvalidValueError(
            '--on-change: a shell would run what {label} says; write "$CLASSIFY_LABEL" and '
            '"$CLASSIFY_SCORE" in its script instead.'
        )
