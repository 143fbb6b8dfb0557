"""What becomes of files as people have them, by the real commands.

    python tools check_cases                   # every case of $EDGE_CLASSIFIER_SHARED/cases
    python tools check_cases split-names ...   # some

Each case is a folder there that writes its input with `make.py OUT` or `make.sh OUT`; a function
here of its name, with `_` for `-`, says what is right. It says of each part: right; told, where
less was done than is right, and a line names what is missing; or WRONG, as is a case without a
function. Exit code: 1 if any is WRONG.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
import unicodedata
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import cv2
import numpy as np

from edge_classifier.commands.console import table
from edge_classifier.device.sources.pictures import PictureFiles
from edge_classifier.errors import InvalidImageError
from edge_classifier.project.folder import HELD_OUT, SAMPLES
from edge_classifier.project.picture_file import read_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT: Final = Path(__file__).resolve().parents[1]
CASES: Final = Path(os.environ.get("EDGE_CLASSIFIER_SHARED", "../shared")).resolve() / "cases"
_SECONDS: Final = 120
_MOST_CPU_S: Final = 5.0
_DARK: Final = 60
_LONGEST: Final = 60

Classes: TypeAlias = "dict[str, tuple[int, int]]"
"""Pictures to train on and held-out ones, by class."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a command ended.

    Attributes:
        classes: What is in the project that it wrote, or empty.
    """

    status: int
    output: str
    classes: Classes


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one part of a case: `verdict` is "right", "told" or "WRONG"."""

    part: str
    verdict: str
    came: str


@dataclass(frozen=True, slots=True)
class Case:
    """A case's input, and a folder for what commands make of it."""

    files: Path
    scratch: Path

    def run(self, *words: str | Path, project: Path | None = None, **environment: str) -> Run:
        """Run `edge-classifier` with these words."""
        done = self.python("-m", "edge_classifier", *words, **environment)
        return replace(done, classes=classes_in(project) if project else {})

    def python(self, *words: str | Path, **environment: str) -> Run:
        """Run Python with these words."""
        try:
            done = subprocess.run(  # noqa: S603 - our own programs
                [sys.executable, *map(str, words)],
                check=False,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, **environment},
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return Run(-1, f"Traceback: longer than {_SECONDS} s", {})
        return Run(done.returncode, done.stdout, {})

    def add(self, *words: str | Path) -> Run:
        """Add paths, and options, to a new project."""
        project = Path(tempfile.mkdtemp(dir=self.scratch)) / "project"
        return self.run("add", project, *words, project=project)

    def bundle(self) -> Path:
        """Export a bundle of two classes of drawn pictures."""
        project, bundle = self.scratch / "taught", self.scratch / "bundle"
        for name, colour in (("red", (40, 60, 220)), ("green", (60, 200, 60))):
            (self.scratch / "drawn" / name).mkdir(parents=True)
            for number in range(4):
                image = np.full((240, 320, 3), 60 + number, np.uint8)
                cv2.circle(image, (120 + 20 * number, 120), 60, colour, cv2.FILLED)
                cv2.imwrite(str(self.scratch / "drawn" / name / f"{number}.png"), image)
        self.run("add", project, self.scratch / "drawn")
        self.run("train", project, "--backbone", "built-in")
        self.run("export", project, "-o", bundle)
        return bundle

    def added(self, part: str, right: Mapping[str, tuple[int, int]]) -> Row:
        """Add a part of the input, and compare the classes with what is right."""
        return judged(part, self.add(self.files / part), right)

    def refused(self, part: str, named: str) -> Row:
        """Add a part of which nothing can be taken, which a line has to name."""
        return judged(part, self.add(self.files / part), {named: (1, 0)}, missing=named)


def classes_in(project: Path) -> Classes:
    """Count a project's pictures."""
    found: Classes = {}
    for held_out, folder in enumerate((SAMPLES, HELD_OUT)):
        for path in (project / folder).glob("*/*"):
            name = unicodedata.normalize("NFC", path.parent.name)
            trained, tested = found.get(name, (0, 0))
            found[name] = (trained + (not held_out), tested + held_out)
    return dict(sorted(found.items()))


def judged(part: str, run: Run, right: Mapping[str, tuple[int, int]], *, missing: str = "") -> Row:
    """Compare what was added with what is right.

    Less than that is told where a line names what is missing; where nothing may be, name nothing.
    """
    came = ", ".join(f"{name} {a}+{b}" for name, (a, b) in run.classes.items()) or "nothing"
    less = all(
        a <= right.get(name, (0, 0))[0] and b <= right.get(name, (0, 0))[1]
        for name, (a, b) in run.classes.items()
    )
    said = [
        line
        for line in run.output.splitlines()
        if line.startswith(("refused:", "Note:")) and missing and missing in line
    ]
    if "Traceback" in run.output:
        return Row(part, "WRONG", "a traceback")
    if run.classes == dict(sorted(right.items())):
        return Row(part, "right", came)
    if less and said and run.status:
        return Row(part, "told", f"{came}; {' '.join(said)}")
    return Row(part, "WRONG", f"{came}; {run.output.strip()}")


def split_names(case: Case) -> Iterator[Row]:
    """Splits are held out, whatever word they are called by, together and alone."""
    for part in ("set", "seg", "images", "data", "dev", "rps"):
        yield case.added(part, {"cats": (6, 3), "dogs": (6, 3)})
    for part in ("set/test_set", "seg/seg_test", "data/Test Data", "rps/rps-test-set"):
        yield case.added(part, {"cats": (0, 3), "dogs": (0, 3)})


def nested_wrapper(case: Case) -> Iterator[Row]:
    """Folders around splits are no classes; what they repeat is taken once."""
    yield case.added("x", {"cat": (6, 3), "dog": (6, 3)})
    yield case.added("plants", {"cat": (6, 7), "dog": (6, 3)})  # the names in test/test say "Cat"


def zip_codepage(case: Case) -> Iterator[Row]:
    """Names are read as whoever packed them wrote them."""
    names = {
        "cp932": ("猫", "ソファ"),
        "cp866": ("кошка", "собака"),
        "cp949": ("고양이", "개"),
        "gbk": ("猫", "狗"),
        "cp850": ("Äpfel", "Größe"),
    }
    for page, classes in names.items():
        yield case.added(f"{page}.zip", dict.fromkeys(classes, (4, 0)))


def symlinked_classes(case: Case) -> Iterator[Row]:
    """Links to class folders are followed."""
    yield case.added("all", {"cat": (5, 0), "dog": (5, 0)})
    yield case.added("some", {"bird": (5, 0), "cat": (5, 0), "dog": (5, 0)})


def kaggle_table(case: Case) -> Iterator[Row]:
    """The table that names most pictures is taken, and what is to be handed in is not."""
    for part in ("breeds", "whales", "leaf", "tissue", "flat"):
        yield case.added(part, {"cat": (6, 0), "dog": (6, 0)})


def one_hot(case: Case) -> Iterator[Row]:
    """One column a class, in a table in each split's folder."""
    yield case.added(".", {"cat": (6, 6), "dog": (6, 6)})
    yield case.added("test", {"cat": (0, 3), "dog": (0, 3)})


def edge_impulse(case: Case) -> Iterator[Row]:
    """The labels are in a list, and only some names say them, too."""
    yield case.added(".", {"cat": (6, 3), "dog": (6, 3)})
    yield case.added("info.labels", {"cat": (6, 3), "dog": (6, 3)})


def tm_pose_audio(case: Case) -> Iterator[Row]:
    """Pictures of a pose project are taken; sounds are told, and models, too."""
    yield case.added("pose.tm", {"down": (5, 0), "up": (5, 0)})
    yield case.refused("audio.tm", "an audio project of Teachable Machine; it holds sounds")
    yield case.refused("tm-my-image-model.zip", "a TensorFlow.js model")
    yield case.refused("converted_keras.zip", "a Keras model of Teachable Machine")


def motion_photo(case: Case) -> Iterator[Row]:
    """A JPEG with a film behind it is the JPEG."""
    yield case.added(".", {"cat": (16, 0), "dog": (16, 0)})


def suffix_lies(case: Case) -> Iterator[Row]:
    """What a file is follows from its content; the HEIC there is random bytes."""
    yield case.added(".", {"cat": (8, 0), "dog": (13, 0)})


def ppm_header(case: Case) -> Iterator[Row]:
    """A header without end is refused at once."""
    before = os.times().children_user
    run = case.add(case.files / "ppm.zip")
    spent = os.times().children_user - before
    row = judged("ppm.zip", run, {"cat": (1, 0), "dog": (1, 0)}, missing=".zip/")
    named = all(f"ppm.zip/{name}/1.png" in run.output for name in ("cat", "dog"))
    verdict = row.verdict if named and spent < _MOST_CPU_S else "WRONG"
    yield replace(row, verdict=verdict, came=f"{spent:.1f} s; {row.came}")


def png_on_device(case: Case) -> Iterator[Row]:
    """A device reads what `predict` reads, to the same pixels."""
    with redirect_stderr(io.StringIO()) as said:
        frames = {Path(frame.name).name: frame.image for frame in PictureFiles(case.files)}
    told = said.getvalue().splitlines()
    for path in sorted(case.files.iterdir()):
        try:
            expected = read_image(path)
        except InvalidImageError as error:
            named = any(path.name in line for line in told)
            yield Row(path.name, "told" if named else "WRONG", str(error))
            continue
        equal = path.name in frames and np.array_equal(frames[path.name], expected)
        bright = path.name != "deep12.png" or expected.mean() > _DARK
        yield Row(path.name, "right" if equal and bright else "WRONG", str(expected.shape))


def videos(case: Case) -> Iterator[Row]:
    """Films of phones, cameras and the Pi give their frames, turned once."""
    for path in sorted(case.files.iterdir()):
        if path.is_dir():
            continue
        run = case.add("--class", "cat", "--every", "1", path)
        frames = run.classes.get("cat", (0, 0))[0]
        expected = 18 if path.stem == "vfr" else 40
        yield Row(path.name, "right" if frames == expected else "WRONG", f"{frames} frames")


FAKE_PICAMERA: Final = str(CASES / "picamera-fov" / "fake")


def picamera_fov(case: Case) -> Iterator[Row]:
    """The Pi's camera shows all that its lens sees."""
    words = (case.bundle(), "picamera", "--no-window", "--frames", "3")
    done = case.run("run", *words, PYTHONPATH=FAKE_PICAMERA)
    seen = [line for line in done.output.splitlines() if "of the width seen" in line]
    right = done.status == 0 and bool(seen) and "100% of the width seen" in seen[-1]
    yield Row("sensor mode", "right" if right else "WRONG", "; ".join(seen) or done.output)


def picamera_hang(case: Case) -> Iterator[Row]:
    """A Pi's camera that hangs is opened again."""
    words = (case.bundle(), "picamera", "--no-window", "--frames", "45")
    done = case.run("run", *words, PYTHONPATH=FAKE_PICAMERA, FAKE_HANG_AFTER="20")
    answers = done.output.count('"label"')
    said = " ".join(line for line in done.output.splitlines() if "has not answered" in line)
    verdict = "right" if (done.status, answers) == (0, 45) else "told" if said else "WRONG"
    yield Row("opened again", verdict, f"{answers} answers; {said}")


_RENAMED: Final = """
import runpy, sys
from edge_classifier.project import store
sys.modules["edge_classifier.adapters.store"] = store  # where it was when the case was written
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def two_writers(case: Case) -> Iterator[Row]:
    """Who has lost a project while it was open is told, and each picture is kept."""
    for how in ("lock", "restore", "rename"):
        script = CASES / "two-writers" / "run.py"
        done = case.python("-c", _RENAMED, script, case.scratch / how, how)
        kept = len(list(case.scratch.glob(f"{how}*/**/*.jpg")))  # one from before, one refused
        said = [line for line in done.output.splitlines() if "The picture was kept" in line]
        told = bool(said) and "can no longer be changed" in said[0]
        yield Row(how, "told" if told and kept == 2 else "WRONG", f"{kept} kept; {said}")  # noqa: PLR2004 - see above


_LAYOUTS: Final = "test_the_digit_row_and_our_letters_are_there_on_any_keyboard"


def keys_layout(case: Case) -> Iterator[Row]:
    """Keys are where they are on any keyboard, as the tests of the window ask a real one."""
    done = case.python("-m", "pytest", "-q", f"tests/screen/test_window.py::{_LAYOUTS}")
    said = (done.output.strip().splitlines() or [""])[-1]
    right = done.status == 0 and " passed" in said and "skipped" not in said
    yield Row("layouts", "right" if right else "WRONG", said)


KNOWN: Final[tuple[Callable[[Case], Iterator[Row]], ...]] = (
    split_names,
    nested_wrapper,
    zip_codepage,
    symlinked_classes,
    kaggle_table,
    one_hot,
    edge_impulse,
    tm_pose_audio,
    motion_photo,
    suffix_lies,
    ppm_header,
    png_on_device,
    videos,
    picamera_fov,
    picamera_hang,
    two_writers,
    keys_layout,
)


def check(case: Callable[[Case], Iterator[Row]], out: Path) -> list[Row]:
    """Build the input of a case below `out`, and try it."""
    name = case.__name__.replace("_", "-")
    folder, files, scratch = CASES / name, out / name, out / f"{name}-tried"
    for path in (files, scratch):
        path.mkdir(parents=True)
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONDONTWRITEBYTECODE": "1"}
    for script, program in (("make.py", sys.executable), ("make.sh", "bash")):
        if (folder / script).exists():
            command = [program, str(folder / script), str(out)]
            subprocess.run(command, check=True, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603 - of the case
    return list(case(Case(files, scratch)))


def main() -> int:
    """Try the cases that were asked for; returns 1 if one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    if not CASES.is_dir():
        parser.error(f"there are no cases at {CASES}; set EDGE_CLASSIFIER_SHARED")
    known = {case.__name__.replace("_", "-"): case for case in KNOWN}
    folders = {path.name for path in CASES.iterdir() if path.is_dir() and path.name[0] != "_"}
    names = [*known, *sorted(folders - set(known))]
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one of {', '.join(names)}")
    chosen = parser.parse_args().cases or names
    if unknown := set(chosen) - folders:
        parser.error(f"there is no case {', '.join(sorted(unknown))} in {CASES}")
    with tempfile.TemporaryDirectory() as out:
        found = [
            (name, row)
            for name in chosen
            for row in (
                check(known[name], Path(out))
                if name in known
                else [Row("", "WRONG", "no function says what is right")]
            )
        ]
    rows = [[name, row.part, row.verdict, row.came[:_LONGEST]] for name, row in found]
    sys.stdout.write(table(["case", "part", "verdict", "what came"], rows, left=range(4)))
    wrong = sum(row.verdict == "WRONG" for _, row in found)
    print(f"{len(found)} parts, {wrong} wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
