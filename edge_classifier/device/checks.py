"""Is this device as right as the machine that exported?"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .bundle import SCORE_TOLERANCE
from .classifier import Classifier
from .console import one_line
from .errors import BundleError, InvalidImageError
from .sources.pictures import read_picture
from .taught import read_taught

if TYPE_CHECKING:
    from .bundle import Bundle
    from .taught import LinearModel
    from .verdict import Prediction


def verify(bundle: Bundle, threads: int = 1, only: str | None = None) -> int:
    """Run the bundle's reference frames through its models, or one, and print what is found.

    A model that cannot be used here is named, and the others are looked at all the same.

    Returns:
        The exit status: 0 if all can be used, labels are equal and scores within the format's
        tolerance.

    Raises:
        BundleError: if it has no reference frames, something else of it than a model is damaged,
            or there is no runtime.
    """
    trial = _trial(bundle)
    right = [
        _verify_model(bundle, model_format, threads, trial)
        for model_format in ((only,) if only else bundle.formats)
    ]
    return int(not all(right))


def check(classifier: Classifier) -> None:
    """See that a classifier answers to its bundle's reference frames as where it was exported.

    Raises:
        BundleError: if it does not, or the bundle is damaged or has none.
    """
    bundle = classifier.bundle
    _check_heat(classifier)
    told = _ask(classifier, _trial(bundle))
    if not told.right:
        raise BundleError(
            f"{bundle.folder}: its {classifier.model_format} model does not answer here as where "
            f"it was exported ({told.text})."
        )


def _trial(bundle: Bundle) -> LinearModel | None:
    """Adapt what a bundle was taught; `None` where there is nothing to compare that with.

    Raises:
        BundleError: if that is damaged, or there are no reference frames.
    """
    if not bundle.spec.get("references"):
        raise BundleError(f"{bundle.folder} has no reference frames to verify with.")
    told = all("adapted" in reference for reference in bundle.spec["references"])
    taught = read_taught(bundle) if bundle.spec.get("taught") else None
    trial = taught.trial() if taught and told else None
    if told and trial is None:
        raise BundleError(
            f"{bundle.folder}: what it was taught cannot be adapted here as where it was exported; "
            "copy the bundle again."
        )
    return trial


def _verify_model(
    bundle: Bundle, model_format: str, threads: int, trial: LinearModel | None
) -> bool:
    try:
        classifier = Classifier(bundle, model_format, threads)
        _check_heat(classifier)
    except BundleError as error:
        if isinstance(error.__cause__, ImportError) or model_format not in bundle.formats:
            raise
        sys.stdout.write(f"{model_format:8} FAILED: {one_line(str(error))}\n")
        return False
    told = _ask(classifier, trial)
    sys.stdout.write(
        f"{model_format:8} {told.text}; {told.ms:.1f} ms a frame: "
        f"{'ok' if told.right else 'FAILED'}\n"
    )
    return told.right


def _check_heat(classifier: Classifier) -> None:
    """Read what a model needs for heat maps, if there is any; raises if it is damaged."""
    bundle, model_format = classifier.bundle, classifier.model_format
    if bundle.spec["models"][model_format].get("heat"):
        bundle.heat(model_format)


@dataclass(frozen=True)
class _Told:
    """How a model has answered: whether as it should, in words, and in what time."""

    right: bool
    text: str
    ms: float


def _ask(classifier: Classifier, trial: LinearModel | None) -> _Told:
    """Ask a model about the reference frames."""
    bundle, model_format = classifier.bundle, classifier.model_format
    references = bundle.spec["references"]
    compared, times = _Compared(bundle), []
    adapted = _Compared(bundle)
    for reference in references:
        path = bundle.folder / reference["file"]
        try:
            image = read_picture(path).image
        except InvalidImageError as error:
            raise BundleError(f"{path} is missing or damaged; copy the bundle again.") from error
        started_s = time.perf_counter()
        answer = classifier.predict(image)
        times.append((time.perf_counter() - started_s) * 1000)
        # The score of a single class is always 1: how familiar it is is all there is.
        alone = len(answer.scores) == 1
        similarity = reference.get("similarities", {}).get(model_format) if alone else None
        compared.add(path.name, answer, reference["scores"][model_format], similarity)
        if trial is not None:
            said = reference["adapted"][model_format]
            adapted.add(path.name, trial.answer_to_last(classifier), **said)
    tolerance = SCORE_TOLERANCE[model_format]
    text = (
        f"{compared.equal} of {len(references)} labels equal, largest score "
        f"difference {compared.largest:.2g}"
    )
    if trial is not None:
        text += f"; once adapted {adapted.equal} equal, {adapted.largest:.2g}"
    right = compared.is_right(tolerance) and adapted.is_right(tolerance)
    return _Told(right, text, sorted(times)[len(times) // 2])


class _Compared:
    """How answers to reference frames differ from those of the exporting machine."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.equal = self.count = 0
        self.largest = 0.0

    def add(
        self, name: str, answer: Prediction, scores: list[float], similarity: float | None
    ) -> None:
        """Take the answer to a frame, and what was said of it there.

        Raises:
            BundleError: if that is of other classes.
        """
        expected = np.array(scores, np.float32)
        if expected.shape != answer.scores.shape:
            raise BundleError(
                f"{self._bundle.folder / 'spec.json'} has {len(expected)} scores for {name}, "
                f"expected {len(answer.scores)}; copy the bundle again."
            )
        self.count += 1
        self.equal += int(np.argmax(expected) == np.argmax(answer.scores))
        self.largest = max(self.largest, float(np.abs(expected - answer.scores).max()))
        if similarity is not None and answer.similarity is not None:
            self.largest = max(self.largest, abs(similarity - answer.similarity))

    def is_right(self, tolerance: float) -> bool:
        """Say whether labels are equal, and scores within a tolerance."""
        return self.equal == self.count and self.largest <= tolerance
