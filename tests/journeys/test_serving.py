"""A bundle that serves: its own `classify.py`, and the command, as processes of their own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import cv2
import pytest
from support import exported_project
from support.exported_project import CLASSES
from support.live_stream import Stream
from support.reading import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PICTURE = cv2.imencode(".jpg", exported_project.picture(1, 50))[1].tobytes()


@contextmanager
def running(*command: str | Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run it until it says where it serves; gives that address and the process."""
    with subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, *map(str, command)], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            told = (line for line in process.stderr if line.startswith("Service: "))
            yield next(told).split()[1], process
        finally:
            process.kill()


def ask(url: str, body: bytes | None = None) -> Any:
    with urllib.request.urlopen(url, body, timeout=30) as response:  # noqa: S310 - our own server
        text = response.read().decode()
    return text if url.endswith("metrics") else json.loads(text)


def is_healthy(url: str) -> bool:
    try:
        return bool(ask(f"{url}healthz")["status"] == "ok")
    except urllib.error.HTTPError as error:
        error.close()
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="a signal ends a process at once there")
@pytest.mark.parametrize("by_command", [False, True], ids=["classify.py", "the command"])
def test_pictures_are_answered_without_a_camera_until_it_is_stopped(
    bundle: Path, *, by_command: bool
) -> None:
    command: list[str | Path] = ["-I", bundle / "classify.py"]
    if by_command:
        command = ["-m", "edge_classifier", "serve", bundle]
    with running(*command, "--no-camera", "--serve", "127.0.0.1:0") as (url, process):
        assert is_healthy(url)
        assert ask(f"{url}classify", PICTURE)["class_name"] == CLASSES[1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_pictures_are_answered_beside_a_camera(bundle: Path) -> None:
    stream = Stream()
    options = ("--serve", "127.0.0.1:0", "--no-window", "--quiet")
    try:
        with running("-I", bundle / "classify.py", stream.url, *options) as (url, _):
            wait_until(lambda: is_healthy(url))
            answers: list[str] = []

            def send() -> None:
                answers.extend(ask(f"{url}classify", PICTURE)["class_name"] for _ in range(10))

            threads = [threading.Thread(target=send) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
            assert answers == [CLASSES[1]] * 40
            assert ask(f"{url}answer")["source"] == stream.url
            assert f'{{source="sent",label="{CLASSES[1]}"}} 40\n' in ask(f"{url}metrics")
            stream.silent.set()
            wait_until(lambda: not is_healthy(url))
    finally:
        stream.close()
