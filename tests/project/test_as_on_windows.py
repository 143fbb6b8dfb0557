"""Windows, which cannot be run here: what it lacks is hidden, what it refuses is refused.

See `support/as_windows/sitecustomize.py`. It stands for Windows as far as its documentation goes;
nothing here was ever tried on Windows itself.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.picture_files import write_pictures

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks at /proc")

WAY = """
import json, sys
from pathlib import Path

from edge_classifier.commands.cli import main
from edge_classifier.errors import ProjectLockedError, WeightsMismatchError
from edge_classifier.export.bundle import new_bundle
from edge_classifier.features.extractors import obtain_extractor
from edge_classifier.features.weights import Weights
from edge_classifier.project import files
from edge_classifier.project.store import ProjectStore

assert hasattr(files, "msvcrt") and not hasattr(files, "fcntl")
folder = Path(sys.argv[1])
project, bundle = folder / "project", folder / "bundle"

def command(*words):
    assert main([str(word) for word in words]) == 0, words

command("add", project, folder / "pictures")
command("train", project)
command("evaluate", project, "--report", folder / "report.html")
command("predict", project, folder / "pictures")
command("export", project, "-o", bundle)
command("verify", bundle)
command("run", bundle, folder / "pictures" / "mug" / "0.jpg")
with new_bundle(bundle) as replacing:
    (replacing / "new").touch()
assert (bundle / "new").exists()
with ProjectStore.open(project) as store:
    try:
        ProjectStore.open(project)
    except ProjectLockedError:
        print("locked")
    burst = store.samples()[0].burst_id
    store.put_back(store.remove_burst(burst))
    store.rename_class("mug", "Mug")
    store.put_back(store.remove_class("Mug"))
    store.save_as(folder / "copy")
with ProjectStore.open(folder / "copy") as store:
    print(json.dumps([store.class_names(), len(store.samples())]))
damaged = folder / "damaged.h5"
damaged.write_bytes(b"\\x89HDF\\r\\n\\x1a\\n" + bytes(1000))
try:
    obtain_extractor(
        "v1-0.25", Weights(damaged, "0" * 64), folder=folder / "extractors",
        progress=lambda *_: None, cancelled=lambda: False,
    )
except WeightsMismatchError:
    print("refused by a child")
"""

NAMES = """
import json, sys
from pathlib import Path

from edge_classifier.errors import InvalidClassNameError
from edge_classifier.project.picture_file import encode_file
from edge_classifier.project.store import ProjectStore

folder = Path(sys.argv[1])
encoded = encode_file((folder / "picture.jpg").read_bytes(), "picture.jpg")
with ProjectStore.create(folder / "project", ["first"]) as store:
    for name in json.loads((folder / "names.json").read_text("utf-8")):
        try:
            class_name = store.add_class(name)
        except InvalidClassNameError:
            continue
        for held_out in (False, True):
            store.add_sample(encoded, class_name, store.next_burst_id(), held_out=held_out)
        try:
            class_name = store.rename_class(class_name, class_name.swapcase())
        except InvalidClassNameError:
            pass
        store.put_back(store.remove_class(class_name))
    store.save_as(folder / "copy")
    print(len(store.class_names()))
"""


def run_as_on_windows(program: str, folder: Path) -> list[str]:
    """Run a program that makes files in a folder and give the lines that it prints."""
    traps = Path(__file__).resolve().parents[1] / "support" / "as_windows"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(traps), os.environ.get("PYTHONPATH", "")]),
        "AS_WINDOWS_FOLDER": str(folder),
        "PYTHONWARNDEFAULTENCODING": "1",
        "PYTHONIOENCODING": "cp1252",  # of a pipe there
    }
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", program, str(folder)],
        check=False,
        capture_output=True,
        env=environment,
        cwd=folder,
    )
    complaint = done.stderr.decode("cp1252", "replace")
    assert done.returncode == 0, complaint
    assert "Traceback" not in complaint
    return done.stdout.decode("cp1252").splitlines()


def test_the_way_from_pictures_to_a_bundle_meets_nothing_that_windows_lacks_or_refuses(
    tmp_path: Path,
) -> None:
    write_pictures(
        tmp_path / "pictures", *(f"{c}/{n}.jpg" for c in ("mug", "杯子") for n in range(4))
    )
    lines = run_as_on_windows(WAY, tmp_path)
    assert "locked" in lines
    assert json.dumps([["Mug", "杯子"], 8]) in lines
    assert "refused by a child" in lines
    assert (tmp_path / "report.html").exists()


def test_no_folder_and_no_file_is_made_under_a_name_that_windows_refuses(tmp_path: Path) -> None:
    write_pictures(tmp_path, "picture.jpg")
    devices = ["CON", "prn", "Aux", "NUL", "com1", "COM¹", "lpt9", "LPT³", "CONIN$", "conout$"]
    words = ["mug", "Mug", "tasse à café", "杯子", "straße", "STRASSE", "ǆ", *devices]
    ends = ["", ".", " ", "..", ". ", ".txt", " .txt", "\u00a0", *'<>:"/\\|?*\x00\x1f\x7f']
    names = [
        f"{start}{word}{end}" for start, word, end in itertools.product(["", " ", "."], words, ends)
    ]
    names += ["", " ", ".", "..", "...", "~", "%", "x" * 101, "x" * 300, "é" * 250, "👩" * 60]
    (tmp_path / "names.json").write_text(json.dumps(names), encoding="utf-8")
    (count,) = run_as_on_windows(NAMES, tmp_path)
    assert int(count) > 10
