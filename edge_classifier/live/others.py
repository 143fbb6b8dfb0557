"""Others than who sits before the display: told what is seen, and heard as if they pressed keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.device.console import say
from edge_classifier.device.requests import ADAPT, PAUSED, RECORD, STOP, TRAIN
from edge_classifier.live import display
from edge_classifier.live.display import Press, Release

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_classifier.device.frame import Frame
    from edge_classifier.device.outputs.base import Output
    from edge_classifier.device.requests import Requests
    from edge_classifier.device.source_state import SourceState
    from edge_classifier.live.display import Event
    from edge_classifier.live.session import Session

_KEYS = {ADAPT: "a", TRAIN: "t"}
_PAUSE = "p"


class Others:
    """Tells outputs of each answer of a session, and brings it what is asked for.

    While the session asks a question or shows stored pictures, only its user answers: a pause waits
    until that is over, and what else is asked for is left undone, which is said once.

    Args:
        outputs: Who is told; closed by whoever has made them.
        requests: Where they, and others, ask.
    """

    def __init__(self, outputs: Sequence[Output], requests: Requests) -> None:
        self._outputs, self._requests = outputs, requests
        self._paused = False
        self._held = ""
        self._said: set[str] = set()

    def events(self, session: Session) -> Iterator[Event]:
        """Give what was asked for as what is pressed and let go, one after the other."""
        asked = self._requests.paused
        if asked != self._paused and not session.asking:
            self._paused = asked
            if asked != session.paused:
                yield from _tap(_PAUSE)
        for what, number in self._requests.take():
            if session.asking and what != STOP:
                self._say(f"/{what} does nothing while a question or pictures are open.", "asks")
            elif what in _KEYS:
                yield from _tap(_KEYS[what])
            elif what in (RECORD, STOP):
                name = self._class_of(session, number) if what == RECORD else ""
                if name and name == session.recorded_class:
                    continue  # sliders send where they are again and again: it is one burst
                if self._held:
                    yield Release(self._held)
                    self._held = ""
                if name:
                    self._held = display.target(display.RECORD, name)
                    yield Press(self._held)
            else:
                raise ValueError(what)

    def tell(self, session: Session, frame: Frame | None, source: SourceState) -> None:
        """Tell the outputs of the newest answer, or that there is none, and why."""
        if session.paused != self._paused:  # by a key
            self._paused = self._requests.paused = session.paused
        answer = session.prediction
        for output in self._outputs:
            if source.in_trouble and not session.paused:
                output.wait(source.text)
            elif answer is None:
                output.wait(PAUSED)
            elif frame is not None:
                output.show(frame, answer)

    def _class_of(self, session: Session, number: int) -> str:
        names = session.dataset.class_names
        if 1 <= number <= len(names):
            return names[number - 1]
        what = f"/record {number}: there are {len(names)} classes, the first of which is 1."
        self._say(what, "no class")
        return ""

    def _say(self, what: str, kind: str) -> None:
        """Say it, once of a kind: what others send must not fill the log."""
        if kind not in self._said:
            self._said.add(kind)
            say(what)


def _tap(key: str) -> Iterator[Event]:
    yield Press(key)
    yield Release(key)
