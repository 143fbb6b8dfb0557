"""Traces which files of the package three walks enter: a frame, a key press, an exported sample.

    python tools walks     # of the package that this Python imports

The program is run as a user runs it, by its command line, so that any version can be traced; only
what lies below OpenCV is scripted: `cv2.VideoCapture` gives rendered pictures, and `cv2.pollKey`
presses keys in a window on a virtual screen (needs Xvfb).

A file is on a walk when one of its Python functions is called for it, in any thread, or waits for
such a call to return. What the loop does anyway, frame or not, is not called for the frame, and
what it does with every frame is not called for the key: both are measured before and left out.
Neither what runs at import counts, nor methods that `dataclass` writes, nor the command line.

1. A frame: one second of the loop with a trained model, from the camera to the label; what is
   entered besides to show it (calls of `view`, `draw` and `show`, and below) is told apart.
2. A key press: from the moment when the window hears key 1 until its sample is on disk, in the
   loop's thread.
3. A sample: from the first function of the export until the bundle is there, in the parent
   process; what the command does then (it closes the project, prints a table) does not count.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import cv2
import numpy as np
from support.screen import virtual_screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType

_CLASSES: Final = ("ball", "stripes")
_FPS: Final = 30
_OPTIMISED: Final = 1  # `inspect.CO_OPTIMIZED`: functions have it, modules and class bodies not
_SHOWING: Final = ("view", "draw", "show")
_COMMAND_LINE: Final = (
    f"commands{os.sep}",
    "cli.py",
    "__main__.py",
    "progress.py",  # the commands' meter, which was among them in versions without rooms
    f"device{os.sep}console.py",  # and how it prints
)
_PATIENCE_S: Final = 60.0


def picture(class_name: str, number: int) -> np.ndarray:
    """Draw one of two things, `(480, 640, 3)` uint8 BGR, each number a little different."""
    generator = np.random.default_rng(number)
    image = np.full((480, 640, 3), generator.integers(80, 130), np.uint8)
    x, y = (int(v) for v in generator.integers((260, 200), (380, 280)))
    if class_name == _CLASSES[0]:
        cv2.circle(image, (x, y), 110, (40, 60, 220), cv2.FILLED)
    else:
        for offset in range(-120, 120, 30):
            cv2.line(image, (x + offset, y - 120), (x + offset, y + 120), (240, 240, 240), 10)
    return np.asarray(cv2.add(image, generator.integers(0, 12, image.shape, np.uint8)))


class ScriptedCapture:
    """Stands for `cv2.VideoCapture`: a camera that sees the first thing, 30 pictures a second."""

    gives: Final = threading.Event()

    def __init__(self, *_arguments: object) -> None:
        self._number = 0
        self.gives.set()

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Say that there is a camera."""
        return True

    def read(self) -> tuple[bool, np.ndarray]:
        """Give the next picture when it is due."""
        time.sleep(1 / _FPS)
        self.gives.wait()
        self._number += 1
        return True, picture(_CLASSES[0], self._number)

    def get(self, _property: int) -> float:
        """Say the rate; nothing else is asked."""
        return float(_FPS)

    def set(self, _property: int, _value: float) -> bool:
        """Agree."""
        return True

    def release(self) -> None:
        """Have nothing to release."""


class Walk:
    """What was called on a walk.

    Attributes:
        calls: For each function the files on the stacks of its calls, its own among them.
        showing: Likewise of the functions that show what was found.
    """

    def __init__(self) -> None:
        self.calls: dict[CodeType, set[str]] = {}
        self.showing: dict[CodeType, set[str]] = {}

    def files(self, *, without: Walk | None = None) -> set[str]:
        """Name the files that are entered, but for functions that another walk calls as well."""
        known = without.calls.keys() | without.showing.keys() if without else set()
        return set().union(*(files for code, files in self.calls.items() if code not in known))

    def shown_by(self) -> set[str]:
        """Name the files of the functions that show."""
        return set().union(*self.showing.values())


class Trace:
    """Notes what is called in a package, while it is on; for `sys.setprofile`.

    Args:
        package: The package's folder.
    """

    def __init__(self, package: Path) -> None:
        self._prefix = f"{package}{os.sep}"
        self._walk: Walk | None = None
        self._only: int | None = None
        self._first = ""
        self._over: Callable[[], bool] = lambda: False
        self._seen: set[tuple[CodeType, CodeType | None]] = set()

    def begin(
        self,
        walk: Walk,
        *,
        thread: int | None = None,
        first: str = "",
        over: Callable[[], bool] = lambda: False,
    ) -> None:
        """Note what is called.

        Args:
            walk: Is added to.
            thread: The only thread that counts; `None` for all.
            first: Nothing counts before a function of this folder is called.
            over: Nothing counts once this says so.
        """
        self._only, self._first, self._over = thread, first, over
        self._seen = set()
        self._walk = walk

    def end(self) -> None:
        """Note nothing more."""
        self._walk = None

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Take an event."""
        walk, code = self._walk, frame.f_code
        if walk is None or event != "call" or not self._counts(code):
            return
        if self._only not in (None, threading.get_ident()):
            return
        if not code.co_filename.startswith(self._prefix + self._first):
            return
        if self._over():
            self.end()
            return
        self._first = ""
        seen = (code, frame.f_back.f_code if frame.f_back else None)
        if seen in self._seen:
            return
        self._seen.add(seen)
        stack = [f.f_code for f, _ in traceback.walk_stack(frame) if self._counts(f.f_code)]
        shows = any(code.co_name in _SHOWING for code in stack)
        noted = (walk.showing if shows else walk.calls).setdefault(code, set())
        noted.update(code.co_filename.removeprefix(self._prefix) for code in stack)

    def _counts(self, code: CodeType) -> bool:
        if not (code.co_flags & _OPTIMISED and code.co_filename.startswith(self._prefix)):
            return False
        return not code.co_filename.removeprefix(self._prefix).startswith(_COMMAND_LINE)


class Script:
    """Stands for `cv2.pollKey`: begins and ends the walks, and presses the keys for them.

    Args:
        trace: Is switched on and off.
        samples: The folder in which the pressed key's sample appears.
    """

    def __init__(self, trace: Trace, samples: Path) -> None:
        self.idle, self.frame, self.key = Walk(), Walk(), Walk()
        self._trace = trace
        self._samples = samples
        self._steps = self._play()

    def __call__(self) -> int:
        """Press a key, or none (-1)."""
        return next(self._steps)

    def _play(self) -> Iterator[int]:
        yield from self._pause(4.0)  # the backbone and the model are loaded, caches are warm
        ScriptedCapture.gives.clear()
        yield from self._pause(0.2)
        self._trace.begin(self.idle)
        yield from self._pause(0.5)
        self._trace.end()
        ScriptedCapture.gives.set()
        yield from self._pause(0.5)
        self._trace.begin(self.frame)
        yield from self._pause(1.0)
        self._trace.end()
        yield from self._press("1")  # for what is made at the first sample only
        yield from self._pause(3.0)  # the burst has ended, and is learned
        before = self._count()
        self._trace.begin(
            self.key, thread=threading.get_ident(), over=lambda: self._count() > before
        )
        yield from self._press("1")
        self._trace.end()
        yield from self._pause(1.0)
        while True:
            yield ord("q")

    def _press(self, key: str) -> Iterator[int]:
        before = self._count()
        yield ord(key)
        deadline_s = time.monotonic() + _PATIENCE_S
        while self._count() == before and time.monotonic() < deadline_s:
            yield -1

    def _count(self) -> int:
        return sum(1 for _ in self._samples.iterdir())

    @staticmethod
    def _pause(seconds: float) -> Iterator[int]:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            yield -1


def trace_walks() -> dict[str, set[str]]:
    """Run the program and return the files that each walk enters."""
    cv2.VideoCapture = ScriptedCapture  # type: ignore[assignment,misc]  # the seam below the product
    spec = importlib.util.find_spec("edge_classifier")
    trace = Trace(Path(str(spec and spec.origin)).parent)
    exported = Walk()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        project = _teach(folder)
        script = Script(trace, project / "samples" / _CLASSES[0])
        cv2.pollKey = script
        threading.setprofile(trace)
        sys.setprofile(trace)
        _command("live", project, "--source", "/dev/null")  # a device: the scripted camera
        _command("export", project)  # what happens once in a process is over then
        bundle = folder / "again"
        trace.begin(exported, first=f"export{os.sep}", over=bundle.exists)
        _command("export", project, "-o", bundle)
        trace.end()
        sys.setprofile(None)
    label = script.frame.files(without=script.idle)
    return {
        "a frame, camera to label": label,
        "  besides, to show it": script.frame.shown_by() - label,
        "a key press, window to disk": script.key.files(without=script.frame),
        "a sample, export to bundle": exported.files() | exported.shown_by(),
    }


def _teach(folder: Path) -> Path:
    """Make a trained project of two classes."""
    for name in _CLASSES:
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(10):
            path = folder / "pictures" / name / f"{number}.png"
            cv2.imwrite(str(path), picture(name, 1000 + number))
    project = folder / "project"
    _command("add", project, folder / "pictures")
    _command("train", project, "--backbone", "built-in")
    return project


def _command(*words: object) -> None:
    """Run a command as from the command line, without its output."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = _main()([str(word) for word in words])
    if code:
        sys.exit(f"{words[0]} ended with {code}: {said.getvalue()}")


def _main() -> Callable[[list[str]], int]:
    """Find the command line, which was at the package's root in versions without rooms."""
    try:
        module = importlib.import_module("edge_classifier.commands.cli")
    except ModuleNotFoundError:
        module = importlib.import_module("edge_classifier.cli")
    return cast("Callable[[list[str]], int]", module.main)


def trace_in_child() -> None:
    """Trace in a process of its own, on a virtual screen."""
    # Elsewhere, or the program's own children would import a checkout that we are in.
    words = [sys.executable, str(Path(__file__).resolve().parent), "walks", "--child"]
    with virtual_screen() as display:
        environment = {**os.environ, "DISPLAY": display}
        subprocess.run(words, check=True, cwd=tempfile.gettempdir(), env=environment)  # noqa: S603 - our own words


def main() -> None:
    """Trace and print."""
    if sys.argv[1:] != ["--child"]:
        trace_in_child()
        return
    for walk, files in trace_walks().items():
        print(f"{walk}: {len(files)} files")
        print("".join(f"  {name}\n" for name in sorted(files)), end="", flush=True)


if __name__ == "__main__":
    main()
