from __future__ import annotations

import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from support.live_session import LiveSession

from edge_classifier.commands import live
from edge_classifier.commands.cli import command_parser
from edge_classifier.commands.options import language_of_window
from edge_classifier.demo.camera import DemoCamera
from edge_classifier.device.sources.cameras import DEVICES
from edge_classifier.live.session import SessionSettings
from edge_classifier.live.view import Level
from edge_classifier.project.store import ProjectStore


@pytest.mark.skipif((DEVICES / "video0").exists(), reason="there is a camera here")
def test_why_there_is_no_camera_is_said_before_the_demo_takes_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ProjectStore.create(tmp_path / "p") as store:
        started = LiveSession(store, settings=SessionSettings(mirrored=True))
        _, open_source = live._source(Namespace(source=None, mirror=None), started.session)
        source = open_source()
        source.close()
        assert isinstance(source, DemoCamera)
        message = started.frame().message
        assert not started.view.mirrored, "a rendered scene is nobody's mirror"
        assert started.view.tag == "demo camera"
        assert message is not None
        assert (message.text, message.level) == (live.NO_CAMERA, Level.WARNING)
        started.close()
    said = capsys.readouterr().err
    assert live.NO_CAMERA in said
    assert "There is no camera 0" in said or "camera 0 cannot be opened" in said


def test_the_start_of_live_imports_what_it_needs_and_no_more() -> None:
    program = """
import sys
import edge_classifier.commands.live
rooms = ("edge_classifier.demo.", "edge_classifier.export.", "edge_classifier.api.")
late = [name for name in sys.modules if name.startswith(rooms)]
late += {"PIL", "rich", "tensorflow", "keras"} & set(sys.modules)
sys.exit(", ".join(late) or None)
"""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_a_demo_camera_that_was_asked_for_is_tagged_too(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "p") as store:
        started = LiveSession(store)
        assert started.view.tag == ""
        live._source(Namespace(source="demo"), started.session)
        assert started.frame().tag == "demo camera"
        started.close()


@pytest.mark.parametrize("command", ["live", "demo"])
def test_the_language_of_the_window_is_the_systems_or_the_one_asked_for(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    parser = command_parser(command)
    assert language_of_window(parser.parse_args([])).code == "fr"
    assert language_of_window(parser.parse_args(["--language", "de"])).code == "de"


@pytest.mark.parametrize("command", ["live", "demo"])
def test_a_language_that_there_is_not_is_told_with_those_that_there_are(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        command_parser(command).parse_args(["--language", "xx"])
    assert refused.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert all(code in said for code in ("xx", "en", "de", "fr"))
