"""The same network for pictures of another size, without TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from support.exported_project import picture
from support.shared_data import shared_folder

from edge_classifier.errors import ExportError
from edge_classifier.export.input_size import pooled_at
from edge_classifier.features.backbone import load_backbone

if TYPE_CHECKING:
    from edge_classifier.features.backbone import LiteRTBackbone


def by_resizing(backbone: LiteRTBackbone, size: int) -> np.ndarray:
    """Ask LiteRT itself, which can resize the input of a network that it has loaded."""
    interpreter = Interpreter(model_content=backbone.extractor)
    (image,), (features,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(image["index"], (1, size, size, 3))
    interpreter.allocate_tensors()
    small = pooled_at(backbone, size).info.preprocessing.apply(picture(0, 0))
    interpreter.set_tensor(image["index"], small[None])
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(features["index"]))


@pytest.mark.parametrize("size", [96, 128])
def test_a_smaller_built_in_backbone_computes_what_the_resized_one_does(size: int) -> None:
    backbone = load_backbone("built-in")
    _, maps = pooled_at(backbone, size).extract_spatial([picture(0, 0)])
    np.testing.assert_array_equal(maps, by_resizing(backbone, size))


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("v1-0.25", "mobilenet_2_5_224_tf_no_top.h5"),
        ("v2-0.35", "mobilenet_v2_0.35_224_no_top.weights.h5"),
    ],
)
def test_so_do_official_ones(name: str, file: str) -> None:
    backbone = load_backbone(name, weights=shared_folder("weights", file))
    _, maps = pooled_at(backbone, 96).extract_spatial([picture(0, 0)])
    np.testing.assert_array_equal(maps, by_resizing(backbone, 96))


def test_its_features_are_pooled_and_not_mixed_with_those_of_the_full_size() -> None:
    backbone = load_backbone("built-in", feature_kind="spatial")
    small = pooled_at(backbone, 96)
    assert small.info.feature_shape == (3, 3, 512)
    assert small.info.preprocessing.input_size == 96
    assert small.info.key != backbone.info.key
    assert small.extract([picture(0, 0)]).shape == (1, 512)


def test_what_is_no_size_for_a_picture_is_refused() -> None:
    with pytest.raises(ExportError, match="built-in takes no pictures of 0 px"):
        pooled_at(load_backbone("built-in"), 0)
