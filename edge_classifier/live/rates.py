"""How fast it all goes, for those who want to see it."""

from __future__ import annotations

from edge_classifier.live.view import Rates


class RateMeter:
    """Averages the figures, and renews what is shown a few times a second: faster is unreadable."""

    def __init__(self, shown_every_s: float = 0.5) -> None:
        self._shown_every_s = shown_every_s
        self._since_s: float | None = None
        self._frames = 0
        self._drawings = 0
        self._capture_ms = self._inference_ms = self._drawing_ms = 0.0
        self._shown = Rates(0.0, 0.0, 0.0, 0.0)

    def add_frame(self, now_s: float, *, capture_ms: float, inference_ms: float) -> None:
        """Count a frame that was captured and inferred on."""
        if self._since_s is None:
            self._since_s = now_s
        self._frames += 1
        self._capture_ms += capture_ms
        self._inference_ms += inference_ms

    def add_drawing(self, drawing_ms: float) -> None:
        """Count a picture that was drawn and shown."""
        self._drawings += 1
        self._drawing_ms += drawing_ms

    def rates(self, now_s: float) -> Rates:
        """Return the figures to show."""
        if self._since_s is None:
            return self._shown
        elapsed = now_s - self._since_s
        if elapsed >= self._shown_every_s:
            frames, drawings = max(1, self._frames), max(1, self._drawings)
            self._shown = Rates(
                fps=round(self._frames / elapsed, 1),
                capture_ms=round(self._capture_ms / frames, 1),
                inference_ms=round(self._inference_ms / frames, 1),
                drawing_ms=round(self._drawing_ms / drawings, 1),
            )
            self._since_s, self._frames, self._drawings = now_s, 0, 0
            self._capture_ms = self._inference_ms = self._drawing_ms = 0.0
        return self._shown
