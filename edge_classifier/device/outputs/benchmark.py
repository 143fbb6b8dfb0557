"""Where the time goes."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from .base import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..frame import Frame
    from ..looking import Look
    from ..verdict import Prediction


class Benchmark(Output):
    """Collects where the time goes, and prints a table of it at the end."""

    def __init__(self) -> None:
        self._columns: dict[str, list[float]] = {
            "capture": [],
            "preprocessing": [],
            "inference": [],
        }
        self._started_s = 0.0
        self._frames = self._rested = 0
        self._inferred = False

    def add(self, inference_s: float | None, adapting_s: float | None = None) -> None:
        """Take the times of an answer to a frame, or to one region of it; at rest it has none."""
        if not self._started_s:
            self._started_s = time.perf_counter() - (inference_s or 0)
        if inference_s is not None:
            self._inferred = True
            self._columns["inference"].append(inference_s * 1000)
        if adapting_s is not None:
            self._columns.setdefault("adapting", []).append(adapting_s * 1000)

    def show_all(self, frame: Frame, looks: Sequence[Look]) -> bool:  # noqa: ARG002 - timed elsewhere
        """Count a frame, and go on."""
        self._frames += 1
        self._columns["capture"].append(frame.capture_ms)
        if self._inferred:
            self._columns["preprocessing"].append(frame.prepare_ms)
        else:
            self._rested += 1
        self._inferred = False
        return True

    def show(self, frame: Frame, prediction: Prediction) -> bool:  # noqa: ARG002 - timed elsewhere
        """Go on."""
        return True

    def close(self) -> None:
        """Print the table."""
        if not self._frames:
            return
        seconds = time.perf_counter() - self._started_s
        lines = [f"{'ms':14} {'p50':>8} {'p95':>8}"]
        for name, values in self._columns.items():
            p50, p95 = np.percentile(values, [50, 95])
            lines.append(f"{name:14} {p50:8.2f} {p95:8.2f}")
        if self._rested:
            lines.append(f"{self._rested} frames were as the last one, and at rest")
        lines.append(f"{self._frames} frames in {seconds:.2f} s: {self._frames / seconds:.1f} fps")
        sys.stdout.write("\n".join(lines) + "\n")
        self._frames = 0
