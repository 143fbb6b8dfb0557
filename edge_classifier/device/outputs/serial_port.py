"""A serial port that is told of each new label, as of a micro:bit or an Arduino."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from ..console import as_text, one_line, shortened
from ..errors import InvalidOptionError
from .courier import needed

if TYPE_CHECKING:
    import serial

_BAUD: Final = 115_200
_HIGHEST_BAUD: Final = 4_000_000
_BOOT_S: Final = 2.0
"""An Arduino starts anew when its port is opened, and hears nothing until it has."""
_WRITE_S: Final = 5.0
_BREAK_OFF_S: Final = 1.0


class SerialPort:
    """Writes a line with the label, in UTF-8, for each new one; what has gone is opened again.

    Before the label there is its region and a colon, where that has a name.

    Args:
        place: `PORT` or `PORT:BAUD`, like `/dev/ttyACM0:9600` or `COM3`.
        boot_s: Seconds from opening until what is there hears.

    Raises:
        InvalidOptionError: if that can be no port.
        InvalidValueError: if pyserial is not installed.
    """

    name = "--serial"
    retries = True

    def __init__(self, place: str, *, boot_s: float = _BOOT_S) -> None:
        with needed(self.name, "pyserial"):
            import serial  # noqa: F401, PLC0415 - an optional library
        found = re.fullmatch(r"([^:].*?)(?::([0-9]{1,7}))?", place)
        baud = int((found and found[2]) or _BAUD)
        if not found or "\0" in place or not 1 <= baud <= _HIGHEST_BAUD:
            raise InvalidOptionError(
                f"--serial {shortened(place)}: expected PORT or PORT:BAUD, like /dev/ttyACM0:9600 "
                "or COM3."
            )
        self._place, self._baud, self._boot_s = found[1], baud, boot_s
        self._port: serial.Serial | None = None
        self._hears_s = 0.0
        self._stopped = threading.Event()
        self._cut_off = False
        self._writing = threading.Lock()
        self._open()  # soon, so that an Arduino has started before there is a label

    def tell(self, change: dict[str, Any]) -> str:
        """Write it; returns what went wrong."""
        trouble = self._open()
        if trouble:
            return trouble
        # A line that was cut off is ended first, so that this one is whole.
        region = f"{change['region']}:" if "region" in change else ""
        text = "\n" * self._cut_off + region + as_text(one_line(str(change["label"]))) + "\n"
        line = text.encode()
        try:
            self._stopped.wait(max(0.0, self._hears_s - time.monotonic()))
            if self._port is not None:
                with self._writing:  # which `stop` may break off in its midst
                    self._cut_off = self._port.write(line) != len(line)
        except (OSError, TypeError) as error:  # the latter where it was closed meanwhile
            self._cut_off = True
            self._let_go()
            return self._away(error)
        return ""

    def stop(self) -> None:
        """Let go of the port."""
        self._stopped.set()
        port = self._port
        if port is not None:
            with contextlib.suppress(Exception):  # it has just been closed
                port.cancel_write()
            if self._writing.acquire(timeout=_BREAK_OFF_S):
                self._writing.release()
            else:
                self._cut_off = True
        self._let_go()

    def _open(self) -> str:
        """Open it if it is not; returns what went wrong."""
        if self._port is not None or self._stopped.is_set():
            return ""
        import serial  # noqa: PLC0415 - an optional library

        try:
            self._port = serial.Serial(self._place, self._baud, write_timeout=_WRITE_S)
        except (OSError, ValueError) as error:
            return self._away(error)
        self._hears_s = time.monotonic() + self._boot_s
        return ""

    def _away(self, error: Exception) -> str:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number else str(error)
        return f"{self._place} cannot be written to ({reason}); it is tried again until it can."

    def _let_go(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(Exception):  # termios has an error that is no OSError
                if self._cut_off:  # closing would wait until what is stuck has been sent
                    port.reset_output_buffer()
            with contextlib.suppress(OSError):
                port.close()
