"""Views to draw, and what to compare of what was drawn."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from edge_classifier.live.view import (
    Activity,
    Banner,
    ClassCard,
    Gallery,
    GalleryPicture,
    GalleryRow,
    Mode,
    Rates,
    View,
)
from edge_classifier.screen.canvas import Box
from edge_classifier.screen.overlay import DESIGN_SIZE, Overlay
from edge_classifier.screen.text import TextRenderer

GREEN, BLUE, ORANGE = (80, 175, 76), (246, 150, 66), (60, 120, 245)
GREY = (128, 128, 128)


def scene(width: int = 640, height: int = 480) -> npt.NDArray[np.uint8]:
    """Render a picture without any symmetry, its brightness between 60 and 250."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [60 + x * 190 / width, 60 + y * 190 / height, 250 - (x + y) * 190 / (width + height)]
    image = np.dstack(planes).astype(np.uint8)
    cv2.circle(image, (width // 3, height // 2), height // 6, (40, 60, 220), -1)
    return image


SIZES = [(480, 320), (800, 480), (1024, 600), DESIGN_SIZE, (2080, 1448), (480, 800), (1080, 1920)]
"""Windows that people have."""

IMAGE = scene()
THUMBNAIL = cv2.resize(IMAGE, (96, 72)).astype(np.uint8)


def card(name: str = "mug", **changes: object) -> ClassCard:
    plain = ClassCard(name, "1", GREEN, 24, 0.5, THUMBNAIL, selected=False, recording=False)
    return replace(plain, **changes)  # type: ignore[arg-type]  # the names of fields are checked at run time


def gallery(
    count: int = 12, *, name: str = "mug", columns: int = 5, text: str = "", **changes: object
) -> Gallery:
    """Make a gallery of so many pictures in rounds of eight, of which the second is chosen."""
    rows = []
    for start in range(0, count, 8):
        stop = min(start + 8, count)
        for left in range(start, stop, columns):
            heading = f"round {start // 8 + 1} · 2026-11-24 14:02 · {stop - start} pictures"
            pictures = tuple(
                GalleryPicture(
                    f"{name}/{n}", THUMBNAIL, "", name, GREEN, text, chosen=n == min(1, count - 1)
                )
                for n in range(left, min(left + columns, stop))
            )
            first = left == start and not text
            rows.append(GalleryRow(heading if first else "", f"{name}/{left}", pictures))
    plain = Gallery(
        title=f"{name}: {count} pictures",
        detail="2 of 12",
        note="arrows choose · space the round · X removes · 1 … 9 or M moves · U takes back",
        rows=tuple(rows),
        row_count=len(rows),
        captioned=bool(text),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # the names of fields are checked at run time


BANNER = Banner("mug", 0.93, unknown=False, colour=GREEN, similarity=0.71, threshold=0.64)


def view(**changes: object) -> View:
    plain = View(
        image=IMAGE,
        mirrored=False,
        mode=Mode.LIVE,
        title="kitchen · MobileNet v3 Small",
        cards=(card(), card("杯子", key="2", colour=BLUE, score=0.3)),
        banner=BANNER,
        activity=Activity("trained"),
        rates=Rates(58, 3.1, 1.6, 0.9),
        hint="add 12 more of 杯子",
        quality="94 % right, ± 3, on 5 held-out rounds · needs a second round: 杯子",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # the names of fields are checked at run time


# One for all tests: text is what costs time, and fonts of the machine must not matter here.
TEXT = TextRenderer(find_face=lambda _: None)


def drawn(a_view: View, size: tuple[int, int] = DESIGN_SIZE) -> npt.NDArray[np.uint8]:
    return Overlay(size, TEXT).draw(a_view)


def differing(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> Box:
    """Return the smallest box around all pixels that differ."""
    rows, columns = np.nonzero((first != second).any(axis=2))
    if not rows.size:
        return Box(0, 0, 0, 0)
    return Box(
        int(columns.min()),
        int(rows.min()),
        int(np.ptp(columns)) + 1,
        int(np.ptp(rows)) + 1,
    )


def lies_within(inner: Box, outer: Box) -> bool:
    return (
        outer.left <= inner.left
        and outer.top <= inner.top
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )


REGIONS = Overlay(DESIGN_SIZE, TEXT).regions
