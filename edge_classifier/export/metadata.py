"""What third-party readers need to know, written into the TFLite file itself.

TFLite's metadata is a FlatBuffer of its own (identifier `M001`) in a buffer of the model, with
the label file appended to the model as a zip archive. The writers that are published no longer
install, so the few tables that are needed are written here, slot by slot; the layout is that of
`metadata_schema.fbs` of tensorflow/tflite-support, version 1.0.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import flatbuffers  # type: ignore[import-untyped]
import numpy as np

from edge_classifier import __version__
from edge_classifier.export.flatbuffer import FLOAT32, Graph
from edge_classifier.export.formats import FEATURES, SCORES, SIMILARITIES, SPATIAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Preprocessing

LABELS: Final = "labels.txt"

_Value: TypeAlias = "str | npt.NDArray[np.float32] | list[_Table] | _Table"
_Table: TypeAlias = "dict[int, int | float | _Value]"
"""Of the metadata: values by slot, where an integer is a byte (an enum or a kind of union)."""

_TENSOR_AXIS_LABELS: Final = 2
_RGB: Final = 1
_IMAGE_PROPERTIES: Final = 2  # in the union ContentProperties
_NORMALIZATION_OPTIONS: Final = 1  # in the union ProcessUnitOptions
_SCORE_THRESHOLDING_OPTIONS: Final = 3  # likewise
_WHITE: Final = 255.0

_HIGHEST: Final = float(np.finfo(np.float32).max)
_NAMED_CLASSES: Final = 20


@dataclass(frozen=True, slots=True)
class About:
    """What a model is, apart from what its graph says.

    Attributes:
        project: Its name.
        version: Tells two trainings apart: the beginning of the fingerprint in spec.json.
        backbone: As in `--backbone`.
        model_format: As in `--format`.
    """

    project: str
    version: str
    backbone: str
    model_format: str

    @property
    def name(self) -> str:
        """A name for the file."""
        return f"{self.project} ({self.backbone}, {self.model_format})"


def finish_model(
    graph: Graph, class_names: Sequence[str], preprocessing: Preprocessing, about: About
) -> bytes:
    """Make a file of a graph with named outputs that tells other readers what it is."""
    outputs = [graph.name_of_tensor(n) for n in graph.outputs]
    quantised = graph.tensors[graph.input].type != FLOAT32
    metadata = _metadata(class_names, preprocessing, outputs, about, quantised=quantised)
    graph.describe(about.name, "TFLITE_METADATA", metadata)
    return _with_labels(graph.content(), class_names)


def _metadata(
    class_names: Sequence[str],
    preprocessing: Preprocessing,
    outputs: Sequence[str],
    about: About,
    *,
    quantised: bool,
) -> bytes:
    """Describe a model, its input and its outputs, by the slots of the schema's tables."""
    # A quantised input takes the pixels as they are; readers that normalise would do it twice.
    units: list[_Table] = []
    if not quantised:
        std = _WHITE / (preprocessing.high - preprocessing.low)
        normalisation: _Table = {0: _floats(-preprocessing.low * std), 1: _floats(std)}
        units = [{0: _NORMALIZATION_OPTIONS, 1: normalisation}]
    image: _Table = {
        0: "image",
        1: "the largest centred square of a picture, RGB",
        3: {0: _IMAGE_PROPERTIES, 1: {0: _RGB}},
        4: units,
    }
    scores: _Table = {
        0: SCORES,
        1: f"one score for each of {len(class_names)} classes",
        6: [{0: LABELS, 2: _TENSOR_AXIS_LABELS}],
    }
    described = {
        SCORES: scores,
        SIMILARITIES: _no_classes(
            SIMILARITIES,
            "similarities to samples; the mean of the highest few, less the scores' entropy "
            "times hesitation_weight of spec.json, tells known from unknown",
        ),
        FEATURES: _no_classes(FEATURES, "what the backbone saw, as the head was given it"),
        SPATIAL: _no_classes(SPATIAL, "the feature map (h, w, c) that features are pooled of"),
    }
    model: _Table = {
        0: about.name,
        1: f"Tells apart {_listed(class_names)}. Made by Edge Classifier {__version__}.",
        2: about.version,
        3: [{2: [image], 3: [described[output] for output in outputs]}],
        4: about.project,
        5: f"Apache-2.0 for the backbone ({about.backbone}); what was taught is its author's",
        7: "1.0.0",
    }
    builder = flatbuffers.Builder(1024)
    builder.Finish(_write(builder, model), b"M001")
    return bytes(builder.Output())


def _no_classes(name: str, description: str) -> _Table:
    """Describe an output that no reader shall take for the scores of classes.

    MediaPipe takes every output for that, but names nothing below the output's own threshold.
    """
    return {
        0: name,
        1: description,
        4: [{0: _SCORE_THRESHOLDING_OPTIONS, 1: {0: _HIGHEST}}],
    }


def _listed(class_names: Sequence[str]) -> str:
    """Name as many classes as one can read."""
    more = len(class_names) - _NAMED_CLASSES
    named = ", ".join(class_names[:_NAMED_CLASSES])
    return f"{named} and {more} more" if more > 0 else named


def _floats(*values: float) -> npt.NDArray[np.float32]:
    return np.array(values, np.float32)


def _write(builder: flatbuffers.Builder, value: _Value) -> int:
    """Write a value, the innermost first as FlatBuffers wants it, and return its offset."""
    if isinstance(value, str):
        return int(builder.CreateString(value))
    if isinstance(value, np.ndarray):
        return int(builder.CreateNumpyVector(value))
    if isinstance(value, list):
        offsets = [_write(builder, entry) for entry in value]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return int(builder.EndVector())
    slots = {s: v if isinstance(v, (int, float)) else _write(builder, v) for s, v in value.items()}
    builder.StartObject(8)
    for slot, written in slots.items():
        if isinstance(value[slot], int):
            builder.PrependUint8Slot(slot, written, 0)
        elif isinstance(value[slot], float):
            builder.PrependFloat32Slot(slot, written, 0.0)
        else:
            builder.PrependUOffsetTRelativeSlot(slot, written, 0)
    return int(builder.EndObject())


def _with_labels(content: bytes, class_names: Sequence[str]) -> bytes:
    """Append the label file as a zip archive, uncompressed and without a date."""
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(LABELS), "".join(f"{name}\n" for name in class_names))
    return file.getvalue()
