"""The cache of extractors, and its compiler as the child process that it really is."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tempfile
import threading
from pathlib import Path

import h5py
import pytest

from edge_classifier.errors import BackboneError, CancelledError, WeightsMismatchError
from edge_classifier.features.extractors import extractor_path, obtain_extractor, read_extractor
from edge_classifier.features.weights import Weights

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("EDGE_CLASSIFIER_SHARED", ROOT.parent / "shared"))
V1 = SHARED / "weights" / "mobilenet_2_5_224_tf_no_top.h5"
needs_weights = pytest.mark.skipif(not V1.exists(), reason=f"{V1} is not on this machine")


def _weights(path: Path) -> Weights:
    return Weights(path, hashlib.sha256(path.read_bytes()).hexdigest())


def _ignore(_done: float, _what: str | None = None, /) -> None: ...


@pytest.fixture
def empty(tmp_path: Path) -> Weights:
    """A sound HDF5 file that holds nothing; only Keras can tell."""
    path = tmp_path / "empty.h5"
    with h5py.File(path, "w"):
        pass
    return _weights(path)


@pytest.fixture
def absurd(tmp_path: Path) -> Weights:
    """A file that has the beginning of a weights file and nothing else."""
    path = tmp_path / "absurd.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    return _weights(path)


def _put(path: Path, content: bytes, record: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    path.with_name(f"{path.name}.sha256").write_bytes(record)


def test_a_cached_extractor_is_used_as_it_is(tmp_path: Path, absurd: Weights) -> None:
    folder = tmp_path / "extractors"
    content = b"a network"
    _put(
        extractor_path(folder, "v1-0.25", absurd.sha256),
        content,
        hashlib.sha256(content).hexdigest().encode(),
    )
    told: list[float] = []
    given = obtain_extractor(
        "v1-0.25",
        absurd,
        folder=folder,
        progress=lambda done, _what=None: told.append(done),
        cancelled=lambda: True,
    )
    assert given == content
    assert told == []


def test_extractors_of_other_weights_lie_in_other_files(tmp_path: Path) -> None:
    paths = {
        extractor_path(tmp_path, name, sha256)
        for name in ("v1-0.25", "v2-0.35")
        for sha256 in ("a" * 64, "b" * 64)
    }
    assert len(paths) == 4


@pytest.mark.parametrize("content", [b"a netw", b"a nexwork", b""])
def test_a_damaged_cache_file_is_compiled_again_and_named_in_the_log(
    tmp_path: Path, absurd: Weights, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "extractors"
    path = extractor_path(folder, "v1-0.25", absurd.sha256)
    _put(path, content, hashlib.sha256(b"a network").hexdigest().encode())
    with caplog.at_level(logging.WARNING), pytest.raises(CancelledError):
        obtain_extractor("v1-0.25", absurd, folder=folder, progress=_ignore, cancelled=lambda: True)
    assert f"{path} is damaged and is not used" in caplog.text


def test_cancelling_kills_the_compiler_and_leaves_nothing(
    tmp_path: Path, empty: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, scratch = threading.Event(), tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with pytest.raises(CancelledError, match="nothing was kept"):
        obtain_extractor(
            "v1-0.25",
            empty,
            folder=tmp_path / "extractors",
            progress=lambda _done, _what=None: began.set(),
            cancelled=began.is_set,
        )
    assert list((tmp_path / "extractors").iterdir()) == []
    assert list(scratch.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path: Path, absurd: Weights) -> None:
    folder = tmp_path / "extractors"
    folder.write_text("a file where the folder should be")
    with pytest.raises(BackboneError, match="cannot be kept in") as e:
        obtain_extractor(
            "v1-0.25", absurd, folder=folder, progress=_ignore, cancelled=lambda: False
        )
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("suffix", ["", ".sha256"])
def test_a_folder_in_the_place_of_a_cache_file_is_said_before_anything_is_compiled(
    tmp_path: Path, absurd: Weights, suffix: str
) -> None:
    path = extractor_path(tmp_path, "v1-0.25", absurd.sha256)
    path = path.with_name(path.name + suffix)
    path.mkdir()
    told: list[str | None] = []
    with pytest.raises(BackboneError, match=r"is a folder where .* belongs: delete it") as e:
        obtain_extractor(
            "v1-0.25",
            absurd,
            folder=tmp_path,
            progress=lambda _done, what=None: told.append(what),
            cancelled=lambda: False,
        )
    assert str(e.value).startswith(str(path))
    assert told == []


def test_a_hash_that_is_none_finds_nothing(tmp_path: Path) -> None:
    _put(
        extractor_path(tmp_path / "extractors", "v1-0.25", "ab" * 32),
        b"a network",
        hashlib.sha256(b"a network").hexdigest().encode(),
    )
    assert read_extractor(tmp_path / "extractors", "v1-0.25", "ab" * 32) == b"a network"
    for text in ("ab" * 8, "ab" * 8 + "/" * 48, ""):
        assert read_extractor(tmp_path / "extractors", "v1-0.25", text) is None


def test_a_damaged_weights_file_is_one_line_that_names_it(
    tmp_path: Path, absurd: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with pytest.raises(WeightsMismatchError, match=r"absurd\.h5 does not hold") as e:
        obtain_extractor(
            "v1-0.25",
            absurd,
            folder=tmp_path / "extractors",
            progress=_ignore,
            cancelled=lambda: False,
        )
    assert "\n" not in str(e.value)
    assert [*(tmp_path / "extractors").iterdir(), *scratch.iterdir()] == []


@needs_weights
def test_an_extractor_is_compiled_once_without_tensorflow_in_this_process(tmp_path: Path) -> None:
    folder = tmp_path / "extractors"
    steps: list[tuple[float, str | None]] = []
    before = set(sys.modules)
    first = obtain_extractor(
        "v1-0.25",
        _weights(V1),
        folder=folder,
        progress=lambda done, what=None: steps.append((done, what)),
        cancelled=lambda: False,
    )
    assert not {"tensorflow", "keras"} & (set(sys.modules) - before)
    assert [(what or "").rpartition(": ")[2] for _, what in steps] == [
        "importing TensorFlow",
        "building the network",
        "converting it",
        "done",
    ]
    assert [fraction for fraction, _ in steps] == sorted(fraction for fraction, _ in steps)
    assert {path.suffix for path in folder.iterdir()} == {".tflite", ".sha256"}
    steps.clear()
    second = obtain_extractor(
        "v1-0.25",
        _weights(V1),
        folder=folder,
        progress=lambda done, what=None: steps.append((done, what)),
        cancelled=lambda: True,
    )
    assert second == first
    assert steps == []
