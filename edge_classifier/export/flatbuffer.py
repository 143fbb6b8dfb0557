"""A TFLite file as a graph that can be appended to, by the schema that LiteRT's wheel carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import flatbuffers  # type: ignore[import-untyped]
import numpy as np

from edge_classifier.errors import ExportError

try:
    from ai_edge_litert import schema_py_generated as schema
except ImportError as error:
    raise ExportError(
        "This ai-edge-litert has no schema; install it again: pip install 'ai-edge-litert>=2.1'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

FLOAT32: Final = int(schema.TensorType.FLOAT32)
FLOAT16: Final = int(schema.TensorType.FLOAT16)
INT8: Final = int(schema.TensorType.INT8)
UINT8: Final = int(schema.TensorType.UINT8)
"""What tensors hold, as the schema numbers it."""

NO_ACTIVATION: Final = int(schema.ActivationFunctionType.NONE)
RELU: Final = int(schema.ActivationFunctionType.RELU)
RELU6: Final = int(schema.ActivationFunctionType.RELU6)
"""What a layer does with its sums."""

_NUMPY: Final[dict[int, np.dtype[Any]]] = {
    FLOAT32: np.dtype(np.float32),
    FLOAT16: np.dtype(np.float16),
    INT8: np.dtype(np.int8),
    int(schema.TensorType.INT32): np.dtype(np.int32),
}
_TENSOR_TYPES: Final = {dtype: tensor_type for tensor_type, dtype in _NUMPY.items()}

_OPTIONS: Final = {
    "ADD": "Add",
    "DEQUANTIZE": "Dequantize",
    "FULLY_CONNECTED": "FullyConnected",
    "MEAN": "Reducer",
    "MUL": "Mul",
    "QUANTIZE": "Quantize",
    "RESHAPE": "Reshape",
    "SOFTMAX": "Softmax",
}
"""The tables of options of the operators that are appended; others have none."""

_VERSIONS: Final = {"DEQUANTIZE": 3}  # of float16
_OLDEST_CODES: Final = 127
"""Operators up to here have their number in a byte as well, for readers from before 2020."""

_IDENTIFIER: Final = b"TFL3"
_NAMES: Final[dict[int, str]] = {
    v: k for k, v in vars(schema.BuiltinOperator).items() if isinstance(v, int)
}


class Graph:
    """The only subgraph of a TFLite file, and what it takes to append to it.

    Tensors are told apart by their index. The tables are the schema's own, as
    `ai_edge_litert.schema_py_generated` has them.

    Args:
        content: The file.

    Raises:
        ExportError: if it is no such file, or has more than one subgraph or input.
    """

    def __init__(self, content: bytes) -> None:
        try:
            self.model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
            (graph,) = self.model.subgraphs
            (self.input,) = map(int, graph.inputs)
            self.outputs = [int(n) for n in graph.outputs]
            self.tensors: list[Any] = graph.tensors
            self.operators: list[Any] = graph.operators
        except Exception as error:  # the generated reader checks nothing: anything may come
            raise ExportError(f"This is no TFLite file of a network: {error!r}.") from error
        self.graph = graph
        for tensor in self.tensors:  # of any number of images, which is not what shapes say here
            tensor.shapeSignature = None

    # What is there

    def name_of(self, operator: Any) -> str:  # noqa: ANN401 - the schema's tables are untyped
        """Return an operator's name in the schema."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        return _NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]

    def name_of_tensor(self, tensor: int) -> str:
        """Return a tensor's name."""
        name = self.tensors[tensor].name
        return name.decode() if isinstance(name, bytes) else str(name)

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Return a tensor's shape."""
        return tuple(int(n) for n in self.tensors[tensor].shape)

    def values(self, tensor: int) -> npt.NDArray[Any] | None:
        """Read a constant; `None` if the tensor is computed, or of another type than numbers."""
        about: Any = self.tensors[tensor]
        data = self.model.buffers[about.buffer].data
        if data is None or not len(data) or about.type not in _NUMPY:
            return None
        numbers: npt.NDArray[Any] = np.frombuffer(np.asarray(data, np.uint8), _NUMPY[about.type])
        return numbers.reshape(self.shape(tensor))

    def constants(self) -> list[npt.NDArray[Any]]:
        """Read all constants of the operators."""
        inputs = {int(n) for operator in self.operators for n in operator.inputs if n >= 0}
        return [values for n in inputs if (values := self.values(n)) is not None]

    # What is appended

    def tensor(self, shape: Iterable[int], tensor_type: int = FLOAT32, name: str = "") -> int:
        """Append a tensor that an operator computes."""
        about = schema.TensorT()
        about.shape, about.type, about.buffer = list(shape), tensor_type, 0
        about.name = name or f"t{len(self.tensors)}"
        self.tensors.append(about)
        return len(self.tensors) - 1

    def constant(self, values: npt.NDArray[Any] | np.generic) -> int:
        """Append a constant."""
        array = np.ascontiguousarray(values)
        tensor = self.tensor(np.shape(values), _TENSOR_TYPES[array.dtype])
        self.set_values(tensor, array)
        return tensor

    def set_values(self, tensor: int, values: npt.NDArray[Any]) -> None:
        """Make a tensor the constant of these values, in a buffer of its own."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        self.tensors[tensor].type = _TENSOR_TYPES[values.dtype]
        self.tensors[tensor].buffer = len(self.model.buffers) - 1

    def set_quantisation(
        self, tensor: int, scales: npt.NDArray[np.float32], *, zero_point: int = 0, axis: int = 0
    ) -> None:
        """Say what numbers a tensor's integers stand for, with a scale for all or for a channel."""
        about = schema.QuantizationParametersT()
        about.scale = scales
        about.zeroPoint = np.full(len(scales), zero_point, np.int64)
        about.quantizedDimension = axis
        self.tensors[tensor].quantization = about

    def append(
        self, name: str, inputs: Sequence[int], shape: Iterable[int], **options: object
    ) -> int:
        """Append an operator with one output in float32 and these fields of its options."""
        output = self.tensor(shape)
        self.operators.append(self.operator(name, inputs, [output], **options))
        return output

    def operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], **options: object
    ) -> Any:  # noqa: ANN401 - the schema's tables are untyped
        """Make an operator that is not in the graph yet, with these fields of its options."""
        made = schema.OperatorT()
        made.opcodeIndex = self.code(name)
        made.inputs, made.outputs = list(inputs), list(outputs)
        if kind := _OPTIONS.get(name):
            made.builtinOptionsType = getattr(schema.BuiltinOptions, f"{kind}Options")
            made.builtinOptions = getattr(schema, f"{kind}OptionsT")()
            for field, value in options.items():
                setattr(made.builtinOptions, field, value)
        return made

    def code(self, name: str, version: int | None = None) -> int:
        """Return the index of an operator code, appended where the file has none like it yet."""
        wanted = (getattr(schema.BuiltinOperator, name), version or _VERSIONS.get(name, 1))
        for index, code in enumerate(self.model.operatorCodes):
            number = max(code.builtinCode, code.deprecatedBuiltinCode)
            if (number, code.version) == wanted and code.customCode is None:
                return index
        made = schema.OperatorCodeT()
        made.builtinCode, made.version = wanted
        made.deprecatedBuiltinCode = min(wanted[0], _OLDEST_CODES)
        self.model.operatorCodes.append(made)
        return len(self.model.operatorCodes) - 1

    # What goes out

    def name(self, outputs: dict[str, int]) -> None:
        """Let these be the outputs, and give tensors names that a person can use."""
        for index, tensor in enumerate(self.tensors):
            tensor.name = f"t{index}"
        self.tensors[self.input].name = "image"
        for name, index in outputs.items():
            self.tensors[index].name = name
        self.outputs = list(outputs.values())
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "serving_default", 0
        signature.inputs = [_entry("image", self.input)]
        signature.outputs = [_entry(name, index) for name, index in outputs.items()]
        self.model.signatureDefs = [signature]

    def describe(self, description: str, name: str, metadata: bytes) -> None:
        """Say in the file what it is, and put a piece of metadata into it."""
        self.model.description = description
        buffer, entry = schema.BufferT(), schema.MetadataT()
        buffer.data = np.frombuffer(metadata, np.uint8)
        entry.name, entry.buffer = name, len(self.model.buffers)
        self.model.buffers.append(buffer)
        kept = [one for one in self.model.metadata or [] if one.name == b"min_runtime_version"]
        self.model.metadata = [entry, *kept]

    def content(self) -> bytes:
        """Give the file, without what nothing refers to."""
        self.graph.inputs, self.graph.outputs = [self.input], self.outputs
        self._drop_unused()
        _share_zero_points(self.tensors)
        builder = _Builder(sum(len(b.data) for b in self.model.buffers if b.data is not None))
        builder.Finish(self.model.Pack(builder), _IDENTIFIER)
        return bytes(builder.Output())

    def _drop_unused(self) -> None:
        graph, model = self.graph, self.model
        used = {self.input, *self.outputs}
        for operator in self.operators:
            used.update(int(n) for n in (*operator.inputs, *operator.outputs))
        order = [n for n in range(len(self.tensors)) if n in used]
        new = {old: n for n, old in enumerate(order)} | {-1: -1}
        for operator in self.operators:
            operator.inputs = [new[int(n)] for n in operator.inputs]
            operator.outputs = [new[int(n)] for n in operator.outputs]
        for signature in model.signatureDefs or []:
            for entry in (*signature.inputs, *signature.outputs):
                entry.tensorIndex = new[int(entry.tensorIndex)]
        self.input, self.outputs = new[self.input], [new[n] for n in self.outputs]
        graph.inputs, graph.outputs = [self.input], self.outputs
        self.tensors[:] = [self.tensors[n] for n in order]
        places = {0: 0}  # the first buffer is empty, by the schema
        for about in (*self.tensors, *(model.metadata or [])):
            about.buffer = places.setdefault(about.buffer, len(places))
        model.buffers = [model.buffers[old] for old in places]
        codes = sorted({operator.opcodeIndex for operator in self.operators})
        model.operatorCodes = [model.operatorCodes[n] for n in codes]
        for operator in self.operators:
            operator.opcodeIndex = codes.index(operator.opcodeIndex)


def _entry(name: str, tensor: int) -> Any:  # noqa: ANN401 - the schema's tables are untyped
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, tensor
    return entry


def _share_zero_points(tensors: Iterable[Any]) -> None:
    """Store equal zero points once.

    Weights have one 64-bit zero point a channel, all of them 0: an eighth of a small int8 file.
    """
    for tensor in tensors:
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
