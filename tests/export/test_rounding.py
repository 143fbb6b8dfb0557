"""Weights in fewer bits, of the built-in backbone's own network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from support import exported_project
from support.exported_project import picture, random_model

from edge_classifier.device.interpreter import Interpreter
from edge_classifier.export.compose import compose
from edge_classifier.export.flatbuffer import FLOAT32, INT8, Graph
from edge_classifier.export.rounding import halve, layers_of, make_dynamic, make_up_for_rounding
from edge_classifier.features.backbone import LiteRTBackbone, load_backbone

if TYPE_CHECKING:
    from pathlib import Path

SEEN = [picture(class_id, number) for class_id in range(3) for number in range(4)]
OTHERS = [picture(class_id, number) for class_id in range(3) for number in range(50, 54)]


@pytest.fixture(scope="module")
def backbone() -> LiteRTBackbone:
    """Load the built-in backbone."""
    return load_backbone("built-in")


def graph_of(backbone: LiteRTBackbone) -> Graph:
    """Compose the backbone with a head and what tells unknown."""
    return compose(backbone.extractor, backbone.info, random_model(backbone))


def features(graph: Graph, backbone: LiteRTBackbone) -> np.ndarray:
    """Ask a file for features of pictures that nothing was corrected on."""
    interpreter = Interpreter(graph.content())
    inputs = [backbone.info.preprocessing.apply(image) for image in OTHERS]
    return np.concatenate([interpreter.run(one[None])[2] for one in inputs])


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
    inputs = [backbone.info.preprocessing.apply(p) for p in SEEN]
    make_up_for_rounding(graph, inputs, dynamic=True)
    make_dynamic(graph)
    assert len(graph.content()) < 0.3 * len(graph_of(backbone).content())
    assert far_off(graph, backbone) < 0.05
    dense = [
        graph.tensors[int(operator.inputs[1])]
        for operator in graph.operators
        if graph.name_of(operator) == "FULLY_CONNECTED"
    ]
    rounded = [weights for weights in dense if weights.type == INT8]
    assert len(dense) == 3  # similarities, scores, and the squared length, which stays in floats
    assert [len(weights.quantization.scale) for weights in rounded] == [1, 1]


def test_what_a_dynamic_file_keeps_in_floats_is_not_rounded_before(
    backbone: LiteRTBackbone,
) -> None:
    graph, plain = graph_of(backbone), graph_of(backbone)
    inputs = [backbone.info.preprocessing.apply(p) for p in SEEN]
    make_up_for_rounding(graph, inputs, dynamic=True)
    for ours, theirs in zip(graph.operators, plain.operators, strict=True):
        if graph.name_of(ours) == "DEPTHWISE_CONV_2D":
            given, expected = graph.values(int(ours.inputs[1])), plain.values(int(theirs.inputs[1]))
            assert given is not None
            assert expected is not None
            assert np.array_equal(given, expected) == (expected.size < 1024)


def test_a_dynamic_file_sums_squares_by_ones_that_are_not_rounded(tmp_path: Path) -> None:
    """TensorFlow up to 2.16 answers wrongly otherwise, from 12,800 features."""
    taught = exported_project.teach(tmp_path / "things", kind="spatial")
    taught.store.close()
    graph = compose(taught.backbone.extractor, taught.backbone.info, taught.model)
    make_dynamic(graph)
    weights = {
        graph.shape(int(operator.outputs[0]))[-1]: graph.tensors[int(operator.inputs[1])].type
        for operator in graph.operators
        if graph.name_of(operator) == "FULLY_CONNECTED"
    }
    assert weights.pop(1) == FLOAT32
    assert set(weights.values()) == {INT8}


def test_a_float16_file_is_half_as_large_and_keeps_its_biases(backbone: LiteRTBackbone) -> None:
    graph = graph_of(backbone)
    halve(graph)
    assert len(graph.content()) < 0.55 * len(graph_of(backbone).content())
    assert far_off(graph, backbone) < 1e-3
    for operator in graph.operators:
        if graph.name_of(operator) in ("CONV_2D", "FULLY_CONNECTED"):
            bias = graph.values(int(operator.inputs[2]))
            assert bias is not None
            assert bias.dtype == np.float32


def test_depthwise_convolutions_of_a_float16_file_have_both_in_float16_or_neither(
    backbone: LiteRTBackbone,
) -> None:
    """LiteRT 1.1 to 1.3 refuses a bias of float32 beside weights of float16."""
    graph = graph_of(backbone)
    halve(graph)
    rounded = [
        tuple(graph.values(int(n)) is None for n in operator.inputs[1:])
        for operator in graph.operators
        if graph.name_of(operator) == "DEPTHWISE_CONV_2D"
    ]
    assert set(rounded) == {(True, True), (False, False)}
