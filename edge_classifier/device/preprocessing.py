"""From an image of any size to the network's input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from .errors import InvalidImageError

if TYPE_CHECKING:
    import numpy.typing as npt


Image: TypeAlias = "npt.NDArray[np.uint8]"
"""A bare picture: `(H, W, 3)` uint8, BGR."""

_MAX_INPUT: Final = 4096


def check_image(image: npt.NDArray[np.generic]) -> None:
    """Refuse what is not a `(H, W, 3)` uint8 picture.

    Raises:
        InvalidImageError: with what was expected and what was received.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:  # noqa: PLR2004 - three axes, three colours
        raise InvalidImageError(
            "Expected an image of shape (H, W, 3) and dtype uint8 in BGR order, "
            f"received shape {image.shape} and dtype {image.dtype}."
        )


def centred_square(image: Image, side: int) -> Image:
    """Cut out the centred square of so many pixels a side, as a view."""
    height, width = image.shape[:2]
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an image becomes the network's input; stored with every model.

    The largest centred square is cut out (nothing is ever squashed), then resized, turned from
    BGR to RGB, and scaled linearly to `[low, high]`.

    Attributes:
        input_size: Height and width of the network's input in pixels.
        resize: `mipmap` halves by exact 2x2 means while the square is at least twice the input
            size, then interpolates bilinearly (Williams, "Pyramidal Parametrics", SIGGRAPH
            1983): it does not alias, costs a fifth of area averaging, and its integer
            arithmetic gives the same bits on every machine. `bilinear` interpolates only.
        low: The input value of a black pixel.
        high: The input value of a white pixel.
    """

    input_size: int
    resize: Literal["mipmap", "bilinear"] = "mipmap"
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no image could be brought to."""
        size = self.input_size
        if size != int(size) or not 0 < size <= _MAX_INPUT or not -1e9 < self.low < self.high < 1e9:  # noqa: PLR2004 - anything absurd
            raise ValueError(
                f"Expected an input size from 1 to {_MAX_INPUT} and low < high, received "
                f"{self.input_size}, {self.low} and {self.high}."
            )
        if self.resize not in ("mipmap", "bilinear"):
            raise ValueError(f"Expected resize 'mipmap' or 'bilinear', received {self.resize!r}.")

    def square(self, image: Image) -> Image:
        """Cut out the largest centred square of a BGR image of any size and resize it.

        Returns:
            `(input_size, input_size, 3)` uint8, RGB.
        """
        import cv2  # noqa: PLC0415 - others read this class's fields without OpenCV

        side = min(image.shape[:2])
        square = centred_square(image, side)
        while self.resize == "mipmap" and side >= 2 * self.input_size:
            even, side = side - side % 2, side // 2
            halved = cv2.resize(square[:even, :even], (side, side), interpolation=cv2.INTER_AREA)
            square = np.asarray(halved, dtype=np.uint8)
        if side == self.input_size:
            return np.asarray(cv2.cvtColor(square, cv2.COLOR_BGR2RGB), dtype=np.uint8)
        # With a fourth channel OpenCV's exact resize takes its vector path: the same bits in
        # about two thirds of the time, colour conversions included.
        wide = cv2.resize(
            cv2.cvtColor(square, cv2.COLOR_BGR2RGBA),
            (self.input_size, self.input_size),
            interpolation=cv2.INTER_LINEAR_EXACT,
        )
        return np.asarray(cv2.cvtColor(wide, cv2.COLOR_RGBA2RGB), dtype=np.uint8)

    def shrink(self, image: Image) -> Image:
        """Make a small image that `apply` turns into the very input it makes of the image itself.

        Returns:
            `(input_size, input_size, 3)` uint8, BGR.
        """
        import cv2  # noqa: PLC0415 - as in `square`

        return np.asarray(cv2.cvtColor(self.square(image), cv2.COLOR_RGB2BGR), dtype=np.uint8)

    def apply(
        self, image: Image, out: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.float32]:
        """Make the network's input of a BGR image of any size.

        Returns:
            `(input_size, input_size, 3)` float32, RGB, in [low, high]; `out`, where that is given:
            a view of an interpreter's input saves a copy.
        """
        scale = np.float32((self.high - self.low) / 255.0)
        scaled: npt.NDArray[np.float32] = np.multiply(
            self.square(image), scale, out=out, dtype=np.float32
        )
        if self.low:
            np.add(scaled, np.float32(self.low), out=scaled)
        return scaled
