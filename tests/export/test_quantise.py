"""int8 files: all integers, and the same classifier in any light."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from support import exported_project
from support.exported_project import CLASSES, picture, random_model
from support.networks import float_operators

from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.interpreter import Interpreter
from edge_classifier.device.preprocessing import Image
from edge_classifier.errors import ExportError
from edge_classifier.export.compose import compose
from edge_classifier.export.flatbuffer import Graph
from edge_classifier.export.quantise import Scale, copy_first_layers, quantise
from edge_classifier.features.backbone import LiteRTBackbone, load_backbone


@pytest.fixture(scope="module")
def backbone() -> LiteRTBackbone:
    """Load the built-in backbone."""
    return load_backbone("built-in")


def dim(image: Image) -> Image:
    return np.asarray(image * 0.25, np.uint8)


def bright(image: Image) -> Image:
    return np.asarray(255 - (255 - image.astype(np.float32)) * 0.25, np.uint8)


def grey(image: Image) -> Image:
    return np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)


def red(image: Image) -> Image:
    return np.asarray(image * np.array([0.05, 0.05, 1.0]), np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("light", [dim, bright, grey, red])
def test_int8_is_the_same_classifier_in_any_light(
    light: Callable[[Image], Image], tmp_path: Path
) -> None:
    taught = exported_project.teach(tmp_path / "things", light=light)
    with taught.store:
        folder = exported_project.export(taught, tmp_path / "bundle", "int8")
    classifier = Classifier(Bundle.open(folder))
    same = []
    for class_id in range(len(CLASSES)):
        for number in range(200, 220):
            image = light(picture(class_id, number))
            (expected,) = taught.model.predict(taught.backbone.extract([image]))
            given = classifier.predict(image)
            same.append(
                (given.class_name, given.unknown) == (expected.class_name, expected.unknown)
            )
    assert np.mean(same) >= 0.98


def test_the_input_reaches_from_black_to_white_whatever_was_seen(backbone: LiteRTBackbone) -> None:
    scale = backbone.info.preprocessing
    seen = [scale.apply(dim(picture(class_id, 1))) for class_id in range(3)]
    graph = quantise(compose(backbone.extractor, backbone.info), seen, scale.low, scale.high)
    about = Interpreter(graph.content()).input_details
    step, zero_point = about["quantization"]
    assert about["dtype"] is np.uint8
    assert (0 - zero_point) * step == pytest.approx(scale.low, abs=0.51 * step)
    assert (255 - zero_point) * step == pytest.approx(scale.high, abs=0.51 * step)


def test_nothing_computes_with_floats(backbone: LiteRTBackbone) -> None:
    scale = backbone.info.preprocessing
    seen = [scale.apply(picture(0, 1))]
    composed = compose(backbone.extractor, backbone.info, random_model(backbone))
    graph = quantise(composed, seen, scale.low, scale.high)
    assert float_operators(graph.content()) == []


def test_first_layers_that_are_there_twice_say_the_same_in_floats(
    backbone: LiteRTBackbone,
) -> None:
    pixels = backbone.info.preprocessing.apply(picture(1, 3))[None]
    plain = compose(backbone.extractor, backbone.info)
    twice = compose(backbone.extractor, backbone.info)
    first = twice.shape(int(twice.operators[0].outputs[0]))
    assert sorted(copy_first_layers(twice)) == [0, 1]
    assert twice.shape(int(twice.operators[0].outputs[0])) == (*first[:3], 2 * first[3])
    (expected,), (given,) = (Interpreter(g.content()).run(pixels) for g in (plain, twice))
    np.testing.assert_allclose(given, expected, atol=1e-5)


def test_no_shape_is_left_open(backbone: LiteRTBackbone) -> None:
    scale = backbone.info.preprocessing
    composed = compose(backbone.extractor, backbone.info, random_model(backbone))
    assert any((t.shapeSignature is not None) for t in _tables(backbone.extractor))
    graph = quantise(composed, [scale.apply(picture(0, 1))], scale.low, scale.high)
    assert all(t.shapeSignature is None for t in _tables(graph.content()))


def _tables(content: bytes) -> list[Any]:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    return list(model.subgraphs[0].tensors)


def test_a_channel_whose_weights_are_nothing_keeps_its_bias(backbone: LiteRTBackbone) -> None:
    scale = backbone.info.preprocessing
    graph = compose(backbone.extractor, backbone.info)
    last = next(o for o in reversed(graph.operators) if graph.name_of(o) == "CONV_2D")
    weights, bias = graph.values(int(last.inputs[1])), graph.values(int(last.inputs[2]))
    assert weights is not None
    assert bias is not None
    weights, bias = weights.copy(), bias.copy()
    weights[3], bias[3] = 0, 1.5
    last.inputs = [last.inputs[0], graph.constant(weights), graph.constant(bias)]
    inputs = [scale.apply(picture(class_id, 1)) for class_id in range(3)]
    exact = Interpreter(graph.content()).run(inputs[0][None])[0][0]
    interpreter = Interpreter(quantise(graph, inputs, scale.low, scale.high).content())
    interpreter.input_view()[0] = scale.square(picture(0, 1))
    interpreter.invoke()
    assert interpreter.output()[0][3] == pytest.approx(exact[3], abs=0.02)


def test_an_operator_that_has_no_integers_here_is_named(backbone: LiteRTBackbone) -> None:
    scale = backbone.info.preprocessing
    graph = compose(backbone.extractor, backbone.info)
    features = graph.outputs[0]
    graph.name({"features": graph.append("EXP", [features], graph.shape(features))})
    with pytest.raises(ExportError, match=r"EXP would still compute with floats; choose float16"):
        quantise(graph, [scale.apply(picture(0, 1))], scale.low, scale.high)


@pytest.mark.parametrize("ends", [(0.0, 6.0), (-1.0, 1.0), (-3.0, -1.0), (2.0, 9.0), (0.0, 0.0)])
def test_a_scale_holds_its_range_and_nothing_exactly(ends: tuple[float, float]) -> None:
    scale = Scale.of(*ends)
    values = np.array([*ends, 0.0], np.float32)
    back = (scale.rounded(values).astype(np.float64) - scale.zero_point) * scale.step
    np.testing.assert_allclose(back, values, atol=scale.step)
    assert back[2] == 0


def test_a_graph_can_be_read_again_as_it_was_written(backbone: LiteRTBackbone) -> None:
    scale = backbone.info.preprocessing
    graph = quantise(
        compose(backbone.extractor, backbone.info),
        [scale.apply(picture(0, 1))],
        scale.low,
        scale.high,
    )
    content = graph.content()
    assert Graph(content).content() == content
