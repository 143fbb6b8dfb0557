"""A project whose folder is moved, deleted or replaced while it is open; no picture is lost."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from support.live_session import FRAME_S, LiveSession
from support.lost_projects import (
    LOST,
    capture,
    contents,
    hash_of,
    pictures,
    two_classes,
    use_in_every_way,
)

from edge_classifier.errors import ProjectError
from edge_classifier.learning.project_backbone import BackboneChoice, backbone_loader
from edge_classifier.live.display import Press
from edge_classifier.live.recording import TAP_S
from edge_classifier.live.view import Level
from edge_classifier.project.store import ProjectStore

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows neither deletes nor moves a file that is open"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a project with one sample in each of two classes."""
    return two_classes(tmp_path / "project")


def test_nothing_goes_into_a_copy_that_took_the_projects_place(path: Path) -> None:
    store = ProjectStore.open(path)
    capture(store, "mug", 3)
    shutil.copytree(path, path.with_name("copy"))
    shutil.rmtree(path)
    path.with_name("copy").rename(path)
    before = contents(path)
    with pytest.raises(ProjectError, match=r"another folder took its place.*picture was kept"):
        capture(store, "mug", 4)
    use_in_every_way(store)
    assert contents(path) == before
    assert pictures(Path(f"{path}-rescued")) == {hash_of(4)}


def test_a_project_that_is_renamed_is_told_and_its_old_name_stays_free(path: Path) -> None:
    store = ProjectStore.open(path)
    capture(store, "mug", 3)
    moved = path.rename(path.with_name("moved"))
    with pytest.raises(ProjectError, match="it was renamed, moved or deleted while it was open"):
        store.look()
    store.look()  # told once
    with pytest.raises(ProjectError, match="picture was kept"):
        capture(store, "mug", 4)
    use_in_every_way(store)
    assert not path.exists()
    with ProjectStore.open(moved) as again:
        assert len(again.samples()) == 3
    assert pictures(moved, Path(f"{path}-rescued")) == {hash_of(n) for n in range(1, 5)}


def test_a_project_that_is_deleted_and_made_anew_is_another_one(path: Path) -> None:
    store = ProjectStore.open(path)
    shutil.rmtree(path)
    ProjectStore.create(path, ["mug", "phone"]).close()
    before = contents(path)
    with pytest.raises(ProjectError, match="another folder took its place"):
        capture(store, "phone", 3)
    use_in_every_way(store)
    assert contents(path) == before


def test_a_folder_above_the_project_that_is_renamed_is_told_too(tmp_path: Path, path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir()
    path = path.rename(above / "project")
    store = ProjectStore.open(path)
    moved = above.rename(tmp_path / "moved")
    with pytest.raises(ProjectError, match="The picture was kept") as refused:
        capture(store, "mug", 3)
    assert not above.exists()
    kept = Path(str(refused.value).split("PROJECT ")[1].split("`")[0])
    assert pictures(kept) == {hash_of(3)}
    shutil.rmtree(kept)
    store.close()
    assert len(pictures(moved / "project")) == 2


def test_a_working_directory_that_is_deleted_with_the_project_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    store = ProjectStore.create(Path("project"), ["mug"])
    shutil.rmtree(tmp_path / "work")
    with pytest.raises(ProjectError, match="The picture was kept") as refused:
        capture(store, "mug", 3)
    kept = Path(str(refused.value).split("PROJECT ")[1].split("`")[0])
    assert pictures(kept) == {hash_of(3)}
    shutil.rmtree(kept)
    store.close()


def test_closing_a_project_that_was_renamed_says_so_and_writes_nothing(path: Path) -> None:
    store = ProjectStore.open(path)
    capture(store, "mug", 3)
    path.rename(path.with_name("moved"))
    with pytest.raises(ProjectError, match=LOST):
        store.close()
    store.close()
    assert not path.exists()


# In the window


def until_error(live: LiveSession) -> None:
    """Let frames pass until the picture shows an error, for a second at most."""
    for _ in range(30):
        shown = live.frame().message
        if shown is not None and shown.level is Level.ERROR:
            return


def error(live: LiveSession) -> str:
    """Give the error that the picture shows."""
    shown = live.view.message
    assert shown is not None
    assert shown.level is Level.ERROR
    return shown.text


def test_the_picture_tells_within_a_second_that_the_project_is_gone(path: Path) -> None:
    live = LiveSession(ProjectStore.open(path))
    live.hold("1", thing=1)
    live.wait(2)
    path.rename(path.with_name("moved"))
    live.wait(1.1)
    assert "it was renamed, moved or deleted while it was open" in error(live)
    assert "read-only: it was renamed" in live.view.hint
    live.type("t")
    live.wait(1)
    live.close()
    assert not path.exists()


def test_a_burst_that_is_being_recorded_when_the_project_goes_is_kept_whole(path: Path) -> None:
    live = LiveSession(ProjectStore.open(path))
    live.thing = 1
    live.frame(Press("1"))
    live.wait(TAP_S - 2 * FRAME_S)  # what was seen since the first is not yet known to be held
    before = len(pictures(path))
    moved = path.rename(path.with_name("moved"))
    until_error(live)
    assert "The picture was kept" in error(live)
    rescued = pictures(Path(f"{path}-rescued") / "mug")
    assert len(rescued) > 3
    live.close()
    assert not path.exists()
    assert len(pictures(moved)) == before


def test_a_session_goes_on_without_keeping_anything_in_a_copy_that_took_the_projects_place(
    path: Path,
) -> None:
    store = ProjectStore.open(path)
    live = LiveSession(store, load=backbone_loader(store, BackboneChoice("built-in")))
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    shutil.copytree(path, path.with_name("copy"))
    path.rename(path.with_name("moved"))
    path.with_name("copy").rename(path)
    before = contents(path)
    live.type("t")
    live.wait(2)
    assert "another folder took its place" in error(live)
    live.hold("1", thing=1)
    live.type("u")
    live.close()
    assert contents(path) == before
