"""Where everything is in the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge_classifier.screen.canvas import Box

RATES: Final = 20
"""The height of the line that says where the time goes."""


@dataclass(frozen=True, slots=True)
class Regions:
    """Where everything is, in a layout of `size`."""

    size: tuple[int, int]
    title: Box
    activity: Box
    rates: Box
    video: Box
    banner: Box
    cards: Box
    hint: Box
    quality: Box
    buttons: Box

    @classmethod
    def of(cls, size: tuple[int, int]) -> Regions:
        """Divide a layout of `(width, height)`, which is at least the smallest."""
        return cls._upright(size) if size[1] > size[0] else cls._wide(size)

    @classmethod
    def _wide(cls, size: tuple[int, int]) -> Regions:
        """Lay the classes beside the picture."""
        width, height = size
        low = height < 600  # noqa: PLR2004 - then every row counts
        margin, gap = (8, 6) if low else (16, 12)
        header, verdict, footer, bar = (38, 70, 40, 38) if low else (48, 92, 48, 44)
        column_width = min(352, width * 352 // 1040)
        video_width = width - column_width - 3 * margin
        column = video_width + 2 * margin
        video_height = height - header - verdict - footer - bar - gap
        video = Box(margin, header, video_width, video_height)
        banner = Box(margin, video.bottom + gap, video_width, verdict)
        return cls(
            size=size,
            title=Box(margin, 0, video_width, header),
            activity=Box(column, 0, column_width, header - RATES),
            rates=Box(column, header - RATES, column_width, RATES),
            video=video,
            banner=banner,
            cards=Box(column, header, column_width, banner.bottom - header),
            hint=Box(margin, banner.bottom, video_width, footer),
            quality=Box(column, banner.bottom, column_width, footer),
            buttons=Box(margin, banner.bottom + footer, width - 2 * margin, bar - 6),
        )

    @classmethod
    def _upright(cls, size: tuple[int, int]) -> Regions:
        """Lay the classes below the picture."""
        width, height = size
        margin, gap, header, verdict, advice, line, bar = 8, 6, 38, 70, 40, 20, 84
        inside = width - 2 * margin
        half = inside // 2 - margin
        video = Box(margin, header, inside, min(inside * 3 // 4, height * 42 // 100))
        banner = Box(margin, video.bottom + gap, inside, verdict)
        foot = height - bar - line - advice
        right = margin + inside - half
        return cls(
            size=size,
            title=Box(margin, 0, half, header),
            activity=Box(right, 0, half, header - RATES),
            rates=Box(right, header - RATES, half, RATES),
            video=video,
            banner=banner,
            cards=Box(margin, banner.bottom + gap, inside, foot - banner.bottom - gap),
            hint=Box(margin, foot, inside, advice),
            quality=Box(margin, foot + advice, inside, line),
            buttons=Box(margin, height - bar, inside, bar - 6),
        )
