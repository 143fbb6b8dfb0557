"""The compiled network that a copy of a project carries: taken as it is, or refused in one line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import networks

from edge_classifier.errors import BackboneError, WeightsMismatchError
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.built_in import read_built_in
from edge_classifier.features.carried import carried_extractor, files_to_carry
from edge_classifier.features.catalogue import official
from edge_classifier.features.extractors import extractor_path
from edge_classifier.features.weights import CacheFolders

INFO = official("v1-0.25").info("pooled", "ab" * 32)
PICTURE = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)


@pytest.fixture(scope="module")
def network() -> bytes:
    return networks.averaging_and_mixing(256)


@pytest.fixture
def folders(tmp_path: Path, network: bytes) -> CacheFolders:
    """Give caches in which the network of `INFO` is compiled."""
    folders = CacheFolders(tmp_path / "cache", tmp_path / "keras")
    networks.keep_compiled(network, INFO.name, INFO.weights_sha256, folders)
    return folders


@pytest.fixture
def carried(tmp_path: Path, folders: CacheFolders) -> Path:
    """Give the network's file in a project that carries it."""
    project = tmp_path / "project"
    for path, content in files_to_carry(project, INFO, folders).items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_bytes(content)
    found = carried_extractor(project, INFO)
    assert found is not None
    return found


def test_it_is_the_same_backbone_with_nothing_in_the_caches(
    carried: Path, network: bytes, tmp_path: Path
) -> None:
    nothing = CacheFolders(tmp_path / "none", tmp_path / "none")
    backbone = load_backbone("v1-0.25", weights=carried, folders=nothing)
    assert backbone.info == INFO
    assert backbone.extractor == network
    assert backbone.extract([PICTURE]).any()
    assert load_backbone(weights=carried, feature_kind="spatial").info.feature_kind == "spatial"


def test_a_project_of_other_weights_does_not_find_it(carried: Path) -> None:
    project = carried.parents[2]
    other = official("v1-0.25").info("pooled", "cd" * 32)
    assert carried_extractor(project, other) is None
    outside = official("v1-0.25").info("pooled", "../" * 5)
    assert carried_extractor(project, outside) is None


def test_what_comes_with_the_package_or_was_never_compiled_is_not_carried(
    folders: CacheFolders, tmp_path: Path
) -> None:
    built_in = load_backbone("built-in").info
    for info in (None, built_in, official("v2-1.0").info("pooled", INFO.weights_sha256)):
        assert files_to_carry(tmp_path, info, folders) == {}


def test_another_backbone_that_is_asked_for_is_not_replaced_by_it(carried: Path) -> None:
    with pytest.raises(WeightsMismatchError, match=r"a compiled v1-0\.25, not v2-0\.35"):
        load_backbone("v2-0.35", weights=carried)


def about(**changes: object) -> Callable[[Path], object]:
    """Change what is said of the network."""

    def spoil(carried: Path) -> None:
        path = carried.with_name("carried.json")
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return spoil


def renewed(content: bytes) -> Callable[[Path], object]:
    """Put something else in its place, with the hash of that."""

    def spoil(carried: Path) -> None:
        carried.write_bytes(content)
        about(extractor_sha256=hashlib.sha256(content).hexdigest())(carried)

    return spoil


def is_one_line(error: pytest.ExceptionInfo[BackboneError], folder: Path) -> bool:
    return "\n" not in str(error.value) and str(folder) in str(error.value)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1000]),
        lambda path: path.write_bytes(b""),
        lambda path: path.with_name("carried.json").unlink(),
        lambda path: path.with_name("carried.json").write_text("[" * 100_000),
        lambda path: path.with_name("carried.json").write_text("[1]"),
        lambda path: path.with_name("carried.json").write_bytes(b"\xff" * 20_000),
        about(name="resnet"),
        about(name=["v1-0.25"]),
        about(weights_sha256=3),
        about(weights_sha256="../../etc"),
        about(extractor_sha256=None),
    ],
)
def test_a_damaged_one_is_one_line_that_says_what_to_do(
    carried: Path, spoil: Callable[[Path], Any]
) -> None:
    spoil(carried)
    with pytest.raises(WeightsMismatchError, match="is damaged: save the copy again") as error:
        load_backbone(weights=carried)
    assert is_one_line(error, carried.parent)


@pytest.mark.parametrize("content", [b"", b"junk", b"\x1c\0\0\0TFL3", b"\xff\xff\xff\x7fTFL3" * 9])
def test_a_strangers_file_that_is_no_network_is_refused(carried: Path, content: bytes) -> None:
    renewed(content)(carried)
    with pytest.raises(BackboneError) as error:
        load_backbone(weights=carried)
    assert is_one_line(error, carried.parent)


def test_a_strangers_file_that_makes_the_runtime_crash_does_so_in_another_process(
    carried: Path,
) -> None:
    for spoilt in networks.with_one_word_spoilt(read_built_in("pooled").extractor):
        renewed(spoilt)(carried)
        try:
            load_backbone(weights=carried)
        except BackboneError as error:
            if "made the TFLite runtime crash in the process that tried it" in str(error):
                return
    pytest.fail("nothing crashed")


def test_a_network_of_another_shape_is_refused(carried: Path) -> None:
    renewed(networks.averaging())(carried)
    with pytest.raises(BackboneError, match=r"Expected an extractor of v1-0\.25"):
        load_backbone(weights=carried)


def test_a_network_that_answers_nan_is_refused(carried: Path) -> None:
    renewed(networks.averaging_and_mixing(256, bias=np.nan))(carried)
    with pytest.raises(BackboneError, match="what it answers are no finite numbers") as error:
        load_backbone(weights=carried)
    assert is_one_line(error, carried.parent)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1000]),
        about(name="v1-0.5"),
        about(name="v2-1.0"),
        renewed(b"junk"),
        renewed(networks.averaging()),
        renewed(networks.averaging_and_mixing(256, bias=np.nan)),
    ],
)
def test_where_it_is_not_sound_what_was_compiled_on_this_machine_takes_its_place(
    carried: Path,
    spoil: Callable[[Path], Any],
    folders: CacheFolders,
    network: bytes,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spoil(carried)
    wanted: dict[str, Any] = {"weights": carried, "weights_sha256": INFO.weights_sha256}
    backbone = load_backbone("v1-0.25", **wanted, folders=folders)
    assert (backbone.info, backbone.extractor) == (INFO, network)
    (told,) = caplog.messages
    assert told.startswith("What was compiled on this machine is used instead: ")
    assert str(carried.parent) in told or "Expected an extractor of v1-0.25" in told
    caplog.clear()
    extractor_path(folders.extractors, INFO.name, INFO.weights_sha256).write_bytes(b"half")
    for nothing in (folders, CacheFolders(tmp_path / "none", tmp_path / "none")):
        with pytest.raises(BackboneError) as error:
            load_backbone("v1-0.25", **wanted, folders=nothing)
        assert str(error.value) in told
    assert caplog.messages == []


def test_one_that_is_far_too_large_is_not_read(carried: Path) -> None:
    with carried.open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(WeightsMismatchError, match="is damaged"):
        load_backbone(weights=carried)


def test_a_cache_that_is_damaged_is_not_carried(folders: CacheFolders, tmp_path: Path) -> None:
    path = extractor_path(folders.extractors, INFO.name, INFO.weights_sha256)
    path.write_bytes(b"half")
    assert files_to_carry(tmp_path, INFO, folders) == {}
