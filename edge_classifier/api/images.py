"""What `ImageClassifier` takes for a picture: a path, a PIL image or an array."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
from PIL import Image as PillowImage

from edge_classifier.errors import InvalidImageError
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.pillow_image import image_of

if TYPE_CHECKING:
    from edge_classifier.device.preprocessing import Image

ColourOrder: TypeAlias = Literal["rgb", "bgr"]

_GREY: Final = 2
_COLOUR: Final = 3
_TRANSPARENT: Final = 4


def as_image(picture: object, colour_order: ColourOrder = "rgb") -> Image:
    """Turn what a user calls a picture into an image.

    Args:
        picture: The path of a file; a PIL image; or a uint8 array, `(H, W)` or `(H, W, 1)` grey,
            `(H, W, 3)` colour or `(H, W, 4)` with alpha.
        colour_order: Of arrays. PIL, scikit-image and matplotlib have RGB, OpenCV has BGR.

    Returns:
        `(H, W, 3)` uint8, BGR: the order that the rest of this package has.

    Raises:
        InvalidImageError: if it is none of these, or cannot be read.
    """
    if isinstance(picture, (str, os.PathLike)):
        return read_image(Path(picture))
    if isinstance(picture, PillowImage.Image):
        return image_of(picture, "The PIL image")
    return _from_array(np.asarray(picture), colour_order)


def _from_array(array: np.ndarray[Any, Any], colour_order: ColourOrder) -> Image:
    channels = array.shape[2] if array.ndim == _COLOUR else 1
    if (
        array.dtype != np.uint8
        or array.ndim not in (_GREY, _COLOUR)
        or channels not in (1, _COLOUR, _TRANSPARENT)
        or not array.size
    ):
        raise InvalidImageError(
            "Expected a path, a PIL image, or an array of shape (H, W), (H, W, 3) or (H, W, 4) and "
            f"dtype uint8 (0 to 255), received shape {array.shape} and dtype {array.dtype}."
        )
    if channels == 1:
        grey = array.reshape(array.shape[:2])
        return np.ascontiguousarray(np.repeat(grey[..., None], _COLOUR, axis=2))
    if channels == _COLOUR:
        return np.ascontiguousarray(array if colour_order == "bgr" else array[..., ::-1])
    rgba = array if colour_order == "rgb" else array[..., [2, 1, 0, 3]]
    return image_of(PillowImage.fromarray(np.ascontiguousarray(rgba), "RGBA"), "The array")
