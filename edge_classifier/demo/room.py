"""The room behind the object: drawn sharp, in linear light, then put out of focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.demo.solids import Floats
    from edge_classifier.device.preprocessing import Image

PANORAMA_SIZE: Final = (2240, 800)
"""Width and height in pixels of what `paint_room` gives."""

_WIDTH: Final = 1120
_HEIGHT: Final = 400
_TABLE_Y: Final = 318
_DEFOCUS_PX: Final = 8.5
Colour = tuple[float, float, float]

# what people buy: terracotta, ochre, teal, navy, brick, cream, olive, plum, grey, rose
_PALETTE: Final[tuple[Colour, ...]] = (
    (0.10, 0.20, 0.52),
    (0.08, 0.36, 0.58),
    (0.32, 0.30, 0.10),
    (0.28, 0.13, 0.06),
    (0.07, 0.09, 0.38),
    (0.50, 0.62, 0.68),
    (0.09, 0.24, 0.22),
    (0.17, 0.07, 0.20),
    (0.30, 0.30, 0.30),
    (0.34, 0.36, 0.60),
)


def paint_room(seed: int) -> Image:
    """Paint the whole wall of a room, as a lens that is focused on the hand sees it.

    Left to right: a window with curtains, pictures over a sofa, a bookshelf, a plant, a lamp,
    a string of lights. The seed decides on colours and places.

    Returns:
        `(800, 2240, 3)` uint8, BGR.
    """
    rng = np.random.default_rng([seed, 1])
    # linear light; 1.0 is a white wall, bulbs and the sky are brighter and so bloom
    room = np.empty((_HEIGHT, _WIDTH, 3), np.float32)
    _wall(room, rng)
    _window(room, rng, left=50)
    _sofa_and_pictures(room, rng, left=330)
    _bookshelf(room, rng, left=640)
    _plant(room, rng, foot=(590, _TABLE_Y))
    _lamp(room, rng, foot=(925, _TABLE_Y))
    _string_of_lights(room, rng)
    _table(room, rng)
    soft = cv2.filter2D(room, -1, _aperture(_DEFOCUS_PX), borderType=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(soft, (0, 0), 1.5)
    display = np.clip(1.0 - np.exp(-1.5 * soft), 0.0, 1.0) ** (1 / 1.75)
    small = np.asarray(np.clip(display * 255, 0, 255), np.uint8)
    large: Image = np.asarray(
        cv2.resize(small, PANORAMA_SIZE, interpolation=cv2.INTER_CUBIC), np.uint8
    )
    return large


def _aperture(radius: float) -> Floats:
    """A round, evenly lit disc: what a point out of focus looks like."""
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    kernel: Floats = disc / disc.sum()
    return kernel


def _any_colour(rng: np.random.Generator, brightness: float = 1.0) -> Colour:
    colour = np.array(_PALETTE[rng.integers(len(_PALETTE))])
    faded = (0.78 * colour + 0.22 * colour.mean()) * brightness * rng.uniform(0.75, 1.25)
    return (float(faded[0]), float(faded[1]), float(faded[2]))


def _box(room: Floats, box: tuple[float, float, float, float], colour: Sequence[float]) -> None:
    left, top, right, bottom = (round(v) for v in box)
    cv2.rectangle(room, (left, top), (right, bottom), tuple(colour), -1)


def _wall(room: Floats, rng: np.random.Generator) -> None:
    base = np.array(
        [(0.22, 0.27, 0.31), (0.26, 0.25, 0.20), (0.20, 0.26, 0.24), (0.24, 0.22, 0.27)]
    )[rng.integers(4)]
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.float32)
    day = 1.1 * np.exp(-(((x - 160) / 260) ** 2) - ((y - 140) / 260) ** 2)
    lamp = 1.4 * np.exp(-(((x - 925) / 130) ** 2) - ((y - 110) / 130) ** 2)
    room[...] = base * (0.75 + 0.25 * (1 - y / _HEIGHT))[..., np.newaxis]
    room *= 1 + day[..., np.newaxis] * np.array([1.0, 0.95, 0.85], np.float32)
    room *= 1 + lamp[..., np.newaxis] * np.array([0.35, 0.75, 1.1], np.float32)
    _box(room, (0, _TABLE_Y - 22, _WIDTH, _TABLE_Y - 12), (0.5, 0.5, 0.5))


def _window(room: Floats, rng: np.random.Generator, left: int) -> None:
    top, width, height = 40, 210, 190
    y = np.linspace(0, 1, height, dtype=np.float32)[:, np.newaxis, np.newaxis]
    sky = np.array([2.6, 2.3, 2.0], np.float32) * (1 - y) + np.array([1.9, 2.0, 2.1]) * y
    room[top : top + height, left : left + width] = sky
    for _ in range(16):
        x = left + int(rng.integers(8, width - 8))
        size = int(rng.integers(12, 30))
        green = rng.uniform(0.25, 0.6)
        cv2.circle(room, (x, top + height - 8), size, (green * 0.5, green, green * 0.7), -1)
    frame = (0.62, 0.64, 0.66)
    for x in (left - 6, left + width // 2 - 3, left + width):
        _box(room, (x, top - 6, x + 6, top + height + 4), frame)
    for y_bar in (top - 8, top + height // 2, top + height):
        _box(room, (left - 6, y_bar, left + width + 6, y_bar + 6), frame)
    _box(room, (left - 16, top + height + 4, left + width + 16, top + height + 14), frame)
    cloth = np.array([(0.30, 0.34, 0.50), (0.42, 0.36, 0.22), (0.40, 0.48, 0.50)])[rng.integers(3)]
    for side, step in ((left - 34, 1), (left + width + 34, -1)):
        for i in range(48):
            x = side + step * i
            fold = 0.75 + 0.4 * np.sin(i * 0.85) + 0.012 * i
            _box(room, (x, 20, x, _TABLE_Y - 30), (cloth * fold).tolist())


def _sofa_and_pictures(room: Floats, rng: np.random.Generator, left: int) -> None:
    for x, y, w, h in ((left + 12, 70, 62, 84), (left + 96, 52, 90, 66), (left + 100, 132, 54, 54)):
        sky, ground = _any_colour(rng, 1.3), _any_colour(rng)
        _box(room, (x - 5, y - 5, x + w + 5, y + h + 5), (0.07, 0.09, 0.12))
        _box(room, (x, y, x + w, y + h), (0.75, 0.78, 0.8))
        _box(room, (x + 8, y + 8, x + w - 8, y + h - 8), sky)
        _box(room, (x + 8, y + h * 0.6, x + w - 8, y + h - 8), ground)
    cloth = np.array([(0.16, 0.20, 0.26), (0.30, 0.22, 0.14), (0.17, 0.20, 0.18)])[rng.integers(3)]
    dark, light = ((cloth * shade).tolist() for shade in (0.8, 1.15))
    _box(room, (left - 20, 232, left + 218, _TABLE_Y), dark)
    _box(room, (left - 10, 222, left + 96, 290), light)
    _box(room, (left + 102, 222, left + 208, 290), light)
    for x in (left + 20, left + 150):
        corners = cv2.boxPoints(((x, 248), (52, 50), float(rng.uniform(-25, 25))))
        cv2.fillConvexPoly(room, corners.astype(np.int32), _any_colour(rng, 1.3))


def _bookshelf(room: Floats, rng: np.random.Generator, left: int) -> None:
    width, wood = 190, (0.13, 0.21, 0.33)
    _box(room, (left, 24, left + width, _TABLE_Y), (0.05, 0.075, 0.11))
    for board in range(24, _TABLE_Y, 72):
        x = left + 8.0
        while x < left + width - 18:
            thick, tall = rng.uniform(7, 17), rng.uniform(36, 60)
            colour = _any_colour(rng, 0.8)
            if rng.random() > 0.13:  # noqa: PLR2004 - a gap now and then
                box = (x, board + 70 - tall, x + thick - 2, board + 70)
                _box(room, box, colour)
            x += thick
        _box(room, (left, board - 3, left + width, board + 3), wood)
    for x in (left - 4, left + width - 4):
        _box(room, (x, 20, x + 8, _TABLE_Y), wood)


def _plant(room: Floats, rng: np.random.Generator, foot: tuple[int, int]) -> None:
    x, y = foot
    for _ in range(26):
        angle, reach = rng.uniform(-1.2, 1.2), rng.uniform(40, 95)
        tip = (x + reach * np.sin(angle), y - 60 - reach * np.cos(angle) * 1.3)
        centre = (round((x + tip[0]) / 2), round((y - 60 + tip[1]) / 2))
        tone = rng.uniform(0.4, 1.1)
        axes = (round(reach * 0.6), round(rng.uniform(5, 10)))
        turn = float(np.degrees(angle)) - 90
        colour = (0.07 * tone, 0.20 * tone, 0.11 * tone)
        cv2.ellipse(room, centre, axes, turn, 0, 360, colour, -1)
    pot = np.array([[x - 30, y - 62], [x + 30, y - 62], [x + 22, y], [x - 22, y]], np.int32)
    cv2.fillConvexPoly(room, pot, _any_colour(rng, 1.2))


def _lamp(room: Floats, rng: np.random.Generator, foot: tuple[int, int]) -> None:
    x, y = foot
    _box(room, (x - 2, 130, x + 2, y), (0.06, 0.07, 0.08))
    warm = float(rng.uniform(0.8, 1.2))
    shade = np.array([[x - 26, 76], [x + 26, 76], [x + 44, 138], [x - 44, 138]], np.int32)
    cv2.fillConvexPoly(room, shade, (1.0 * warm, 2.1 * warm, 3.0 * warm))
    cv2.ellipse(room, (x, 138), (40, 8), 0, 0, 360, (3.0, 4.4, 5.0), -1)


def _string_of_lights(room: Floats, rng: np.random.Generator) -> None:
    for i in range(24):
        x = 560 + i * 24
        y = 30 + 22 * np.sin(np.pi * (i % 8) / 8) + rng.uniform(-3, 3)
        bulb = np.array([3.5, 6.5, 9.0]) * rng.uniform(0.5, 1.2)
        cv2.circle(room, (x, round(y)), 2, tuple(float(c) for c in bulb), -1)


def _table(room: Floats, rng: np.random.Generator) -> None:
    wood = np.array([(0.14, 0.24, 0.36), (0.32, 0.40, 0.46), (0.09, 0.13, 0.19)])[rng.integers(3)]
    height = _HEIGHT - _TABLE_Y
    grain = rng.normal(0, 1, (height, _WIDTH)).astype(np.float32)
    streaks = cv2.GaussianBlur(grain, (0, 0), sigmaX=40, sigmaY=1.2)
    figure = 1 + 0.14 * streaks / max(float(streaks.std()), 1e-6)
    x = np.arange(_WIDTH, dtype=np.float32)
    sheen = 1 + 1.6 * np.exp(-(((x - 165) / 140) ** 2)) + 0.8 * np.exp(-(((x - 925) / 90) ** 2))
    nearer = np.linspace(1.1, 0.75, height, dtype=np.float32)
    light = (figure * sheen * nearer[:, np.newaxis])[..., np.newaxis]
    room[_TABLE_Y:] = light * wood
    for _ in range(4):
        at = int(rng.integers(60, _WIDTH - 60))
        box = (at, _TABLE_Y - 20, at + rng.uniform(20, 60), _TABLE_Y + 10)
        _box(room, box, _any_colour(rng))
