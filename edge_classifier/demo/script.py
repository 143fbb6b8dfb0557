"""The demo's script: who holds what before the camera when, and which key is held meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edge_classifier.demo.scene import TAUGHT, UNTAUGHT
from edge_classifier.device.source_state import SourceState, SourceStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_classifier.demo.camera import DemoCamera
    from edge_classifier.device.frame import Clock, Frame
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.live.session import Session
    from edge_classifier.live.view import Activity, View

FPS: Final = 30.0
_RUNNING: Final = SourceState(SourceStatus.RUNNING)
_REPEAT_DELAY_S: Final = 0.66
_REPEAT_PERIOD_S: Final = 0.04
_PATIENCE_S: Final = 180.0
"""Seconds without any progress after which a worker is left alone."""


class ScriptedClock:
    """The demo's own time: it advances by one frame a frame, however long that takes."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now_s


@dataclass(slots=True)
class Outcome:
    """What was said of one object on fresh frames.

    Attributes:
        shown: What was before the camera.
        frames: How many frames of it were judged.
        right: How many verdicts were its name, or `unknown` for what was never taught.
        verdicts: How often each verdict was given.
    """

    shown: str
    frames: int = 0
    right: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)

    def add(self, prediction: Prediction | None) -> None:
        """Count a prediction."""
        expected = self.shown if self.shown in TAUGHT else "unknown"
        if prediction is None:
            verdict = "nothing"
        else:
            verdict = "unknown" if prediction.unknown else prediction.class_name
        self.frames += 1
        self.right += verdict == expected
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing to show, for some time.

    Attributes:
        text: For the terminal: `teaching mug, take 1`.
        shown: The object.
        take: Which view, light and pose of it.
        key: The key that is held meanwhile, or `None`.
        seconds: For how long, once it is before the camera.
    """

    text: str
    shown: str
    take: int
    key: str | None
    seconds: float


def teaching(takes: int = 3, seconds: float = 2.0) -> list[Scene]:
    """Return the scenes in which each taught object is recorded, take by take."""
    return [
        Scene(f"teaching {name}, take {take + 1}", name, take, str(number + 1), seconds)
        for take in range(takes)
        for number, name in enumerate(TAUGHT)
    ]


def asking(first_take: int = 3, takes: int = 2, seconds: float = 2.0) -> list[Scene]:
    """Return the scenes that show takes never recorded, and the object never taught."""
    return [
        Scene(f"showing {name}, take {take + 1}", name, take, None, seconds)
        for take in range(first_take, first_take + takes)
        for name in (*TAUGHT, UNTAUGHT)
    ]


class DemoRun:
    """Plays scenes to a session, frame by frame.

    Args:
        camera: Unpaced, on the same clock.
        session: On the same clock.
        clock: The demo's own time.
        show: Is given every view; returns a key of the user, or `None`.
        wait: Lets the time of one frame pass while the worker works; needed where `show` does
            not keep to the frame rate.
        timer: Real seconds: the worker does not live in the demo's own time.
    """

    def __init__(
        self,
        camera: DemoCamera,
        session: Session,
        clock: ScriptedClock,
        show: Callable[[View], str | None],
        *,
        wait: Callable[[], None],
        timer: Clock = time.monotonic,
    ) -> None:
        self._camera = camera
        self._frames: Iterator[Frame] = iter(camera)
        self._session = session
        self._clock = clock
        self._show = show
        self._wait = wait
        self._timer = timer
        self.stopped = False

    def play(self, scene: Scene) -> Outcome:
        """Show a scene, holding its key, and count the verdicts of its frames."""
        outcome = Outcome(scene.shown)
        self._camera.present(scene.shown, scene.take)
        self._step(None)
        while not self._camera.settled and not self.stopped:
            self._step(None)
        next_event_s, first = self._clock(), True
        end_s = self._clock() + scene.seconds
        while self._clock() < end_s and not self.stopped:
            key = None
            if scene.key and self._clock() >= next_event_s:
                key = scene.key
                next_event_s += _REPEAT_DELAY_S if first else _REPEAT_PERIOD_S
                first = False
            self._step(key)
            outcome.add(self._session.prediction)
        return outcome

    def press(self, key: str) -> None:
        """Press a key once."""
        self._step(key)

    def wait_for_worker(self) -> bool:
        """Go on showing frames until the worker is idle; `False` if it gets no further."""
        end_s, reached = self._timer() + _PATIENCE_S, self._step(None)
        while self._session.busy and not self.stopped:
            now_s, activity = self._timer(), self._step(None)
            if activity != reached:
                end_s, reached = now_s + _PATIENCE_S, activity
            if now_s > end_s:
                return False
            self._wait()
        return not self.stopped

    def _step(self, key: str | None) -> Activity:
        frame = next(self._frames)
        view = self._session.step(frame, key, _RUNNING)
        pressed = self._show(view)
        if pressed in ("close", "q", "Q", "escape"):
            self.stopped = True
        self._clock.now_s += 1 / FPS
        return view.activity
