"""Pictures decoded in a child process that can be ended: both ends.

The child starts with the first picture that needs it and stays for the next ones.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from .bounded_child import MOST_SECONDS, BoundedChild, limit, standard_streams
from .errors import EdgeClassifierError, InvalidImageError
from .jpeg import decode_cut, jpeg_layout
from .media import JPEG, START_BYTES, kind_of

if TYPE_CHECKING:
    from .preprocessing import Image

_QUESTION: Final = struct.Struct(">III")
"""Length of the name and of the file, and the most pixels."""
_ANSWER: Final = struct.Struct(">IIII")
"""Height, width, length of a note, and of a refusal."""


def _ask(child: BoundedChild, data: bytes, name: str, most_pixels: int) -> tuple[Image, str]:
    """Ask for a picture and wait for it.

    Raises:
        InvalidImageError: as the child said.
        EOFError: if it ended over it.
    """
    known = os.fsencode(name)
    with child.deadline():
        child.ask(_QUESTION.pack(len(known), len(data), most_pixels) + known, data)
        height, width, noted, refused = _ANSWER.unpack(child.read(_ANSWER.size))
        text = os.fsdecode(child.read(noted + refused))
        if refused:
            raise InvalidImageError(text)
        image = np.empty((height, width, 3), np.uint8)
        child.read_into(image.data.cast("B"))
    return image, text


class _Children:
    """As many children as there are threads that decode at the same time."""

    def __init__(self) -> None:
        self._idle: list[BoundedChild] = []

    def decode(self, data: bytes, name: str, most_pixels: int) -> tuple[Image, str]:
        try:
            child = self._idle.pop()
        except IndexError:
            child = BoundedChild(__name__)
        if not child.is_alive():  # somebody ended it since
            child = BoundedChild(__name__)
        try:
            decoded = _ask(child, data, name, most_pixels)
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

    def forget(self) -> None:
        self._idle.clear()


_children: Final = _Children()
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


# The child's end


def serve() -> None:
    """Be the child: decode what is asked for until nobody asks any more."""
    stdin, stdout = standard_streams()
    while question := stdin.read(_QUESTION.size):
        named, size, most_pixels = _QUESTION.unpack(question)
        name = os.fsdecode(stdin.read(named))
        data = stdin.read(size)
        limit()
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


def _decode(data: bytes, name: str, most_pixels: int) -> tuple[Image, str]:
    kind = kind_of(data[:START_BYTES])
    assert kind is not None  # noqa: S101 - who asks has looked
    try:
        if kind is JPEG:
            layout = jpeg_layout(data)
            assert layout is not None  # noqa: S101 - likewise
            if not layout.is_cmyk:
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
