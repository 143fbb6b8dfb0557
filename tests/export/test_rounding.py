"""Weights in fewer bits, of the built-in backbone's own network."""

from __future__ import annotations

import numpy as np
import pytest
from support.exported_project import picture

from edge_classifier.device.interpreter import Interpreter
from edge_classifier.export.compose import compose
from edge_classifier.export.flatbuffer import Graph
from edge_classifier.export.rounding import (
    LAYERS,
    halve,
    layers_of,
    make_dynamic,
    make_up_for_rounding,
)
from edge_classifier.features.backbone import LiteRTBackbone, load_backbone

SEEN = [picture(class_id, number) for class_id in range(3) for number in range(4)]
OTHERS = [picture(class_id, number) for class_id in range(3) for number in range(50, 54)]


@pytest.fixture(scope="module")
def backbone() -> LiteRTBackbone:
    """Load the built-in backbone."""
    return load_backbone("built-in")


def graph_of(backbone: LiteRTBackbone) -> Graph:
    """Compose the backbone and its pooling."""
    return compose(backbone.extractor, backbone.info)


def features(graph: Graph, backbone: LiteRTBackbone) -> np.ndarray:
    """Ask a file for features of pictures that nothing was corrected on."""
    interpreter = Interpreter(graph.content())
    inputs = [backbone.info.preprocessing.apply(image) for image in OTHERS]
    return np.concatenate([interpreter.run(one[None])[0] for one in inputs])


def far_off(graph: Graph, backbone: LiteRTBackbone) -> float:
    """Tell by which part of their length features are off on average."""
    expected = backbone.extract(OTHERS)
    missing = np.linalg.norm(features(graph, backbone) - expected, axis=1)
    return float((missing / np.linalg.norm(expected, axis=1)).mean())


def test_corrected_biases_make_up_for_most_of_what_rounding_weights_does(
    backbone: LiteRTBackbone,
) -> None:
    plain, corrected = graph_of(backbone), graph_of(backbone)
    for operator, layer, weights in list(layers_of(plain)):
        held = plain.constant(layer.exact(*layer.rounded(weights)))
        operator.inputs = [operator.inputs[0], held, operator.inputs[2]]
    make_up_for_rounding(corrected, [backbone.info.preprocessing.apply(p) for p in SEEN])
    assert far_off(corrected, backbone) < far_off(plain, backbone) / 2


def test_a_dynamic_file_has_eight_bits_a_weight_and_scales_that_old_runtimes_know(
    backbone: LiteRTBackbone,
) -> None:
    graph = graph_of(backbone)
    make_up_for_rounding(graph, [backbone.info.preprocessing.apply(p) for p in SEEN])
    make_dynamic(graph)
    assert len(graph.content()) < 0.3 * len(graph_of(backbone).content())
    assert far_off(graph, backbone) < 0.05
    for operator in graph.operators:
        if graph.name_of(operator) == "FULLY_CONNECTED":
            assert len(graph.tensors[int(operator.inputs[1])].quantization.scale) == 1


def test_a_float16_file_is_half_as_large_and_keeps_its_biases(backbone: LiteRTBackbone) -> None:
    graph = graph_of(backbone)
    halve(graph)
    assert len(graph.content()) < 0.55 * len(graph_of(backbone).content())
    assert far_off(graph, backbone) < 1e-3
    for operator in graph.operators:
        if graph.name_of(operator) in LAYERS:
            bias = graph.values(int(operator.inputs[2]))
            assert bias is not None
            assert bias.dtype == np.float32
