"""A file that is written takes the place of a file, and of nothing else."""

from __future__ import annotations

import os
import socket
import stat
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.mounts import named_pipe

from edge_classifier.commands.cli import main
from edge_classifier.device.adaptation_state import AdaptationState
from edge_classifier.device.files import write_atomic
from edge_classifier.screen.recording import VideoRecorder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _folder(path: Path) -> None:
    path.mkdir()


def _link_to_a_pipe(path: Path) -> None:
    named_pipe(path.with_name("pipe"))
    path.symlink_to(path.with_name("pipe"))


SPECIAL = [_folder]
if sys.platform != "win32":

    def _socket(path: Path) -> None:
        with closing(socket.socket(socket.AF_UNIX)) as opened:
            opened.bind(str(path))

    SPECIAL += [named_pipe, _socket, _link_to_a_pipe]


@pytest.fixture(params=SPECIAL, ids=lambda make: make.__name__.strip("_"))
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    make: Callable[[Path], None] = request.param
    make(tmp_path / "special")
    return tmp_path / "special"


def test_what_is_no_file_is_left_where_it_is(special: Path) -> None:
    before = special.lstat(), sorted(special.parent.iterdir())
    with pytest.raises(OSError, match="it is not a regular file") as caught:
        write_atomic(special, b"content")
    assert caught.value.filename == str(special)
    assert (special.lstat(), sorted(special.parent.iterdir())) == before


def test_a_recording_begins_only_where_it_can_end(special: Path) -> None:
    with pytest.raises(OSError, match="it is not a regular file"):
        VideoRecorder(special, 30)


def test_a_file_or_nothing_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"one", b"two"):
        write_atomic(path, content)
        assert path.read_bytes() == content


def test_not_even_the_administrator_loses_a_device(
    taught_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if sys.platform == "win32":
        pytest.skip("devices are no files there")
    device = tmp_path / "null"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("needs the right to make a device")
    assert main(["evaluate", str(taught_project), "--report", str(device)]) == 1
    assert device.is_char_device()
    assert f"Cannot write {device}: it is not a regular file" in capsys.readouterr().err


def test_a_device_that_cannot_keep_what_it_adapted_to_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "adaptation-state.npz").mkdir()
    state = AdaptationState(tmp_path, "key")
    state.save(np.zeros((1, 2), np.float32), np.zeros(1, np.int64))
    assert "cannot be written (it is not a regular file)" in capsys.readouterr().err
