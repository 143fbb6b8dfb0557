"""`edgetpu-ready`: a network that Coral's compiler can map whole, and its head for the CPU."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.device.npz import npz_bytes
from edge_classifier.errors import ExportError
from edge_classifier.export.elsewhere.answers import write_answers
from edge_classifier.export.elsewhere.format import README, ElsewhereFormat
from edge_classifier.export.elsewhere.readme import text_of
from edge_classifier.export.elsewhere.rounded_backbone import RoundedBackbone
from edge_classifier.export.flatbuffer import Graph
from edge_classifier.export.formats import INT8, LIMITS, Replay, compare, possible_formats
from edge_classifier.export.replay import as_image
from edge_classifier.features.backbone import LiteRTBackbone, features_of_map
from edge_classifier.learning.model_file import model_as_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.export.elsewhere.format import Original
    from edge_classifier.protocols import Cancelled, Progress

_NAME: Final = "edgetpu-ready"

SUPPORTED: Final = frozenset(
    {
        "ADD",
        "AVERAGE_POOL_2D",
        "CONCATENATION",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "MEAN",
        "MUL",
        "PAD",
        "QUANTIZE",
        "RELU",
        "RELU6",
        "RESHAPE",
    }
)
"""Operators of networks like ours in the table of "TensorFlow models on the Edge TPU" (coral.ai).
RSQRT, which heads and the root of features need, is none: version 15 of the compiler refuses a file
that has it (google-coral/edgetpu, issue 384)."""

_ROUNDED: Final = 0.8
"""A part of the whole, for the progress bar."""


class SplitClassifier:
    """A classifier whose network is in int8 and ends with the feature map; the rest stays exact.

    Square roots and the division by a length are not for an Edge TPU; on a PC's processor all that
    takes 0.05 to 0.07 ms, and the mean over the map's places is finer than eight bits.

    Raises:
        ExportError: if the network has other operators than an Edge TPU.
        CancelledError: if asked to stop.
    """

    def __init__(self, original: Original, cancelled: Cancelled) -> None:
        self._original = original
        info = replace(original.backbone.info, feature_kind="spatial")
        exact = LiteRTBackbone(info, original.backbone.extractor)
        self._rounded = RoundedBackbone(exact, original.calibrating, cancelled)
        check_operators(self.content)

    @property
    def content(self) -> bytes:
        """The TFLite file."""
        return self._rounded.content

    def predict(self, image: Image) -> Prediction:
        """Predict from an image `(H, W, 3)` uint8 BGR of any size."""
        info = self._original.backbone.info
        features = np.empty((1, info.feature_dim), np.float32)
        features_of_map(info, self._rounded.extract([image]), features[0])
        (prediction,) = self._original.model.predict(features)
        return prediction

    def head(self) -> dict[str, npt.NDArray[Any]]:
        """Give what README.md computes with."""
        model, info = self._original.model, self._original.backbone.info
        arrays: dict[str, npt.NDArray[Any]] = dict(model_as_arrays(model)[1])
        if info.feature_kind == "pooled":
            arrays["channels"] = np.array(info.feature_dim)
        if info.feature_kind == "pooled" and info.root_offset is not None:
            arrays["root_offset"] = np.array(info.root_offset, np.float32)
        if model.unknown:
            arrays["offsets"] = model.unknown.offsets
            arrays["hesitation_weight"] = np.array(model.unknown.hesitation_weight, np.float32)
        return arrays


def check_operators(content: bytes) -> None:
    """Refuse a file that the compiler would leave in part to the CPU.

    Raises:
        ExportError: naming the operators.
    """
    graph = Graph(content)
    if others := sorted({graph.name_of(o) for o in graph.operators} - SUPPORTED):
        raise ExportError(f"An Edge TPU has no {', '.join(others)}, which this network needs.")


def _write(
    original: Original, folder: Path, progress: Progress, cancelled: Cancelled
) -> Sequence[str]:
    info, evidence = original.backbone.info, original.evidence
    _, left_out = possible_formats((INT8,), info)
    if left_out:
        raise ExportError(f"{_NAME} is not possible: {left_out[INT8]}.")
    progress(0.0, "rounding the network")
    split = SplitClassifier(original, cancelled)
    progress(_ROUNDED, f"asking {_NAME}")
    said = [split.predict(as_image(square)) for square in evidence.squares]
    replay = Replay(
        np.stack([p.scores for p in said]),
        np.array([p.unknown for p in said]) if original.model.unknown else None,
    )
    found = compare(_NAME, replay, evidence.live, evidence.class_ids)
    if problem := found.problem(LIMITS[INT8]):
        raise ExportError(f"{_NAME} is not the same classifier: {problem}.")
    (folder / "model.tflite").write_bytes(split.content)
    (folder / "head.npz").write_bytes(npz_bytes(split.head()))
    write_answers(folder, original, _NAME, evidence.squares, split.predict)
    (folder / README).write_text(text_of(f"{_NAME}.md", original), encoding="utf-8")
    same = f"{found.agreement:.1%} of the labels"
    if found.unknown_agreement is not None:
        same += f", {found.unknown_agreement:.1%} of the verdicts unknown"
    compared = f"Compared with the live picture on {found.samples} samples: {same} are the same."
    return (compared, "The network is for edgetpu_compiler, its head for the CPU: see README.md.")


EDGE_TPU: Final = ElsewhereFormat(
    _NAME, _write, ("model.tflite", "model_edgetpu.*", "head.npz"), calibrates=True
)
