"""What every source of pictures is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..preprocessing import Image


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture that was read.

    Attributes:
        image: `(H, W, 3)` uint8, BGR.
        name: The file, or the source.
        index: Its number, from 0.
        time_s: When it was there, in seconds of a monotonic clock.
        capture_ms: How long the source took for it.
    """

    image: Image
    name: str
    index: int
    time_s: float
    capture_ms: float


class Source:
    """Where pictures come from: iterate over it, then close it.

    Attributes:
        name: For the user.
        live: Whether it goes on for ever: then only the newest picture counts, and a source
            that fails is opened again.
        video: Whether its pictures follow each other in time.
    """

    name = ""
    live = False
    video = False

    def open(self) -> None:
        """Get ready.

        Raises:
            ClassifyError: if there is nothing to open.
        """

    def read(self) -> tuple[str, Image] | None:
        """Give the next picture and its name, or `None` at the end or when it is lost."""
        raise NotImplementedError

    def clock(self) -> Callable[[int], float]:
        """Give what dates a picture, in seconds, by its number; by default the real time."""
        return lambda _index: time.monotonic()

    def close(self) -> None:
        """Give the device back; may be called twice."""
