"""What third-party readers need to know, written into the TFLite file itself.

TFLite's metadata is a FlatBuffer of its own (identifier `M001`) in a buffer of the model, with
the label file appended to the model as a zip archive. The writers that are published no longer
install, so the few tables that are needed are written here, slot by slot; the layout is that of
`metadata_schema.fbs` of tensorflow/tflite-support, version 1.0.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_classifier.export.formats import FEATURES, SCORES, SIMILARITIES, SPATIAL

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Preprocessing

LABELS: Final = "labels.txt"

_Value: TypeAlias = "str | npt.NDArray[np.float32] | list[_Table] | _Table"
_Table: TypeAlias = "dict[int, int | _Value]"
"""Of the metadata: values by slot, where an integer is a byte (an enum or a kind of union)."""

_FLOAT32: Final = 0  # TensorType.FLOAT32
_TENSOR_AXIS_LABELS: Final = 2
_RGB: Final = 1
_IMAGE_PROPERTIES: Final = 2  # in the union ContentProperties
_NORMALIZATION_OPTIONS: Final = 1  # in the union ProcessUnitOptions
_WHITE: Final = 255.0


def finish_model(
    content: bytes,
    class_names: Sequence[str],
    output_names: Sequence[str],
    preprocessing: Preprocessing,
    name: str,
) -> bytes:
    """Make a converted file ready for readers that know nothing of us.

    Outputs come in the order of the graph's and have these names, tensors have short ones, and
    the file says what its input and outputs are.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    graph = model.subgraphs[0]
    # The converter loses the names and shuffles the outputs, but numbers them in the signature.
    numbered = sorted(model.signatureDefs[0].outputs, key=lambda output: output.name)
    outputs = dict(zip(output_names, (int(o.tensorIndex) for o in numbered), strict=True))
    for key, output in zip(output_names, numbered, strict=True):
        output.name = key
    graph.outputs = list(outputs.values())
    _rename(graph, outputs)
    _share_zero_points(graph)
    quantised = graph.tensors[graph.inputs[0]].type != _FLOAT32
    metadata = _metadata(class_names, preprocessing, output_names, name, quantised=quantised)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(metadata, np.uint8)
    entry = schema.MetadataT()
    entry.name, entry.buffer = b"TFLITE_METADATA", len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [entry, *(m for m in model.metadata if m.name == b"min_runtime_version")]
    model.description = name
    builder = _Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return _with_labels(bytes(builder.Output()), class_names)


def _rename(graph: Any, outputs: dict[str, int]) -> None:  # noqa: ANN401 - generated, untyped
    """Give tensors names that a person can use; the converter's are paths through Keras."""
    for index, tensor in enumerate(graph.tensors):
        tensor.name = f"t{index}"
    graph.tensors[graph.inputs[0]].name = "image"
    for name, index in outputs.items():
        graph.tensors[index].name = name


def _share_zero_points(graph: Any) -> None:  # noqa: ANN401 - generated, untyped
    """Store equal zero points once.

    Weights have one 64-bit zero point a channel, all of them 0: an eighth of a small int8 file.
    """
    for tensor in graph.tensors:
        plain = tensor.quantization
        if plain is not None and plain.scale is not None and plain.zeroPoint is not None:
            shared = _SharedQuantization()
            shared.scale, shared.zeroPoint = plain.scale, plain.zeroPoint
            shared.quantizedDimension = plain.quantizedDimension
            tensor.quantization = shared


class _Builder(flatbuffers.Builder):  # type: ignore[misc]  # untyped base
    """Remembers where zero points were written, by their bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.zero_points: dict[bytes, int] = {}


class _SharedQuantization(schema.QuantizationParametersT):  # type: ignore[misc]  # untyped base
    """Quantisation parameters whose zero points are written once for equal ones."""

    def Pack(self, builder: Any) -> int:  # noqa: ANN401, N802 - as the generated classes have it
        written: dict[bytes, int] = builder.zero_points
        scale = builder.CreateNumpyVector(np.asarray(self.scale, np.float32))
        points = np.asarray(self.zeroPoint, np.int64)
        if points.tobytes() not in written:
            written[points.tobytes()] = builder.CreateNumpyVector(points)
        schema.QuantizationParametersStart(builder)
        schema.QuantizationParametersAddScale(builder, scale)
        schema.QuantizationParametersAddZeroPoint(builder, written[points.tobytes()])
        schema.QuantizationParametersAddQuantizedDimension(builder, self.quantizedDimension)
        return int(schema.QuantizationParametersEnd(builder))


def _metadata(
    class_names: Sequence[str],
    preprocessing: Preprocessing,
    outputs: Sequence[str],
    name: str,
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
    similarities: _Table = {
        0: SIMILARITIES,
        1: "similarities to samples; the mean of the highest few, less the scores' entropy "
        "times hesitation_weight of spec.json, tells known from unknown",
    }
    features: _Table = {0: FEATURES, 1: "what the backbone saw, as the head was given it"}
    spatial: _Table = {0: SPATIAL, 1: "the feature map (h, w, c) that features are pooled of"}
    described = {SCORES: scores, SIMILARITIES: similarities, FEATURES: features, SPATIAL: spatial}
    subgraph: _Table = {2: [image], 3: [described[output] for output in outputs]}
    builder = flatbuffers.Builder(1024)
    builder.Finish(_write(builder, {0: name, 3: [subgraph], 7: "1.0.0"}), b"M001")
    return bytes(builder.Output())


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
    slots = {s: v if isinstance(v, int) else _write(builder, v) for s, v in value.items()}
    builder.StartObject(8)
    for slot, written in slots.items():
        if isinstance(value[slot], int):
            builder.PrependUint8Slot(slot, written, 0)
        else:
            builder.PrependUOffsetTRelativeSlot(slot, written, 0)
    return int(builder.EndObject())


def _with_labels(content: bytes, class_names: Sequence[str]) -> bytes:
    """Append the label file as a zip archive, uncompressed and without a date."""
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(LABELS), "".join(f"{name}\n" for name in class_names))
    return file.getvalue()
