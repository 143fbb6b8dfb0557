"""A camera that does what a test says when it says so, and what waits for its reader."""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.device.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_classifier.device.frame import FrameSource
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.reader import FrameReader

DEADLINE_S = 10.0


class ScriptedSource:
    """A camera that does what the test tells it, when the test tells it."""

    description = "camera 0, 8x8 at 30 fps"

    def __init__(self) -> None:
        self.closed = 0
        self.done = 0
        """Pictures after which the next one was asked for."""
        self._orders: queue.Queue[Image | Exception | None] = queue.Queue()

    def give(self, *images: Image) -> None:
        for image in images:
            self._orders.put(image)

    def fail(self, error: Exception) -> None:
        self._orders.put(error)

    def end(self) -> None:
        self._orders.put(None)

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while (order := self._orders.get()) is not None:
            if isinstance(order, Exception):
                raise order
            yield Frame(order, index, time.monotonic())
            index += 1
            self.done += 1

    def close(self) -> None:
        self.closed += 1
        self.end()


class Opener:
    """Opens one scripted thing after another: a source, or the error that there is none."""

    def __init__(self, *outcomes: FrameSource | Exception) -> None:
        self.opened = 0
        self._outcomes = list(outcomes)

    def __call__(self) -> FrameSource:
        outcome = self._outcomes[min(self.opened, len(self._outcomes) - 1)]
        self.opened += 1
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come to that"
        threading.Event().wait(0.001)


def grey(value: int) -> Image:
    return np.full((8, 8, 3), value, np.uint8)


def take(reader: FrameReader) -> Frame:
    frame = reader.take(DEADLINE_S)
    assert frame is not None
    return frame
