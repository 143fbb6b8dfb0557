"""The diagrams of a report, as inline SVG that takes its colours from the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.evaluation.cross_validation import CurvePoint
    from edge_classifier.evaluation.metrics import Reliability

_WIDTH: Final = 440
_HEIGHT: Final = 300
_LEFT: Final = 52
_RIGHT: Final = 16
_TOP: Final = 14
_BOTTOM: Final = 46
_PLOT_WIDTH: Final = _WIDTH - _LEFT - _RIGHT
_PLOT_HEIGHT: Final = _HEIGHT - _TOP - _BOTTOM
_CHARACTER: Final = 10
"""Width of a digit, where letters are largest: on a phone."""
_PARTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


def learning_curve_svg(points: Sequence[CurvePoint]) -> str:
    """Draw accuracy against samples per class, with the confidence interval as a band."""
    most = max(points[-1].samples_per_class, 2)

    def x(samples: int) -> float:
        return _LEFT + _PLOT_WIDTH * math.log(samples) / math.log(most)

    floor, step = _scale(min(p.interval[0] for p in points))
    levels = [floor + step * n for n in range(round((1 - floor) / step) + 1)]

    def y(accuracy: float) -> float:
        return _TOP + _PLOT_HEIGHT * (1 - (accuracy - floor) / (1 - floor))

    places = [(x(p.samples_per_class), p) for p in points]
    upper = [f"{px:.1f},{y(p.interval[1]):.1f}" for px, p in places]
    lower = [f"{px:.1f},{y(p.interval[0]):.1f}" for px, p in reversed(places)]
    line = " ".join(f"{px:.1f},{y(p.accuracy):.1f}" for px, p in places)
    parts = [_axes([(y(level), f"{level:.0%}") for level in levels])]
    parts.append(f'<polygon class="band" points="{" ".join(upper + lower)}"/>')
    parts.append(f'<polyline class="line" points="{line}"/>')
    for px, p in places:
        parts.append(
            f'<circle class="dot" cx="{px:.1f}" cy="{y(p.accuracy):.1f}" r="4">'
            f"<title>{p.samples_per_class} per class: {p.accuracy:.1%}</title></circle>"
        )
    ticks = _with_room([(px, str(p.samples_per_class)) for px, p in places])
    parts += [_text(px, _TOP + _PLOT_HEIGHT + 18, label) for px, label in ticks]
    parts.append(_text(_LEFT + _PLOT_WIDTH / 2, _HEIGHT - 8, "samples per class", "label"))
    return _svg("Accuracy against samples per class", parts)


def _with_room(ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Leave out labels that would run into the next one; the last one stays."""
    kept = [ticks[-1]]
    for place, label in reversed(ticks[:-1]):
        if kept[-1][0] - place >= _CHARACTER * (len(label) + len(kept[-1][1])) / 2 + _CHARACTER:
            kept.append((place, label))
    return kept[::-1]


def _scale(lowest: float) -> tuple[float, float]:
    """Choose where the vertical axis begins, and the step between its lines."""
    for floor, step in ((0.9, 0.02), (0.75, 0.05), (0.5, 0.1)):
        if lowest >= floor:
            return floor, step
    return 0.0, 0.25


def reliability_svg(bins: Sequence[Reliability]) -> str:
    """Draw how often the classifier is right against how sure it was."""

    def x(part: float) -> float:
        return _LEFT + _PLOT_WIDTH * part

    def y(part: float) -> float:
        return _TOP + _PLOT_HEIGHT * (1 - part)

    total = sum(b.count for b in bins)
    parts = [_axes([(y(part), f"{part:.0%}") for part in _PARTS])]
    for b in bins:
        if not b.count:
            continue
        # A bin of few pictures says little, so it is drawn paler.
        opacity = 0.35 + 0.65 * math.sqrt(b.count / total)
        parts.append(
            f'<rect class="bar" x="{x(b.low) + 2:.1f}" y="{y(b.accuracy):.1f}" '
            f'width="{_PLOT_WIDTH * (b.high - b.low) - 4:.1f}" '
            f'height="{max(1.5, _PLOT_HEIGHT * b.accuracy):.1f}" opacity="{opacity:.2f}">'
            f"<title>{b.count} pictures answered with {b.low:.0%} to {b.high:.0%}: "
            f"{b.accuracy:.1%} right, {b.confidence:.1%} promised</title></rect>"
        )
        parts.append(
            f'<circle class="dot" cx="{x(b.confidence):.1f}" cy="{y(b.accuracy):.1f}" r="3.5"/>'
        )
    parts.append(f'<line class="diagonal" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>')
    parts += [_text(x(part), _TOP + _PLOT_HEIGHT + 18, f"{part:.0%}") for part in _PARTS]
    parts.append(_text(_LEFT + _PLOT_WIDTH / 2, _HEIGHT - 8, "score of the answer", "label"))
    return _svg("How often the answer is right against its score", parts)


def interval_svg(accuracy: float, interval: tuple[float, float]) -> str:
    """Draw the accuracy and its confidence interval on a scale from 0 to 1."""
    width, height, middle = 440, 34, 12
    low, high = (8 + (width - 16) * part for part in interval)
    point = 8 + (width - 16) * accuracy
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="95 % confidence interval">'
        f'<line class="grid" x1="8" y1="{middle}" x2="{width - 8}" y2="{middle}"/>'
        f'<line class="interval" x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}"/>'
        f'<circle class="dot" cx="{point:.1f}" cy="{middle}" r="6"/>'
        f'<text class="tick" x="8" y="{height - 2}" text-anchor="start">0 %</text>'
        f'<text class="tick" x="{width - 8}" y="{height - 2}" text-anchor="end">100 %</text>'
        "</svg>"
    )


def _axes(levels: Sequence[tuple[float, str]]) -> str:
    """Draw horizontal lines, each with what it stands for."""
    return "".join(
        f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
        for y, label in levels
    )


def _text(x: float, y: float, text: str, css: str = "tick") -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{text}</text>'


def _svg(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{title}">'
        f"{''.join(parts)}</svg>"
    )
