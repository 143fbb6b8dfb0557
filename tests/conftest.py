"""What several tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from support import exported_project
from support.live_session import close_all

from edge_classifier.commands.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# What was tried fails again the next time, on any machine and however slow that is; to look for
# other inputs: pytest --hypothesis-profile=default, and tools/fuzzing.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _close_sessions() -> Iterator[None]:
    yield
    close_all()


@pytest.fixture(scope="session")
def screen() -> Iterator[str]:
    """Start a virtual screen and give what belongs into `DISPLAY`."""
    missing = [tool for tool in ("Xvfb", "xdotool") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed (apt install xvfb xdotool)")
    readable, writable = os.pipe()
    # The server takes a free number itself and writes it once it accepts connections.
    server = subprocess.Popen(  # noqa: S603 - a fixed program
        ["Xvfb", "-displayfd", str(writable), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],  # noqa: S607 - found on the PATH like any user's
        pass_fds=(writable,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writable)
    with os.fdopen(readable) as answer:
        number = answer.readline().strip()
    if not number:
        server.wait(10)
        pytest.skip("Xvfb does not start here")
    yield f":{number}"
    server.terminate()
    server.wait(10)


@pytest.fixture(scope="session")
def taught_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on the built-in backbone with three classes and a trained model."""
    path = tmp_path_factory.mktemp("taught") / "things"
    exported_project.teach(path).store.close()
    return path


@pytest.fixture(scope="session")
def bundle(taught_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that can be exported from that project; converted once for all tests."""
    folder = tmp_path_factory.mktemp("exported") / "things-bundle"
    assert main(["export", str(taught_project), "--format", "all", "-o", str(folder)]) == 0
    return folder
