"""Where `predict --heat` writes: never among what is learned from, or asked about next time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edge_classifier.commands.cli import main


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("project/samples/ball", "lies in the project"),
        ("project", "lies in the project"),
        ("asked", "lies where the pictures are"),
        ("asked/heat", "lies where the pictures are"),
        ("asked/one.jpg", "is a file"),
    ],
)
def test_a_folder_of_samples_or_of_the_pictures_asked_about_is_refused(
    where: str,
    reason: str,
    taught_project: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project = Path(shutil.copytree(taught_project, tmp_path / "project"))
    picture = next((project / "samples" / "ball").glob("*.jpg"))
    (tmp_path / "asked").mkdir()
    shutil.copy(picture, tmp_path / "asked" / "one.jpg")
    before = sorted(tmp_path.rglob("*"))
    words = [str(project), str(tmp_path / "asked"), "--heat", str(tmp_path / where)]
    assert main(["predict", *words]) == 1
    assert reason in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before
