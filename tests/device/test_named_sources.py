"""What a user names as a source: its name, and one line where it cannot be opened."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from support.captures import GREY, write_video
from support.mounts import named_pipe

from edge_classifier.device.sources.named import open_source, source_name
from edge_classifier.errors import CameraNotFoundError

if TYPE_CHECKING:
    from pathlib import Path


def make_bad_files(folder: Path) -> None:
    (folder / "empty.avi").touch()
    (folder / "text.avi").write_text("this is no video\n", encoding="utf-8")
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(20_000))
    (folder / "folder").mkdir()
    cv2.imwrite(str(folder / "picture.png"), GREY)
    whole = write_video(folder / "whole.avi").read_bytes()
    (folder / "cut.avi").write_bytes(whole[:200])
    named_pipe(folder / "pipe")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("missing.avi", "There is no file"),
        ("folder", "is a folder"),
        ("empty.avi", "is empty"),
        ("text.avi", "is not a video that can be played"),
        ("noise.mp4", "is not a video that can be played"),
        ("cut.avi", "is not a video that can be played"),
        ("picture.png", "is a picture; a source is a video"),
        ("pipe", "is neither a video file nor a camera"),
        ("", "No source is named"),
        ("x" * 5000, "There is no file"),
        ("nul\0byte.avi", "There is no file"),
        ("~nobody-of-this-name/clip.avi", "There is no file"),
        ("two\nlines", "There is no file"),
        ("99999999999999", "There is no file"),
        ("-1", "There is no file"),
        ("/dev/null", "/dev/null cannot be opened"),
        ("gopher://host/clip", "gopher:// is no kind of address"),
        ("file:///etc/passwd", "file:// is no kind of address"),
    ],
)
def test_a_source_that_cannot_be_opened_is_one_clear_line(
    spec: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bad_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CameraNotFoundError, match=message) as caught:
        open_source(spec)
    assert "\n" not in str(caught.value)


def test_an_address_that_answers_nothing_is_given_up_within_5_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started_s = time.monotonic()
        with pytest.raises(CameraNotFoundError, match="check the address"):
            open_source(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live")
        assert time.monotonic() - started_s <= 5


def test_a_refused_address_is_said_without_its_password() -> None:
    with socket.socket() as taken:  # bound and not listening: a connection is refused
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CameraNotFoundError) as caught:
            open_source(f"http://user:secret@{address}/live?token=secret")
    assert f"http://{address}/live gives no video" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_opencv_and_ffmpeg_say_nothing_on_the_users_terminal(tmp_path: Path) -> None:
    make_bad_files(tmp_path)
    program = (
        "import sys\n"
        "from edge_classifier.device.sources.cameras import list_cameras\n"
        "from edge_classifier.device.sources.named import open_source\n"
        "from edge_classifier.errors import CameraNotFoundError\n"
        "for spec in sys.argv[1:]:\n"
        "    try:\n"
        "        list(open_source(spec, paced=False))\n"
        "    except CameraNotFoundError:\n"
        "        pass\n"
        "list_cameras()\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENCV_")}
    bad = ["cut.avi", "noise.mp4", "text.avi", "/dev/null", "http://127.0.0.1:9/x"]
    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, *bad],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert (result.stdout, result.stderr) == ("", "")


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("0", "camera 0"),
        (" 12 ", "camera 12"),
        ("/dev/video0", "/dev/video0"),
        ("picamera", "the Pi camera"),
        ("some/clip.avi", "clip.avi"),
        ("tasse à café.avi", "tasse à café.avi"),
        ("a\nb.avi", r"a\nb.avi"),
        ("rtsp://me:secret@host:554/live?key=secret", "rtsp://host:554/live"),
        ("http://[broken", "the address"),
    ],
)
def test_a_source_has_a_short_name_for_the_user(spec: str, name: str) -> None:
    assert source_name(spec) == name
