"""From a float graph to int8: all integers, pixels in and bytes out.

TFLite's own rules (its "8-bit quantization specification"), for the operators of MobileNets and
heads. Its published quantisers are not used: TensorFlow's needs TensorFlow, the one inside LiteRT's
wheel is private, `ai-edge-quantizer` writes dense layers that older runtimes read wrongly, and none
of them lets a range be set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from edge_classifier.errors import ExportError
from edge_classifier.export.flatbuffer import INT8, NO_ACTIVATION, RELU6, UINT8, Graph
from edge_classifier.export.rounding import LAYERS, Inputs, bias_of, make_up_for_rounding, run_each

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

_VERSIONS: Final = {
    "ADD": 2,
    "CONCATENATION": 2,
    "MEAN": 2,
    "MUL": 2,
    "PAD": 2,
    "RESHAPE": 1,
    "RSQRT": 2,
    "SOFTMAX": 2,
}
"""The version of each operator without weights that takes int8."""

_CONVOLUTIONS: Final = ("CONV_2D", "DEPTHWISE_CONV_2D")

_LOW, _HIGH = -128, 127
_MOST_BIAS: Final = 2.0**30
_RELU6_HIGH: Final = 6.0
_LEAST_STEP: Final = 1e-9

_ROOM: Final = 1.1
"""Ranges are so much wider than what was seen, because pictures that come later go further."""

_COPIES: Final = 2
"""How often the first layers are there, see `copy_first_layers`."""


class Scale(NamedTuple):
    """What the integers of a tensor stand for: `(integer - zero_point) * step`."""

    step: float
    zero_point: int

    @classmethod
    def of(cls, low: float, high: float) -> Scale:
        """Give the scale of a range, which is widened to hold 0."""
        low, high = min(low, 0.0), max(high, 0.0)
        step = max((high - low) / (_HIGH - _LOW), _LEAST_STEP)
        return cls(step, int(np.clip(round(_LOW - low / step), _LOW, _HIGH)))

    def rounded(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
        """Bring values into integers."""
        integers = np.rint(values / self.step) + self.zero_point
        clipped: npt.NDArray[np.float32] = np.clip(integers, _LOW, _HIGH)
        return clipped.astype(np.int8)


def quantise(graph: Graph, inputs: Inputs, low: float, high: float) -> Graph:
    """Make an int8 graph of a float one, which is used up.

    Args:
        graph: With named outputs.
        inputs: `(N, S, S, 3)`, which it is calibrated on.
        low: What black is to the network; with `high`, white, the input's range whatever the
            pictures are: in a dim room, the range of what was seen would be another brightness to
            whoever hands over pixels as they are.
        high: See `low`.

    Raises:
        ExportError: if the network has an operator that this cannot do with integers.
    """
    outputs = [graph.name_of_tensor(n) for n in graph.outputs]
    copied = copy_first_layers(graph)
    make_up_for_rounding(graph, inputs)
    scales = _calibrate(graph, inputs, Scale.of(low, high))
    for index, operator in enumerate(graph.operators):
        name = graph.name_of(operator)
        if name in LAYERS:
            _round_layer(graph, operator, scales, copied=index in copied)
        elif name in _VERSIONS:
            operator.inputs = [_rounded_constant(graph, int(n)) for n in operator.inputs]
            operator.opcodeIndex = graph.code(name, _VERSIONS[name])
        else:
            raise ExportError(
                f"int8 is not possible for this network: {name} would still compute with "
                "floats; choose float16."
            )
    for tensor, scale in scales.items():
        graph.tensors[tensor].type = INT8
        _set(graph, tensor, scale)
    _use_bytes(graph, scales, outputs)
    return graph


def copy_first_layers(graph: Graph) -> frozenset[int]:
    """Have the first convolution, and depthwise ones right behind it, several times.

    What follows takes the mean of the copies, so nothing changes in floats; in integers each copy
    rounds differently (see `_round_layer`), which gives what eight bits are too few for: three
    quarters of all that rounding activations does to a MobileNet's features comes from its first
    convolution, at a cost of a tenth to a quarter of the time. (Four copies are no better.)

    Returns:
        The numbers of the operators that are there several times.
    """
    path: list[int] = []
    tensor = graph.input
    while True:
        index = _only_user(graph, tensor)
        if index is None:
            return frozenset()
        operator = graph.operators[index]
        name, tensor = graph.name_of(operator), int(operator.outputs[0])
        if name not in _CONVOLUTIONS or tensor in graph.outputs:
            return frozenset()
        after = _only_user(graph, tensor)
        linear = operator.builtinOptions.fusedActivationFunction == NO_ACTIVATION
        if (
            path
            and name == "CONV_2D"
            and not (
                linear and after is not None and graph.name_of(graph.operators[after]) == "CONV_2D"
            )
        ):
            break
        path.append(index)
    for number, layer in enumerate((*path, index)):
        _copy_layer(graph, graph.operators[layer], behind=number > 0, copied=layer in path)
    return frozenset(path)


def _only_user(graph: Graph, tensor: int) -> int | None:
    users = [n for n, one in enumerate(graph.operators) if tensor in map(int, one.inputs)]
    return users[0] if len(users) == 1 else None


def _copy_layer(graph: Graph, operator: Any, *, behind: bool, copied: bool) -> None:  # noqa: ANN401 - the schema's tables are untyped
    weights, bias = graph.values(int(operator.inputs[1])), bias_of(graph, operator)
    assert weights is not None  # noqa: S101 - a convolution of an extractor has constant weights
    if graph.name_of(operator) == "DEPTHWISE_CONV_2D":
        weights = np.tile(weights, (1, 1, 1, _COPIES))
    else:
        if behind:
            weights = np.tile(weights, (1, 1, 1, _COPIES)) / np.float32(_COPIES)
        if copied:
            weights = np.tile(weights, (_COPIES, 1, 1, 1))
    if copied:
        bias = np.tile(bias, _COPIES)
        about = graph.tensors[int(operator.outputs[0])]
        about.shape = [*about.shape[:3], about.shape[3] * _COPIES]
    operator.inputs = [operator.inputs[0], graph.constant(weights), graph.constant(bias)]


def _calibrate(graph: Graph, inputs: Inputs, given: Scale) -> dict[int, Scale]:
    """See what each operator gives for the inputs, and return its output's scale, by tensor.

    `given` is the input's own.
    """
    probe = Graph(graph.content())  # numbers tensors as `graph` does from now on
    probe.outputs = [int(operator.outputs[0]) for operator in probe.operators]
    lows, highs = np.zeros(len(probe.outputs)), np.zeros(len(probe.outputs))
    for interpreter in run_each(probe, inputs):
        for number in range(len(lows)):
            values = interpreter.output_view(number)
            lows[number] = min(lows[number], values.min())
            highs[number] = max(highs[number], values.max())
            del values
    scales = {graph.input: given}
    for operator, low, high in zip(graph.operators, lows, highs, strict=True):
        name, output = graph.name_of(operator), int(operator.outputs[0])
        known = [n for n in map(int, operator.inputs) if n in scales]
        activation = getattr(operator.builtinOptions, "fusedActivationFunction", NO_ACTIVATION)
        most = _RELU6_HIGH if activation == RELU6 else np.inf
        scales[output] = Scale.of(low * _ROOM, min(high * _ROOM, most))
        if name == "SOFTMAX":  # whose output has this scale by the specification
            scales[output] = Scale(1 / 256, _LOW)
        elif name in ("PAD", "RESHAPE"):
            scales[output] = scales[known[0]]
        elif name == "CONCATENATION":
            scales |= dict.fromkeys(known, scales[output])
    return scales


def _round_layer(
    graph: Graph,
    operator: Any,  # noqa: ANN401 - the schema's tables are untyped
    scales: Mapping[int, Scale],
    *,
    copied: bool,
) -> None:
    """Store a layer's weights as int8 and its bias as int32.

    The copies of a layer have biases that lie a part of a step apart, so that their mean is known
    to that part.
    """
    name = graph.name_of(operator)
    layer, weights = LAYERS[name], graph.values(int(operator.inputs[1]))
    assert weights is not None  # noqa: S101 - all weights are constants
    given, gives = scales[int(operator.inputs[0])], scales[int(operator.outputs[0])]
    bias = bias_of(graph, operator).astype(np.float64)
    if copied:
        shares = (np.arange(_COPIES) - (_COPIES - 1) / 2) / _COPIES
        bias += shares.repeat(len(bias) // _COPIES) * gives.step
    # A channel of zeros, or nearly, must still have steps that its bias can be told in.
    integers, steps = layer.rounded(weights, least=np.abs(bias) / (given.step * _MOST_BIAS))
    bias_steps = (steps.astype(np.float64) * given.step).astype(np.float32)
    rows = graph.constant(integers)
    graph.set_quantisation(rows, steps, axis=layer.channels or 0)
    column = graph.constant(np.rint(bias / bias_steps).astype(np.int32))
    graph.set_quantisation(column, bias_steps)
    operator.inputs = [operator.inputs[0], rows, column]
    operator.opcodeIndex = graph.code(name, layer.of_integers)


def _rounded_constant(graph: Graph, tensor: int) -> int:
    """Return a constant of floats as one of integers, and any other tensor as it is."""
    values = graph.values(tensor) if tensor >= 0 else None
    if values is None or values.dtype != np.float32:
        return tensor
    scale = Scale.of(float(values.min()), float(values.max()))
    rounded = graph.constant(scale.rounded(values))
    _set(graph, rounded, scale)
    return rounded


def _set(graph: Graph, tensor: int, scale: Scale, *, zero_point: int = 0) -> None:
    """Give a tensor a scale, and a zero point that is so much higher."""
    step = np.array([scale.step], np.float32)
    graph.set_quantisation(tensor, step, zero_point=scale.zero_point + zero_point)


def _use_bytes(graph: Graph, scales: Mapping[int, Scale], names: Sequence[str]) -> None:
    """Let input and outputs be uint8, by an operator at each end, as TensorFlow's converter has it.

    MediaPipe refuses int8 tensors; a camera's pixels are uint8 anyway.
    """

    def as_bytes(tensor: int) -> int:
        twin = graph.tensor(graph.shape(tensor), UINT8)
        _set(graph, twin, scales[tensor], zero_point=-_LOW)
        return twin

    inner, graph.input = graph.input, as_bytes(graph.input)
    graph.operators.insert(0, graph.operator("QUANTIZE", [graph.input], [inner]))
    outputs = {name: (n, as_bytes(n)) for name, n in zip(names, graph.outputs, strict=True)}
    for tensor, twin in reversed(outputs.values()):  # the scores last, see `compose`
        graph.operators.append(graph.operator("QUANTIZE", [tensor], [twin]))
    graph.name({name: twin for name, (_, twin) in outputs.items()})
