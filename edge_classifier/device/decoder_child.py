"""Decoding in a child process that is ended when it takes too long or too much: both ends.

Nobody can say how long a decoder takes for a file that was made to keep it busy, and a thread that
is in one cannot be ended. The child starts with the first picture that needs it and stays for the
next ones; it ends with its parent, since nobody holds the other end of its standard input then.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from .errors import EdgeClassifierError, InvalidImageError
from .jpeg import decode_cut, jpeg_layout
from .media import JPEG, START_BYTES, kind_of

if TYPE_CHECKING:
    from .preprocessing import Image

if sys.platform == "win32":
    _CPU_LIMIT: Final = False
else:
    import resource

    _CPU_LIMIT = True

MOST_SECONDS: Final = 5
"""Of processor time for a picture."""

_WALL_S: Final = 60.0
"""For a computer that is busy with other things; or where no processor time can be limited, 15."""

_MOST_BYTES: Final = 1 << 30
_CMYK: Final = 4
_QUESTION: Final = struct.Struct(">III")
"""Length of the name and of the file, and the most pixels."""
_ANSWER: Final = struct.Struct(">IIII")
"""Height, width, length of a note, and of a refusal."""


class _Child:
    """A child process, seen from its parent; for one thread at a time."""

    def __init__(self) -> None:
        package = __package__ or ""
        root = Path(__file__).resolve().parents[package.count(".") + 1]
        start = (
            f"import sys; root = {str(root)!a}; sys.path[:] = filter(None, sys.path); "
            "root in sys.path or sys.path.insert(0, root); "
            f"from {__name__} import serve; serve()"
        )
        self._process = subprocess.Popen(  # noqa: S603 - this very module
            [sys.executable, "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what decoders in C say of damaged files
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )

    def decode(self, data: bytes, name: str, most_pixels: int) -> tuple[Image, str]:
        """Ask for a picture and wait for it.

        Raises:
            InvalidImageError: as the child said.
            EOFError: if it ended over it.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 - asked for
        assert stdout is not None  # noqa: S101 - asked for
        known = os.fsencode(name)
        watch = threading.Timer(_WALL_S if _CPU_LIMIT else _WALL_S / 4, self._process.kill)
        watch.start()
        try:
            try:
                stdin.write(_QUESTION.pack(len(known), len(data), most_pixels) + known)
                stdin.write(data)
                stdin.flush()
            except OSError as error:
                raise EOFError from error
            height, width, noted, refused = _ANSWER.unpack(_read(stdout, _ANSWER.size))
            text = os.fsdecode(_read(stdout, noted + refused))
            if refused:
                raise InvalidImageError(text)
            image = np.empty((height, width, 3), np.uint8)
            _read_into(stdout, image.data.cast("B"))
        finally:
            watch.cancel()
        return image, text

    def end(self) -> None:
        """End it, also in the middle of a picture; may be called twice."""
        self._process.kill()
        for end in (self._process.stdin, self._process.stdout):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.close()
        self._process.wait()


class _Children:
    """As many children as there are threads that decode at the same time."""

    def __init__(self) -> None:
        self._idle: list[_Child] = []

    def decode(self, data: bytes, name: str, most_pixels: int) -> tuple[Image, str]:
        try:
            child = self._idle.pop() if self._idle else _Child()
        except IndexError:  # another thread was quicker
            child = _Child()
        try:
            decoded = child.decode(data, name, most_pixels)
        except InvalidImageError:
            self._idle.append(child)
            raise
        except EOFError as error:
            child.end()
            raise InvalidImageError(
                f"{name} takes more than {MOST_SECONDS} s or 1 GB to decode; save it as JPEG."
            ) from error
        except BaseException:  # Ctrl-C: what it would say next answers nobody
            child.end()
            raise
        self._idle.append(child)
        return decoded

    def end(self) -> None:
        while self._idle:
            self._idle.pop().end()

    def forget(self) -> None:
        self._idle.clear()


_children: Final = _Children()
atexit.register(_children.end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_children.forget)


def decode_in_child(data: bytes, name: str, most_pixels: int) -> tuple[Image, str]:
    """Decode a picture whose decoder may take too long or too much.

    Returns:
        `(H, W, 3)` uint8 BGR, and what the user should know of it, or an empty text.

    Raises:
        InvalidImageError: if it is damaged, too large or takes too long.
    """
    try:
        return _children.decode(data, name, most_pixels)
    except OSError as error:
        raise InvalidImageError(
            f"{name} cannot be decoded: no other process could be started ({error.strerror})."
        ) from error


def _read(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise EOFError
    return data


def _read_into(stream: IO[bytes], target: memoryview) -> None:
    done = 0
    while done < len(target):
        count = stream.readinto(target[done:])  # type: ignore[attr-defined]  # of a pipe it has
        if not count:
            raise EOFError
        done += count


# The child's end


def serve() -> None:
    """Be the child: decode what is asked for until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who then ends us
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    while question := stdin.read(_QUESTION.size):
        named, size, most_pixels = _QUESTION.unpack(question)
        name = os.fsdecode(stdin.read(named))
        data = stdin.read(size)
        _limit()
        try:
            image, note = _decode(data, name, most_pixels)
        except InvalidImageError as error:
            refusal = os.fsencode(str(error))
            stdout.write(_ANSWER.pack(0, 0, 0, len(refusal)) + refusal)
        else:
            noted = os.fsencode(note)
            stdout.write(_ANSWER.pack(*image.shape[:2], len(noted), 0) + noted)
            stdout.write(image.data)
        stdout.flush()


def _limit() -> None:
    """Let the system end this process where the next picture takes too long or too much."""
    if sys.platform != "win32":
        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        until = int(used.ru_utime + used.ru_stime) + MOST_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (until, hard))
        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, _MOST_BYTES))


def _decode(data: bytes, name: str, most_pixels: int) -> tuple[Image, str]:
    kind = kind_of(data[:START_BYTES])
    assert kind is not None  # noqa: S101 - who asks has looked
    try:
        if kind is JPEG:
            layout = jpeg_layout(data)
            assert layout is not None  # noqa: S101 - likewise
            if layout.components != _CMYK:
                return decode_cut(data, name, layout)
        from .pillow_decoder import decode  # noqa: PLC0415 - only now limits hold

        return decode(data, name, kind, most_pixels)
    except EdgeClassifierError:
        raise
    except MemoryError as error:
        raise EOFError from error
    except Exception as error:  # a damaged file makes Pillow raise whatever comes to hand
        raise InvalidImageError(
            f"The picture {name} is damaged; remove it or replace it."
        ) from error
