"""A disk that fills up, a real one: one clear line, nothing half-written, and on it goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.live_session import LiveSession, close_all
from support.mounts import fill, small_disk
from support.picture_files import write_pictures

from edge_classifier.commands.cli import main
from edge_classifier.errors import ExportError, ProjectError
from edge_classifier.export.bundle import new_bundle
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.live.view import Level
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of two megabytes."""
    with small_disk(tmp_path / "disk", 2048) as folder:
        yield folder
        close_all()


@pytest.fixture
def live(disk: Path) -> LiveSession:
    """Begin a session on it, with two trained classes."""
    session = LiveSession(ProjectStore.create(disk / "project", ["mug", "phone"]))
    session.hold("1", thing=1, seconds=1)
    session.hold("2", thing=2, seconds=1)
    session.wait(1)
    assert "trained" in session.view.activity.text
    return session


def error(live: LiveSession) -> str:
    """Give the error that the picture shows."""
    shown = live.view.message
    assert shown is not None
    assert shown.level is Level.ERROR
    return shown.text


def counts(live: LiveSession) -> list[int]:
    """Give what the picture counts."""
    return [card.count for card in live.view.cards]


def test_capturing_until_the_disk_is_full_keeps_all_that_was_counted_and_goes_on_when_it_is_not(
    live: LiveSession, disk: Path
) -> None:
    filler = fill(disk, spare_bytes=200_000)  # room for some pictures
    for _ in range(30):
        live.hold("1", thing=1, seconds=1)
        if live.view.message and live.view.message.level is Level.ERROR:
            break
    assert "the disk is full; free some space and try again" in error(live)
    counted = counts(live)
    live.hold("2", thing=2, seconds=1)
    assert "the disk is full" in error(live)
    assert counts(live) == counted
    assert live.view.banner is not None
    on_disk = [len(list((disk / "project" / "samples" / n).iterdir())) for n in ("mug", "phone")]
    assert on_disk == counted
    with ProjectStore.open(disk / "project", read_only=True) as reader:
        for sample in reader.samples():
            read_image(sample.path)
    filler.unlink()
    live.tap("2")
    assert counts(live) == [counted[0], counted[1] + 1]
    live.wait(1)
    assert "trained" in live.view.activity.text
    live.close()
    with ProjectStore.open(disk / "project") as again:
        assert len(again.samples()) == sum(counted) + 1


def test_a_model_that_cannot_be_kept_is_used_and_the_old_one_stays(
    live: LiveSession, disk: Path
) -> None:
    model = disk / "project" / "model" / "model.npz"
    before = model.read_bytes()
    filler = fill(disk)
    live.session.learner.current.model = None
    live.type("t")
    live.wait(0.5)
    assert "model.npz: the disk is full" in error(live)
    assert live.view.banner is not None
    assert model.read_bytes() == before
    filler.unlink()
    live.type("t")
    live.wait(0.5)
    assert model.stat().st_mtime_ns > live.store.path.joinpath("project.json").stat().st_mtime_ns


def test_nothing_can_be_renamed_removed_or_copied_on_a_full_disk_and_all_is_as_it_was(
    live: LiveSession, disk: Path
) -> None:
    filler = fill(disk)
    before = {p: p.stat().st_mtime_ns for p in (disk / "project" / "samples").rglob("*")}
    live.type("down", "n", "tab", *"x", "enter")
    assert live.view.prompt is not None
    assert "the disk is full" in (live.view.prompt.error or "")
    live.type("escape", "x", "y")
    assert "Cannot" in error(live)
    live.type("u")
    assert "Cannot" in error(live)
    with pytest.raises(ProjectError, match="the disk is full"):
        live.store.save_as(disk / "copy")
    assert not list(disk.glob("*copy*"))
    assert not list(disk.glob(".saving*"))
    assert before == {p: p.stat().st_mtime_ns for p in (disk / "project" / "samples").rglob("*")}
    filler.unlink()
    live.store.save_as(disk / "copy")
    live.type("u")
    assert [card.name for card in live.view.cards] == ["mug", "phone"]


def test_a_project_opens_on_a_full_disk(live: LiveSession, disk: Path) -> None:
    live.close()
    fill(disk)
    with ProjectStore.open(disk / "project") as store:
        assert not store.read_only
        assert len(store.samples()) > 0


def test_features_that_do_not_fit_are_told_and_leave_no_half_record(disk: Path) -> None:
    cache = FileFeatureCache(disk, "any", 256)
    cache.append(f"{1:064x}", np.full(256, 1, np.float32))
    filler = fill(disk)
    with pytest.raises(ProjectError, match="the disk is full"):  # noqa: PT012 - at some of them
        for number in range(2, 20):
            cache.append(f"{number:064x}", np.full(256, number, np.float32))
    kept = len(cache.load()[0])
    filler.unlink()
    cache.append(f"{99:064x}", np.full(256, 99, np.float32))
    hashes, features = cache.load()
    cache.close()
    assert [int(sha, 16) for sha in hashes] == [*range(1, kept + 1), 99]
    assert (features == [[int(sha, 16)] * 256 for sha in hashes]).all()


def test_a_bundle_that_does_not_fit_is_not_there(disk: Path) -> None:
    with (
        pytest.raises(ExportError, match=r"bundle cannot be written: the disk is full"),
        new_bundle(disk / "bundle") as folder,
    ):
        (folder / "model.tflite").write_bytes(bytes(3 << 20))
    assert list(disk.iterdir()) == []


def test_adding_stops_in_one_line_and_goes_on_with_the_same_command(
    disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"{name}/{number}.png" for name in ("mug", "phone") for number in range(4)]
    write_pictures(tmp_path / "pictures", *names)
    words = ["add", str(disk / "project"), str(tmp_path / "pictures")]
    ProjectStore.create(disk / "project").close()
    filler = fill(disk)
    assert main(words) == 1
    assert capsys.readouterr().err.count("the disk is full") == 1
    filler.unlink()
    assert main(words) == 0
    with ProjectStore.open(disk / "project") as store:
        assert len(store.samples()) == len(names)


def test_training_on_a_full_disk_says_so_in_one_line(
    live: LiveSession, disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live.close()
    filler = fill(disk)
    assert main(["train", str(disk / "project"), "--backbone", "built-in"]) == 1
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .endswith("the disk is full; free some space and try again.")
    )
    filler.unlink()
    assert main(["train", str(disk / "project"), "--backbone", "built-in"]) == 0
