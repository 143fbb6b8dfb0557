"""Extractor and head as one TFLite file, beside the same in NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.exported_project import picture, random_model

from edge_classifier.device.interpreter import Interpreter
from edge_classifier.errors import BackboneError, ExportError
from edge_classifier.export.compose import compose
from edge_classifier.export.flatbuffer import Graph
from edge_classifier.features.backbone import LiteRTBackbone, load_backbone
from edge_classifier.learning.head import LinearHead
from edge_classifier.learning.model import Model
from edge_classifier.values import FeatureKind

PICTURES = [picture(class_id, number) for class_id in range(3) for number in range(3)]


def ask(content: bytes, backbone: LiteRTBackbone) -> dict[str, np.ndarray]:
    """Return what a float file says of the pictures, by output."""
    interpreter = Interpreter(content)
    names = [output["name"] for output in interpreter.output_details]
    said = [interpreter.run(backbone.info.preprocessing.apply(p)[None]) for p in PICTURES]
    return {name: np.concatenate([one[n] for one in said]) for n, name in enumerate(names)}


@pytest.mark.parametrize("features", ["pooled", "spatial"])
@pytest.mark.parametrize("root", [True, False])
@pytest.mark.parametrize(
    ("kind", "classes", "unknown", "shifted"),
    [
        ("linear", 3, True, False),
        ("linear", 3, True, True),
        ("linear", 3, False, False),
        ("linear", 1, True, False),
        ("linear", 2000, True, False),
        ("dense", 4, True, False),
        ("dense", 4, False, False),
    ],
)
def test_a_composed_file_says_what_the_live_path_says(
    features: FeatureKind, kind: str, classes: int, *, root: bool, unknown: bool, shifted: bool
) -> None:
    whole = load_backbone("built-in", feature_kind=features)
    info = whole.info if root else replace(whole.info, root_offset=None)
    backbone = LiteRTBackbone(info, whole.extractor)
    model = random_model(backbone, kind, classes, unknown=unknown, shifted=shifted)
    said = ask(compose(backbone.extractor, info, model).content(), backbone)
    rows = backbone.extract(PICTURES)
    np.testing.assert_allclose(said["features"], rows, atol=1e-5)
    np.testing.assert_allclose(said["scores"], model.head.scores(rows), atol=2e-5)
    assert list(said) == [
        "scores",
        *(["similarities"] if unknown else []),
        "features",
        *(["spatial"] if features == "pooled" else []),
    ]
    if model.unknown:
        np.testing.assert_allclose(
            said["similarities"], model.unknown.similarities(rows), atol=1e-5
        )


def test_the_scores_are_computed_last() -> None:
    backbone = load_backbone("built-in")
    graph = compose(backbone.extractor, backbone.info, random_model(backbone))
    assert graph.name_of(graph.operators[-1]) == "SOFTMAX"


def test_without_a_model_the_features_alone_are_composed() -> None:
    backbone = load_backbone("built-in")
    said = ask(compose(backbone.extractor, backbone.info).content(), backbone)
    assert list(said) == ["features"]
    np.testing.assert_allclose(said["features"], backbone.extract(PICTURES), atol=1e-5)


def test_nothing_is_left_of_weights_that_were_stored_as_halves() -> None:
    backbone = load_backbone("built-in")
    graph = Graph(compose(backbone.extractor, backbone.info).content())
    assert "DEQUANTIZE" in map(
        Graph(backbone.extractor).name_of, Graph(backbone.extractor).operators
    )
    assert "DEQUANTIZE" not in map(graph.name_of, graph.operators)


def test_a_head_of_another_size_is_refused() -> None:
    backbone = load_backbone("built-in")
    other = Model(LinearHead(("a", "b"), np.ones((7, 2), np.float32), np.zeros(2, np.float32)))
    with pytest.raises(ExportError, match=r"the head takes 7 features; train the project again"):
        compose(backbone.extractor, backbone.info, other)


def test_an_extractor_of_numbers_that_are_none_is_refused() -> None:
    backbone = load_backbone("built-in")
    graph = Graph(compose(backbone.extractor, backbone.info).content())
    first = graph.operators[0]
    bias = graph.values(int(first.inputs[2]))
    assert bias is not None
    first.inputs = [*first.inputs[:2], graph.constant(np.full_like(bias, np.nan))]
    graph.outputs = [next(int(o.inputs[0]) for o in graph.operators if graph.name_of(o) == "MEAN")]
    with pytest.raises(ExportError, match=r"extractor of built-in holds values that are no numb"):
        compose(graph.content(), backbone.info)


def test_an_extractor_of_several_outputs_is_refused() -> None:
    backbone = load_backbone("built-in")
    graph = Graph(backbone.extractor)
    graph.outputs = [*graph.outputs, int(graph.operators[-2].outputs[0])]
    content = graph.content()
    with pytest.raises(ExportError, match=r"has 2 outputs, not one"):
        compose(content, backbone.info)
    with pytest.raises(BackboneError, match=r"with one output, received 2"):
        LiteRTBackbone(backbone.info, content)


def test_an_extractor_of_another_backbone_is_refused() -> None:
    backbone = load_backbone("built-in")
    info = replace(backbone.info, name="v1-0.25", feature_shape=(7, 7, 256))
    with pytest.raises(ExportError, match=r"v1-0.25 has \(7, 7, 256\)"):
        compose(backbone.extractor, info)


@pytest.mark.parametrize("part", [0, 3, 40, 1000])
def test_what_is_no_tflite_file_is_refused_in_one_line(part: int) -> None:
    backbone = load_backbone("built-in")
    with pytest.raises(ExportError, match=r"no TFLite file of a network") as refusal:
        compose(backbone.extractor[:part], backbone.info)
    assert "\n" not in str(refusal.value)
