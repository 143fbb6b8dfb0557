"""How fast a bundle's classify.py is, against the bare interpreter; ratios of one run.

    python tools bench.device BUNDLE VIDEO [--format int8] [--rounds 5] [--still]

Measures, in turn and several times over, so that whatever else the machine does meets both:

- the bare interpreter: `invoke` alone, in a loop, in a process of its own;
- `classify.py VIDEO --quiet`: decoding, preprocessing, inference, verdict, unpaced, no screen;
- from the start of the process to the first answer, and the memory at the end.

With `--still` in place of that: the processor time of `classify.py` before a camera that gives 30
pictures a second of a still scene, the first picture of the video with a sensor's noise, against
that of `--every-frame`, in pairs: a camera whose pictures come as arrays, as the Pi's own, and one
whose pictures are JPEG.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from bench.page import cpu_s
from bench.rest import Sensor

_BARE = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from edge_device.bundle import Bundle
from edge_device.interpreter import Interpreter
from pathlib import Path
bundle = Bundle.open(Path(sys.argv[1]))
interpreter = Interpreter(bundle.model(sys.argv[2] or None))
for _ in range(20):
    interpreter.invoke()
started = time.perf_counter()
count = 0
while time.perf_counter() - started < 2.0:
    interpreter.invoke()
    count += 1
print(count / (time.perf_counter() - started))
"""


_CAMERA = """
import cv2, numpy, os, time

class Picamera2:
    camera_properties, sensor_modes = {"Model": "still"}, []

    def __init__(self):
        with numpy.load(os.environ["STILL_PICTURES"], allow_pickle=True) as file:
            self.pictures = list(file["pictures"])
        self.taken, self.due_s = 0, time.monotonic()
        self.release = lambda: None

    def create_video_configuration(self, main, raw):
        pass

    def configure(self, configuration):
        pass

    start = close = lambda self: None

    def capture_request(self):
        self.due_s += 1 / 30
        time.sleep(max(0, self.due_s - time.monotonic()))
        self.taken += 1
        return self

    def capture_array(self, name):
        self.capture_request()
        picture = self.pictures[self.taken * 7 % len(self.pictures)]
        return picture.copy() if picture.ndim == 3 else cv2.imdecode(picture, cv2.IMREAD_COLOR)
"""
_WARM_S = 4.0
_STILL_S = 12.0


def environment() -> dict[str, str]:
    """The environment without a screen."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY")
    return {key: value for key, value in os.environ.items() if key not in hidden}


def bare_fps(bundle: Path, model_format: str) -> float:
    """Runs of the network per second, and nothing else."""
    command = [sys.executable, "-c", _BARE, str(bundle), model_format]
    done = subprocess.run(command, capture_output=True, check=True, env=environment())  # noqa: S603 - ours
    return float(done.stdout)


def classify_fps(bundle: Path, video: Path, model_format: str) -> float:
    """Frames per second of the whole, as `--benchmark` says."""
    command = [sys.executable, str(bundle / "classify.py"), str(video), "--benchmark"]
    if model_format:
        command += ["--format", model_format]
    done = subprocess.run(command, capture_output=True, check=True, env=environment())  # noqa: S603 - ours
    return float(done.stdout.split()[-2])


def first_answer(bundle: Path, video: Path) -> tuple[float, float]:
    """Seconds from the start of the process to its end after one frame, and MB of memory."""
    command = [sys.executable, str(bundle / "classify.py"), str(video), "--frames", "1"]
    started = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - ours
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()
    )
    if process.stdout is None or sys.platform == "win32":
        raise RuntimeError("its standard output is a pipe, and its memory is known")
    json.loads(process.stdout.readline())
    seconds = time.perf_counter() - started
    process.wait()
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def peak_memory(bundle: Path, video: Path) -> float:
    """MB of memory after some thousand frames, in a process that has only this child."""
    code = (
        "import resource, subprocess, sys;"
        "subprocess.run(sys.argv[1:], stdout=-3, stderr=-3, check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    inner = [sys.executable, str(bundle / "classify.py"), str(video), "--quiet"]
    command = [sys.executable, "-c", code, *inner, "--frames", "1000"]
    done = subprocess.run(command, capture_output=True, check=True, env=environment())  # noqa: S603 - ours
    return float(done.stdout)


def still_seconds(bundle: Path, folder: Path, more: list[str]) -> float:
    """Processor time within a minute, the beginning left out, in seconds."""
    command = [sys.executable, str(bundle / "classify.py"), "picamera", "--no-window", *more]
    process = subprocess.Popen(  # noqa: S603 - ours
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**environment(), "PYTHONPATH": str(folder)},
    )
    try:
        time.sleep(_WARM_S)
        began_s, before_s = time.monotonic(), cpu_s(process)
        time.sleep(_STILL_S)
        return (cpu_s(process) - before_s) * 60 / (time.monotonic() - began_s)
    finally:
        process.terminate()
        process.wait()


def still(bundle: Path, video: Path, rounds: int, more: list[str]) -> None:
    """Compare with and without rest, before each camera."""
    scene = cv2.VideoCapture(str(video)).read()[1]
    sensor = Sensor(3.0, shape=scene.shape)
    pictures = [sensor.see(scene.astype(np.float32)) for _ in range(40)]
    encoded = [cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 85])[1] for p in pictures]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "picamera2.py").write_text(_CAMERA, encoding="utf-8")
        file = folder / "pictures.npz"
        os.environ["STILL_PICTURES"] = str(file)
        for what, given in (("arrays", pictures), ("JPEG", encoded)):
            objects = np.empty(len(given), object)
            objects[:] = given
            np.savez(file, pictures=objects)
            ratios = []
            for _ in range(rounds):
                every = still_seconds(bundle, folder, ["--every-frame", *more])
                rest = still_seconds(bundle, folder, more)
                ratios.append(rest / every)
                print(
                    f"{what}: {every:.2f} s of processor time a minute for every frame, "
                    f"{rest:.2f} s with rest: {rest / every:.2f}",
                    flush=True,
                )
            print(f"{what}: median {median(ratios):.2f}, worst {max(ratios):.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("video", type=Path)
    parser.add_argument("--format", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--still", action="store_true")
    options = parser.parse_args()
    bundle, video = options.bundle.resolve(), options.video.resolve()
    if options.still:
        more = ["--format", options.format] if options.format else []
        still(bundle, video, options.rounds, more)
        return
    ratios = []
    for _ in range(options.rounds):
        bare = bare_fps(bundle, options.format)
        whole = classify_fps(bundle, video, options.format)
        ratios.append(whole / bare)
        print(f"bare {bare:7.1f} fps, classify.py {whole:7.1f} fps: {whole / bare:.2f}")
    print(f"ratio: median {median(ratios):.2f}, best {max(ratios):.2f}")
    starts = [first_answer(bundle, video)[0] for _ in range(options.rounds)]
    print(f"start to first answer: median {median(starts):.2f} s, worst {max(starts):.2f} s")
    print(f"memory at its peak: {peak_memory(bundle, video):.0f} MB")
    spec = json.loads((bundle / "spec.json").read_text(encoding="utf-8"))
    sizes = {name: about["bytes"] for name, about in spec["models"].items()}
    if {"float32", "int8"} <= set(sizes):
        print(f"float32 / int8 in bytes: {sizes['float32'] / sizes['int8']:.2f}")


if __name__ == "__main__":
    main()
