"""What several tests share."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from support import exported_project
from support.live_session import close_all
from support.once import copy_of_what_is_made_once
from support.picamera import PICAMERA2
from support.screen import NoVirtualScreenError, virtual_screen

from edge_classifier.commands.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator


# What was tried fails again the next time, on any machine and however slow that is; to look for
# other inputs: pytest --hypothesis-profile=default, and tools/fuzzing.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Run files that are named in this process, which starts sooner; all else on all cores.

    With two workers more than cores, since tests wait: for the disk, cameras, children, deadlines.
    """
    if all(Path(argument.partition("::")[0]).is_file() for argument in config.args):
        return 0
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None  # which pytest-xdist knows
    affinity = getattr(os, "sched_getaffinity", None)
    return 2 + (len(affinity(0)) if affinity else os.cpu_count() or 1)


def pytest_handlecrashitem(crashitem: str) -> None:
    """End the run where a worker has died: pytest-xdist waits for ever for what it had to do."""
    pytest.exit(f"A worker died in {crashitem}.", returncode=pytest.ExitCode.INTERNAL_ERROR)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no worker is left with one in the end."""
    slow = {
        item.path
        for item in items
        for _ in (*item.iter_markers("slow"), *item.iter_markers("long"))
    }
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True, scope="session")
def _own_user_data(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what tests open out of their user's list of projects, in child processes too."""
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("user-data"))


@pytest.fixture(autouse=True)
def _close_sessions() -> Iterator[None]:
    yield
    close_all()


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    """Start a virtual screen and give what belongs into `DISPLAY`."""
    if shutil.which("xdotool") is None:
        pytest.skip("xdotool is not installed (apt install xvfb xdotool)")
    try:
        with virtual_screen() as display:
            yield display
    except NoVirtualScreenError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def taught_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on the built-in backbone with three classes and a trained model."""

    def make(path: Path) -> None:
        exported_project.teach(path).store.close()

    return copy_of_what_is_made_once(tmp_path_factory, "things", make)


@pytest.fixture(scope="session")
def bundle(taught_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that can be exported from that project; converted once for all tests."""

    def make(path: Path) -> None:
        assert main(["export", str(taught_project), "--format", "all", "-o", str(path)]) == 0

    return copy_of_what_is_made_once(tmp_path_factory, "things-bundle", make)


@pytest.fixture(scope="session")
def fine_tuned(taught_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That project with its backbone fine-tuned, and a model on it; no test changes it."""

    def make(path: Path) -> None:
        shutil.copytree(taught_project, path)
        assert main(["train", str(path), "--fine-tune"]) == 0

    return copy_of_what_is_made_once(tmp_path_factory, "fine-tuned", make)


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    """A bundle of one's own, to be damaged, or for what is written beside its files."""
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


@pytest.fixture
def half_dark(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A camera whose right half is dark."""
    monkeypatch.syspath_prepend(PICAMERA2)
    monkeypatch.setenv("PICAMERA2_BRIGHT_LEFT", "1")
    yield
    sys.modules.pop("picamera2", None)
