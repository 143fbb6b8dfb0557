"""An installation without TensorFlow, as on a Raspberry Pi: what works, and what says why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import networks
from support.exported_project import CLASSES, picture

from edge_classifier.features.catalogue import official
from edge_classifier.features.weights import CacheFolders
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

HIDING = Path(__file__).resolve().parents[1] / "support" / "without_tensorflow"
OFFICIAL = official("v1-0.25")  # whose weights are pinned by their SHA-256

COMMANDS = """
import json, sys
from pathlib import Path
from edge_classifier import ImageClassifier
from edge_classifier.commands.cli import main

def load_in_python(project):
    # by the API, from a file of its own too
    classifier = ImageClassifier.load(project)
    classifier.save("saved.npz")
    picture = next(Path("pictures").rglob("*.jpg"))
    assert ImageClassifier.load("saved.npz").predict([picture]) == classifier.predict([picture])
    return 0

for words in json.loads(sys.argv[1]):
    code = load_in_python(*words[1:]) if words[0] == "load" else main(words)
    print(words[0], "ended with", code, file=sys.stderr)
"""
"""Several commands in one process: most of a command's time is importing."""


def run(folder: Path, *commands: str) -> list[str]:
    """Run commands as where TensorFlow is not installed; returns what they tell the user."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HIDING), os.environ.get("PYTHONPATH", "")]),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "KERAS_HOME": str(folder / "cache"),
    }
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", COMMANDS, json.dumps([words.split() for words in commands])],
        check=False,
        capture_output=True,
        env=environment,
        cwd=folder,
        encoding="utf-8",
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with pictures in it."""
    for class_id in range(len(CLASSES)):
        for number in range(6):
            path = tmp_path / "pictures" / f"thing {class_id}" / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_image(picture(class_id, number)).data)
    return tmp_path


@pytest.mark.slow
def test_everything_but_fine_tuning_and_compiling_works(folder: Path) -> None:
    commands = (
        "add mugs pictures",
        "train mugs --bursts single",
        "evaluate mugs",
        "adapt mugs pictures",
        "predict mugs pictures",
        "export mugs --format all",
        "verify mugs-bundle mugs",
        "run mugs-bundle pictures",
        "save mugs copy --portable",
    )
    told = run(folder, *commands)
    assert [line for line in told if "ended with" in line] == [
        f"{words.split()[0]} ended with 0" for words in commands
    ]
    assert "backbone: built-in, as without TensorFlow no other can be compiled" in told


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("train mugs --fine-tune", "Fine-tuning"),
        ("train mugs --backbone v2-0.35", "Compiling v2-0.35"),
        ("train mugs --backbone v1-0.25 --weights mine.h5", "Compiling v1-0.25"),
        ("export mugs --format keras", "Exporting keras"),
    ],
)
def test_what_needs_tensorflow_says_so_in_one_line_before_any_work(
    folder: Path, command: str, what: str
) -> None:
    (folder / "mine.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    *_, line, end = run(folder, "add mugs pictures", command)
    assert end == f"{command.split(maxsplit=1)[0]} ended with 1"
    assert line.startswith(f"edge-classifier: {what} needs TensorFlow, which is not installed")
    assert "pip install 'edge-classifier[tensorflow]'" in line
    assert not (folder / "mugs" / "backbone").exists()


@pytest.fixture
def compiled(folder: Path) -> Path:
    """Give the compiled network of a project `mugs`, which began with weights of somebody's own."""
    info = OFFICIAL.info("pooled", "ab" * 32)
    caches = CacheFolders(folder / "cache" / "edge-classifier", folder / "cache")
    network = networks.averaging_and_mixing(256)
    with ProjectStore.create(folder / "mugs") as store:
        store.set_backbone(info)
    return networks.keep_compiled(network, info.name, info.weights_sha256, caches)


@pytest.mark.slow
@pytest.mark.usefixtures("compiled")
def test_what_was_compiled_of_a_projects_weights_is_enough(folder: Path) -> None:
    commands = (
        "add mugs pictures",
        "train mugs --bursts single",
        "load mugs",
        "export mugs",
        "save mugs copy --portable",
    )
    told = run(folder, *commands)
    assert [line.split()[-1] for line in told if "ended with" in line] == [*"00000"]


def test_what_was_compiled_and_is_damaged_is_one_line_that_says_what_to_do(
    folder: Path, compiled: Path
) -> None:
    compiled.write_bytes(b"half")
    line, end = run(folder, "train mugs")
    assert end == "train ended with 1"
    assert line.startswith(f"edge-classifier: {compiled} is damaged: delete it")
    assert "a copy of the project" in line


@pytest.mark.slow
def test_a_portable_copy_is_taught_on_where_its_network_was_never_compiled(folder: Path) -> None:
    assert OFFICIAL.sha256 is not None
    cached = networks.keep_compiled(
        networks.averaging_and_mixing(256),
        OFFICIAL.name,
        OFFICIAL.sha256,
        CacheFolders(folder / "cache" / "edge-classifier", folder / "cache"),
    )
    train = "train mugs --bursts single"
    told = run(folder, "add mugs pictures", f"{train} --backbone {OFFICIAL.name}", "save mugs copy")
    assert told[-1] == "save ended with 0"
    cached.unlink()
    commands = (
        "train copy",
        "predict copy pictures",
        "load copy",
        "export copy",
        "verify copy-bundle copy",
        "save copy another --portable",
        "predict another pictures",
        train,
    )
    told = run(folder, *commands)
    assert [line.split()[-1] for line in told if "ended with" in line] == [*"0000000", "1"]
    assert f"backbone: {OFFICIAL.name}, as before" in told
    assert "goes on here as a copy of key S" in told[-2]
