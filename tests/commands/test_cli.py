from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_classifier import __version__
from edge_classifier.commands.cli import (
    COMMANDS,
    command_parser,
    explain_import_error,
    main,
    opencv_problem,
)
from edge_classifier.project.store import ProjectStore


def command(*words: str, screen: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, in a process of its own."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    if screen:
        environment["DISPLAY"] = screen
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "edge_classifier", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def complaint(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a failed command said."""
    lines = [
        line
        for line in result.stderr.splitlines()
        if line.startswith("edge-classifier: ") or "Error" in line or "Traceback" in line
    ]
    assert result.returncode == 1, result.stderr
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    assert name in command_parser(name).format_help()


def test_without_a_command_it_says_the_three_that_one_needs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    commands = [line.split()[1] for line in said.splitlines() if line.startswith("  edge-")]
    assert commands == ["live", "export", "run"]
    assert set(commands) < set(COMMANDS)


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert __version__ in capsys.readouterr().out


def test_an_unknown_command_is_refused() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["classify-all-the-things"])


def test_live_without_a_screen_but_with_a_source_says_what_is_missing(tmp_path: Path) -> None:
    result = command("live", str(tmp_path / "p"), "--source", "demo")
    assert "screen" in complaint(result)
    assert not (tmp_path / "p").exists()


@pytest.mark.window
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--source", "nowhere.mp4"), "nowhere.mp4"),
        (("--source", "99"), "camera 99"),
        (("--source", "demo", "--classes", "../../x"), "../../x"),
        (("--source", "demo", "--classes", "Mug", "mug"), "differ"),
        (("--source", "demo", "--classes", "n" * 300), "300 characters"),
        (("--source", "demo", "--classes", ""), "empty"),
    ],
)
def test_bad_input_gets_one_line(
    words: tuple[str, ...], said: str, screen: str, tmp_path: Path
) -> None:
    assert said in complaint(command("live", str(tmp_path / "p"), *words, screen=screen))
    if "99" not in words:  # whether there is such a camera shows when it is opened
        assert not (tmp_path / "p").exists()


@pytest.mark.window
def test_a_folder_that_holds_something_else_is_left_alone(screen: str, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    result = command("live", str(tmp_path), "--source", "demo", screen=screen)
    assert str(tmp_path) in complaint(result)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.window
def test_a_damaged_project_file_is_named(screen: str, tmp_path: Path) -> None:
    ProjectStore.create(tmp_path / "p").close()
    (tmp_path / "p" / "project.json").write_text("{")
    result = command("live", str(tmp_path / "p"), "--source", "demo", screen=screen)
    assert "project.json" in complaint(result)


@pytest.mark.parametrize("name", ["verify", "run"])
def test_what_is_no_bundle_is_told_apart(name: str, tmp_path: Path) -> None:
    ProjectStore.create(tmp_path / "project").close()
    (tmp_path / "photos").mkdir()
    for folder, said in (
        ("nosuch", "There is no bundle at"),
        ("project", "is a project, not a bundle"),
        ("photos", "there is no spec.json in it"),
    ):
        assert said in complaint(command(name, str(tmp_path / folder)))


def test_cameras_says_what_to_do_where_there_is_none() -> None:
    if list(Path("/dev").glob("video*")):
        pytest.skip("there is a camera here")
    result = command("cameras")
    assert result.returncode == 1
    assert "--source demo" in result.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names libraries of Linux")
def test_missing_system_libraries_are_one_line_with_the_command_that_installs_them() -> None:
    reason = "libGL.so.1: cannot open shared object file: No such file or directory"
    line = explain_import_error(reason)
    assert "libGL.so.1" in line
    assert line.endswith("sudo apt install libgl1 libglib2.0-0")
    assert "\n" not in line


def test_another_import_error_of_opencv_is_quoted() -> None:
    said = explain_import_error("numpy.core.multiarray failed to import")
    assert "numpy.core.multiarray failed" in said


def test_where_opencv_works_there_is_no_problem() -> None:
    assert opencv_problem() is None


def test_the_command_line_looks_for_opencv_before_anything_imports_it() -> None:
    program = "import sys, edge_classifier.commands.cli; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603 - our own interpreter
