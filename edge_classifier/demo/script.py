"""The demo's script: who holds what before the camera when, and which key is held meanwhile."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.demo.scene import TAUGHT, UNTAUGHT
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.live.display import Press, Release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_classifier.demo.camera import DemoCamera
    from edge_classifier.device.frame import Frame
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.live.display import Event
    from edge_classifier.live.session import Session
    from edge_classifier.live.view import Activity, View

FPS: Final = 30.0
_TAUGHT_TAKE: Final = 0
_ASKED_TAKES: Final = range(1, 5)
_TAKE_BEFORE: Final = 5
"""Seen until the first scene, so that all scenes are the same however long loading takes."""
NOTHING: Final = "nothing"
"""What the empty scene is called."""

_RUNNING: Final = SourceState(SourceStatus.RUNNING)
_PATIENCE_S: Final = 180.0
"""Seconds without any progress after which a worker is left alone."""


class ScriptedClock:
    """The demo's own time: it advances by one frame a frame, however long that takes."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now_s


class VerdictCounts:
    """How often each verdict was given of one thing, on frames that were never recorded.

    Attributes:
        expected: Its name, or `unknown` for what was never taught and for the empty scene.
        verdicts: Counts by verdict; `nothing` where no model answered.
    """

    def __init__(self, shown: str) -> None:
        self.expected = shown if shown in TAUGHT else "unknown"
        self.verdicts: Counter[str] = Counter()

    def add(self, prediction: Prediction | None) -> None:
        """Count a prediction."""
        if prediction is None:
            self.verdicts["nothing"] += 1
        else:
            self.verdicts["unknown" if prediction.unknown else prediction.class_name] += 1

    @property
    def frames(self) -> int:
        """How many frames of it were judged."""
        return self.verdicts.total()

    @property
    def right(self) -> int:
        """How many verdicts were right."""
        return self.verdicts[self.expected]


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing to show, for some seconds once it is before the camera.

    Attributes:
        action: For the terminal: `teaching`.
        shown: The object, or `NOTHING`.
        take: Which view, light and pose of it.
        key: The key that is held meanwhile, or `None`.
    """

    action: str
    shown: str
    take: int
    key: str | None
    seconds: float

    def __str__(self) -> str:
        return f"{self.action} {self.shown}, take {self.take + 1}"


def teaching(seconds: float) -> list[Scene]:
    """Return the scenes in which each taught object is recorded: one burst each, in one take."""
    return [
        Scene("teaching", name, _TAUGHT_TAKE, str(number + 1), seconds)
        for number, name in enumerate(TAUGHT)
    ]


def asking(seconds: float) -> list[Scene]:
    """Return the scenes that show takes never recorded, what was never taught, and nothing."""
    return [
        Scene("showing", name, take, None, seconds)
        for take in _ASKED_TAKES
        for name in (*TAUGHT, UNTAUGHT, NOTHING)
    ]


class DemoRun:
    """Plays scenes to a session, frame by frame.

    Args:
        camera: Unpaced.
        session: On the same clock.
        clock: The demo's own time.
        show: Is given every view; returns whether the user wants no more of it.
        wait: Lets the time of one frame pass while the worker works; needed where `show` does
            not keep to the frame rate.
    """

    def __init__(
        self,
        camera: DemoCamera,
        session: Session,
        clock: ScriptedClock,
        show: Callable[[View], bool],
        *,
        wait: Callable[[], None],
    ) -> None:
        self._camera = camera
        self._frames: Iterator[Frame] = iter(camera)
        self._session = session
        self._clock = clock
        self._show = show
        self._wait = wait
        self.stopped = False
        camera.present(None, _TAKE_BEFORE)

    def play(self, scene: Scene) -> VerdictCounts:
        """Show a scene, holding its key, and count the verdicts of its frames."""
        counts = VerdictCounts(scene.shown)
        shown = None if scene.shown == NOTHING else scene.shown
        self._camera.present(shown, scene.take)
        self._step(None)
        while not self._camera.settled and not self.stopped:
            self._step(None)
        event: Event | None = Press(scene.key) if scene.key else None
        for _ in range(round(scene.seconds * FPS)):
            if self.stopped:
                break
            self._step(event)
            event = None
            counts.add(self._session.prediction)
        if scene.key:
            self._session.advance(None, Release(scene.key), _RUNNING)
        return counts

    def press(self, key: str) -> None:
        """Press a key once."""
        self._step(Press(key))
        self._session.advance(None, Release(key), _RUNNING)

    def wait_for_worker(self) -> bool:
        """Go on showing frames until the worker is idle; `False` if it gets no further."""
        # In real seconds: the worker does not live in the demo's own time.
        end_s, reached = time.monotonic() + _PATIENCE_S, self._step(None)
        while self._session.busy and not self.stopped:
            now_s, activity = time.monotonic(), self._step(None)
            if activity != reached:
                end_s, reached = now_s + _PATIENCE_S, activity
            if now_s > end_s:
                return False
            self._wait()
        return not self.stopped

    def _step(self, event: Event | None) -> Activity:
        frame = next(self._frames)
        view = self._session.step(frame, event, _RUNNING)
        if self._show(view):
            self.stopped = True
        self._clock.now_s += 1 / FPS
        return view.activity
