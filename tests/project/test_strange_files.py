"""Links, pipes, devices and folders in place of a project's files: one line, nothing waits."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.lost_projects import contents, two_classes
from support.mounts import named_pipe

from edge_classifier.commands.cli import main
from edge_classifier.errors import ProjectError, ProjectFormatError
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.project.store import ProjectStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other such things")

OWN_FILES = (
    "project.json",
    "sources.jsonl",
    ".lock",
    "cache/hashes.txt",
    "cache/hashes-validation.txt",
    "cache/pixels.json",
    "cache/features",
    "model/model.npz",
    "model/adaptation.npz",
    "backbone/0123456789abcdef/tuned.json",
    "backbone/0123456789abcdef",
)
OWN_FOLDERS = ("samples", "validation", "trash", "cache", "model", "backbone", "samples/mug")


def _link(path: Path) -> None:
    outside = path.parents[len(path.parts) - path.parts.index("project")] / "outside"
    outside.write_bytes(b"another project's")
    path.symlink_to(outside)


def _link_to_nothing(path: Path) -> None:
    path.symlink_to(path.with_name("nothing"))


def _socket(path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows keeps sockets elsewhere")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # whose own name may be too long for an address
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a trained project."""
    path = two_classes(tmp_path_factory.mktemp("trained") / "project")
    assert main(["train", str(path)]) == 0
    return path


@pytest.fixture
def path(trained: Path, tmp_path: Path) -> Path:
    """Copy the trained project."""
    shutil.copytree(trained, tmp_path / "project")
    return tmp_path / "project"


def _place(path: Path, name: str) -> Path:
    """Find a file's place, and clear it."""
    if name == "cache/features":
        (place,) = sorted(path.glob("cache/features-*.bin"))[:1]
    else:
        place = path / name
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    return place


@pytest.mark.parametrize("make", [_link, _link_to_nothing, _endless, named_pipe, _socket])
@pytest.mark.parametrize("name", OWN_FILES)
def test_what_is_no_file_of_the_projects_own_is_refused_in_one_line(
    path: Path, tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    place = _place(path, name)
    make(place)
    before = contents(tmp_path)
    for read_only in (False, True):
        with pytest.raises(ProjectError) as refused:
            ProjectStore.open(path, read_only=read_only)
        assert str(place) in str(refused.value)
        assert "\n" not in str(refused.value)
    assert contents(tmp_path) == before
    place.unlink()


@pytest.mark.parametrize("make", [_link, named_pipe, Path.touch])
@pytest.mark.parametrize("name", OWN_FOLDERS)
def test_what_is_no_folder_of_the_projects_own_is_refused_in_one_line(
    path: Path, name: str, make: Callable[[Path], None]
) -> None:
    place = _place(path, name)
    make(place)
    with pytest.raises(ProjectFormatError, match="has to be a folder of its own"):
        ProjectStore.open(path)


@pytest.mark.parametrize("name", OWN_FILES[:-1])
def test_a_folder_in_place_of_a_file_is_told_or_does_no_harm(
    path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = _place(path, name)
    place.mkdir()
    capsys.readouterr()
    status = main(["train", str(path)])
    said = capsys.readouterr().err
    assert status in (0, 1)
    assert place.is_dir()
    if status:
        assert str(place) in said
        assert said.count("\n") == 1


@pytest.mark.parametrize("make", [_link, _endless, named_pipe, _socket, Path.mkdir])
def test_among_samples_such_things_are_left_alone_and_told(
    path: Path, make: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    make(path / "samples" / "mug" / "b0000009-0000.jpg")
    make(path / "samples" / "mug" / ".tmp-0123")
    make(path / "samples" / "cup")
    with caplog.at_level(logging.WARNING), ProjectStore.open(path) as store:
        assert len(store.samples()) == 2
    assert "mug/b0000009-0000.jpg" in caplog.text


def test_a_link_that_comes_in_place_of_the_features_while_the_project_is_open_is_not_followed(
    tmp_path: Path,
) -> None:
    cache = FileFeatureCache(tmp_path, "key", 2)
    cache.append("ab" * 32, np.ones(2, np.float32))
    cache.close()
    outside = cache.path.rename(tmp_path / "outside")
    cache.path.symlink_to(outside)
    before = outside.read_bytes()
    with pytest.raises(ProjectError, match="Cannot write"):
        cache.append("cd" * 32, np.ones(2, np.float32))
    assert outside.read_bytes() == before


@pytest.mark.parametrize("name", ["line\nbreak.jpg", b"bad\xff.jpg", "esc\x1b[2J.jpg", " .jpg"])
def test_a_picture_with_an_odd_name_on_disk_is_a_sample_like_others_and_found_again(
    path: Path, name: str | bytes
) -> None:
    first = next((path / "samples" / "mug").iterdir())
    place = path / "samples" / "mug" / os.fsdecode(name)
    shutil.copyfile(first, place)
    for _ in range(2):
        with ProjectStore.open(path) as store:
            assert place in [sample.path for sample in store.samples()]
            assert len(store.samples()) == 3
    with ProjectStore.open(path) as store:
        sample = next(s for s in store.samples() if s.path == place)
        store.put_back(store.remove_samples([sample]))
        assert store.rename_class("mug", "cup") == "cup"
        assert len(store.samples()) == 3
    assert main(["train", str(path)]) == 0
    assert main(["save", str(path), str(path.with_name("copy"))]) == 0
    with ProjectStore.open(path.with_name("copy")) as copy:
        assert len(copy.samples()) == 3


@pytest.mark.parametrize("name", ["line\nbreak", b"bad\xff", "esc\x1b[2J", "a" * 250])
def test_a_folder_whose_name_can_be_no_class_is_left_alone_and_told_in_one_line(
    path: Path, name: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(path / "samples" / "mug", path / "samples" / os.fsdecode(name))
    with caplog.at_level(logging.WARNING), ProjectStore.open(path) as store:
        assert store.class_names() == ("mug", "phone")
    (record,) = caplog.records
    assert "cannot be a class name" in record.getMessage()
    assert record.getMessage().isprintable()
