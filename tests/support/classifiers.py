"""Small TFLite files that answer as one wants them to: of other programs, and hostile ones."""

from __future__ import annotations

from typing import Any

import flatbuffers  # type: ignore[import-untyped]  # publishes no types
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

SIZE = 8
"""Pixels a side that these take."""

COLOURS = np.eye(3, dtype=np.float32)
"""Which of red, green and blue there is most of."""

_TYPES: dict[str, int] = {
    "float32": schema.TensorType.FLOAT32,
    "int32": schema.TensorType.INT32,
    "uint8": schema.TensorType.UINT8,
    "bool": schema.TensorType.BOOL,
    "string": schema.TensorType.STRING,
}
_FLOAT = "float32"


class Builder:
    """A TFLite file in the making; tensors and graphs are told apart by their index."""

    def __init__(self) -> None:
        self._codes: list[Any] = []
        self._buffers = [schema.BufferT()]
        self._graphs: list[Any] = [schema.SubGraphT()]
        self._open(self._graphs[0])

    def _open(self, graph: Any) -> None:
        self._graph = graph
        graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []

    def subgraph(self) -> int:
        """Begin another graph, which what is added from now on belongs to."""
        self._graphs.append(schema.SubGraphT())
        self._open(self._graphs[-1])
        return len(self._graphs) - 1

    def main(self) -> None:
        """Go on with the first graph."""
        self._graph = self._graphs[0]

    def tensor(
        self,
        shape: tuple[int, ...],
        dtype: str = _FLOAT,
        quantised: tuple[float, int] | None = None,
    ) -> int:
        """Add a tensor that is computed, or is the input."""
        about = schema.TensorT()
        about.shape, about.type, about.buffer = list(shape), _TYPES[dtype], 0
        about.name = f"t{len(self._graph.tensors)}"
        if quantised:
            about.quantization = schema.QuantizationParametersT()
            about.quantization.scale = [quantised[0]]
            about.quantization.zeroPoint = [quantised[1]]
        self._graph.tensors.append(about)
        return len(self._graph.tensors) - 1

    def constant(self, values: npt.NDArray[Any]) -> int:
        """Add a constant."""
        index = self.tensor(values.shape, values.dtype.name)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._graph.tensors[index].buffer = len(self._buffers)
        self._buffers.append(buffer)
        return index

    def texts(self, texts: list[str]) -> int:
        """Add a constant of texts: their number, where each begins, where all end, and they."""
        encoded = [text.encode() for text in texts]
        ends = np.cumsum([4 * (len(texts) + 2), *map(len, encoded)])
        index = self.constant(np.array([len(texts), *ends], np.int32))
        whole = self._buffers[-1].data.tobytes() + b"".join(encoded)
        self._buffers[-1].data = np.frombuffer(whole, np.uint8)
        about = self._graph.tensors[index]
        about.shape, about.type = [len(texts)], _TYPES["string"]
        return index

    def operator(
        self, name: str, inputs: list[int], outputs: list[int], kind: str = "", **options: object
    ) -> None:
        """Add an operator; `kind` names the table of its options."""
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = len(self._codes), inputs, outputs
        if kind:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, f"{kind}Options")
            made.builtinOptions = getattr(schema, f"{kind}OptionsT")()
            for field, value in options.items():
                setattr(made.builtinOptions, field, value)
        self._graph.operators.append(made)
        code = schema.OperatorCodeT()
        if hasattr(schema.BuiltinOperator, name):
            code.builtinCode = getattr(schema.BuiltinOperator, name)
        else:
            code.builtinCode, code.customCode = schema.BuiltinOperator.CUSTOM, name
        code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
        self._codes.append(code)

    def ends(self, inputs: list[int], outputs: list[int]) -> None:
        """Say what goes into this graph and comes out."""
        self._graph.inputs, self._graph.outputs = inputs, outputs

    def content(self) -> bytes:
        """Give the file."""
        model = schema.ModelT()
        model.version, model.operatorCodes, model.buffers = 3, self._codes, self._buffers
        model.subgraphs = self._graphs
        builder = flatbuffers.Builder(4096)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def colours(
    weights: npt.NDArray[np.float32] = COLOURS, size: int = SIZE, gain: float = 4.0
) -> bytes:
    """Make a classifier of what the mean colour is: scores of `weights` `(C, 3)` times it."""
    repeated = np.tile(weights, (1, size * size)) * np.float32(gain / (size * size))
    return linear(repeated, size)


def sides(size: int = SIZE) -> bytes:
    """Make a classifier of which half is brighter, the left one or the right one."""
    left = np.zeros((size, size, 3), np.float32)
    left[:, : size // 2], left[:, size // 2 :] = 1, -1
    return linear(np.stack([left.ravel(), -left.ravel()]) / np.float32(size), size)


def linear(weights: npt.NDArray[np.float32], size: int = SIZE) -> bytes:
    """Make a classifier by one matrix `(C, S * S * 3)` and a softmax."""
    builder = Builder()
    image = builder.tensor((1, size, size, 3))
    builder.ends([image], [_scores(builder, image, weights)])
    return builder.content()


def quantised(
    weights: npt.NDArray[np.float32] = COLOURS,
    scale: float = 1 / 127.5,
    zero_point: int = 127,
    size: int = SIZE,
) -> bytes:
    """Make `colours` with bytes going in, of a scale of their own, and bytes coming out."""
    repeated = np.tile(weights, (1, size * size)) * np.float32(4 / (size * size))
    builder = Builder()
    image = builder.tensor((1, size, size, 3), "uint8", (scale, zero_point))
    real = builder.tensor((1, size, size, 3))
    builder.operator("DEQUANTIZE", [image], [real])
    scores = _scores(builder, real, repeated)
    coded = builder.tensor((1, len(weights)), "uint8", (1 / 256, 0))
    builder.operator("QUANTIZE", [scores], [coded])
    builder.ends([image], [coded])
    return builder.content()


def naming(names: list[str]) -> bytes:
    """Make `colours` that gives the name of the class as well, and before the scores."""
    builder = Builder()
    image = builder.tensor((1, SIZE, SIZE, 3))
    weights = np.tile(COLOURS, (1, SIZE * SIZE)) * np.float32(4 / (SIZE * SIZE))
    scores = _scores(builder, image, weights)
    best, name = builder.tensor((1,), "int32"), builder.tensor((1,), "string")
    axis = builder.constant(np.array(1, np.int32))
    int32 = schema.TensorType.INT32
    builder.operator("ARG_MAX", [scores, axis], [best], "ArgMax", outputType=int32)
    builder.operator("GATHER", [builder.texts(names), best], [name], "Gather", axis=0)
    builder.ends([image], [name, scores])
    return builder.content()


def of_shape(shape: tuple[int, ...]) -> bytes:
    """Make a network that takes something of this shape, and gives three scores."""
    builder = Builder()
    given, scores = builder.tensor(shape), builder.tensor((1, 3))
    flat, sums = builder.tensor((1, 1)), builder.tensor((1, 3))
    axes = builder.constant(np.arange(1, len(shape), dtype=np.int32))
    builder.operator("MEAN", [given, axes], [flat], "Reducer", keepDims=False)
    builder.operator("ADD", [flat, builder.constant(np.zeros((1, 3), np.float32))], [sums], "Add")
    builder.operator("SOFTMAX", [sums], [scores], "Softmax", beta=1.0)
    builder.ends([given], [scores])
    return builder.content()


def with_operator(name: str, **options: object) -> bytes:
    """Make a network that calls some operator on its input."""
    builder = Builder()
    image, answer = builder.tensor((1, SIZE, SIZE, 3)), builder.tensor((1, SIZE, SIZE, 3))
    builder.operator(name, [image], [answer], **options)  # type: ignore[arg-type]  # any option
    builder.ends([image], [answer])
    return builder.content()


def endless(size: int = SIZE) -> bytes:
    """Make a classifier that never answers: while true, do nothing."""
    builder = Builder()
    image = builder.tensor((1, size, size, 3))
    looped = builder.tensor((1, size, size, 3))
    scores = _scores(builder, looped, np.ones((3, size * size * 3), np.float32))
    builder.ends([image], [scores])
    condition = builder.subgraph()
    given, true = builder.tensor((1, size, size, 3)), builder.constant(np.array([True]))
    builder.ends([given], [true])
    body = builder.subgraph()
    given, same = builder.tensor((1, size, size, 3)), builder.tensor((1, size, size, 3))
    builder.operator("RELU", [given], [same])
    builder.ends([given], [same])
    builder.main()
    loop = {"condSubgraphIndex": condition, "bodySubgraphIndex": body}
    builder.operator("WHILE", [image], [looped], "While", **loop)
    _first_last(builder)
    return builder.content()


def growing(size: int = SIZE) -> bytes:
    """Make a classifier whose memory grows with the brightness of the picture."""
    builder = Builder()
    image, times = builder.tensor((1, size, size, 3)), builder.tensor((4,), "int32")
    axes = builder.constant(np.array([0, 1, 2], np.int32))
    mean, padded = builder.tensor((3,)), builder.tensor((4,))
    builder.operator("MEAN", [image, axes], [mean], "Reducer", keepDims=False)
    builder.operator("PAD", [mean, builder.constant(np.array([[0, 1]], np.int32))], [padded], "Pad")
    builder.operator("CAST", [padded], [times], "Cast")
    many, scores = builder.tensor((1, 1, 1, 3)), builder.tensor((1, 3))
    builder.operator("TILE", [image, times], [many], "Tile")
    builder.operator(
        "MEAN", [many, builder.constant(np.array([1, 2], np.int32))], [scores], "Reducer"
    )
    builder.ends([image], [scores])
    return builder.content()


def reaching_out(size: int = SIZE, gain: float = 90.0) -> bytes:
    """Make a classifier that looks up one of two entries by the picture's brightness."""
    builder = Builder()
    image, axes = (
        builder.tensor((1, size, size, 3)),
        builder.constant(np.array([1, 2, 3], np.int32)),
    )
    mean, scaled, index = builder.tensor((1,)), builder.tensor((1,)), builder.tensor((1,), "int32")
    builder.operator("MEAN", [image, axes], [mean], "Reducer", keepDims=False)
    factor = builder.constant(np.array([gain], np.float32))
    builder.operator("MUL", [mean, factor], [scaled], "Mul")
    builder.operator("CAST", [scaled], [index], "Cast")
    table, scores = builder.constant(COLOURS[:2]), builder.tensor((1, 3))
    builder.operator("GATHER", [table, index], [scores], "Gather", axis=0)
    builder.ends([image], [scores])
    return builder.content()


def dark_only(size: int = SIZE) -> bytes:
    """Make a classifier that answers NaN for bright pictures: the root of what is below 0."""
    builder = Builder()
    image, axes = builder.tensor((1, size, size, 3)), builder.constant(np.array([1, 2], np.int32))
    mean, rest, scores = (builder.tensor((1, 3)) for _ in range(3))
    builder.operator("MEAN", [image, axes], [mean], "Reducer", keepDims=False)
    builder.operator(
        "SUB", [builder.constant(np.full((1, 3), 0.7, np.float32)), mean], [rest], "Sub"
    )
    builder.operator("SQRT", [rest], [scores])
    builder.ends([image], [scores])
    return builder.content()


def sharing_one_shape(tensors: int, dimensions: int) -> bytes:
    """Make a file in which so many tensors have one long vector as their shape."""
    builder = flatbuffers.Builder(1024)
    shape = builder.CreateNumpyVector(np.ones(dimensions, np.int32))
    schema.TensorStart(builder)
    schema.TensorAddShape(builder, shape)
    tensor = schema.TensorEnd(builder)
    schema.SubGraphStartTensorsVector(builder, tensors)
    for _ in range(tensors):
        builder.PrependUOffsetTRelative(tensor)
    listed = builder.EndVector()
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, listed)
    graph = schema.SubGraphEnd(builder)
    schema.ModelStartSubgraphsVector(builder, 1)
    builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddSubgraphs(builder, graphs)
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    return bytes(builder.Output())


def many_convolutions(count: int, size: int = 1400, *, kept: bool = False) -> bytes:
    """Make a network of convolutions of a framed picture, one after the other.

    What they give is 250 MB each; it is all kept at the same time if it is added up in the end.
    """
    builder = Builder()
    image, wide = builder.tensor((1, SIZE, SIZE, 3)), builder.tensor((1, size, size, 3))
    frame = np.array([[0, 0], [size - SIZE, 0], [size - SIZE, 0], [0, 0]], np.int32)
    builder.operator("PAD", [image, builder.constant(frame)], [wide], "Pad")
    bias = builder.constant(np.zeros(32, np.float32))
    strides = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    maps = [wide]
    for _ in range(count):
        channels = 3 if len(maps) == 1 else 32
        filters = builder.constant(np.full((32, 1, 1, channels), 0.01, np.float32))
        maps.append(builder.tensor((1, size, size, 32)))
        builder.operator("CONV_2D", [maps[-2], filters, bias], [maps[-1]], "Conv2D", **strides)
    answer = maps[-1]
    for given in maps[1:-1] if kept else []:
        total = builder.tensor((1, size, size, 32))
        builder.operator("ADD", [answer, given], [total], "Add")
        answer = total
    builder.ends([image], [answer])
    return builder.content()


def _scores(builder: Builder, image: int, weights: npt.NDArray[np.float32]) -> int:
    classes, values = weights.shape
    flat, sums = builder.tensor((1, values)), builder.tensor((1, classes))
    scores = builder.tensor((1, classes))
    shape = builder.constant(np.array([1, values], np.int32))
    builder.operator("RESHAPE", [image, shape], [flat], "Reshape", newShape=[1, values])
    matrix = builder.constant(np.ascontiguousarray(weights))
    bias = builder.constant(np.zeros(classes, np.float32))
    builder.operator("FULLY_CONNECTED", [flat, matrix, bias], [sums], "FullyConnected")
    builder.operator("SOFTMAX", [sums], [scores], "Softmax", beta=1.0)
    return scores


def _first_last(builder: Builder) -> None:
    """Let the operator that was added last run first."""
    operators = builder._graph.operators
    operators.insert(0, operators.pop())
