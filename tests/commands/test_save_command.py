"""`edge-classifier save`: the copy that key S makes, on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import networks

from edge_classifier.commands.cli import main
from edge_classifier.features.carried import CARRIED
from edge_classifier.features.catalogue import official
from edge_classifier.project.store import ProjectStore


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_copy_is_a_project_with_the_same_pictures_and_model(
    taught_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    assert main(["save", str(taught_project), str(copy), "--portable"]) == 0
    assert f"Saved a copy in {copy}." in capsys.readouterr().err
    with ProjectStore.open(taught_project) as one, ProjectStore.open(copy) as other:
        assert [s.image_sha256 for s in one.samples()] == [s.image_sha256 for s in other.samples()]
    assert "model/model.npz" in files(copy)
    assert not any(name.endswith(CARRIED) for name in files(copy))  # built-in is there anyway


@pytest.mark.parametrize("options", [[], ["--portable"]])
def test_a_copy_carries_the_compiled_network_of_an_official_backbone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    for cache in ("XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.setenv(cache, str(tmp_path))
    network = networks.averaging_and_mixing(256)
    info = official("v1-0.25").info("pooled", "ab" * 32)
    cached = networks.keep_compiled(network, info.name, info.weights_sha256)
    with ProjectStore.create(tmp_path / "project", ["mug"]) as store:
        store.set_backbone(info)
    for source, target in (("project", "copy"), ("copy", "copy of it")):
        assert main(["save", str(tmp_path / source), str(tmp_path / target), *options]) == 0
        carried = tmp_path / target / "backbone" / ("ab" * 8) / CARRIED
        assert carried.read_bytes() == network
        cached.unlink(missing_ok=True)


def test_a_folder_that_holds_something_is_one_line_and_stays_as_it_is(
    taught_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").touch()
    assert main(["save", str(taught_project), str(tmp_path)]) == 1
    assert "not an empty folder" in capsys.readouterr().err.splitlines()[-1]
    assert files(tmp_path) == {"mine"}
