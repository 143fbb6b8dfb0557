"""Solids as distance functions, and how one is looked at: a small sphere tracer.

A solid says how far a point is from its surface (negative inside) and how the surface is
painted (John Hart, "Sphere Tracing", 1996). What comes out is not a picture but a relief:
colours and normals, so that each frame can light it anew for next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Generator

Floats: TypeAlias = npt.NDArray[np.float32]
Bgr: TypeAlias = tuple[float, float, float]

EYE_DISTANCE: Final = 6.0
"""From the eye to the origin, in units of about half an object's height."""

_STEPS: Final = 44
_NEAR_ENOUGH: Final = 0.004
_PLANES: Final = 11
_BAND_ROWS: Final = 14
_OCCLUSION_REACHES: Final = (0.05, 0.14, 0.3)


@dataclass(frozen=True, slots=True, eq=False)
class Paint:
    """How points of a surface look.

    Attributes:
        colour: `(3, N)` float32 in [0, 1], BGR: what share of the light comes back.
        gloss: `(N,)` float32 in [0, 1]: strength of the highlight.
        glow: `(3, N)` float32 in [0, 1], BGR: light of its own, as a screen has.
    """

    colour: Floats
    gloss: Floats
    glow: Floats

    @classmethod
    def of(cls, colour: Floats, gloss: float) -> Paint:
        """Make paint of one gloss everywhere, without light of its own."""
        return cls(colour, np.full(colour.shape[1], gloss, np.float32), np.zeros_like(colour))


def paint_over(colour: Floats, where: Floats, other: Bgr) -> None:
    """Paint over `(3, N)` colours, `where` in [0, 1] being the coverage."""
    for channel in range(3):
        colour[channel] += (np.float32(other[channel]) - colour[channel]) * where


class Solid(Protocol):
    """Something that can be looked at; points are `(3, N)` float32: right, up, to the eye."""

    def distance(self, points: Floats) -> Floats:
        """Give `(N,)` distances to the surface, never more than the true ones by much."""

    def paint(self, points: Floats) -> Paint:
        """Give the look of points on the surface."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What part of the plane through the origin, in units, a relief shows, and how finely."""

    left: float
    top: float
    right: float
    bottom: float
    pixels_per_unit: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return (
            round((self.top - self.bottom) * self.pixels_per_unit),
            round((self.right - self.left) * self.pixels_per_unit),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """A solid as seen from one side, before any light falls on it.

    Attributes:
        extent: Where the pixels are.
        colour: `(H, W, 3)` float32 in [0, 1], BGR, times coverage and occlusion.
        glow: `(H, W, 3)` float32 in [0, 1], BGR, times coverage.
        gloss: `(H, W)` float32 in [0, 1], times coverage.
        normal: `(H, W, 3)` float32, unit vectors: right, up, to the eye.
        alpha: `(H, W)` float32 in [0, 1], coverage with soft edges.
    """

    extent: Extent
    colour: Floats
    glow: Floats
    gloss: Floats
    normal: Floats
    alpha: Floats


def trace_in_bands(solid: Solid, extent: Extent) -> Generator[None, None, Relief]:
    """Look at a solid along the z axis, in portions that leave a camera time to keep its pace.

    Yields:
        Nothing, after each portion.

    Returns:
        The relief, as what `yield from` gives.
    """
    height, width = extent.shape
    # one channel each: colour 3, glow 3, gloss, normal 3, alpha
    planes = np.zeros((_PLANES, height, width), np.float32)
    xs = extent.left + (np.arange(width, dtype=np.float32) + 0.5) / extent.pixels_per_unit
    ys = extent.top - (np.arange(height, dtype=np.float32) + 0.5) / extent.pixels_per_unit
    for top in range(0, height, _BAND_ROWS):
        rows = slice(top, min(top + _BAND_ROWS, height))
        grid_y, grid_x = np.meshgrid(ys[rows], xs, indexing="ij")
        band = _trace_rays(solid, grid_x.ravel(), grid_y.ravel(), extent.pixels_per_unit)
        planes[:, rows] = band.reshape(_PLANES, -1, width)
        yield
    return Relief(
        extent=extent,
        colour=np.ascontiguousarray(planes[0:3].transpose(1, 2, 0)),
        glow=np.ascontiguousarray(planes[3:6].transpose(1, 2, 0)),
        gloss=planes[6].copy(),
        normal=np.ascontiguousarray(planes[7:10].transpose(1, 2, 0)),
        alpha=planes[10].copy(),
    )


def _trace_rays(solid: Solid, x: Floats, y: Floats, pixels_per_unit: float) -> Floats:
    """Follow rays through `(x, y, 0)`; returns the planes `(11, N)`."""
    ray: Floats = np.stack([x, y, np.full_like(x, -EYE_DISTANCE)])
    ray /= np.linalg.norm(ray, axis=0)
    eye = np.array([[0.0], [0.0], [EYE_DISTANCE]], np.float32)
    travelled = np.full(x.shape, EYE_DISTANCE - 1.5, np.float32)
    nearest = np.full(x.shape, np.inf, np.float32)
    nearest_at = travelled.copy()
    active = np.arange(x.size)
    for _ in range(_STEPS):
        at = travelled[active]
        gap = solid.distance(eye + ray[:, active] * at)
        closer = gap < nearest[active]
        nearest[active[closer]] = gap[closer]
        nearest_at[active[closer]] = at[closer]
        at = at + gap * np.float32(0.9)
        travelled[active] = at
        active = active[(gap > _NEAR_ENOUGH) & (at < EYE_DISTANCE + 1.2)]
        if not active.size:
            break
    out = np.zeros((_PLANES, x.size), np.float32)
    # a ray that only grazes the surface covers its pixel in part: that is the anti-aliasing
    coverage = np.clip(1.5 - nearest * pixels_per_unit, 0.0, 1.0).astype(np.float32)
    hit = np.flatnonzero(coverage)
    if not hit.size:
        return out
    points = (eye + ray[:, hit] * nearest_at[hit]).astype(np.float32)
    normal = _normals(solid, points)
    open_sky = np.ones(hit.size, np.float32)
    for reach in _OCCLUSION_REACHES:
        clear = solid.distance(points + normal * np.float32(reach)) / np.float32(reach)
        open_sky *= 1.0 - 0.38 * np.clip(1.0 - clear, 0.0, 1.0)
    paint = solid.paint(points)
    cover = coverage[hit]
    out[0:3, hit] = paint.colour * (cover * open_sky)
    out[3:6, hit] = paint.glow * cover
    out[6, hit] = paint.gloss * cover * open_sky
    out[7:10, hit] = normal
    out[10, hit] = cover
    return out


def _normals(solid: Solid, points: Floats, width: float = 0.006) -> Floats:
    """Give `(3, N)` unit normals from four distances around each point."""
    corners = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], np.float32)
    slope = np.zeros_like(points)
    for corner in corners[:, :, np.newaxis]:
        slope += corner * solid.distance(points + corner * np.float32(width))
    slope /= np.maximum(np.linalg.norm(slope, axis=0), 1e-9)
    return slope


def rotation(yaw: float, pitch: float, roll: float) -> Floats:
    """Give the `(3, 3)` matrix of a turn about the up axis, then the right, then the eye's.

    Args:
        yaw: Radians; positive turns the right side away from the eye.
        pitch: Radians; positive tips the top towards the eye.
        roll: Radians, counter-clockwise.
    """
    cy, sy = np.cos(yaw), np.sin(yaw)
    cp, sp = np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    about_up = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_right = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_eye = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_eye @ about_right @ about_up, np.float32)


def smooth_union(a: Floats, b: Floats, width: float) -> Floats:
    """Join two distances with a fillet of about `width` units."""
    blend = np.clip(0.5 + (b - a) * np.float32(0.5 / width), 0.0, 1.0)
    joined: Floats = b + (a - b) * blend - np.float32(width) * blend * (1 - blend)
    return joined


def capsule(
    points: Floats,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radii: tuple[float, float],
) -> Floats:
    """Give distances to a stick with round ends, `radii` at its start and its end."""
    x, y, z = (points[i] - np.float32(start[i]) for i in range(3))
    ax, ay, az = (np.float32(end[i] - start[i]) for i in range(3))
    length2 = ax * ax + ay * ay + az * az
    along = np.clip((x * ax + y * ay + z * az) / length2, 0.0, 1.0)
    x -= along * ax
    y -= along * ay
    z -= along * az
    thick = np.float32(radii[0]) + along * np.float32(radii[1] - radii[0])
    distance: Floats = np.sqrt(x * x + y * y + z * z) - thick
    return distance


def ellipsoid(
    points: Floats, centre: tuple[float, float, float], radii: tuple[float, float, float]
) -> Floats:
    """Give distances (near the surface, to first order) to an ellipsoid."""
    x, y, z = ((points[i] - np.float32(centre[i])) / np.float32(radii[i]) for i in range(3))
    k0 = np.sqrt(x * x + y * y + z * z)
    x, y, z = x / np.float32(radii[0]), y / np.float32(radii[1]), z / np.float32(radii[2])
    k1 = np.sqrt(x * x + y * y + z * z)
    distance: Floats = k0 * (k0 - 1) / np.maximum(k1, np.float32(1e-6))
    return distance
