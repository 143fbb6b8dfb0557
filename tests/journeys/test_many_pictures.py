"""The programs that docs/many-pictures.md shows do what it says."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.disks import BLUE, RED, pictures

from edge_classifier import ImageClassifier
from edge_classifier.project.picture_file import encode_image

PAGE = Path(__file__).parents[2] / "docs" / "many-pictures.md"
PROGRAMS = {
    name: code
    for code, name in re.findall(
        r"^```python\n(# many_(\w+)\.py\n.*?)^```$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
}
NEEDED = {"dask": "distributed"}
MOST_CORES = 2  # each has its worker, which takes a second to start


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some hundred pictures, one of which is broken, and a classifier."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "pictures").mkdir()
    for n, image in enumerate(pictures(RED, 150, seed=1) + pictures(BLUE, 150, seed=2)):
        jpeg = encode_image(np.ascontiguousarray(image[..., ::-1])).data
        (folder / "pictures" / f"{n:03}.jpg").write_bytes(jpeg)
    (folder / "pictures" / "170.jpg").write_bytes(b"nothing")
    images, labels = pictures(RED) + pictures(BLUE), ["red"] * 6 + ["blue"] * 6
    ImageClassifier("built-in").fit(images, labels).save(folder / "classifier.npz")
    return folder


@pytest.fixture(scope="module")
def expected(folder: Path) -> list[str]:
    """What this process says of the pictures that are not broken, line by line."""
    classifier = ImageClassifier.load(folder / "classifier.npz")
    paths = [p for p in sorted((folder / "pictures").iterdir()) if p.name != "170.jpg"]
    return [
        f"{path}\t{answer.label}\t{answer.confidence}"
        for path, answer in zip(paths, classifier.predictions(paths), strict=True)
    ]


@pytest.mark.parametrize("name", PROGRAMS)
def test_workers_answer_as_this_process_does_in_order_and_name_what_is_broken(
    name: str, folder: Path, expected: list[str], tmp_path: Path
) -> None:
    if importlib.util.find_spec(NEEDED.get(name, name)) is None:
        pytest.skip(f"{name} is not installed (pip install 'edge-classifier[{name}]')")
    program = tmp_path / f"many_{name}.py"
    program.write_text(PROGRAMS[name], encoding="utf-8")
    said = on_few_cores([sys.executable, str(program), "classifier.npz", "pictures"], folder)
    assert said.returncode == 0, said.stderr
    assert [str(folder / line) for line in said.stdout.splitlines()] == expected
    (refused,) = re.findall(r"^pictures.*$", said.stderr, re.MULTILINE)
    path = os.path.join("pictures", "170.jpg")  # noqa: PTH118 - as it is printed
    assert refused.startswith(f"{path}\t{path} is not a picture that can be read")


def on_few_cores(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    if sys.platform != "linux":
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:MOST_CORES])
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    finally:
        os.sched_setaffinity(0, allowed)


def test_joblib_dask_and_ray_are_shown() -> None:
    assert list(PROGRAMS) == ["joblib", "dask", "ray"]
