"""The head, and what tells known from unknown, put behind an extractor as one TFLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.errors import ExportError
from edge_classifier.export.flatbuffer import FLOAT16, NO_ACTIVATION, RELU, Graph
from edge_classifier.export.formats import FEATURES, OUTPUTS, SCORES, SIMILARITIES, SPATIAL
from edge_classifier.learning.head import LinearHead
from edge_classifier.learning.model_file import model_as_arrays

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.learning.model import Model
    from edge_classifier.values import BackboneInfo

_TINY: Final = 1e-12


def compose(
    extractor: bytes,
    info: BackboneInfo,
    model: Model | None = None,
) -> Graph:
    """Append pooling, root, head, softmax and similarities to an extractor, all in float32.

    Its outputs are named as in `formats`, in that order; without a model the features alone.

    Features get length 1 by a product with the inverse root of their squared length, which is a
    product with ones: each has an integer kernel, which TFLite's L2 normalisation has only with a
    step that a thousand features of length 1 are all below.

    Raises:
        ExportError: if extractor, backbone and model do not belong together.
    """
    graph = Graph(extractor)
    _unpack_halves(graph)
    if len(graph.outputs) != 1:
        raise ExportError(
            f"The extractor of {info.name} has {len(graph.outputs)} outputs, not one."
        )
    (spatial,) = graph.outputs
    if graph.shape(spatial) != (1, *info.feature_shape) or (
        model is not None and model.head.feature_dim != info.feature_dim
    ):
        head = "" if model is None else f", and the head takes {model.head.feature_dim} features"
        raise ExportError(
            f"The extractor gives {graph.shape(spatial)[1:]} features, {info.name} has "
            f"{info.feature_shape}{head}; train the project again."
        )
    numbers = {f"extractor of {info.name}": graph.constants()}
    if model is not None:
        numbers["head"] = list(model_as_arrays(model)[1].values())
    for what, arrays in numbers.items():
        if not all(np.isfinite(array).all() for array in arrays):
            raise ExportError(
                f"The {what} holds values that are no numbers; train the project again."
            )
    features = _features(graph, spatial, info)
    if model is None:
        graph.name({FEATURES: features})
        return graph
    outputs = {FEATURES: features}
    rows = _normalised(graph, features)
    if model.unknown is not None:
        references = model.unknown.references * model.unknown.scales[:, None]
        outputs[SIMILARITIES] = _dense(graph, rows, references.T, model.unknown.offsets, RELU)
    if info.feature_kind == "pooled":
        outputs[SPATIAL] = _flattened(graph, spatial)
    if isinstance(model.head, LinearHead):
        logits = _dense(graph, rows, model.head.weights, model.head.bias)
    else:
        hidden = _dense(graph, features, model.head.hidden_weights, model.head.hidden_bias, RELU)
        logits = _dense(graph, hidden, model.head.weights)
    # Its operator is the last one: OpenCV 5 lists that output first.
    outputs[SCORES] = graph.append("SOFTMAX", [logits], graph.shape(logits), beta=1.0)
    graph.name({name: outputs[name] for name in OUTPUTS if name in outputs})
    return graph


def _unpack_halves(graph: Graph) -> None:
    """Make float32 constants of float16 ones that have an operator to do so: the same numbers."""
    kept = []
    for operator in graph.operators:
        source = int(operator.inputs[0])
        values = graph.values(source) if graph.tensors[source].type == FLOAT16 else None
        if values is not None and graph.name_of(operator) == "DEQUANTIZE":
            graph.set_values(int(operator.outputs[0]), values.astype(np.float32))
        else:
            kept.append(operator)
    graph.operators[:] = kept


def _features(graph: Graph, spatial: int, info: BackboneInfo) -> int:
    if info.feature_kind != "pooled":
        return _flattened(graph, spatial)
    shape = (1, info.feature_dim)
    axes = graph.constant(np.array([1, 2], np.int32))
    features = graph.append("MEAN", [spatial, axes], shape, keepDims=False)
    if info.root_offset is not None:
        offset = graph.constant(np.float32(info.root_offset))
        raised = graph.append("ADD", [features, offset], shape)
        features = _multiplied(graph, features, graph.append("RSQRT", [raised], shape))
    return features


def _normalised(graph: Graph, features: int) -> int:
    squares = _multiplied(graph, features, features)
    ones = np.ones((graph.shape(features)[1], 1), np.float32)
    length = _dense(graph, squares, ones, np.full(1, _TINY))
    return _multiplied(graph, features, graph.append("RSQRT", [length], (1, 1)))


def _flattened(graph: Graph, spatial: int) -> int:
    shape = (1, int(np.prod(graph.shape(spatial))))
    wanted = graph.constant(np.array(shape, np.int32))
    return graph.append("RESHAPE", [spatial, wanted], shape, newShape=list(shape))


def _multiplied(graph: Graph, one: int, other: int) -> int:
    return graph.append("MUL", [one, other], graph.shape(one))


def _dense(
    graph: Graph,
    tensor: int,
    weights: npt.NDArray[np.float32],
    bias: npt.NDArray[np.floating[Any]] | None = None,
    activation: int = NO_ACTIVATION,
) -> int:
    """Append a dense layer with weights `(inputs, outputs)`."""
    rows = graph.constant(weights.T.astype(np.float32))
    column = -1 if bias is None else graph.constant(bias.astype(np.float32))
    shape = (1, weights.shape[1])
    return graph.append(
        "FULLY_CONNECTED", [tensor, rows, column], shape, fusedActivationFunction=activation
    )
