"""Measures what the live picture promises; every claim is a ratio or a bound from one run.

    python tools bench.live [--backbone built-in] [--weights FILE] [--video FILE]

1. frame rate of the whole live loop, unpaced, against the bare interpreter in a loop;
2. longest gap between two shown pictures while TensorFlow is imported and heads train;
3. time from the command to the first picture of the camera;
4. time from the end of a burst until a head for 5 classes of 60 samples is live.

Without a screen a virtual one is started (needs Xvfb). Without `--video` the demo camera is
recorded once into a file. Machines are noisy: what is compared runs in turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from support.screen import some_screen

from edge_classifier.demo.scene import TAUGHT, UNTAUGHT, DemoScene
from edge_classifier.device.frame import Frame
from edge_classifier.device.interpreter import Interpreter
from edge_classifier.device.reader import FrameReader
from edge_classifier.device.sources.named import open_source
from edge_classifier.features.backbone import load_backbone
from edge_classifier.learning.project_backbone import BackboneChoice, backbone_loader
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.live.display import CLOSE, Press, Release
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.loop import run
from edge_classifier.live.session import Session, SessionSettings
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore
from edge_classifier.screen.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edge_classifier.export.exporter import Export
    from edge_classifier.live.display import Event
    from edge_classifier.live.view import View

ROUNDS: Final = 5
ROUND_S: Final = 3.0
CLASSES: Final = (*TAUGHT, UNTAUGHT, "empty")


class Looped:
    """A video file that begins again at its end, as fast as its frames are taken."""

    def __init__(self, video: Path, *, paced: bool) -> None:
        self._video, self._paced = str(video), paced
        self._closed = False
        self.description = f"{video.name}, again and again"

    def __iter__(self) -> Iterator[Frame]:
        """Give frames until closed."""
        index = 0
        while not self._closed:
            source = open_source(self._video, paced=self._paced)
            for frame in source:
                if self._closed:
                    break
                yield Frame(frame.image, index, frame.timestamp_s, frame.capture_ms)
                index += 1
            source.close()

    def close(self) -> None:
        """End after the next frame."""
        self._closed = True


class TimedWindow:
    """A window that remembers when it showed something, and ends the session in time."""

    def __init__(self, ends_at_s: Callable[[], float], key: str = "") -> None:
        self._window = Window("benchmark")
        self._ends_at_s = ends_at_s
        self._key = key
        self.shown_s: list[float] = []
        self._pressed = True

    def show(self, view: View) -> None:
        """Show."""
        self._window.show(view)
        self.shown_s.append(time.perf_counter())
        self._pressed = len(self.shown_s) % 45 != 0

    def events(self) -> Sequence[Event]:
        """Listen, and press the key of the run once in 45 views."""
        if time.monotonic() >= self._ends_at_s():
            return [Press(CLOSE)]
        heard = list(self._window.events())
        if self._key and not self._pressed:
            self._pressed = True
            heard += [Press(self._key), Release(self._key)]
        return heard

    def close(self) -> None:
        """Close the window."""
        self._window.close()


def record_demo(path: Path, seconds: float = 6.0) -> Path:
    """Record the demo camera into a video file of 640x480."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (640, 480))
    scene = DemoScene(0)
    for n in range(int(seconds * 30)):
        writer.write(scene.image(CLASSES[n // 45 % 4], n / 30, 0))
    writer.release()
    return path


def fill(store: ProjectStore, per_class: int) -> None:
    """Store pictures of five classes, as a user would have captured them."""
    scene = DemoScene(1)
    for number, name in enumerate(CLASSES):
        store.add_class(name)
        burst = store.next_burst_id()
        shown = name if name != "empty" else None
        for n in range(per_class):
            encoded = encode_image(scene.image(shown, number * 10 + n / 15, 0))
            store.add_sample(encoded, name, burst)


def live(  # noqa: PLR0913 - what a run may differ in
    store: ProjectStore,
    choice: BackboneChoice,
    source: Callable[[], Looped],
    *,
    seconds: float,
    drop: bool,
    during: Callable[[Session], None] | None = None,
    settings: SessionSettings | None = None,
    key: str = "",
    export: Export | None = None,
) -> tuple[list[float], int, float]:
    """Run the live loop, with a key pressed now and then if one is given.

    Returns:
        When pictures were shown, frames inferred, and seconds.
    """
    executor = start_worker()
    session = Session(
        store,
        backbone_loader(store, choice),
        executor=executor,
        clock=time.monotonic,
        settings=settings,
        export=export,
    )
    while during is None and (session.busy or session.learner.model is None):
        session.step(None, None)
        time.sleep(0.005)
    ends = time.monotonic() + seconds
    window = TimedWindow(lambda: ends, key)
    counted = 0
    advance = session.advance

    def counting(frame: Frame | None, *rest: object) -> None:
        nonlocal counted
        counted += frame is not None
        advance(frame, *rest)  # type: ignore[arg-type]  # passed through as they come

    session.advance = counting  # type: ignore[method-assign,assignment]  # counts, changes nothing
    meddler = threading.Thread(target=during, args=(session,)) if during else None
    started = time.perf_counter()
    with FrameReader(source, name="the video", drop=drop, prepare=session.shrink) as reader:
        if meddler:
            meddler.start()
        run(session, reader, window)
    elapsed = time.perf_counter() - started
    if meddler:
        meddler.join()
    session.close()
    executor.shutdown()
    window.close()
    return window.shown_s, counted, elapsed


def bare_rate(choice: BackboneChoice, seconds: float) -> float:
    """Invoke the bare interpreter in a loop on one input; runs a second."""
    backbone = load_backbone(choice.name, weights=choice.weights, threads=choice.threads)
    interpreter = Interpreter(backbone.extractor, choice.threads)
    raw = interpreter._interpreter  # noqa: SLF001 - the bare thing is what is measured
    size = interpreter.input_shape[1]
    pixels = np.random.default_rng(0).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)
    raw.set_tensor(interpreter.input_details["index"], pixels)
    raw.invoke()
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        raw.invoke()
        count += 1
    return count / (time.perf_counter() - started)


def measure_rate(folder: Path, choice: BackboneChoice, video: Path) -> None:
    """Claim 1."""
    with ProjectStore.create(folder / "rate") as store:
        fill(store, 20)
        ratios = []
        for _ in range(ROUNDS):
            bare = bare_rate(choice, ROUND_S)
            _, frames, seconds = live(
                store, choice, lambda: Looped(video, paced=False), seconds=ROUND_S, drop=False
            )
            ratios.append(frames / seconds / bare)
            print(f"   live {frames / seconds:6.0f} fps   bare interpreter {bare:6.0f} runs/s")
    print(
        f"1. live loop / bare interpreter: median {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}); wanted: at least 0.8"
    )


def measure_gap(folder: Path, choice: BackboneChoice, video: Path) -> None:
    """Claim 2: TensorFlow is imported by a child as in a first start, and heads train."""
    settings = SessionSettings(head=HeadSettings(kind="dense", epochs=200))
    done = threading.Event()

    def meddle(session: Session) -> None:
        code = "import tensorflow, time; time.sleep(1)"
        child = subprocess.Popen(  # noqa: S603 - our own words
            ["nice", "-n", "10", sys.executable, "-c", code],  # noqa: S607 - as the compiler runs
            stderr=subprocess.DEVNULL,
        )
        while not done.wait(0.5):
            session.learner.request_training()
        child.wait()

    with ProjectStore.create(folder / "gap") as store:
        fill(store, 60)
        timer = threading.Timer(12.0, done.set)
        timer.start()
        shown, _, _ = live(
            store,
            choice,
            lambda: Looped(video, paced=True),
            seconds=13.0,
            drop=True,
            during=meddle,
            settings=settings,
        )
    gaps = np.diff(shown) * 1000
    print(
        f"2. longest gap between shown pictures while TensorFlow (compile_extractor's child) is "
        f"imported and a dense head trains: {gaps.max():.0f} ms "
        f"(median {np.median(gaps):.0f}, 99 % {np.percentile(gaps, 99):.0f}); wanted: at most 100"
    )


FIRST_FRAME_CHILD: Final = """
import sys, time
from edge_classifier.screen import window
from edge_classifier.commands import cli
show = window.Window.show
def timed(self, view):
    show(self, view)
    if view.image is not None and not self._closed:
        print(time.time(), flush=True)
        self.close()
window.Window.show = timed
sys.exit(cli.main(sys.argv[1:]))
"""


def measure_first_frame(folder: Path, choice: BackboneChoice, video: Path) -> None:
    """Claim 3."""
    times = []
    for n in range(ROUNDS):
        words = ["live", str(folder / f"first-{n}"), "--source", str(video)]
        words += ["--backbone", choice.name]
        if choice.weights:
            words += ["--weights", str(choice.weights)]
        started = time.time()
        out = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-c", FIRST_FRAME_CHILD, *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        times.append(float(out.split()[0]) - started)
    print(
        f"3. command to first picture: median {statistics.median(times):.2f} s "
        f"({min(times):.2f} to {max(times):.2f}); wanted: at most 1.5"
    )


def measure_head(folder: Path, choice: BackboneChoice) -> None:
    """Claim 4."""
    with ProjectStore.create(folder / "head") as store:
        fill(store, 60)
        executor = start_worker()
        session = Session(
            store, backbone_loader(store, choice), executor=executor, clock=time.monotonic
        )
        while session.busy or session.learner.model is None:
            session.step(None, None)
            time.sleep(0.005)
        times = []
        for _ in range(ROUNDS):
            before = session.learner.model
            session.learner.request_training()
            started = time.perf_counter()
            while session.learner.model is before:
                session.step(None, None)
                time.sleep(0.001)
            times.append(time.perf_counter() - started)
        session.close()
        executor.shutdown()
    print(
        f"4. end of burst to live head, 5 classes of 60: median {statistics.median(times):.3f} s "
        f"({min(times):.3f} to {max(times):.3f}); wanted: at most 0.3"
    )


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="built-in")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--only", type=int, nargs="*", default=[1, 2, 3, 4])
    options = parser.parse_args()
    choice = BackboneChoice(options.backbone, options.weights)
    with some_screen(), tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        video = options.video or record_demo(folder / "demo.mp4")
        print(f"backbone {choice.name}, video {video.name}, {os.cpu_count()} cores")
        if 1 in options.only:
            measure_rate(folder, choice, video)
        if 2 in options.only:  # noqa: PLR2004 - the number of the claim
            measure_gap(folder, choice, video)
        if 3 in options.only:  # noqa: PLR2004 - as above
            measure_first_frame(folder, choice, video)
        if 4 in options.only:  # noqa: PLR2004 - as above
            measure_head(folder, choice)


if __name__ == "__main__":
    main()
