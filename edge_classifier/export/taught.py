"""What a bundle needs to be adapted on its device, and what shows that it is right there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.device.adaptation import Taught
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.frame_buffer import MAX_FRAMES
from edge_classifier.device.sources.pictures import read_picture
from edge_classifier.device.subsample import pick_evenly
from edge_classifier.device.taught import NAME, LinearModel, read_taught, taught_content
from edge_classifier.errors import AdaptationError, ExportError
from edge_classifier.export.formats import Replay
from edge_classifier.export.replay import as_image
from edge_classifier.learning.adaptation import adapt_model
from edge_classifier.learning.head import LinearHead

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.bundle import Bundle
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Backbone, Progress

ADAPTED: Final = ", adapted"
"""Stands behind the name of what was asked once it is adapted."""


def write_taught(folder: Path, model: Model) -> dict[str, Any] | None:
    """Write a model as it was taught into a bundle.

    Returns:
        What `spec.json` says of it; `None` if it is none that can be adapted.
    """
    source = model.taught
    head, unknown = source.head, source.unknown
    if not isinstance(head, LinearHead) or unknown is None or unknown.shift is not None:
        return None
    if Taught.of(unknown, head.weights, head.bias) is None:
        return None
    rows = np.empty((0, head.feature_dim), np.float32)
    if model.unadapted is not None:
        rows = model.unadapted.rows
        rows = rows[pick_evenly(np.zeros(len(rows), np.int64), np.array([MAX_FRAMES]))]
    content, about = taught_content(LinearModel(head.weights, head.bias, unknown), rows)
    (folder / NAME).write_bytes(content)
    return about


def add_adapted_answers(
    bundle: Bundle, references: Sequence[dict[str, Any]], progress: Progress
) -> None:
    """Note what the bundle's models say of its reference frames after `TaughtModel.trial`."""
    if bundle.spec["taught"] is None:
        return
    trial = read_taught(bundle).trial()
    if trial is None:
        return
    for model_format in bundle.formats:
        classifier = Classifier(bundle, model_format)
        for reference in references:
            progress(1.0)
            image = read_picture(bundle.folder / reference["file"]).image
            answer = trial.answer(classifier, image)
            said = {"scores": answer.scores.tolist(), "similarity": answer.similarity}
            reference.setdefault("adapted", {})[model_format] = said


def replay_adapted(
    bundle: Bundle,
    model: Model,
    backbone: Backbone,
    squares: npt.NDArray[np.uint8],
) -> dict[str, Replay]:
    """Ask the live path, then the bundle's files, after the same adaptation.

    Of squares `(N, S, S, 3)` uint8 RGB. The first reply is the live path's; there is none if
    neither can be adapted.

    Raises:
        ExportError: if only one of them can be adapted.
    """
    if bundle.spec.get("taught") is None:
        return {}
    taught = read_taught(bundle)
    trial = taught.trial()
    try:
        window = adapt_model(model.taught, taught.trial_rows).model
    except AdaptationError as error:
        if trial is None:
            return {}
        raise ExportError(
            f"{bundle.folder} can be adapted on a device, not in the project: {error}"
        ) from error
    if trial is None:
        raise ExportError(f"{bundle.folder} can be adapted in the project, not on a device.")
    images = [as_image(square) for square in squares]
    live = window.predict(np.concatenate([backbone.extract([image]) for image in images]))
    replays = {f"live path{ADAPTED}": _replay(live)}
    for model_format in bundle.formats:
        classifier = Classifier(bundle, model_format)
        answers = [trial.answer(classifier, image) for image in images]
        replays[f"{model_format}{ADAPTED}"] = _replay(answers)
    return replays


def _replay(predictions: Sequence[Prediction]) -> Replay:
    return Replay(
        np.stack([p.scores for p in predictions]), np.array([p.unknown for p in predictions])
    )
