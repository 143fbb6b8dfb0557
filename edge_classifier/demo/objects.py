"""What is held before the demo camera: a mug, a leaf, a phone, and a rubber duck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import cv2
import numpy as np

from edge_classifier.demo.hand import Grip
from edge_classifier.demo.solids import (
    Bgr,
    Floats,
    Paint,
    Solid,
    capsule,
    ellipsoid,
    paint_over,
    smooth_union,
)

if TYPE_CHECKING:
    from edge_classifier.device.preprocessing import Image


class Holdable(Solid, Protocol):
    """A solid that says how it is held, and how far it extends from its origin, in units."""

    grip: Grip
    reach: float


def _fill(points: Floats, colour: Bgr) -> Floats:
    return np.repeat(np.array(colour, np.float32)[:, np.newaxis], points.shape[1], axis=1)


def _edge(signed: Floats, width: float = 0.012) -> Floats:
    """Turn a signed distance on the surface into a soft coverage: 1 where negative."""
    soft: Floats = np.clip(0.5 - signed / np.float32(2 * width), 0.0, 1.0)
    return soft


class Mug:
    """A glazed mug with a zigzag band, a handle, and coffee in it."""

    grip = Grip(half_width=0.62, depth=0.40, y=-0.52, reach=0.14, fingers=3)
    reach = 1.15

    def distance(self, points: Floats) -> Floats:
        """Give `(N,)` distances to the mug."""
        x, y, z = points
        radius = np.sqrt(x * x + z * z) - y * np.float32(0.03)
        outer = _rounded_box(radius, y, 0.62, 0.68, 0.07)
        hollow = _rounded_box(radius, y - 0.16, 0.545, 0.70, 0.05)
        ring_x = (x + np.float32(0.63)) * np.float32(1.05)
        ring = np.sqrt(ring_x * ring_x + y * y * np.float32(0.72)) - np.float32(0.36)
        handle = np.sqrt(ring * ring + z * z * np.float32(0.55)) - np.float32(0.085)
        handle = np.maximum(handle * np.float32(0.85), -hollow - 0.03)
        wall = -smooth_union(-outer, hollow, 0.03)
        body = smooth_union(wall, handle, 0.07)
        coffee = np.maximum(radius - np.float32(0.56), np.abs(y - np.float32(0.36)) - 0.02)
        nearest: Floats = np.minimum(body, coffee)
        return nearest

    def paint(self, points: Floats) -> Paint:
        """Give glaze, bands and coffee."""
        x, y, z = points
        radius = np.sqrt(x * x + z * z)
        colour = _fill(points, (0.80, 0.90, 0.95))
        speckle = np.sin(x * 71 + 5 * np.sin(y * 37)) * np.sin(y * 83 + z * 67)
        paint_over(colour, np.clip(speckle * 6 - 5.2, 0, 0.5), (0.35, 0.45, 0.55))
        outside = _edge(0.59 - radius) * _edge(radius - 0.70, 0.02)
        around = np.arctan2(x, z)
        wave = np.abs(np.mod(around * (9 / np.pi), 2.0) - 1.0) * np.float32(0.2) - 0.1
        paint_over(colour, outside * _edge(np.abs(y + 0.05) - 0.27), (0.16, 0.30, 0.86))
        paint_over(colour, outside * _edge(np.abs(y + 0.05 - wave) - 0.055), (0.84, 0.94, 0.98))
        paint_over(
            colour, outside * _edge(np.abs(np.abs(y + 0.05) - 0.35) - 0.025), (0.48, 0.27, 0.10)
        )
        paint_over(colour, _edge(0.63 - y, 0.012) * _edge(0.5 - radius), (0.48, 0.27, 0.10))
        coffee = _edge(np.abs(y - 0.36) - 0.03, 0.002) * _edge(radius - 0.55)
        paint_over(colour, coffee, (0.07, 0.13, 0.24))
        return Paint.of(colour, 0.8)


class Leaf:
    """A twig with five leaves, veined and a little curled."""

    grip = Grip(half_width=0.10, depth=0.10, y=-1.12, reach=0.10, fingers=3)
    reach = 1.95

    # foot of the midrib (x, y), its angle from upright in radians, length, half width;
    # the leaves right of the twig are mirrored to its left, a little lower
    _LEAVES: Final = (
        (0.02, 0.12, 0.05, 1.02, 0.33),
        (0.02, -0.1, 0.92, 0.98, 0.3),
        (0.02, -0.52, 1.28, 0.88, 0.27),
    )
    _LEFT_IS_LOWER: Final = 0.13

    def distance(self, points: Floats) -> Floats:
        """Give `(N,)` distances to leaf or twig."""
        nearest = capsule(points, (0.0, -1.9, -0.02), (0.0, 0.2, 0.0), (0.04, 0.02))
        for along, across, length, half_width, rise in self._leaf_frames(points):
            outline = np.abs(across) - _leaf_half_width(along / length, half_width)
            inside = np.maximum(outline * np.float32(0.75), np.abs(along - length / 2) - length / 2)
            sheet = (np.abs(rise) - np.float32(0.012)) * np.float32(0.7)
            out = np.maximum(inside, 0)
            up = np.maximum(sheet, 0)
            distance = np.sqrt(out * out + up * up) + np.minimum(np.maximum(inside, sheet), 0)
            nearest = np.minimum(nearest, distance)
        return nearest

    def _leaf_frames(self, points: Floats) -> list[tuple[Floats, Floats, float, float, Floats]]:
        x, y, z = points
        mirrored = np.abs(x)
        lowered = y + (x < 0) * np.float32(self._LEFT_IS_LOWER)
        frames = []
        for foot_x, foot_y, angle, length, half_width in self._LEAVES:
            alone = angle < 0.5  # noqa: PLR2004 - the one at the top has no twin
            dx = (x if alone else mirrored) - np.float32(foot_x)
            dy = (y if alone else lowered) - np.float32(foot_y)
            sine, cosine = np.float32(np.sin(angle)), np.float32(np.cos(angle))
            along = dx * sine + dy * cosine
            across = dx * cosine - dy * sine
            curl = np.float32(0.30) * along * along - np.float32(1.1) * across * across
            ripple = np.float32(0.014) * np.sin(along * 24 - np.abs(across) * 20)
            frames.append((along, across, length, half_width, z + curl - ripple - np.float32(0.05)))
        return frames

    def paint(self, points: Floats) -> Paint:
        """Give green, lighter along the veins."""
        colour = _fill(points, (0.16, 0.33, 0.30))
        best = np.full(points.shape[1], 0.06, np.float32)
        for along, across, length, half_width, rise in self._leaf_frames(points):
            u = np.clip(along / length, 0, 1)
            outline = np.abs(across) - _leaf_half_width(u, half_width)
            here = np.maximum(np.abs(rise), np.maximum(outline, 0)).astype(np.float32)
            mine = here < best
            best = np.minimum(best, here)
            tone = 0.5 + 0.5 * np.sin(along * 9 + 2 * np.sin(across * 14))
            green = np.stack([0.14 + 0.04 * tone, 0.46 + 0.10 * tone, 0.20 + 0.10 * tone])
            ribs = np.abs(np.mod(along * 11 - np.abs(across) * 7, 1.0) - 0.5)
            veins = np.maximum(
                _edge(np.abs(across) - 0.016 * (1.2 - u), 0.008), 0.55 * _edge(ribs - 0.06, 0.05)
            )
            paint_over(green, veins, (0.38, 0.78, 0.58))
            paint_over(green, 0.7 * _edge(-outline - 0.03, 0.02), (0.10, 0.36, 0.16))
            colour[:, mine] = green[:, mine]
        return Paint.of(colour.astype(np.float32), 0.35)


def _leaf_half_width(u: Floats, half_width: float) -> Floats:
    inside = np.clip(u, 0, 1)
    teeth = 1 + np.float32(0.05) * np.sin(inside * 60)
    width: Floats = (
        np.float32(half_width) * np.sin(np.float32(np.pi) * inside ** np.float32(0.75)) * teeth
    )
    return width


class Phone:
    """A phone with a lit screen."""

    grip = Grip(half_width=0.50, depth=0.06, y=-0.78, reach=0.13)
    reach = 1.16

    def __init__(self) -> None:
        self._screen = _draw_screen()

    def distance(self, points: Floats) -> Floats:
        """Give `(N,)` distances to the phone."""
        x, y, z = points
        face = _rounded_box(np.abs(x), y, 0.50, 1.02, 0.13)
        inward = np.maximum(face + np.float32(0.03), 0)
        thick = np.maximum(np.abs(z) - np.float32(0.03), 0)
        inside = np.minimum(np.maximum(face + 0.03, np.abs(z) - 0.03), 0)
        distance: Floats = np.sqrt(inward * inward + thick * thick) + inside - np.float32(0.03)
        return distance

    def paint(self, points: Floats) -> Paint:
        """Give metal, glass and what the screen shows."""
        x, y, z = points
        colour = _fill(points, (0.42, 0.40, 0.40))
        gloss = np.full(x.shape, 0.9, np.float32)
        front = _edge(0.035 - z, 0.01)
        gloss -= front * np.float32(0.55)
        paint_over(colour, front, (0.05, 0.045, 0.04))
        height, width = self._screen.shape[:2]
        at_x = ((x / 0.94 + 0.5) * width).astype(np.float32)
        at_y = ((0.5 - y / 1.96) * height).astype(np.float32)
        at = (at_x[np.newaxis], at_y[np.newaxis])
        shown = cv2.remap(self._screen, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        lit = front * _edge(_rounded_box(np.abs(x), y, 0.462, 0.97, 0.09), 0.008)
        glow = np.asarray(shown[0].T, np.float32) * (lit * np.float32(0.82 / 255))
        return Paint(colour, gloss, np.ascontiguousarray(glow))


def _draw_screen() -> Image:
    """Draw a home screen: sky over hills, the time, icons."""
    height, width = 784, 376
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    v = y / height
    screen = np.empty((height, width, 3), np.float32)
    for channel, (top, bottom) in enumerate(((220, 190), (110, 150), (90, 250))):
        screen[..., channel] = top + (bottom - top) * v
    for share, tint in ((0.62, (150, 80, 120)), (0.72, (120, 60, 80)), (0.84, (80, 40, 45))):
        ridge = share + 0.05 * np.sin(x / 60 + share * 40) + 0.02 * np.sin(x / 21 + share * 90)
        screen[v > ridge] = tint
    canvas = np.ascontiguousarray(screen.astype(np.uint8))
    cv2.circle(canvas, (270, 330), 52, (210, 240, 255), -1, cv2.LINE_AA)
    white = (255, 255, 255)
    cv2.putText(canvas, "10:24", (64, 160), cv2.FONT_HERSHEY_SIMPLEX, 3.0, white, 7, cv2.LINE_AA)
    cv2.circle(canvas, (width // 2, 26), 11, (10, 10, 10), -1, cv2.LINE_AA)
    cv2.rectangle(canvas, (20, 650), (356, 756), (225, 205, 215), -1, cv2.LINE_AA)
    icons = (
        (420, ((80, 90, 240), (90, 200, 90), (240, 160, 60), (60, 190, 250))),
        (516, ((200, 90, 190), (235, 235, 235), (70, 70, 70), (180, 200, 60))),
        (670, ((90, 210, 100), (250, 170, 70), (60, 120, 250), (120, 70, 230))),
    )
    for top, colours in icons:
        for column, colour in enumerate(colours):
            _icon(canvas, (34 + 80 * column, top), colour)
    return canvas


def _icon(canvas: Image, corner: tuple[int, int], colour: tuple[int, int, int]) -> None:
    left, top = corner
    cv2.rectangle(canvas, (left + 8, top + 8), (left + 58, top + 58), colour, -1)
    cv2.rectangle(canvas, (left + 8, top + 8), (left + 58, top + 58), colour, 16, cv2.LINE_AA)
    cv2.circle(canvas, (left + 33, top + 33), 15, (255, 255, 255), 6, cv2.LINE_AA)


class Duck:
    """A rubber duck."""

    grip = Grip(half_width=0.62, depth=0.50, y=-0.82, reach=0.20, fingers=3)
    reach = 1.15

    def distance(self, points: Floats) -> Floats:
        """Give `(N,)` distances to the duck."""
        yellow, beak = self._parts(points)
        return np.minimum(yellow, beak)

    def _parts(self, points: Floats) -> tuple[Floats, Floats]:
        x, y, z = points
        folded = np.stack([x, y, np.abs(z)])
        body = ellipsoid(points, (0.0, -0.42, 0.0), (0.74, 0.48, 0.56))
        tail = capsule(points, (-0.5, -0.3, 0.0), (-0.86, 0.06, 0.0), (0.2, 0.05))
        yellow = smooth_union(body, tail, 0.2)
        head = ellipsoid(points, (0.34, 0.38, 0.0), (0.42, 0.41, 0.40))
        yellow = smooth_union(yellow, head, 0.14)
        wing = ellipsoid(folded, (-0.14, -0.32, 0.50), (0.42, 0.24, 0.12))
        yellow = smooth_union(yellow, wing, 0.03)
        upper = ellipsoid(points, (0.80, 0.34, 0.0), (0.24, 0.06, 0.19))
        lower = ellipsoid(points, (0.76, 0.25, 0.0), (0.19, 0.05, 0.15))
        return yellow, smooth_union(upper, lower, 0.02)

    def paint(self, points: Floats) -> Paint:
        """Give rubber, beak and eyes."""
        yellow, beak = self._parts(points)
        x, y, z = points
        colour = _fill(points, (0.10, 0.80, 0.98))
        ex, ey, ez = x - 0.60, y - 0.50, np.abs(z) - 0.25
        eye = np.sqrt(ex * ex + ey * ey + ez * ez)
        paint_over(colour, _edge(eye - 0.105), (0.96, 0.97, 0.98))
        paint_over(colour, _edge(eye - 0.072), (0.08, 0.06, 0.05))
        glint = np.sqrt((ex + 0.02) ** 2 + (ey - 0.045) ** 2 + (ez - 0.03) ** 2)
        paint_over(colour, _edge(glint - 0.028), (1.0, 1.0, 1.0))
        paint_over(colour, (beak < yellow).astype(np.float32), (0.08, 0.36, 0.95))
        return Paint.of(colour, 0.7)


def _rounded_box(
    x: Floats, y: Floats, half_width: float, half_height: float, corner: float
) -> Floats:
    """Give distances in a plane to a box with round corners; `x` is already positive."""
    dx = x - np.float32(half_width - corner)
    dy = np.abs(y) - np.float32(half_height - corner)
    ox, oy = np.maximum(dx, 0), np.maximum(dy, 0)
    distance: Floats = (
        np.sqrt(ox * ox + oy * oy) + np.minimum(np.maximum(dx, dy), 0) - np.float32(corner)
    )
    return distance
