"""What comes from a source: each frame, and once what is wrong."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from .console import say
from .requests import PAUSED, Requests
from .source_state import SourceState, SourceStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .frame import Clock, Frame
    from .outputs.base import Output
    from .reader import FrameReader

_IDLE_S: Final = 0.1
_SETTLE_S: Final = 2.0


class TroubleLog:
    """Says what is wrong with a source once, not once a picture, and once that it is over.

    It is over when all has been well for `settle_s` seconds.
    """

    def __init__(
        self, name: str, settle_s: float = _SETTLE_S, clock: Clock = time.monotonic
    ) -> None:
        self._name = name
        self._settle_s = settle_s
        self._clock = clock
        self._said: set[object] = set()
        self._well_since_s: float | None = None

    def update(self, state: SourceState) -> None:
        """Take note of how the source is doing."""
        if state.in_trouble or state.frozen:
            self._well_since_s = None
            # What else is said differs from one time to the next: in the seconds, in an error.
            what = state.text if state.status is SourceStatus.UNUSABLE else state.status
            if what not in self._said:
                self._said.add(what)
                say(f"{state.text}.".replace("?.", "?"))
        elif self._said:
            now_s = self._clock()
            if self._well_since_s is None:
                self._well_since_s = now_s
            if now_s - self._well_since_s >= self._settle_s:
                self._said.clear()
                say(f"{self._name} is back.")


def frames_of(reader: FrameReader, log: TroubleLog, idle: Callable[[str], bool]) -> Iterator[Frame]:
    """Take frames until the source ends.

    `idle` is called some times a second while no frame comes, with what is wrong, and says
    whether to go on.

    Raises:
        EdgeClassifierError: if the source is given up.
    """
    while (state := reader.state).status is not SourceStatus.ENDED:
        log.update(state)
        frame = reader.take(_IDLE_S)
        if frame is not None:
            yield frame
        elif reader.first_error is not None:
            raise reader.first_error
        elif not idle(state.text if state.in_trouble else ""):
            return


def unpaused(
    frames: Iterator[Frame], requests: Requests, outputs: Sequence[Output]
) -> Iterator[Frame]:
    """Leave out the frames that come while it is paused; ends where an output wants to."""
    for frame in frames:
        if not requests.paused:
            yield frame
        elif not waiting("", requests, outputs):
            return


def waiting(trouble: str, requests: Requests, outputs: Sequence[Output]) -> bool:
    """Tell outputs that nothing is answered, and why; returns whether to go on.

    A pause is told also where the next frame is far away, as it is with a long interval.
    """
    why = trouble or (PAUSED if requests.paused else "")
    return all(output.wait(why) for output in outputs)
