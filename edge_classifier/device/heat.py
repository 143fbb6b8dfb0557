"""Where a picture is unlike a class: a heat map over the places of the feature map.

As in PatchCore (Roth et al., "Towards Total Recall in Industrial Anomaly Detection", CVPR 2022):
each place of the backbone's feature map is as hot as it is far from the nearest of those that were
seen in pictures of the class. How far is far was measured on pictures that were held out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .framing import WHOLE
from .preprocessing import centred_square

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from .framing import Region
    from .preprocessing import Image

_FULL_HEAT: Final = 1.5
"""So many times the usual distance a place is as hot as can be. On webcam sets with a foreign thing
put into the frame half of the places that it covers are more than 1.25 times as far, of the others
1 to 2 in 100."""

_ALL_OVER: Final = 0.25
"""The part of the places that is as usual where a foreign thing is: by what these are farther than
usual, up to `_FULL_HEAT` times, is counted as the light or the place."""

_COLOUR: Final = (30, 60, 255)
_OPACITY: Final = 0.67
"""Of the colour at full heat: what is hot should still be seen."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassPlaces:
    """What places look like in pictures of one class.

    Attributes:
        places: `(M, c)` float32, each as `place_features` gives it.
        usual: The distance to the nearest of them that few places of a held-out picture exceed.
    """

    places: npt.NDArray[np.float32]
    usual: float


def place_features(spatial: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Bring a feature map, flat or `(…, h, w, c)`, to what distances are measured of.

    Of square roots, so that many weak features count beside a few strong ones. Their lengths are
    kept: cosines tell a foreign thing from a wall less well (0.92 instead of 0.96 of pairs of
    places in the right order), because where nothing is, they compare noise.
    """
    positive = np.maximum(spatial, np.float32(0))
    roots: npt.NDArray[np.float32] = np.sqrt(positive, out=positive)
    return roots


def nearest_distances(
    places: npt.NDArray[np.float32], references: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return the Euclidean distance of each place `(P, c)` to the nearest reference `(M, c)`."""
    nearest = squared_distances(places, references).min(axis=1)
    distances: npt.NDArray[np.float32] = np.sqrt(np.maximum(nearest, np.float32(0)))
    return distances


def squared_distances(
    places: npt.NDArray[np.float32], references: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return the squared Euclidean distances `(P, M)` of places `(P, c)` to references `(M, c)`.

    Rounding may make them a little less than 0.
    """
    squares: npt.NDArray[np.float32] = places @ (references.T * np.float32(-2))
    squares += np.einsum("mc,mc->m", references, references)
    squares += np.einsum("pc,pc->p", places, places)[:, None]
    return squares


@dataclass(frozen=True, slots=True, eq=False)
class HeatReferences:
    """What places look like in pictures of each class, for one backbone.

    Attributes:
        shape: `(h, w, c)` of the feature map.
        classes: By class name.
    """

    shape: tuple[int, int, int]
    classes: Mapping[str, ClassPlaces]

    def heat(
        self, spatial: npt.NDArray[np.float32], class_name: str
    ) -> npt.NDArray[np.float32] | None:
        """Say how unlike a class each place of a feature map, flat or `(h, w, c)`, is.

        Returns:
            `(h, w)` in [0, 1], 0 where it is as usual; `None` for a class that is not known.
        """
        known = self.classes.get(class_name)
        if known is None:
            return None
        height, width, channels = self.shape
        places = place_features(spatial.reshape(height * width, channels))
        times_usual = nearest_distances(places, known.places) / np.float32(known.usual)
        # What is other all over, as in another light, is not where the thing is.
        times_usual /= np.clip(np.quantile(times_usual, _ALL_OVER), 1, _FULL_HEAT).astype(
            np.float32
        )
        heat = (times_usual - np.float32(1)) / np.float32(_FULL_HEAT - 1)
        clipped: npt.NDArray[np.float32] = np.clip(heat, 0, 1).reshape(height, width)
        return clipped


def draw_heat(square: npt.NDArray[Any], heat: npt.NDArray[np.float32]) -> None:
    """Colour the square that the network sees, `(S, S, 3)` uint8 BGR, where heat `(h, w)` is."""
    import cv2  # noqa: PLC0415 - the session imports this module, and needs no OpenCV

    if not heat.any():
        return
    # Brought to size as what is added and what is kept: a third of what blending by a mask costs.
    opacity = heat[..., None] * np.float32(_OPACITY)
    size = (square.shape[1], square.shape[0])
    added = np.asarray(np.round(opacity * np.array(_COLOUR, np.float32)), np.uint8)
    kept = np.asarray(np.round((1 - opacity) * 255), np.uint8).repeat(3, axis=2)
    faded = cv2.multiply(square, cv2.resize(kept, size), scale=1 / 255)
    square[:] = cv2.add(faded, cv2.resize(added, size))


def with_heat(image: Image, heat: npt.NDArray[np.float32], region: Region = WHOLE) -> Image:
    """Return a copy of an image, `(H, W, 3)` uint8 BGR, with the heat of a region drawn in."""
    drawn = np.array(image)
    part = region.of(drawn)
    draw_heat(centred_square(part, min(part.shape[:2])), heat)
    return drawn
