"""Is this device as right as the machine that exported, and how fast is it?"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from .bundle import _TOLERANCE, Bundle
from .classifier import Classifier
from .errors import ClassifyError
from .outputs.base import Output
from .sources.files import read_picture

if TYPE_CHECKING:
    from .device_reader import Prepared
    from .sources.base import Picture
    from .verdict import Answer


class Benchmark(Output):
    """Collects where the time goes."""

    def __init__(self) -> None:
        self.columns: dict[str, list[float]] = {"capture": [], "preprocessing": [], "inference": []}
        self._started_s = 0.0
        self._frames = 0

    def add(self, prepared: Prepared, inference_ms: float) -> None:
        """Take one frame's times in milliseconds."""
        if not self._frames:
            self._started_s = time.perf_counter() - inference_ms / 1000
        self._frames += 1
        self.columns["capture"].append(prepared.picture.capture_ms)
        self.columns["preprocessing"].append(prepared.preprocessing_ms)
        self.columns["inference"].append(inference_ms)

    def show(self, picture: Picture, answer: Answer) -> bool:  # noqa: ARG002 - timed elsewhere
        """Go on."""
        return True

    def close(self) -> None:
        """Print the table."""
        if not self._frames:
            return
        seconds = time.perf_counter() - self._started_s
        lines = [f"{'ms':14} {'p50':>8} {'p95':>8}"]
        for name, values in self.columns.items():
            p50, p95 = np.percentile(values, [50, 95])
            lines.append(f"{name:14} {p50:8.2f} {p95:8.2f}")
        lines.append(f"{self._frames} frames in {seconds:.2f} s: {self._frames / seconds:.1f} fps")
        sys.stdout.write("\n".join(lines) + "\n")
        self._frames = 0


def verify(bundle: Bundle, threads: int = 1, only: str | None = None) -> int:
    """Run the bundle's reference frames through each of its models.

    Args:
        bundle: What to verify.
        threads: Of the interpreter.
        only: One format; by default all that the bundle has.

    Returns:
        The exit status: 0 if labels are equal and scores within the format's tolerance.
    """
    failed = False
    references = bundle.spec.get("references", [])
    if not references:
        raise ClassifyError(f"{bundle.folder} has no reference frames to verify with.")
    for model_format in (only,) if only else bundle.formats:
        classifier = Classifier(bundle, model_format, threads)
        equal, largest, times = 0, 0.0, []
        for reference in references:
            path = bundle.folder / reference["file"]
            image = read_picture(path)
            if image is None:
                raise ClassifyError(f"{path} is missing or damaged; copy the bundle again.")
            started = time.perf_counter()
            answer = classifier.predict(image)
            times.append((time.perf_counter() - started) * 1000)
            expected = np.array(reference["scores"][model_format], np.float32)
            if expected.shape != answer.scores.shape:
                raise ClassifyError(
                    f"{bundle.folder / 'spec.json'} has {len(expected)} scores for {path.name}, "
                    f"expected {len(answer.scores)}; copy the bundle again."
                )
            equal += int(np.argmax(expected) == np.argmax(answer.scores))
            largest = max(largest, float(np.abs(expected - answer.scores).max()))
        good = equal == len(references) and largest <= _TOLERANCE[model_format]
        failed = failed or not good
        sys.stdout.write(
            f"{model_format:8} {equal} of {len(references)} labels equal, largest score difference "
            f"{largest:.2g}, {sorted(times)[len(times) // 2]:.1f} ms a frame: "
            f"{'ok' if good else 'FAILED'}\n"
        )
    return int(failed)
