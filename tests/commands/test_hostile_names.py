"""No name of a project, a picture or a class can steer the terminal, whichever command says it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_classifier.commands.cli import COMMANDS, main
from edge_classifier.project.store import ProjectStore

if sys.platform == "win32":
    pytest.skip("such names cannot be made here", allow_module_level=True)

NAME = "pro\x1b[2J\nject \u202egpj\u200f\u200b"
ESCAPED = "pro\\x1b[2J\\nject \\u202egpj\\u200f\\u200b"


def only_plain(text: str) -> str:
    """Make sure that a text has no character that does more than being there."""
    assert not {"\x1b", "\u202e", "\u200f", "\u200b", "\r"} & set(text)
    assert not any(line.startswith("ject ") for line in text.splitlines())
    return text


@pytest.fixture
def project(taught_project: Path, tmp_path: Path) -> Path:
    """The taught project under a hostile name, with a hostile picture that cannot be read."""
    path = Path(shutil.copytree(taught_project, tmp_path / NAME))
    (path / "samples" / "ball" / f"{NAME}.jpg").write_bytes(b"no picture")
    return path


@pytest.mark.parametrize(
    "command", ["add", "adapt", "train", "evaluate", "predict", "export", "save"]
)
def test_what_is_said_of_a_project_is_escaped(
    command: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {
        "add": [str(project / "samples")],
        "adapt": [str(project / "samples")],
        "predict": [str(project / "samples")],
        "save": [str(project.with_name(f"{NAME} copy"))],
    }
    main([command, str(project), *words.get(command, [])])
    said = capsys.readouterr()
    assert ESCAPED in only_plain(said.out + said.err)


@pytest.mark.skipif(sys.platform == "darwin", reason="all names are text there")
def test_a_name_of_any_bytes_is_exported(taught_project: Path, tmp_path: Path) -> None:
    project = shutil.copytree(taught_project, tmp_path / os.fsdecode(b"pro\xffject"))
    bundle = tmp_path / os.fsdecode(b"bun\xffdle")
    words = [sys.executable, "-m", "edge_classifier", "export", str(project), "-o", str(bundle)]
    done = subprocess.run(words, capture_output=True, check=True)  # noqa: S603 - our own command
    assert b"The bundle is in " + os.fsencode(bundle) in done.stderr
    assert (bundle / "README.md").read_text(encoding="utf-8").startswith("# pro\\udcffject\n")


def test_what_evaluate_says_of_a_folder_is_escaped(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(project / "samples", tmp_path / f"{NAME} new"))
    main(["evaluate", str(project), str(folder)])
    said = capsys.readouterr()
    assert ESCAPED in only_plain(said.out)
    assert ESCAPED in only_plain(said.err)


@pytest.mark.parametrize("command", ["verify", "run"])
def test_what_is_said_of_a_folder_that_is_no_bundle_is_escaped(
    command: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(project)]) == 1
    assert ESCAPED in only_plain(capsys.readouterr().err)


def first_lines(*words: str, screen: str = "") -> str:
    """Run a command until it has named its project, then stop it; returns what it said."""
    environment = {name: os.environ[name] for name in os.environ if name != "WAYLAND_DISPLAY"}
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "edge_classifier", *words],
        env={**environment, "DISPLAY": screen},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if line.startswith("Project: "):
            break
    process.terminate()
    process.wait(60)
    process.stderr.close()
    return said


def test_what_demo_says_is_escaped(tmp_path: Path) -> None:
    said = first_lines("demo", str(tmp_path / NAME), "--no-window", "--backbone", "built-in")
    assert f"/{ESCAPED} (new)\n" in only_plain(said)


@pytest.mark.window
def test_what_live_says_is_escaped(project: Path, screen: str) -> None:
    said = first_lines("live", str(project), "--source", "demo", screen=screen)
    assert f"/{ESCAPED}\n" in only_plain(said)


def test_every_command_that_names_a_project_is_tried_here() -> None:
    tried = {"add", "adapt", "train", "evaluate", "predict", "export", "save"}
    tried |= {"verify", "run", "demo", "live"}
    assert tried == {*COMMANDS} - {"cameras", "fleet", "serve"}  # `serve` is `run`


def test_tables_are_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = next((Path(__file__).parent.parent / "screen" / "golden").glob("*.png"))
    folder = tmp_path / "pictures" / "[red] dog"
    folder.mkdir(parents=True)
    shutil.copy(picture, folder)
    main(["add", str(tmp_path / NAME), str(folder.parent)])
    said = capsys.readouterr()
    assert "[red] dog" in only_plain(said.out)
    assert ESCAPED in only_plain(said.err)
    with ProjectStore.open(tmp_path / NAME) as store:
        assert store.class_names() == ("[red] dog",)
