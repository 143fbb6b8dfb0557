"""Features from LiteRT: of a network whose answer is known, and of the built-in one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest
from support import networks

from edge_classifier.device.preprocessing import Preprocessing
from edge_classifier.errors import (
    BackboneError,
    InvalidImageError,
    InvalidValueError,
    WeightsNotFoundError,
)
from edge_classifier.features.backbone import LiteRTBackbone, choose_backbone, load_backbone
from edge_classifier.features.built_in import built_in_folder
from edge_classifier.features.weights import CacheFolders
from edge_classifier.values import BackboneInfo, FeatureKind

if TYPE_CHECKING:
    from pathlib import Path

Image = npt.NDArray[np.uint8]
needs_built_in = pytest.mark.skipif(
    built_in_folder() is None, reason="models/built-in.json is not there yet"
)


@pytest.fixture(scope="module")
def averaging() -> bytes:
    return networks.averaging()


def _info(
    kind: FeatureKind = "pooled", shape: tuple[int, int, int] = (7, 7, 3), size: int = 224
) -> BackboneInfo:
    return BackboneInfo("averaging", shape, kind, "ab", Preprocessing(size))


def _images(count: int) -> list[Image]:
    rng = np.random.default_rng(0)
    shapes = [(480, 640), (224, 224), (720, 1280), (100, 90)]
    return [
        rng.integers(0, 256, (*shapes[i % 4], 3), dtype=np.uint8) // (1 + i % 3)
        for i in range(count)
    ]


@pytest.mark.parametrize("kind", ["pooled", "spatial"])
@pytest.mark.parametrize("bias", [np.nan, np.inf, 1e30])
def test_features_that_are_no_sound_numbers_are_never_given(kind: FeatureKind, bias: float) -> None:
    network = networks.averaging_and_mixing(3, bias=bias)
    backbone = LiteRTBackbone(_info(kind), network)
    for extract in (backbone.extract, backbone.extract_spatial):
        with pytest.raises(BackboneError, match="The backbone averaging gives features that"):
            extract(_images(1))


def test_what_was_compiled_of_known_weights_is_taken_without_them(tmp_path: Path) -> None:
    folders = CacheFolders(tmp_path / "own", tmp_path / "keras")
    network, known = networks.averaging_and_mixing(256), "ab" * 32
    networks.keep_compiled(network, "v1-0.25", known, folders)
    backbone = load_backbone("v1-0.25", weights_sha256=known, folders=folders)
    assert (backbone.extractor, backbone.info.weights_sha256) == (network, known)


def test_weights_that_are_given_go_before_what_was_compiled_of_known_ones(tmp_path: Path) -> None:
    folders = CacheFolders(tmp_path / "own", tmp_path / "keras")
    networks.keep_compiled(networks.averaging_and_mixing(256), "v1-0.25", "ab" * 32, folders)
    with pytest.raises(WeightsNotFoundError, match=r"mine\.h5"):
        load_backbone(
            "v1-0.25", weights=tmp_path / "mine.h5", weights_sha256="ab" * 32, folders=folders
        )


def test_spatial_features_are_the_flattened_map(averaging: bytes) -> None:
    images = _images(4)
    features = LiteRTBackbone(_info("spatial"), averaging).extract(images)
    assert features.shape == (4, 147)
    assert features.dtype == np.float32
    for image, row in zip(images, features, strict=True):
        pixels = Preprocessing(224).apply(image)
        expected = pixels.reshape(7, 32, 7, 32, 3).mean(axis=(1, 3), dtype=np.float64)
        np.testing.assert_allclose(row.reshape(7, 7, 3), expected, atol=2e-6)


def test_pooled_features_are_the_means_over_height_and_width(averaging: bytes) -> None:
    images = _images(4)
    features = LiteRTBackbone(_info(), averaging).extract(images)
    assert features.shape == (4, 3)
    expected = [Preprocessing(224).apply(image).mean((0, 1), np.float64) for image in images]
    np.testing.assert_allclose(features, expected, atol=2e-6)


def test_with_a_root_offset_pooled_features_are_about_their_square_roots(averaging: bytes) -> None:
    images = _images(4)
    plain = LiteRTBackbone(_info(), averaging)
    rooted = LiteRTBackbone(replace(_info(), root_offset=1.5), averaging)
    means = plain.extract(images)  # from -1 to 1
    np.testing.assert_allclose(rooted.extract(images), means / np.sqrt(means + 1.5), rtol=1e-6)
    assert rooted.info.key != plain.info.key
    spatial = replace(_info("spatial"), root_offset=1.5)
    maps = LiteRTBackbone(spatial, averaging).extract(images)
    np.testing.assert_array_equal(maps, LiteRTBackbone(_info("spatial"), averaging).extract(images))


@pytest.mark.parametrize("offset", [0.0, -1.0, float("nan"), float("inf")])
def test_a_root_offset_that_would_give_no_numbers_is_refused(offset: float) -> None:
    with pytest.raises(InvalidValueError, match="root offset above 0"):
        replace(_info(), root_offset=offset)


def test_the_features_of_no_images_are_no_rows(averaging: bytes) -> None:
    assert LiteRTBackbone(_info(), averaging).extract([]).shape == (0, 3)


def test_an_extractor_may_also_be_a_file(averaging: bytes, tmp_path: Path) -> None:
    path = tmp_path / "averaging.tflite"
    path.write_bytes(averaging)
    image = _images(1)
    np.testing.assert_array_equal(
        LiteRTBackbone(_info(), path).extract(image),
        LiteRTBackbone(_info(), averaging).extract(image),
    )


def test_what_is_no_image_is_refused_and_the_next_call_works(averaging: bytes) -> None:
    backbone = LiteRTBackbone(_info(), averaging)
    with pytest.raises(InvalidImageError, match="Expected an image"):
        backbone.extract([np.zeros((4, 4), np.uint8)])
    assert backbone.extract(_images(1)).shape == (1, 3)


def test_an_extractor_of_another_shape_is_refused(averaging: bytes) -> None:
    with pytest.raises(BackboneError, match=r"\(1, 7, 7, 256\).*received one .*\(1, 7, 7, 3\)"):
        LiteRTBackbone(_info(shape=(7, 7, 256)), averaging)
    with pytest.raises(BackboneError, match=r"\(1, 160, 160, 3\)"):
        LiteRTBackbone(_info(size=160), averaging)


def test_an_extractor_that_is_no_model_is_refused() -> None:
    with pytest.raises(BackboneError, match="averaging cannot be run"):
        LiteRTBackbone(_info(), b"nonsense" * 100)


def test_threads_that_extract_at_once_get_the_same_bits_each(averaging: bytes) -> None:
    backbone = LiteRTBackbone(_info("spatial"), averaging)
    images = _images(24)
    alone = backbone.extract(images)
    together = threading.Barrier(4)

    def extract(order: int) -> npt.NDArray[np.float32]:
        together.wait(10)
        return np.concatenate([backbone.extract([i]) for i in images[::order]])

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(extract, [1, -1, 1, -1]))
    for order, result in zip([1, -1, 1, -1], results, strict=True):
        np.testing.assert_array_equal(result[::order], alone)


def test_a_backbone_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="received 'resnet'"):
        load_backbone("resnet", folders=CacheFolders(tmp_path, tmp_path))


def test_weights_that_are_not_there_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(WeightsNotFoundError, match=r"nothere\.h5"):
        load_backbone(
            "v1-0.25", weights=tmp_path / "nothere.h5", folders=CacheFolders(tmp_path, tmp_path)
        )


def test_a_choice_by_name_needs_no_network(tmp_path: Path) -> None:
    choice = choose_backbone("v1-0.25", folders=CacheFolders(tmp_path, tmp_path))
    assert choice.name == "v1-0.25"


def test_the_built_in_backbone_takes_no_weights_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="brings its own weights"):
        load_backbone("built-in", weights=tmp_path / "mine.h5")


@needs_built_in
def test_the_built_in_backbone_needs_no_cache_and_no_network(tmp_path: Path) -> None:
    pooled = load_backbone("built-in", folders=CacheFolders(tmp_path / "own", tmp_path / "keras"))
    spatial = load_backbone("built-in", feature_kind="spatial")
    images = _images(3)
    features = pooled.extract(images)
    assert features.shape == (3, pooled.info.feature_dim)
    assert np.isfinite(features).all()
    maps = spatial.extract(images).reshape(3, *spatial.info.feature_shape)
    means = maps.mean(axis=(1, 2))
    offset = pooled.info.root_offset
    expected = means if offset is None else means / np.sqrt(means + offset)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)
    assert not (tmp_path / "own").exists()
    assert pooled.info.key != spatial.info.key
