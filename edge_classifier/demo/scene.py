"""What the demo camera sees at a moment: a pure function of seed, object, take and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.demo.hand import Hand, Held
from edge_classifier.demo.light import Sensor, lit_layer
from edge_classifier.demo.objects import Duck, Holdable, Leaf, Mug, Phone
from edge_classifier.demo.room import PANORAMA_SIZE, paint_room
from edge_classifier.demo.scene_state import HEIGHT, WIDTH, SceneState, state_at
from edge_classifier.demo.solids import EYE_DISTANCE, Extent, Relief, rotation, trace_in_bands
from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from edge_classifier.demo.solids import Floats
    from edge_classifier.device.preprocessing import Image

TAUGHT: Final = ("mug", "leaf", "phone")
"""What the scripted demo teaches."""

UNTAUGHT: Final = "duck"
"""What is never taught, so that there is something to be unknown."""

POSES: Final = 4
"""How many sides each object is shown from; takes go round them."""

_EXTENT: Final = Extent(left=-1.3, top=1.2, right=1.3, bottom=-2.7, pixels_per_unit=104)
_SOLIDS: Final[Mapping[str, Callable[[], Holdable]]] = {
    "mug": Mug,
    "leaf": Leaf,
    "phone": Phone,
    "duck": Duck,
}
# yaw and pitch in radians of each pose
_TURNS: Final[Mapping[str, tuple[tuple[float, float], ...]]] = {
    "mug": ((-0.35, 0.34), (0.35, 0.16), (0.05, 0.46), (-0.75, 0.22)),
    "leaf": ((0.20, 0.10), (-0.45, -0.10), (0.0, 0.25), (0.5, -0.15)),
    "phone": ((0.30, 0.05), (-0.40, -0.15), (0.05, 0.2), (-0.2, -0.3)),
    "duck": ((-0.45, 0.12), (-0.1, 0.28), (-0.7, 0.2), (-0.3, -0.05)),
}


class DemoScene:
    """A room, and a hand that holds things into it; the seed, 0 or more, decides on all of it.

    Raises:
        InvalidValueError: if the seed is negative.
    """

    def __init__(self, seed: int = 0) -> None:
        if seed < 0:
            raise InvalidValueError(f"Expected a seed of 0 or more, received {seed}.")
        self._seed = seed
        self._room = paint_room(seed)
        self._sensor = Sensor(seed)
        self._reliefs: dict[tuple[str, int], Relief] = {}

    def image(self, object_name: str | None, t_s: float, take: int = 0) -> Image:
        """Render one picture, `(480, 640, 3)` uint8 BGR; the same for the same arguments.

        `t_s` counts from the begin of the take, 0 or more: each has its own view, light, distance
        and pose. The object is one of `TAUGHT`, `UNTAUGHT`, or `None` for the empty scene.

        Raises:
            InvalidValueError: if there is no such object or take.
        """
        for _ in self.prepare(object_name, take):
            pass
        return self.render(self.state(t_s, take), object_name, take, t_s)

    def prepare(self, object_name: str | None, take: int) -> Iterator[None]:
        """Make what a take needs, in portions of some milliseconds; at most once each.

        Raises:
            InvalidValueError: if there is no such object or take.
        """
        check_subject(object_name, take)
        key = (object_name or "", take % POSES)
        if object_name is not None and key not in self._reliefs:
            thing = _SOLIDS[object_name]()
            turn = rotation(*_TURNS[object_name][key[1]], roll=0.06)
            held = Held(thing, thing.reach, turn, Hand(thing.grip))
            self._reliefs[key] = yield from trace_in_bands(held, _EXTENT)

    def state(self, t_s: float, take: int) -> SceneState:
        """Say how things are at a time of a take; continuous in time."""
        return state_at(self._seed, take, t_s)

    def render(
        self, state: SceneState, object_name: str | None, take: int, t_s: float, raised: float = 1.0
    ) -> Image:
        """Render a state, or a blend of two: `(480, 640, 3)` uint8, BGR.

        `prepare` must have run to its end. The take decides on the pose, `t_s` on the noise only;
        `raised` is 1 where the hand is in the picture, 0 where it is below it.
        """
        picture = self._background(state)
        if object_name is not None and raised > 0:
            relief = self._reliefs[object_name, take % POSES]
            self._place(picture, relief, state, raised)
        return self._sensor.expose(picture, state, t_s)

    def _background(self, state: SceneState) -> Image:
        """Look at a part of the wall."""
        wide, high = WIDTH / state.zoom, HEIGHT / state.zoom
        left = min(max(state.pan, 0.0), 1.0) * (PANORAMA_SIZE[0] - wide)
        top = min(max(state.pan_y, 0.0), 1.0) * (PANORAMA_SIZE[1] - high)
        matrix = np.array(
            [[state.zoom, 0, -left * state.zoom], [0, state.zoom, -top * state.zoom]], np.float32
        )
        view = cv2.warpAffine(self._room, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(view, np.uint8)

    def _place(self, picture: Image, relief: Relief, state: SceneState, raised: float) -> None:
        """Blend the hand and what it holds into the picture."""
        layer = lit_layer(relief, state)
        y = state.y + (1.0 - raised) * (HEIGHT + 150 - state.y)
        matrix = _homography(relief.extent, state, y)
        top, bottom, left, right = _bounds(matrix, layer.shape)
        if top >= bottom or left >= right:
            return
        shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], np.float64)
        warped = cv2.warpPerspective(
            layer, shift @ matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR
        )
        region = picture[top:bottom, left:right]
        clear = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(warped, 3)), cv2.COLOR_GRAY2BGR)
        behind = cv2.multiply(region, clear, scale=1 / 255)
        cv2.add(behind, cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR), dst=behind)
        picture[top:bottom, left:right] = behind


def check_subject(object_name: str | None, take: int) -> None:
    """Refuse, with an `InvalidValueError`, what there is no picture of."""
    if object_name is not None and object_name not in _SOLIDS:
        raise InvalidValueError(
            f"The demo camera shows {', '.join(_SOLIDS)} or nothing (None), "
            f"received {object_name!r}."
        )
    if take < 0:
        raise InvalidValueError(f"Expected a take of 0 or more, received {take}.")


def _homography(extent: Extent, state: SceneState, y: float) -> Floats:
    """From pixels of a relief to pixels of the picture, the relief's plane turned in space."""
    ppu = extent.pixels_per_unit
    to_plane = np.array(
        [[1 / ppu, 0, extent.left], [0, -1 / ppu, extent.top], [0, 0, 1]], np.float64
    )
    turn = rotation(state.yaw, state.pitch, state.roll).astype(np.float64)
    flat = np.array(
        [
            [turn[0, 0], turn[0, 1], 0],
            [turn[1, 0], turn[1, 1], 0],
            [-turn[2, 0] / EYE_DISTANCE, -turn[2, 1] / EYE_DISTANCE, 1],
        ]
    )
    to_picture = np.array([[state.scale, 0, state.x], [0, -state.scale, y], [0, 0, 1]], np.float64)
    matrix: Floats = to_picture @ flat @ to_plane
    return matrix


def _bounds(matrix: Floats, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The part of the picture that a relief can touch: top, bottom, left, right."""
    height, width = shape[:2]
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
    placed = cv2.perspectiveTransform(corners, matrix)[0]
    left, top = np.floor(placed.min(axis=0)).astype(int)
    right, bottom = np.ceil(placed.max(axis=0)).astype(int)
    return max(top, 0), min(bottom, HEIGHT), max(left, 0), min(right, WIDTH)
