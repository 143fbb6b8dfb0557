"""How a camera's picture is framed: turned, flipped, and the part of it that is looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .console import shortened
from .errors import InvalidValueError

if TYPE_CHECKING:
    from .preprocessing import Image

LEAST: Final = 0.02
"""The least width and height of a region, in parts of the picture."""

TURNS: Final = (0, 90, 180, 270)
"""Degrees, clockwise."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
"""What fits into a topic, an address of OSC and an option, whoever reads it."""

_NUMBER: Final = re.compile(r"[0-9]{0,10}\.?[0-9]{0,20}")
_SAME_ASPECT: Final = 0.02
"""Rounding of sizes makes less of a difference; 4:3 and 16:9 make far more."""

_EXPECTED: Final = (
    "expected LEFT,TOP,RIGHT,BOTTOM in parts of the picture from 0 to 1, like 0.25,0,0.75,1"
)


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture, in parts of its width and height.

    Attributes:
        name: Tells it from others of the same camera, or empty.

    Raises:
        InvalidValueError: if it lies outside of the picture, or next to nothing is in it.
    """

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no part of a picture."""
        edges = (self.left, self.top, self.right, self.bottom)
        if not all(0 <= edge <= 1 for edge in edges):  # NaN is neither
            raise InvalidValueError(f"the region {self} lies outside of the picture; {_EXPECTED}.")
        wide, high = self.right - self.left, self.bottom - self.top
        if min(wide, high) < LEAST - 1e-9:  # as sums of floats are
            raise InvalidValueError(
                f"the region {self} is empty, or less than {LEAST:.0%} of the picture's width or "
                f"height; {_EXPECTED}."
            )
        if self.name and not _NAME.fullmatch(self.name):
            raise InvalidValueError(
                f"a region cannot be named {shortened(self.name, 40)!r}; a name has up to 32 of "
                "A-Z, a-z, 0-9, _ and -."
            )

    def __str__(self) -> str:
        """Spell it as `parse` reads it, but for its name."""
        edges = (self.left, self.top, self.right, self.bottom)
        return ",".join(f"{round(edge, 4):g}" for edge in edges)

    @classmethod
    def parse(cls, text: str) -> Region:
        """Read `[NAME=]LEFT,TOP,RIGHT,BOTTOM`, or `whole` in place of the numbers.

        Raises:
            InvalidValueError: if that is no region.
        """
        name, equals, numbers = text.rpartition("=")
        if equals and not name:
            raise InvalidValueError(f"{shortened(text, 60)!r} has no name before its =.")
        if numbers == "whole":
            return cls(name=name)
        edges = numbers.split(",")
        plain = all(_NUMBER.fullmatch(edge) and any(map(str.isdigit, edge)) for edge in edges)
        if len(edges) != len(cls().edges) or not plain or not numbers.isascii():
            raise InvalidValueError(f"{_EXPECTED}, or whole; received {shortened(text, 60)!r}.")
        left, top, right, bottom = map(float, edges)
        return cls(left, top, right, bottom, name)

    @property
    def edges(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        return self.left, self.top, self.right, self.bottom

    @property
    def is_whole(self) -> bool:
        """Whether it is all of the picture."""
        return self.edges == WHOLE.edges

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Return its left, top, right and bottom in a picture of so many pixels; at least one."""
        left = min(round(self.left * width), width - 1)
        top = min(round(self.top * height), height - 1)
        return (
            left,
            top,
            max(left + 1, round(self.right * width)),
            max(top + 1, round(self.bottom * height)),
        )

    def of(self, image: Image) -> Image:
        """Return its part of a picture, `(H, W, 3)`, as a view; all of it as it is."""
        if self.is_whole:
            return image
        left, top, right, bottom = self.pixels(image.shape[1], image.shape[0])
        return image[top:bottom, left:right]


WHOLE: Final = Region()


@dataclass(frozen=True, slots=True)
class Framing:
    """How a camera's pictures are brought upright, and what of them is looked at.

    Attributes:
        region: What is looked at of an upright picture.
        aspect: Width by height of the pictures that the region was chosen in; `None` where nobody
            knows.
        rotate: By so many degrees pictures are turned, clockwise.
        flip: Whether their left and right are then exchanged.

    Raises:
        InvalidValueError: if they cannot be turned so.
    """

    region: Region = WHOLE
    aspect: float | None = None
    rotate: int = 0
    flip: bool = False

    def __post_init__(self) -> None:
        """Refuse what no picture can be turned by."""
        if self.rotate not in TURNS:
            raise InvalidValueError(
                f"Expected a picture to be turned by 0, 90, 180 or 270, received {self.rotate}."
            )

    def upright(self, image: Image) -> Image:
        """Bring a picture, `(H, W, 3)`, upright: itself where there is nothing to turn, or new."""
        if not self.turns:
            return image
        import cv2  # noqa: PLC0415 - others read this class's fields without OpenCV

        codes = {
            90: cv2.ROTATE_90_CLOCKWISE,
            180: cv2.ROTATE_180,
            270: cv2.ROTATE_90_COUNTERCLOCKWISE,
        }
        turned = cv2.rotate(image, codes[self.rotate]) if self.rotate else image
        return np.asarray(cv2.flip(turned, 1) if self.flip else turned, dtype=np.uint8)

    @property
    def turns(self) -> bool:
        """Whether pictures are turned or flipped."""
        return bool(self.rotate or self.flip)

    def trouble(self, image: Image) -> str:
        """Say in a line that the region was chosen in pictures of another shape, or nothing."""
        height, width = image.shape[:2]
        if self.aspect is None or self.region.is_whole:
            return ""
        if abs(width / height / self.aspect - 1) <= _SAME_ASPECT:
            return ""
        return (
            f"the region {self.region} was chosen in pictures {self.aspect:.3g} times as wide as "
            f"high, and these ({width}x{height}) are {width / height:.3g} times; it may show "
            "another part"
        )

    def as_json(self) -> dict[str, Any]:
        """Give what `from_json` reads; nothing but what is not as usual."""
        return {
            **({} if self.region.is_whole else {"region": list(self.region.edges)}),
            **({} if self.region.is_whole or self.aspect is None else {"aspect": self.aspect}),
            **({"rotate": self.rotate} if self.rotate else {}),
            **({"flip": True} if self.flip else {}),
        }

    @classmethod
    def from_json(cls, about: object) -> Framing:
        """Read what was kept, of which nothing is as usual.

        Raises:
            ValueError: if that is no framing.
        """
        if not isinstance(about, dict):
            raise ValueError(f"expected a framing, received {about!r:.40}")  # noqa: TRY004 - as its readers take it
        edges, aspect = about.get("region", list(WHOLE.edges)), about.get("aspect")
        numbers = [*edges, 1.0 if aspect is None else aspect] if isinstance(edges, list) else []
        if len(numbers) != len(WHOLE.edges) + 1 or any(
            isinstance(n, bool) or not isinstance(n, (int, float)) for n in numbers
        ):
            raise ValueError(f"expected a region of four numbers, received {edges!r:.60}")
        if not 0.01 <= numbers[-1] <= 100:  # noqa: PLR2004 - no picture is wider or higher
            raise ValueError(f"expected an aspect from 0.01 to 100, received {aspect!r:.40}")
        rotate, flip = about.get("rotate", 0), about.get("flip", False)
        if isinstance(rotate, bool) or not isinstance(rotate, int) or not isinstance(flip, bool):
            what = f"expected degrees and yes or no, received {rotate!r:.20} and {flip!r:.20}"
            raise ValueError(what)  # noqa: TRY004 - as above
        left, top, right, bottom = map(float, edges)
        return cls(Region(left, top, right, bottom), aspect, rotate, flip)


NO_FRAMING: Final = Framing()
