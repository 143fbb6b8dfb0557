"""An extractor for pictures of another size: a network of convolutions takes any."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edge_classifier.errors import ExportError
from edge_classifier.export.flatbuffer import Graph
from edge_classifier.features.backbone import LiteRTBackbone

if TYPE_CHECKING:
    from edge_classifier.protocols import Backbone


def pooled_at(backbone: Backbone, size: int) -> LiteRTBackbone:
    """Make the same network for pictures of `size` pixels a side, with pooled features.

    Only shapes are written anew, as LiteRT finds them when its input is resized; so it computes
    the very numbers that the first file does with a resized input. Weights and explicit paddings
    stay, so the size should be halved as often without a rest as the network's own.

    Raises:
        ExportError: if the network is none for pictures of that size.
    """
    info = backbone.info
    graph = Graph(backbone.extractor)
    interpreter = Interpreter(
        model_content=backbone.extractor,
        # XNNPACK would take tensors away, and write to standard error that it is there.
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    try:
        interpreter.resize_tensor_input(graph.input, (1, size, size, 3))
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ExportError(f"{info.name} takes no pictures of {size} px: {error}") from error
    for about in interpreter.get_tensor_details():
        if about["index"] < len(graph.tensors):  # behind them come LiteRT's own
            graph.tensors[about["index"]].shape = [int(n) for n in about["shape"]]
    height, width, channels = graph.shape(graph.outputs[0])[1:]
    resized = replace(
        info,
        feature_kind="pooled",
        feature_shape=(height, width, channels),
        preprocessing=replace(info.preprocessing, input_size=size),
    )
    return LiteRTBackbone(resized, graph.content())
