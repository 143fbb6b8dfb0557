"""Light on a relief, and what a webcam's sensor makes of a scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.demo.scene_state import HEIGHT, WIDTH, SceneState

if TYPE_CHECKING:
    from cv2.typing import MatLike

    from edge_classifier.demo.solids import Relief
    from edge_classifier.device.preprocessing import Image

_NOISE_MARGIN: Final = 96
_SHADE_MARGIN: Final = 320


def lit_layer(relief: Relief, state: SceneState) -> Image:
    """Light a relief from the state's light, less the wobble that turns the relief.

    Returns:
        `(H, W, 4)` uint8: BGR, already times coverage, and coverage.
    """
    light = np.array([state.light_x - state.yaw, state.light_y - state.pitch, 0.8], np.float32)
    light /= np.linalg.norm(light)
    half = light + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    # rows: diffuse, ambient (the ceiling is brighter than the floor), towards the highlight
    facing = cv2.transform(
        relief.normal,
        np.stack(
            [np.append(light * 0.88, -0.02), np.array([0, 0.13, 0.03, 0.40]), np.append(half, 0)]
        ).astype(np.float32),
    )
    diffuse, ambient, gleam = cv2.split(facing)
    shade = cv2.add(_positive(diffuse), ambient)
    gleam = _positive(gleam)
    for _ in range(5):
        gleam = cv2.multiply(gleam, gleam)
    gleam = cv2.multiply(gleam, relief.gloss, scale=0.75)
    lit = cv2.multiply(relief.colour, cv2.merge([shade, shade, shade]))
    lit = cv2.add(cv2.add(lit, relief.glow), cv2.merge([gleam, gleam, gleam]))
    blue, green, red = cv2.split(lit)
    layer = cv2.merge([blue, green, red, relief.alpha])
    return np.asarray(cv2.convertScaleAbs(layer, alpha=255.0), np.uint8)


def _positive(values: MatLike) -> MatLike:
    return cv2.threshold(values, 0, 0, cv2.THRESH_TOZERO)[1]


class Sensor:
    """Vignette, white balance, tone curve and noise of an ordinary webcam."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng([seed, 3])
        self._shades = _shades()
        shape = (HEIGHT + _NOISE_MARGIN, WIDTH + _NOISE_MARGIN, 3)
        grain = rng.normal(0, 1, shape).astype(np.float32)
        # colour filters and the camera's own denoising make the grain a little coarse
        grain = 0.6 * grain + 1.7 * cv2.GaussianBlur(grain, (0, 0), 0.9)
        grain *= 6.0 / float(grain.std())
        self._grain = np.clip(128 + grain, 0, 255).astype(np.uint8)
        self._seed = seed

    def expose(self, picture: Image, state: SceneState, t_s: float) -> Image:
        """Turn a scene into what the camera delivers."""
        left = round(min(max(state.shade_x, 0.0), 1.0) * _SHADE_MARGIN)
        shades = self._shades[:, left : left + WIDTH]
        shaded = cv2.multiply(picture, shades, scale=1 / 200)
        toned = cv2.LUT(shaded, _tone_curve(state.exposure, state.warmth))
        rng = np.random.default_rng([self._seed, 4, round(abs(t_s) * 1000)])
        x, y = (int(v) for v in rng.integers(0, _NOISE_MARGIN, 2))
        grain = self._grain[y : y + HEIGHT, x : x + WIDTH]
        strength = 0.42 * state.noise / max(state.exposure, 0.3)
        noisy = cv2.addWeighted(toned, 1.0, grain, strength, -128.0 * strength)
        return np.asarray(noisy, np.uint8)


def _shades() -> Image:
    """A soft pool of light wider than the picture, darker to the corners; 200 is neutral."""
    y, x = np.mgrid[0:HEIGHT, 0 : WIDTH + _SHADE_MARGIN].astype(np.float32)
    across = (x - (WIDTH + _SHADE_MARGIN) / 2) / WIDTH
    down = (y - HEIGHT * 0.45) / HEIGHT
    level = 214 - 95 * across * across - 75 * down * down
    warm = np.stack([level - 5, level, level + 3], axis=-1)
    shades: Image = np.clip(warm, 0, 255).astype(np.uint8)
    return shades


def _tone_curve(exposure: float, warmth: float) -> Image:
    """Exposure and white balance, then a gentle shoulder; `(1, 256, 3)` uint8."""
    gains = np.array([1.0 - 0.14 * warmth, 1.0, 1.0 + 0.12 * warmth], np.float64)
    linear = np.arange(256)[:, np.newaxis] / 255.0 * exposure * gains
    curve = linear + 0.16 * linear * (1 - linear) * (linear - 0.35)
    shoulder = np.where(curve > 0.85, 0.85 + 0.15 * np.tanh((curve - 0.85) / 0.15), curve)  # noqa: PLR2004 - where highlights begin
    table: Image = np.clip(shoulder * 255 + 3, 0, 255).astype(np.uint8)[np.newaxis]
    return table
