"""Is this device as right as the machine that exported?"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import numpy as np

from .bundle import SCORE_TOLERANCE
from .classifier import Classifier
from .errors import BundleError
from .sources.pictures import read_picture

if TYPE_CHECKING:
    from .bundle import Bundle


def verify(bundle: Bundle, threads: int = 1, only: str | None = None) -> int:
    """Run the bundle's reference frames through its models, or one, and print what is found.

    Returns:
        The exit status: 0 if labels are equal and scores within the format's tolerance.

    Raises:
        BundleError: if it has no reference frames, or something of it is damaged.
    """
    if not bundle.spec.get("references"):
        raise BundleError(f"{bundle.folder} has no reference frames to verify with.")
    right = [
        _verify_model(bundle, Classifier(bundle, model_format, threads))
        for model_format in ((only,) if only else bundle.formats)
    ]
    return int(not all(right))


def _verify_model(bundle: Bundle, classifier: Classifier) -> bool:
    references = bundle.spec["references"]
    equal, largest, times = 0, 0.0, []
    for reference in references:
        path = bundle.folder / reference["file"]
        image = read_picture(path)
        if image is None:
            raise BundleError(f"{path} is missing or damaged; copy the bundle again.")
        started_s = time.perf_counter()
        answer = classifier.predict(image)
        scores = answer.scores
        times.append((time.perf_counter() - started_s) * 1000)
        expected = np.array(reference["scores"][classifier.model_format], np.float32)
        if expected.shape != scores.shape:
            raise BundleError(
                f"{bundle.folder / 'spec.json'} has {len(expected)} scores for {path.name}, "
                f"expected {len(scores)}; copy the bundle again."
            )
        equal += int(np.argmax(expected) == np.argmax(scores))
        largest = max(largest, float(np.abs(expected - scores).max()))
        similarity = reference.get("similarities", {}).get(classifier.model_format)
        if len(scores) == 1 and similarity is not None and answer.similarity is not None:
            # The score of a single class is always 1: how familiar it is is all there is.
            largest = max(largest, abs(similarity - answer.similarity))
    right = equal == len(references) and largest <= SCORE_TOLERANCE[classifier.model_format]
    sys.stdout.write(
        f"{classifier.model_format:8} {equal} of {len(references)} labels equal, largest score "
        f"difference {largest:.2g}, {sorted(times)[len(times) // 2]:.1f} ms a frame: "
        f"{'ok' if right else 'FAILED'}\n"
    )
    return right
