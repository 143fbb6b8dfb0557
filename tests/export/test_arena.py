"""How much memory a microcontroller needs, planned as TensorFlow Lite Micro does."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from support.exported_project import picture

from edge_classifier.export.compose import compose
from edge_classifier.export.elsewhere.arena import arena_bytes, planned_bytes
from edge_classifier.export.flatbuffer import INT8, Graph
from edge_classifier.export.input_size import pooled_at
from edge_classifier.export.quantise import quantise
from edge_classifier.features.backbone import load_backbone


def chain(*sizes: int) -> Graph:
    """Make a graph of operators one after the other, on tensors of so many bytes."""
    graph = Graph(load_backbone("built-in").extractor)
    graph.operators.clear()
    tensors = [graph.tensor((size,), INT8) for size in sizes]
    for before, after in pairwise(tensors):
        graph.operators.append(graph.operator("MUL", [before, before], [after]))
    graph.input, graph.outputs = tensors[0], [tensors[-1]]
    return graph


def test_a_tensor_takes_the_place_of_one_that_is_no_longer_needed() -> None:
    assert planned_bytes(chain(64, 32, 64, 32)) == 96


def test_two_that_an_operator_needs_at_once_have_a_place_each() -> None:
    assert planned_bytes(chain(320, 160)) == 480


def test_places_are_of_sixteen_bytes() -> None:
    assert planned_bytes(chain(17, 1)) == 48


def test_what_is_kept_from_the_start_to_the_end_keeps_its_place() -> None:
    graph = chain(64, 32, 64, 32)
    last = graph.operators[-1]
    last.inputs = [graph.input, *last.inputs]
    assert planned_bytes(graph) == 160


def test_the_plan_is_what_tensorflow_lite_micro_was_measured_to_do() -> None:
    backbone = pooled_at(load_backbone("built-in"), 96)
    scale = backbone.info.preprocessing
    inputs = np.stack([scale.apply(picture(0, 0))])
    graph = quantise(compose(backbone.extractor, backbone.info), inputs, scale.low, scale.high)
    assert planned_bytes(graph) == 147_456
    assert 199_680 <= arena_bytes(graph) <= 1.05 * 199_680
