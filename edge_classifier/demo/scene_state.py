"""How the demo's scene is at a moment, from seed, take and time: view, pose and light."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

WIDTH: Final = 640
HEIGHT: Final = 480
_GOLDEN: Final = 0.618034


@dataclass(frozen=True, slots=True)
class SceneState:
    """Everything that a picture depends on, so that two states can be blended.

    Attributes:
        pan: Where the camera looks along the wall, 0 (left) to 1.
        pan_y: Likewise, upwards to downwards.
        zoom: Pixels of the picture per pixel of the panorama.
        x: Of the object's centre in the picture, in pixels.
        y: Likewise.
        scale: Pixels per unit (an object is about two units high).
        roll: Of the object, in radians.
        yaw: Likewise; a wobble on top of the pose.
        pitch: Likewise.
        light_x: Direction to the light: right.
        light_y: Up.
        exposure: Brightness of everything; 1 is neutral.
        warmth: From -1 (cold daylight) to 1 (bulbs).
        noise: Of the sensor; 1 is an ordinary webcam by day.
        shade_x: Where a soft light falls on the room, 0 to 1.
    """

    pan: float
    pan_y: float
    zoom: float
    x: float
    y: float
    scale: float
    roll: float
    yaw: float
    pitch: float
    light_x: float
    light_y: float
    exposure: float
    warmth: float
    noise: float
    shade_x: float

    def towards(self, other: SceneState, share: float) -> SceneState:
        """Blend: 0 is this state, 1 the other."""
        return SceneState(
            *(
                getattr(self, f.name) + (getattr(other, f.name) - getattr(self, f.name)) * share
                for f in fields(self)
            )
        )


def state_at(seed: int, take: int, t_s: float) -> SceneState:
    """Say how things are at a time of a take, in seconds; continuous in time."""
    rng = np.random.default_rng([seed, 2, take])
    phase = rng.uniform(0, 2 * math.pi, 24)
    pace = rng.uniform(0.85, 1.2, 24)

    def wave(i: int, hertz: float) -> float:
        """A slow, never quite repeating movement in [-1, 1]."""
        a = 2 * math.pi * hertz * float(pace[i]) * t_s + float(phase[i])
        return 0.7 * math.sin(a) + 0.3 * math.sin(2.3 * a + float(phase[-1 - i]))

    near = (0.5 + take * _GOLDEN * 1.7) % 1.0
    return SceneState(
        pan=0.04
        + 0.92 * _there_and_back(0.15 + seed * 0.37 + take * _GOLDEN)
        + 0.012 * wave(0, 0.11),
        pan_y=float(rng.uniform(0.25, 0.8)) + 0.06 * wave(1, 0.13),
        zoom=float(rng.uniform(0.84, 1.15)) + 0.01 * wave(2, 0.09),
        x=320 + float(rng.uniform(-35, 35)) + 42 * wave(3, 0.16) + 0.8 * wave(4, 2.6),
        y=222 + float(rng.uniform(-12, 18)) + 24 * wave(5, 0.19) + 0.8 * wave(6, 3.1),
        scale=116 + 42 * near + 14 * wave(7, 0.12),
        roll=float(rng.uniform(-0.12, 0.12)) + 0.13 * wave(8, 0.17),
        yaw=0.22 * wave(9, 0.21),
        pitch=0.15 * wave(10, 0.15),
        light_x=float(rng.uniform(-0.8, 0.8)) + 0.35 * wave(11, 0.1),
        light_y=0.65 + 0.2 * wave(0, 0.08),
        exposure=float(rng.uniform(0.92, 1.22)) + 0.09 * wave(3, 0.14),
        warmth=float(rng.uniform(-0.7, 0.8)) + 0.2 * wave(5, 0.07),
        noise=float(rng.uniform(0.6, 1.7)),
        shade_x=float(rng.uniform(0.1, 0.9)) + 0.1 * wave(7, 0.06),
    )


def _there_and_back(along: float) -> float:
    """Walk from 0 to 1 and back while `along` grows by 1."""
    return 1.0 - abs(1.0 - (2.0 * along) % 2.0)
