"""Weights in fewer bits, and biases that make up for what rounding does on average."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np

from edge_classifier.device.interpreter import Interpreter
from edge_classifier.errors import EdgeClassifierError, ExportError
from edge_classifier.export.flatbuffer import NO_ACTIVATION, Graph

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

_TINY: Final = 1e-12
_STEPS: Final = np.float32(127)

_LEAST_ROUNDED: Final = 1024
"""Constants of fewer numbers stay float32 in float16 and dynamic files: they save nothing."""


class Layer(NamedTuple):
    """How an operator takes its weights in eight bits.

    Attributes:
        channels: The axis of the output channels that have a scale each; `None` where all share
            one. Older runtimes do not know a scale a channel of dense layers, and some of them
            answer wrongly.
        of_floats: The version of the operator that takes floats, and rounds them when it runs.
        of_integers: The version that takes integers.
    """

    channels: int | None
    of_floats: int
    of_integers: int

    def rounded(
        self, weights: npt.NDArray[np.float32], least: npt.NDArray[np.float64] | None = None
    ) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
        """Round weights, symmetrically about 0, to scales of at least `least`, one a channel.

        Returns:
            The weights in int8, and their scales, `(1,)` or one a channel.
        """
        others = tuple(n for n in range(weights.ndim) if n != self.channels)
        scales = np.abs(weights).max(axis=others).reshape(-1) / _STEPS
        if least is not None:
            scales = np.maximum(scales, least if self.channels is not None else least.max())
        scales = np.maximum(scales, _TINY).astype(np.float32)
        shape = [1] * weights.ndim
        shape[self.channels or 0] = -1
        integers = np.rint(weights / scales.reshape(shape)).clip(-_STEPS, _STEPS)
        return integers.astype(np.int8), scales

    def exact(
        self, integers: npt.NDArray[np.int8], scales: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """Return the weights that rounded ones stand for."""
        shape = [1] * integers.ndim
        shape[self.channels or 0] = -1
        return integers * scales.reshape(shape)


LAYERS: Final = {
    "CONV_2D": Layer(0, 5, 3),
    "DEPTHWISE_CONV_2D": Layer(3, 6, 3),
    "FULLY_CONNECTED": Layer(None, 9, 4),
}


def layers_of(graph: Graph) -> Iterator[tuple[Any, Layer, npt.NDArray[np.float32]]]:
    """List the operators that have weights, with those."""
    for operator in graph.operators:
        if layer := LAYERS.get(graph.name_of(operator)):
            weights = graph.values(int(operator.inputs[1]))
            if weights is not None and weights.dtype == np.float32:
                yield operator, layer, weights


def bias_of(graph: Graph, operator: Any) -> npt.NDArray[np.float32]:  # noqa: ANN401 - the schema's tables are untyped
    """Read a layer's bias: zeros where it has none."""
    given = graph.values(int(operator.inputs[2])) if operator.inputs[2] >= 0 else None
    channels = graph.shape(int(operator.outputs[0]))[-1]
    return np.zeros(channels, np.float32) if given is None else given


class Inputs(Protocol):
    """A network's inputs, `(S, S, 3)` float32 each, to see what goes through it."""

    def __len__(self) -> int:
        """How many there are."""

    def __iter__(self) -> Iterator[npt.NDArray[np.float32]]:
        """Give them."""


def _stays_exact(graph: Graph, operator: Any, weights: npt.NDArray[np.float32]) -> bool:  # noqa: ANN401 - the schema's tables are untyped
    """Whether a layer's weights stay floats in a dynamic file.

    Few numbers save nothing. Of the layer of a single output, the squared length, TensorFlow up to
    2.16 answers wrongly for 12,800 features if it is rounded, and 2.17 does not read the file from
    1,280 on.
    """
    outputs = graph.shape(int(operator.outputs[0]))[-1]
    return weights.size < _LEAST_ROUNDED or outputs == 1


def make_up_for_rounding(graph: Graph, inputs: Inputs, *, dynamic: bool = False) -> None:
    """Replace a float graph's weights by those that eight bits can hold, and correct its biases.

    Rounding shifts what a layer says, a channel always in the same direction: a MobileNet v2 0.35's
    features by a third of their length. Nearly all of it is the mean, which the bias can take off
    (Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction", ICCV
    2019; here the mean over real inputs, which is right at the edges of pictures too). Some layers
    of a `dynamic` file stay as they are.
    """
    probe = Graph(graph.content())
    probe.outputs = [
        _mean_output(probe, operator, layer.exact(*layer.rounded(weights)) - weights)
        for operator, layer, weights in _rounded_layers(probe, dynamic=dynamic)
    ]
    sums = [np.zeros(probe.shape(n)[-1]) for n in probe.outputs]
    for interpreter in run_each(probe, inputs):
        for number in range(len(sums)):
            sums[number] += interpreter.output_view(number)[0]
    rounded = _rounded_layers(graph, dynamic=dynamic)
    for (operator, layer, weights), total in zip(rounded, sums, strict=True):
        bias = bias_of(graph, operator) - total / len(inputs)
        held = graph.constant(layer.exact(*layer.rounded(weights)))
        operator.inputs = [operator.inputs[0], held, graph.constant(bias.astype(np.float32))]


def run_each(graph: Graph, inputs: Inputs) -> Iterator[Interpreter]:
    """Run a graph on each input, and give the interpreter after each run.

    Raises:
        ExportError: if it cannot be run.
    """
    try:
        interpreter = Interpreter(graph.content())
        for image in inputs:
            interpreter.input_view()[0] = image
            interpreter.invoke()
            yield interpreter
    except EdgeClassifierError:
        raise
    except (ValueError, RuntimeError) as error:
        raise ExportError(f"LiteRT cannot run this network: {error}") from error


def _rounded_layers(
    graph: Graph, *, dynamic: bool
) -> list[tuple[Any, Layer, npt.NDArray[np.float32]]]:
    return [
        found
        for found in layers_of(graph)
        if not (dynamic and _stays_exact(graph, found[0], found[2]))
    ]


def _mean_output(graph: Graph, operator: Any, weights: npt.NDArray[np.float32]) -> int:  # noqa: ANN401 - the schema's tables are untyped
    """Append a layer again, with other weights and nothing else, and the mean of what it gives."""
    shape = graph.shape(int(operator.outputs[0]))
    again = copy.copy(operator)
    again.builtinOptions = copy.copy(operator.builtinOptions)
    again.builtinOptions.fusedActivationFunction = NO_ACTIVATION
    nothing = graph.constant(np.zeros(shape[-1], np.float32))
    again.inputs = [operator.inputs[0], graph.constant(weights), nothing]
    again.outputs = [graph.tensor(shape)]
    graph.operators.append(again)
    if len(shape) == 2:  # noqa: PLR2004 - (1, outputs) of a dense layer
        return int(again.outputs[0])
    axes = graph.constant(np.array([1, 2], np.int32))
    return graph.append("MEAN", [*again.outputs, axes], (1, shape[-1]), keepDims=False)


def halve(graph: Graph) -> None:
    """Store large constants as float16, each with an operator that makes float32 of it again.

    TensorFlow's converter rounds all biases too, which moves scores ten times as far. Those of
    depthwise convolutions have to be: LiteRT 1.1 to 1.3 reads no file where such a convolution has
    weights in float16 and a bias in float32.
    """
    inputs = {int(n) for operator in graph.operators for n in operator.inputs if n >= 0}
    large = {n for n in inputs if _is_large(graph, n)}
    for operator in graph.operators:
        if graph.name_of(operator) == "DEPTHWISE_CONV_2D" and int(operator.inputs[1]) in large:
            large.update(int(n) for n in operator.inputs[2:] if n >= 0)
    unpacking = []
    for tensor in sorted(large):
        values = graph.values(tensor)
        if values is None or values.dtype != np.float32:
            continue
        graph.tensors[tensor].buffer = 0
        half = graph.constant(values.astype(np.float16))
        unpacking.append(graph.operator("DEQUANTIZE", [half], [tensor]))
    graph.operators[:0] = unpacking


def _is_large(graph: Graph, tensor: int) -> bool:
    values = graph.values(tensor)
    return values is not None and values.size >= _LEAST_ROUNDED


def make_dynamic(graph: Graph) -> None:
    """Store the weights of convolutions and dense layers as int8, for float arithmetic.

    TFLite's "dynamic range" quantisation: what a layer is given is rounded when it runs.
    """
    for operator, layer, weights in _rounded_layers(graph, dynamic=True):
        integers, scales = layer.rounded(weights)
        tensor = graph.constant(integers)
        graph.set_quantisation(tensor, scales, axis=layer.channels or 0)
        operator.inputs = [operator.inputs[0], tensor, operator.inputs[2]]
        name = graph.name_of(operator)
        operator.opcodeIndex = graph.code(name, layer.of_floats)
        if name == "FULLY_CONNECTED":
            operator.builtinOptions.asymmetricQuantizeInputs = True
