"""A bundle's model as it was taught: what adaptation on a device begins from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .adaptation import SHOWN, Adapted, Evidence, Taught, adapt, adapted_detector, is_familiar
from .bundle import checked_file, checked_number
from .errors import BundleError
from .frame_buffer import MAX_FRAMES
from .npz import MAX_NUMBER, npz_bytes, read_arrays
from .unknown_detector import MAX_STEPS, UnknownDetector
from .verdict import Prediction, normalise, softmax

if TYPE_CHECKING:
    import numpy.typing as npt

    from .bundle import Bundle
    from .classifier import Classifier
    from .preprocessing import Image

NAME: Final = "taught.npz"

MAX_BYTES: Final = 280 * 1024 * 1024
"""512 references of the largest features are 129 MB, of a fine-tuned backbone twice that; reading
takes three times the file's size."""

_TRIAL: Final = 0.2
"""How far `TaughtModel.trial` moves what was taught; at 1 it would be lost."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """A head and its measure of "unknown", as the graph of a bundle has them.

    Attributes:
        weights: `(D, C)` float32.
        bias: `(C,)` float32.
        unknown: The measure.
    """

    weights: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    unknown: UnknownDetector

    def scores(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Compute the scores `(N, C)` of features `(N, D)`."""
        return softmax(normalise(features) @ self.weights + self.bias)

    def recognise(self, features: npt.NDArray[np.float32]) -> int | None:
        """Return the class of features `(D,)`; `None` if too strange to take part in adapting."""
        scores = self.scores(features[None])
        return (
            int(scores.argmax()) if is_familiar(self.unknown, features[None], scores)[0] else None
        )

    def answer(self, classifier: Classifier, image: Image) -> Prediction:
        """Answer in place of a classifier, to an image `(H, W, 3)` uint8 BGR."""
        classifier.predict(image)
        return self.answer_to_last(classifier)

    def answer_to_last(self, classifier: Classifier) -> Prediction:
        """Answer to what a classifier was asked last."""
        features = features_of(classifier)
        scores = self.scores(features[None])
        similarity = self.unknown.similarity(features[None], scores)[0]
        adapted = self.unknown.shift is not None
        return Prediction(
            classifier.bundle.class_names,
            scores[0],
            float(similarity),
            self.unknown.threshold,
            adapted=adapted,
        )


@dataclass(frozen=True, slots=True, eq=False)
class TaughtModel:
    """A bundle's model as it was taught.

    Attributes:
        model: The model.
        taught: What it was taught with.
        rows: `(N, D)` of length 1, the frames that it was adapted to when it was exported; none
            if it was not.
    """

    model: LinearModel
    taught: Taught
    rows: npt.NDArray[np.float32]

    def adapted(
        self, rows: npt.NDArray[np.float32], evidence: Evidence
    ) -> tuple[LinearModel, Adapted] | None:
        """Adapt to familiar frames, `(N, D)` of length 1; see `adaptation.adapt`."""
        found = adapt(self.taught, rows, evidence)
        if found is None:
            return None
        detector = adapted_detector(self.model.unknown, found, rows)
        return LinearModel(found.weights, found.bias, detector), found

    @property
    def trial_rows(self) -> npt.NDArray[np.float32]:
        """What it was taught with, moved a little, as if the light had changed: `(N, D)`."""
        rows = self.taught.rows
        return normalise(rows + np.float32(_TRIAL) * np.roll(rows.mean(axis=0), 1))

    def trial(self) -> LinearModel | None:
        """Adapt to `trial_rows`: what that answers is compared by `--verify`.

        `None` where that is not possible: too little was taught.
        """
        rows, model = self.trial_rows, self.model
        found = self.adapted(rows[is_familiar(model.unknown, rows, model.scores(rows))], SHOWN)
        return found and found[0]


def features_of(classifier: Classifier) -> npt.NDArray[np.float32]:
    """Return the features `(D,)` of what a classifier was asked last.

    Raises:
        BundleError: if its file gives none.
    """
    features = classifier.features()
    if features is None:
        raise BundleError(
            f"{classifier.bundle.folder}: its {classifier.model_format} model gives no features to "
            "adapt; copy the bundle again."
        )
    return features


def taught_content(
    model: LinearModel, rows: npt.NDArray[np.float32]
) -> tuple[bytes, dict[str, Any]]:
    """Give what `read_taught` reads again: the file, and what `spec.json` says of it."""
    unknown = model.unknown
    arrays: dict[str, npt.NDArray[Any]] = {
        "weights": model.weights,
        "bias": model.bias,
        "references": unknown.references,
        "scales": unknown.scales,
        "reference_classes": unknown.reference_ids,
        "rows": rows,
    }
    content = npz_bytes(arrays)
    return content, {
        "file": NAME,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "measured_threshold": unknown.measured_threshold,
        "measured_on_bursts": unknown.measured_on_bursts,
        "step": unknown.step,
        "steps": unknown.steps,
        "hesitation_weight": unknown.hesitation_weight,
        "stranger_level": unknown.stranger_level,
        "bursts": unknown.bursts,
    }


def read_taught(bundle: Bundle) -> TaughtModel:
    """Read what a bundle was taught.

    Raises:
        BundleError: if that is not in it, or damaged; says why in one line.
    """
    if "taught" not in bundle.spec:
        raise BundleError(
            f"{bundle.folder} cannot be adapted: it was exported by an older version; export it "
            "again."
        )
    about = bundle.spec["taught"]
    if about is None:
        raise BundleError(
            f"{bundle.folder} cannot be adapted: that takes the linear head, which is the default, "
            "and five pictures of each class at least; or it was trained by an older version: "
            "train it and export it again."
        )
    try:
        checked_file(about["file"])
        content = bundle.read(about, MAX_BYTES)
        return _taught(read_arrays(content), about, len(bundle.class_names))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(
            f"{bundle.folder / NAME} does not fit to spec.json ({type(error).__name__}: {error}); "
            "copy the bundle again."
        ) from error


def _taught(
    arrays: dict[str, npt.NDArray[Any]], about: dict[str, Any], classes: int
) -> TaughtModel:
    weights, rows = arrays["weights"], arrays["rows"]
    dim = len(weights)
    count = len(arrays["references"])
    expected: dict[str, tuple[tuple[int, ...], type]] = {
        "weights": ((dim, classes), np.float32),
        "bias": ((classes,), np.float32),
        "references": ((count, dim), np.float32),
        "scales": ((count,), np.float32),
        "reference_classes": ((count,), np.int64),
        "rows": ((len(rows), dim), np.float32),
    }
    for name, (shape, dtype) in expected.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != dtype or not (np.abs(array) < MAX_NUMBER).all():
            raise ValueError(f"{name} are {array.dtype} of shape {array.shape}")
    level = about["stranger_level"]
    unknown = UnknownDetector(
        arrays["references"],
        arrays["scales"],
        measured_threshold=checked_number(about["measured_threshold"], -100.0, 100.0),
        measured_on_bursts=bool(about["measured_on_bursts"]),
        step=checked_number(about["step"], 0.0, 100.0),
        steps=int(checked_number(about["steps"], -MAX_STEPS, MAX_STEPS)),
        hesitation_weight=checked_number(about["hesitation_weight"], 0.0, 100.0),
        stranger_level=None if level is None else checked_number(level, -100.0, 100.0),
        bursts=int(checked_number(about["bursts"], 1, 1e9)),
        class_ids=arrays["reference_classes"],
    )
    taught = Taught.of(unknown, weights, arrays["bias"])
    if taught is None or len(rows) > MAX_FRAMES or unknown.reference_ids.max() >= classes:
        raise ValueError("its references are of other classes")
    return TaughtModel(LinearModel(weights, arrays["bias"], unknown), taught, rows)
