from __future__ import annotations

import pytest

from edge_classifier.errors import InvalidValueError
from edge_classifier.features.catalogue import DEFAULT, NAMES, OFFICIAL, official


def test_the_default_is_an_official_backbone() -> None:
    assert official(DEFAULT).name == DEFAULT


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidValueError, match=r"v1-0.25, .*built-in.*received 'v9'"):
        official("v9")


def test_built_in_can_be_asked_for_although_it_is_not_official() -> None:
    assert set(NAMES) - set(OFFICIAL) == {"built-in"}


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_backbone_is_known_by_the_file_that_keras_downloads(name: str) -> None:
    backbone = official(name)
    assert backbone.url.startswith("https://storage.googleapis.com/tensorflow/keras-applications/")
    assert backbone.file_name.endswith(".h5")
    assert "no_top" in backbone.file_name


@pytest.mark.parametrize(
    ("name", "shape", "pooled", "spatial"),
    [
        ("v1-0.25", (7, 7, 256), 256, 12_544),
        ("v2-0.35", (7, 7, 1280), 1280, 62_720),
        ("v2-1.0", (7, 7, 1280), 1280, 62_720),
        ("v3-small", (7, 7, 576), 576, 28_224),
        ("v3-large", (7, 7, 960), 960, 47_040),
    ],
)
def test_the_number_of_features_follows_from_their_kind(
    name: str, shape: tuple[int, int, int], pooled: int, spatial: int
) -> None:
    backbone = official(name)
    assert backbone.feature_shape == shape
    assert backbone.info("pooled", "ab").feature_dim == pooled
    assert backbone.info("spatial", "ab").feature_dim == spatial


@pytest.mark.parametrize("name", ["v1-0.25", "v2-0.35", "v2-1.0"])
def test_v1_and_v2_see_pixels_from_minus_one_to_one(name: str) -> None:
    preprocessing = official(name).preprocessing
    assert (preprocessing.low, preprocessing.high) == (-1.0, 1.0)


@pytest.mark.parametrize("name", ["v3-small", "v3-large"])
def test_v3_rescales_by_itself_and_sees_pixels_from_0_to_255(name: str) -> None:
    preprocessing = official(name).preprocessing
    assert (preprocessing.low, preprocessing.high) == (0.0, 255.0)


def test_features_of_other_weights_or_another_kind_have_another_key() -> None:
    backbone = official(DEFAULT)
    keys = {
        backbone.info("pooled", "ab").key,
        backbone.info("spatial", "ab").key,
        backbone.info("pooled", "cd").key,
    }
    assert len(keys) == 3
