"""A camera for people without a camera: a hand that holds things into a rendered room.

The scene renders the pictures, from no file; this module gives them at a camera's pace and decides
on what is held up when.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Final

from edge_classifier.demo.scene import TAUGHT, UNTAUGHT, DemoScene, check_subject
from edge_classifier.demo.scene_state import HEIGHT, WIDTH
from edge_classifier.device.frame import Frame
from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_classifier.device.frame import Clock
    from edge_classifier.device.preprocessing import Image

CYCLE: Final = (*TAUGHT, UNTAUGHT)
"""What the camera holds up by itself, in this order, for ever; each round is another take."""

SHOW_S: Final = 6.0
"""How long each object is held up when the camera cycles by itself, in seconds."""

EMPTY_S: Final = 1.2
"""How long the scene is empty between two objects, in seconds."""

_HAND_S: Final = 0.4
"""How long the hand takes to come up or to go."""

_TRAVEL_S: Final = 1.0
"""How long the camera takes to turn from the view of one take to that of another."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is to be seen."""

    object_name: str | None
    take: int


class DemoCamera:
    """A `FrameSource` that renders its own pictures, 640x480.

    Left alone it holds up `CYCLE` by itself, beginning with an empty scene. `present` takes
    over from that. However fast they are read, the pictures are the same.

    Args:
        scene: `DemoScene(0)` if left out; scenes of one seed give the same pictures.
        fps: Frames per second, also of the scene's own time.
        paced: Whether to keep to `fps`, as a camera does, or to give frames as fast as they
            are asked for.
        clock: Monotonic seconds.
        sleep: Waits for some seconds.

    Raises:
        InvalidValueError: if `fps` is not above 0.
    """

    def __init__(
        self,
        scene: DemoScene | None = None,
        *,
        fps: float = 30.0,
        paced: bool = True,
        clock: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not fps > 0:
            raise InvalidValueError(f"Expected frames per second above 0, received {fps}.")
        self._fps = fps
        self._paced = paced
        self._clock = clock
        self._sleep = sleep
        self._stage = _Stage(scene or DemoScene(), _Subject(None, 0))
        self._lock = Lock()
        self._presented: _Subject | None = None
        self._seen: _Subject | None = None
        """What the newest frame shows, or `None` during a change."""
        self._index = 0
        self._closed = False

    @property
    def description(self) -> str:
        """What it is, for the user."""
        return f"demo camera, {WIDTH}x{HEIGHT} at {self._fps:g} fps"

    def present(self, object_name: str | None, take: int = 0) -> None:
        """Ask for something to be held up from now on, or `None`; from any thread.

        The hand goes, the camera turns to the view of the take, and the hand comes back with
        the object: all that in the next frames, about 2 seconds at most. `settled` says when.

        Raises:
            InvalidValueError: if there is no such object or take.
        """
        check_subject(object_name, take)
        with self._lock:
            self._presented = _Subject(object_name, take)
            if self._seen != self._presented:
                self._seen = None

    @property
    def showing(self) -> str | None:
        """The object held up in the newest frame, or `None` while there is none, or a change."""
        seen = self._seen
        return seen.object_name if seen is not None else None

    @property
    def settled(self) -> bool:
        """Whether the newest frame shows what was asked for, with no change under way."""
        return self._seen is not None

    def __iter__(self) -> Iterator[Frame]:
        """Give frames until the camera is closed."""
        due = self._clock()
        while not self._closed:
            started = self._clock()
            image = self._next_image()
            rendered = self._clock()
            if self._paced:
                # a late frame is late; those after it are not hurried to make up for it
                due = max(due, rendered)
                if rendered < due:
                    self._sleep(due - rendered)
                due += 1.0 / self._fps
            if self._closed:
                return
            frame = Frame(image, self._index, self._clock(), (rendered - started) * 1000.0)
            self._index += 1
            yield frame

    def _next_image(self) -> Image:
        t_s = self._index / self._fps
        with self._lock:
            wanted = self._presented or _by_itself(t_s)
            upcoming = self._presented or _by_itself(t_s + EMPTY_S)
        image = self._stage.step(wanted, upcoming, t_s, 1.0 / self._fps)
        with self._lock:
            still_wanted = self._presented is None or self._presented == wanted
            self._seen = wanted if self._stage.settled and still_wanted else None
        return image

    def close(self) -> None:
        """End the iteration; may be called twice, and from another thread."""
        self._closed = True


def _by_itself(t_s: float) -> _Subject:
    """Say what is to be seen at a time when nobody asks for anything."""
    slot, since_s = divmod(t_s, EMPTY_S + SHOW_S)
    take, turn = divmod(int(slot), len(CYCLE))
    return _Subject(None if since_s < EMPTY_S else CYCLE[turn], take)


class _Stage:
    """Brings about what is wanted, a frame at a time, so that nothing in the picture jumps."""

    def __init__(self, scene: DemoScene, subject: _Subject) -> None:
        self._scene = scene
        self._subject = subject
        self._previous_take = subject.take
        self._began_s = self._previous_began_s = 0.0
        """When each take began, which is the same then however long the one before has lasted."""
        self._travelled = 1.0
        self._raised = 0.0
        self._work: Iterator[None] | None = None
        self._work_is_for = subject
        self.settled = False

    def step(self, wanted: _Subject, upcoming: _Subject, t_s: float, frame_s: float) -> Image:
        """Render the next frame, `(480, 640, 3)` uint8 BGR, on the way to what is wanted.

        What is `upcoming`, likely to be wanted next, is prepared while the scene is empty.
        """
        changing = wanted != self._subject
        if changing and self._raised > 0.0:
            self._raised = max(0.0, self._raised - frame_s / _HAND_S)
        elif changing and self._travelled >= 1.0:
            self._turn_to(wanted, t_s)
        elif self._travelled < 1.0:
            self._travelled = min(1.0, self._travelled + frame_s / _TRAVEL_S)
        ready = self._prepared(self._subject if self._subject.object_name else upcoming)
        if not changing and ready and self._travelled >= 1.0 and self._subject.object_name:
            self._raised = min(1.0, self._raised + frame_s / _HAND_S)
        in_place = self._raised >= 1.0 or self._subject.object_name is None
        self.settled = wanted == self._subject and self._travelled >= 1.0 and in_place
        return self._render(t_s)

    def _turn_to(self, wanted: _Subject, t_s: float) -> None:
        if wanted.take != self._subject.take:
            self._previous_take, self._previous_began_s = self._subject.take, self._began_s
            self._began_s = t_s
            self._travelled = 0.0
        self._subject = wanted

    def _prepared(self, subject: _Subject) -> bool:
        """Do a portion of what a subject needs; says whether there is none left."""
        if subject != self._work_is_for:
            self._work = self._scene.prepare(subject.object_name, subject.take)
            self._work_is_for = subject
        if self._work is not None:
            try:
                next(self._work)
            except StopIteration:
                self._work = None
        return self._work is None

    def _render(self, t_s: float) -> Image:
        since_s = round(t_s - self._began_s, 6)  # the same to the last digit, whenever it began
        state = self._scene.state(since_s, self._subject.take)
        if self._travelled < 1.0:
            left_behind = self._scene.state(t_s - self._previous_began_s, self._previous_take)
            state = left_behind.towards(state, _eased(self._travelled))
        raised = _eased(self._raised)
        name = self._subject.object_name if raised > 0.0 else None
        return self._scene.render(state, name, self._subject.take, since_s, raised=raised)


def _eased(share: float) -> float:
    """Start and stop gently (smoothstep)."""
    return share * share * (3.0 - 2.0 * share)
