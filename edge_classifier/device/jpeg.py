"""Where the parts of a JPEG file lie, and where the picture in it ends."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .errors import InvalidImageError

if TYPE_CHECKING:
    from .preprocessing import Image

_MARKER: Final = re.compile(rb"\xff[^\x00\xff]")
"""The last of any fill bytes, and what follows; libjpeg, too, skips whatever else stands there."""

_END_OF_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BASELINE: Final = frozenset({0xC0, 0xC1})
_PROGRESSIVE: Final = 0xC2
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN: Final = 0xDA
_END: Final = 0xD9
_CMYK: Final = 4
_APP2: Final = 0xE2
_END_MARKER: Final = b"\xff\xd9"
_NEVER_REACHED: Final = 128
_FINEST: Final = 63
_ALL: Final = (1 << (_FINEST + 1)) - 1
_TAIL_BYTES: Final = 64
_MOST_MISSING: Final = 0.05
_MOST_PARTS: Final = 20_000
"""Colour profiles and depth maps are split into some hundreds of parts."""

_MOST_BETWEEN: Final = 1 << 20
"""Bytes of fill or garbage between two parts, which somebody has to read again and again."""


@dataclass(slots=True)
class JpegLayout:
    """What the markers of a JPEG file say.

    Attributes:
        width: In pixels, as stored.
        height: Likewise.
        components: 1 for grey, 3 for colour, 4 for CMYK.
        progressive: Whether each scan refines the whole picture.
        rare: Whether it is coded as no camera does it: lossless, by arithmetic, in layers.
        scans: How many there are.
        coarse: Of a progressive file, by component: the bits of the coefficients that scans before
            the last one gave a first time.
        last_gave: What the last one gives a first time, likewise; nothing if it only refines.
        end: Where the picture ends; a film, another picture or anything may follow.
        whole: Whether it ends with its end marker.
        has_more_pictures: Whether it says itself that other pictures follow (MPO).
    """

    width: int = 0
    height: int = 0
    components: int = 0
    progressive: bool = False
    rare: bool = False
    scans: int = 0
    coarse: dict[int, int] = field(default_factory=dict)
    last_gave: dict[int, int] = field(default_factory=dict)
    end: int = 0
    whole: bool = False
    has_more_pictures: bool = False

    @property
    def is_cmyk(self) -> bool:
        """Whether it has four components, which only print has."""
        return self.components == _CMYK

    @property
    def only_refines(self) -> bool:
        """Whether every component was there before the last scan, down to the finest detail."""
        known = [bits == _ALL for bits in self.coarse.values()]
        return not self.last_gave and len(known) == self.components and all(known)

    def note_scan(self, header: bytes) -> None:
        """Take note of a scan's header, from its number of components on."""
        for component, bits in self.last_gave.items():
            self.coarse[component] = self.coarse.get(component, 0) | bits
        self.last_gave = {}
        count = header[0] if header else 0
        first, last, bits = (*header[1 + 2 * count : 4 + 2 * count], 0, 0, 0xFF)[:3]
        if not bits >> 4 and first <= last <= _FINEST:
            given = (1 << (last + 1)) - (1 << first)
            self.last_gave = dict.fromkeys(header[1 : 1 + 2 * count : 2], given)


def jpeg_layout(data: bytes, *, size_only: bool = False) -> JpegLayout | None:
    """Walk through a JPEG file, or no farther than its size is known.

    Returns:
        The layout; `None` if it has no size, or more parts than any honest one.
    """
    layout = JpegLayout(end=len(data))
    position, marker_or_end = 2, _MARKER
    for _ in range(_MOST_PARTS):
        in_scan = marker_or_end is _END_OF_SCAN
        end = len(data) if in_scan else min(len(data), position + _MOST_BETWEEN)
        found = marker_or_end.search(data, position, end)
        if found is None:
            return layout if layout.width and layout.height and end == len(data) else None
        start, marker = found.start(), data[found.start() + 1]
        position, marker_or_end = start + 2, _MARKER
        if marker == _END:
            layout.end, layout.whole = position, True
            return layout if layout.width and layout.height else None
        if marker in _ALONE:
            continue
        if marker in _FRAMES and not layout.width and len(data) >= start + 10:
            layout.height = int.from_bytes(data[start + 5 : start + 7], "big")
            layout.width = int.from_bytes(data[start + 7 : start + 9], "big")
            layout.components = data[start + 9]
            layout.progressive = marker == _PROGRESSIVE
            layout.rare = not layout.progressive and marker not in _BASELINE
            if size_only:
                return layout
        elif marker == _SCAN:
            if not layout.width or not layout.height:
                return None
            layout.scans += 1
            layout.note_scan(data[start + 4 : start + 16])
            marker_or_end = _END_OF_SCAN
        elif marker == _APP2:
            layout.has_more_pictures |= data[start + 4 : start + 8] == b"MPF\0"
        position += int.from_bytes(data[start + 2 : start + 4], "big")
    return None


def decode_cut(data: bytes, name: str, layout: JpegLayout) -> tuple[Image, str]:
    """Decode a file whose end is missing, as far as it goes.

    It is taken where no more than a twentieth of its pixels is missing. What libjpeg never came to
    is grey; how far it came in a progressive file shows where its last bytes make a difference. If
    they only refine what is there, none of it is missing.

    Returns:
        `(H, W, 3)` uint8 BGR, and what the user should know.

    Raises:
        InvalidImageError: if more is missing.
    """
    import cv2  # noqa: PLC0415 - layouts need none
    import numpy as np  # noqa: PLC0415 - likewise

    def decoded(part: bytes, flag: int) -> Image | None:
        image = cv2.imdecode(np.frombuffer(part + _END_MARKER, np.uint8), flag)
        return None if image is None else np.asarray(image, np.uint8)

    as_stored = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    stored, image = decoded(data, as_stored), decoded(data, cv2.IMREAD_COLOR)
    missing = 1.0
    if stored is not None and layout.only_refines:
        missing = 0.0
    elif stored is not None and layout.progressive:
        shorter = decoded(data[:-_TAIL_BYTES], as_stored)
        if shorter is not None and shorter.shape == stored.shape:
            reached = np.flatnonzero((stored != shorter).any(axis=(1, 2)))
            missing = 1 - (int(reached[-1]) + 1 if len(reached) else 0) / len(stored)
    elif stored is not None:
        same = (stored == _NEVER_REACHED).all(axis=2)
        # from the last row whose end was reached: a grey place above that is one of the picture
        reached = np.flatnonzero(~same[:, -1])
        missing = float(same[reached[-1] + 1 if len(reached) else 0 :].sum() / same.size)
    if image is None or missing > _MOST_MISSING:
        raise InvalidImageError(
            f"The picture {name} ends too early, much of it is missing; copy it again."
        )
    return image, f"its end is missing ({missing:.0%} of its pixels); it was taken as it is"
