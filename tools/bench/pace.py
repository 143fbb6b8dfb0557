"""Measures the live picture at a camera's pace and unpaced, beside the least that it could cost.

    python tools bench.pace [--backbone built-in] [--weights FILE] [--video FILE]

1. from a frame's arrival to the shown picture that carries its label, at 30 pictures a second;
2. processor time at that pace, against a bare loop of OpenCV capture, resize, LiteRT, `putText`
   and `imshow`;
3. frame rate unpaced, against this machine's limit: one thread that decodes the video and one
   that invokes the interpreter, and nothing else.

Without a screen a virtual one is started (needs Xvfb). What is compared runs in turns.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from support.screen import some_screen

from bench.live import ROUND_S, ROUNDS, Looped, fill, live, record_demo
from edge_classifier.device.interpreter import Interpreter
from edge_classifier.features.backbone import load_backbone
from edge_classifier.learning.project_backbone import BackboneChoice
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_classifier.device.frame import Frame
    from edge_classifier.device.preprocessing import Image

FPS: Final = 30.0
_WARM_S: Final = 1.0


class Timed(Looped):
    """Remembers when each frame arrived, and what processor time was used until then."""

    def __init__(self, video: Path) -> None:
        super().__init__(video, paced=True)
        self.arrived_s: list[float] = []
        self.used_s: list[float] = []

    def __iter__(self) -> Iterator[Frame]:
        """Give frames until closed."""
        for frame in super().__iter__():
            self.arrived_s.append(time.perf_counter())
            self.used_s.append(time.process_time())
            yield frame


def label_delays(store: ProjectStore, choice: BackboneChoice, video: Path) -> list[float]:
    """Play the video at its pace; milliseconds from each frame to the picture with its label."""
    source = Timed(video)
    shown_s, _, _ = live(store, choice, lambda: source, seconds=3 * ROUND_S, drop=True)
    arrived = np.array(source.arrived_s)
    # A picture is shown after the frame that it carries has arrived, and before the next is taken.
    newest = np.searchsorted(arrived, shown_s) - 1
    first = np.flatnonzero(np.diff(newest, prepend=-1) > 0)
    return [1000 * (shown_s[n] - arrived[newest[n]]) for n in first if shown_s[n] > arrived[10]]


def bare_loop(choice: BackboneChoice, video: Path, seconds: float) -> float:
    """Do the least at the same pace, in a window of OpenCV; returns its share of a core."""
    invoke, size = _invoke(choice)
    capture = cv2.VideoCapture(str(video))
    started = due = time.perf_counter()
    used = 0.0
    warm = False
    while time.perf_counter() - started < seconds + _WARM_S:
        if not warm and time.perf_counter() - started >= _WARM_S:
            warm, used = True, time.process_time()
        due += 1 / FPS
        read, image = capture.read()
        if not read:
            capture = cv2.VideoCapture(str(video))
            continue
        invoke(_prepared(np.asarray(image, np.uint8), size))
        cv2.putText(image, "mug 0.98", (10, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, (255, 255, 255), 2)
        cv2.imshow("bare", image)
        cv2.waitKey(max(1, int(1000 * (due - time.perf_counter()))))
    cv2.destroyAllWindows()
    return (time.process_time() - used) / seconds


def our_loop(store: ProjectStore, choice: BackboneChoice, video: Path, seconds: float) -> float:
    """Play the video in our window; returns the share of a core, start and end left out."""
    source = Timed(video)
    live(store, choice, lambda: source, seconds=seconds + 2 * _WARM_S, drop=True)
    first, last = int(_WARM_S * FPS), int((_WARM_S + seconds) * FPS)
    elapsed = source.arrived_s[last] - source.arrived_s[first]
    return (source.used_s[last] - source.used_s[first]) / elapsed


def limit(choice: BackboneChoice, video: Path, seconds: float) -> float:
    """Decode in one thread and invoke in this one; frames a second."""
    invoke, size = _invoke(choice)
    decoded: Queue[Image] = Queue(2)
    done = threading.Event()

    def decode() -> None:
        for frame in Looped(video, paced=False):
            if done.is_set():
                return
            decoded.put(frame.image)

    thread = threading.Thread(target=decode)
    thread.start()
    pixels = _prepared(decoded.get(), size)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        decoded.get()
        invoke(pixels)
        count += 1
    rate = count / (time.perf_counter() - started)
    done.set()
    while thread.is_alive():
        if not decoded.empty():
            decoded.get()
        thread.join(0.01)
    return rate


def _invoke(choice: BackboneChoice) -> tuple[Callable[[np.ndarray], None], int]:
    backbone = load_backbone(choice.name, weights=choice.weights, threads=choice.threads)
    interpreter = Interpreter(backbone.extractor, choice.threads)
    raw = interpreter._interpreter  # noqa: SLF001 - the bare thing is what is measured

    def invoke(pixels: np.ndarray) -> None:
        raw.set_tensor(interpreter.input_details["index"], pixels)
        raw.invoke()

    return invoke, interpreter.input_shape[1]


def _prepared(image: Image, size: int) -> np.ndarray:
    """Crop, resize and scale as a tutorial does; `(1, size, size, 3)` float32 RGB."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = cv2.resize(image[top : top + side, left : left + side], (size, size))
    rgb = cv2.cvtColor(square, cv2.COLOR_BGR2RGB).astype(np.float32)
    pixels: np.ndarray = rgb / np.float32(127.5) - np.float32(1)
    return pixels[None]


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--backbone", default="built-in")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--video", type=Path)
    options = parser.parse_args()
    choice = BackboneChoice(options.backbone, options.weights)
    with some_screen(), tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        video = options.video or record_demo(folder / "demo.mp4")
        with ProjectStore.create(folder / "project") as store:
            fill(store, 20)
            delays = label_delays(store, choice, video)
            middle, late = np.percentile(delays, [50, 95])
            print(f"1. frame to label: median {middle:.1f} ms, 95 % {late:.1f} ms")
            costs = []
            for _ in range(ROUNDS):
                bare = bare_loop(choice, video, ROUND_S)
                ours = our_loop(store, choice, video, ROUND_S)
                costs.append(ours / bare)
                print(f"   of a core: live {ours:.1%}   bare loop {bare:.1%}")
            print(f"2. processor time, live / bare: median {statistics.median(costs):.2f}")
            rates = []
            for _ in range(ROUNDS):
                most = limit(choice, video, ROUND_S)
                source = lambda: Looped(video, paced=False)  # noqa: E731 - what `live` opens
                _, frames, seconds = live(store, choice, source, seconds=ROUND_S, drop=False)
                rates.append(frames / seconds / most)
                print(f"   live {frames / seconds:6.0f} fps   limit {most:6.0f} fps")
            print(f"3. unpaced, live / limit: median {statistics.median(rates):.2f}")


if __name__ == "__main__":
    main()
