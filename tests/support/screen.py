"""A virtual screen for windows that nobody looks at (Xvfb)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


class NoVirtualScreenError(Exception):
    """Xvfb does not start here; the message says why."""


@contextmanager
def virtual_screen() -> Iterator[str]:
    """Start a screen of 1280x800, and give what belongs into `DISPLAY`.

    Raises:
        NoVirtualScreenError: if that is not possible here.
    """
    readable, writable = os.pipe()
    # The server takes a free number itself and writes it once it accepts connections.
    words = ["Xvfb", "-displayfd", str(writable), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    try:
        server = subprocess.Popen(  # noqa: S603 - a fixed program, found on the PATH
            words, pass_fds=(writable,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except FileNotFoundError:
        os.close(readable)
        raise NoVirtualScreenError("Xvfb is not installed (apt install xvfb)") from None
    finally:
        os.close(writable)
    try:
        with os.fdopen(readable) as answer:
            number = answer.readline().strip()
        if not number:
            raise NoVirtualScreenError("Xvfb does not start here")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


@contextmanager
def some_screen() -> Iterator[None]:
    """See to it that this process has a screen: the one that `DISPLAY` names, or a virtual one.

    Raises:
        NoVirtualScreenError: if it has neither.
    """
    if os.environ.get("DISPLAY"):
        yield
        return
    with virtual_screen() as display:
        os.environ["DISPLAY"] = display
        try:
            yield
        finally:
            del os.environ["DISPLAY"]
