"""The hand that holds an object before the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.demo.solids import (
    Floats,
    Paint,
    Solid,
    capsule,
    ellipsoid,
    paint_over,
    smooth_union,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_SKIN: Final = (0.50, 0.62, 0.83)
_KNUCKLE: Final = (0.42, 0.50, 0.78)
_SLEEVE: Final = (0.36, 0.24, 0.19)
_FINGER_PITCH: Final = 0.235
_FAR: Final = 0.3  # beyond the reach of the occlusion

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Grip:
    """Where an object is held; units as in `solids`.

    Attributes:
        half_width: From the axis to where the fingers go around the object.
        depth: From the axis to the surface that the finger tips rest on.
        y: Height of the lowest finger.
        reach: How far the finger tips come around to the front.
        fingers: How many of the four come around; the others stay behind.
    """

    half_width: float
    depth: float
    y: float
    reach: float = 0.2
    fingers: int = 4


class Hand:
    """A right hand with a sleeve, from below; the fingers come around from the right.

    Attributes:
        top: Nothing of it is above this height, in units.
    """

    def __init__(self, grip: Grip) -> None:
        w, y = grip.half_width, grip.y
        self._fingers: list[tuple[tuple[Point, Point, Point], float]] = []
        for i in range(grip.fingers):
            height = y + i * _FINGER_PITCH
            shorter = 0.05 * abs(i - 1.6)
            root, middle = (w * 0.5 + 0.05, height - 0.22, -0.42), (w + 0.10, height, -0.08)
            tip = (w - grip.reach + shorter, height + 0.09, grip.depth + 0.05)
            self._fingers.append(((root, middle, tip), 0.118 if i else 0.102))
        self._thumb: tuple[Point, Point, Point] = (
            (-0.22, y - 0.62, -0.28),
            (-w - 0.09, y + 0.02, -0.02),
            (-w + grip.reach + 0.02, y + 0.48, grip.depth + 0.06),
        )
        self._tips = [*(joints[2] for joints, _ in self._fingers), self._thumb[2]]
        self.top = max(tip[1] for tip in self._tips) + 0.15
        self._palm_centre: Point = (0.06, y - 0.42, -0.42)
        self._wrist: Point = (0.12, y - 1.05, -0.40)
        self._elbow: Point = (0.5, y - 3.4, -0.55)
        self._cuff_y = self._wrist[1] - 0.35

    def distance(self, points: Floats) -> Floats:
        """Give `(N,)` distances to skin or sleeve."""
        skin, sleeve = self._parts(points)
        return np.minimum(skin, sleeve)

    def _parts(self, points: Floats) -> tuple[Floats, Floats]:
        skin = ellipsoid(points, self._palm_centre, (0.46, 0.58, 0.2))
        skin = smooth_union(skin, capsule(points, self._palm_centre, self._wrist, (0.3, 0.24)), 0.2)
        arm = capsule(points, self._wrist, self._elbow, (0.24, 0.31))
        skin = smooth_union(skin, arm, 0.12)
        thumb = _bent(points, self._thumb, (0.2, 0.135, 0.108))
        skin = smooth_union(skin, thumb, 0.14)
        for joints, radius in self._fingers:
            finger = _bent(points, joints, (radius * 1.1, radius, radius * 0.84))
            skin = smooth_union(skin, finger, 0.025)
        wrinkle = np.float32(0.018) * np.sin(points[1] * 13 + 2.5 * np.sin(points[0] * 5))
        sleeve = np.maximum(arm - np.float32(0.13) - wrinkle, points[1] - self._cuff_y)
        return skin, sleeve

    def paint(self, points: Floats) -> Paint:
        """Give skin, redder at the finger tips, and knit."""
        skin, sleeve = self._parts(points)
        x, y, _ = points
        mottled = 0.03 * np.sin(x * 17 + 3 * np.sin(y * 11)) * np.sin(y * 19)
        colour = np.stack([channel + mottled for channel in _SKIN])
        nearest_tip = np.full(points.shape[1], np.inf, np.float32)
        for tip in self._tips:
            offset = points - np.array(tip, np.float32)[:, np.newaxis]
            nearest_tip = np.minimum(nearest_tip, np.sqrt((offset * offset).sum(axis=0)))
        warm = np.clip(1.2 - nearest_tip * 3.0, 0.0, 1.0) * 0.7
        paint_over(colour, warm, _KNUCKLE)
        ribs = 0.82 + 0.18 * np.sin(x * 46)
        knit = np.stack([np.float32(c) * ribs for c in _SLEEVE])
        woven = sleeve < skin
        colour[:, woven] = knit[:, woven]
        gloss = np.where(woven, 0.0, 0.12).astype(np.float32)
        return Paint(np.clip(colour, 0, 1), gloss, np.zeros_like(colour))


def _bent(points: Floats, joints: Sequence[Point], radii: Sequence[float]) -> Floats:
    upper = capsule(points, joints[0], joints[1], (radii[0], radii[1]))
    lower = capsule(points, joints[1], joints[2], (radii[1], radii[2]))
    return smooth_union(upper, lower, 0.04)


class Held:
    """An object in a hand, turned by a `(3, 3)` matrix; it extends `reach` units at most."""

    def __init__(self, thing: Solid, reach: float, turn: Floats, hand: Hand) -> None:
        self._thing = thing
        self._reach = reach
        self._back = np.ascontiguousarray(turn.T)
        self._hand = hand

    def distance(self, points: Floats) -> Floats:
        """Give `(N,)` distances to the object or the hand, whichever is nearer."""
        y = points[1]
        # whole bands of the picture are far from one of the two: half of all the time
        above_hand = y - np.float32(self._hand.top)
        below_thing = -y - np.float32(self._reach)
        to_hand = above_hand if above_hand.min() > _FAR else self._hand.distance(points)
        if below_thing.min() > _FAR:
            to_thing = below_thing
        else:
            to_thing = self._thing.distance(self._back @ points)
        nearest: Floats = np.minimum(to_hand, to_thing)
        return nearest

    def paint(self, points: Floats) -> Paint:
        """Give the look of the object or of the hand, whichever is nearer."""
        local = self._back @ points
        of_hand = self._hand.distance(points) < self._thing.distance(local)
        thing, hand = self._thing.paint(local), self._hand.paint(points)
        return Paint(
            np.where(of_hand, hand.colour, thing.colour),
            np.where(of_hand, hand.gloss, thing.gloss),
            np.where(of_hand, hand.glow, thing.glow),
        )
