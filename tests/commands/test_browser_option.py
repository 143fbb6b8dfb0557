"""`live --browser`: what it refuses, in one line each, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.visiting import wait_until

from edge_classifier.commands.cli import main


def read_qr_code(said: str) -> str:
    """Read what the lines of a terminal show, as a phone does: two modules in a character."""
    lines = [line for line in said.splitlines() if line and set(line) <= set("█▀▄ ")]
    rows = [[255 * (c in light) for c in line] for line in lines for light in ("█▀", "█▄")]
    modules = np.pad(np.array(rows[: len(lines[0])], np.uint8), 4, constant_values=255)
    text: str = cv2.QRCodeDetector().detectAndDecode(modules.repeat(8, 0).repeat(8, 1))[0]
    return text


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--source", "browser"], "--source browser needs a page: add --browser."),
        (["--https"], "--https is for the page: add --browser."),
        (["--browser", "mugs"], "--browser mugs: expected HOST:PORT, like 127.0.0.1:8080."),
        (["--browser", "--https", "no.pem"], "--https: there is no file no.pem."),
    ],
)
def test_options_that_make_no_sense_are_refused_before_a_project_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], line: str
) -> None:
    assert main(["live", str(tmp_path / "p"), *options]) == 2
    assert capsys.readouterr().err == f"edge-classifier: {line}\n"
    assert not (tmp_path / "p").exists()


def test_a_port_that_is_taken_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["live", str(tmp_path / "p"), "--browser", address]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"edge-classifier: --browser {address} cannot be used (")
    assert said.endswith("; choose another port.\n")
    assert said.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")
def test_ctrl_c_ends_the_session_and_the_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edge_classifier", "live", str(tmp_path / "p")]
    command += ["--source", "demo", "--backbone", "built-in", "--browser", "0.0.0.0:0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own interpreter
        assert process.stderr is not None
        address = process.stderr.readline().removeprefix("Page: ").rstrip()
        assert "/?token=" in address
        assert "can teach" in process.stderr.readline()
        wait_until((tmp_path / "p" / "project.json").exists)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(20) == 130
    assert "Traceback" not in said
    assert said.rstrip().endswith("the same command goes on.")
    assert read_qr_code(said) == address
