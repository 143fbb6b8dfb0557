"""A project that another program has open, or that may not be written, is opened read-only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.live_session import LiveSession, scene
from support.mounts import read_only

from edge_classifier.errors import ProjectError, ProjectLockedError
from edge_classifier.features.tuned import new_folder
from edge_classifier.learning.fine_tuning import fine_tune
from edge_classifier.learning.project_backbone import BackboneChoice, backbone_loader
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.live.view import Level
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore

OWNER = """
import sys, time
from pathlib import Path
from edge_classifier.project.store import ProjectStore
store = ProjectStore.open(Path(sys.argv[1]))
print("open", flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a project with two trained classes."""
    path = tmp_path_factory.mktemp("taught") / "project"
    live = started(ProjectStore.create(path, ["mug", "phone"]))
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.wait(1)
    assert "trained" in live.view.activity.text
    live.close()
    return path


@pytest.fixture
def path(taught: Path, tmp_path: Path) -> Path:
    """Copy the project, to be changed by one test."""
    return shutil.copytree(taught, tmp_path / "project")


def started(store: ProjectStore) -> LiveSession:
    """Begin a session as the command does."""
    return LiveSession(store, load=backbone_loader(store, BackboneChoice("built-in")))


def contents(folder: Path) -> dict[Path, int]:
    """Tell what lies in a folder, and when it was written."""
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def message(live: LiveSession) -> str:
    """Give the error that the picture shows."""
    shown = live.view.message
    assert shown is not None
    assert shown.level is Level.ERROR
    return shown.text


def test_a_second_window_predicts_says_why_it_is_read_only_and_changes_nothing(path: Path) -> None:
    first = started(ProjectStore.open(path))
    first.wait(0.5)
    before = contents(path)
    second = started(ProjectStore.open_or_create(path, ["mug"], as_possible=True))
    second.thing = 1
    second.wait(1)
    assert second.view.banner is not None
    assert second.view.banner.label == "mug"
    assert "open in another edge-classifier" in second.view.hint
    for keys in ("1", "b", "3", "u"):
        second.type(*keys)
        second.wait(1)
        assert "read-only (it is open in another edge-classifier)" in message(second)
    assert second.view.cards[0].count == first.view.cards[0].count
    assert contents(path) == before
    first.tap("1")
    assert first.view.cards[0].count == second.view.cards[0].count + 1


def test_a_second_window_leaves_the_fine_tuning_of_the_first_alone(path: Path) -> None:
    with ProjectStore.open(path) as first, ProjectStore.open_as_possible(path) as second:
        at_work = new_folder(first.path)
        with pytest.raises(ProjectError, match="read-only"):
            fine_tune(second, BackboneChoice(), lambda _done, _what=None: None, lambda: False)
        assert at_work.exists()


def test_a_second_window_can_save_a_copy_to_go_on_in(path: Path, tmp_path: Path) -> None:
    with ProjectStore.open(path), ProjectStore.open_as_possible(path) as second:
        second.save_as(tmp_path / "copy")
        with ProjectStore.open(tmp_path / "copy") as copy:
            assert len(copy.samples()) == len(second.samples())


def test_settings_for_a_project_that_is_read_only_hold_for_this_time(path: Path) -> None:
    with ProjectStore.open(path), ProjectStore.open_as_possible(path) as second:
        assert project_head_settings(second, {"kind": "dense"}).kind == "dense"
        assert "head" not in second.settings


def test_classes_that_a_read_only_project_lacks_are_refused(path: Path) -> None:
    with ProjectStore.open(path), pytest.raises(ProjectError, match="read-only"):
        ProjectStore.open_or_create(path, ["mug", "tomato"], as_possible=True)


def test_a_project_that_may_not_be_written_opens_read_only_and_predicts(path: Path) -> None:
    with read_only(path):
        store = ProjectStore.open_or_create(path, as_possible=True)
        assert store.why_read_only == "its folder may not be written"
        live = started(store)
        live.thing = 2
        live.wait(1)
        assert live.view.banner is not None
        assert live.view.banner.label == "phone"
        live.tap("1")
        assert "read-only (its folder may not be written)" in message(live)
        live.type("t")
        live.wait(0.5)
        assert "trained" in live.view.activity.text
        live.close()


def test_a_folder_that_turns_read_only_loses_nothing_and_is_used_again_when_it_is_back(
    path: Path,
) -> None:
    live = started(ProjectStore.open(path))
    live.wait(0.2)
    live.hold("1", thing=1)
    counts = [card.count for card in live.view.cards]
    before = contents(path / "samples")
    with read_only(path):
        live.thing = 1
        live.tap("1")
        assert "the disk is read-only" in message(live)
        live.hold("2", thing=2)
        live.type("u")
        assert "Cannot" in message(live)
        live.type("down", "n", "tab", *"x", "enter")
        assert live.view.prompt is not None
        assert "the disk is read-only" in (live.view.prompt.error or "")
        live.type("escape", "x", "y")
        assert "the disk is read-only" in message(live)
        live.type("t")
        live.wait(0.5)
        assert live.view.image is not None
        assert live.view.image.shape == scene(1).shape
        assert [card.count for card in live.view.cards] == counts
        assert live.view.banner is not None
    assert contents(path / "samples") == before
    live.tap("1")
    live.type("u", "u")
    live.close()
    with ProjectStore.open(path) as again:
        assert again.class_names() == ("mug", "phone")
        assert again.samples()
        for sample in again.samples():
            read_image(sample.path)


def test_a_project_is_free_again_when_its_owner_was_killed(path: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", OWNER, str(path)], stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        owner.stdout.readline()
        with ProjectStore.open_as_possible(path) as second:
            assert second.why_read_only == "it is open in another edge-classifier"
        owner.kill()
        owner.wait()
    with ProjectStore.open_as_possible(path) as again:
        assert not again.read_only


@pytest.mark.window
def test_the_second_of_two_windows_says_on_the_terminal_that_it_is_read_only(
    path: Path, screen: str
) -> None:
    def window() -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "edge_classifier", "live", str(path), "--source", "demo"],
            env={**os.environ, "DISPLAY": screen},
            stderr=subprocess.PIPE,
            text=True,
        )

    with window() as first, window() as second:  # whichever of them is the first
        said = []
        for process in (first, second):
            assert process.stderr is not None
            said.append(process.stderr.readline())
        with pytest.raises(ProjectLockedError):
            ProjectStore.open(path)
        for process in (first, second):
            process.send_signal(signal.SIGINT)
            assert "Traceback" not in process.communicate(timeout=60)[1]
            assert process.returncode == 130
    assert sorted(said) == [
        f"Project: {path}\n",
        f"Project: {path} (read-only: it is open in another edge-classifier)\n",
    ]


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does."""
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "edge_classifier", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_while_a_window_is_open_what_writes_is_refused_and_what_reads_works(
    path: Path,
) -> None:
    pictures = path / "samples" / "mug"
    with ProjectStore.open(path):
        before = contents(path)
        for words in (("add", str(path), str(pictures), "--class", "mug"), ("train", str(path))):
            refused = command(*words)
            assert refused.returncode == 1
            assert refused.stderr.splitlines()[-1] == (
                f"edge-classifier: {path} is open in another edge-classifier; "
                "close that one and try again."
            )
        predicted = command("predict", str(path), str(pictures), "--csv")
        assert predicted.returncode == 0
        assert predicted.stdout.count(",mug,") == len(list(pictures.iterdir()))
        assert "read-only: it is open in another edge-classifier" in predicted.stderr
        evaluated = command("evaluate", str(path), str(path / "samples"), "--json")
        assert evaluated.returncode == 0, evaluated.stderr
        assert '"accuracy": 1.0' in evaluated.stdout
        assert contents(path) == before
