"""Where the time of a frame goes: frames per second, milliseconds per stage."""

from __future__ import annotations

from edge_classifier.view import Rates


class RateMeter:
    """Smooths the figures, and renews what is shown only a few times a second.

    Args:
        shown_every_s: How often the shown figures change; faster cannot be read.
    """

    def __init__(self, shown_every_s: float = 0.5) -> None:
        self._shown_every_s = shown_every_s
        self._since_s: float | None = None
        self._frames = 0
        self._sums = {"capture": 0.0, "inference": 0.0, "drawing": 0.0}
        self._drawings = 0
        self._shown = Rates(0.0, 0.0, 0.0, 0.0)

    def add_frame(self, now_s: float, *, capture_ms: float, inference_ms: float) -> None:
        """Count a frame that was captured and inferred on."""
        if self._since_s is None:
            self._since_s = now_s
        self._frames += 1
        self._sums["capture"] += capture_ms
        self._sums["inference"] += inference_ms

    def add_drawing(self, drawing_ms: float) -> None:
        """Count a picture that was drawn and shown."""
        self._drawings += 1
        self._sums["drawing"] += drawing_ms

    def rates(self, now_s: float) -> Rates:
        """Return the figures to show."""
        if self._since_s is None:
            return self._shown
        elapsed = now_s - self._since_s
        if elapsed >= self._shown_every_s:
            frames, drawings = max(1, self._frames), max(1, self._drawings)
            self._shown = Rates(
                fps=round(self._frames / elapsed, 1),
                capture_ms=round(self._sums["capture"] / frames, 1),
                inference_ms=round(self._sums["inference"] / frames, 1),
                drawing_ms=round(self._sums["drawing"] / drawings, 1),
            )
            self._since_s, self._frames, self._drawings = now_s, 0, 0
            self._sums = dict.fromkeys(self._sums, 0.0)
        return self._shown
