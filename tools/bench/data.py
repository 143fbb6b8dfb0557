"""Measure what many pictures cost: features of 2,000, and a project of 20,000.

    python tools bench.data features [--backbone NAME --weights FILE] [--size WxH …]
    python tools bench.data project [--samples N …]

All pictures and projects are made here. Ratios are of runs side by side in one process, the
median of several rounds, so that a busy machine slows both sides of them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_classifier.device.interpreter import Interpreter, core_count
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.bulk import compute_all, use_one_opencv_thread
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.learning.feature_sets import complete_features
from edge_classifier.learning.project_backbone import BackboneChoice, load_project_backbone
from edge_classifier.learning.project_model import train_project
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.learning.training import train
from edge_classifier.project.picture_file import encode_image, read_image
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import FeatureSet

if TYPE_CHECKING:
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.features.backbone import LiteRTBackbone

PICTURES = 2000
DIFFERENT = 50
CLASSES = 10
PER_BURST = 20
WARM = 16


def picture(seed: int, width: int, height: int) -> Image:
    """Draw shapes over a gradient with a camera's noise; about as large in JPEG as a photograph."""
    generator = np.random.default_rng(seed)
    ramp = np.linspace(0, 90, width)[None, :, None] + np.linspace(0, 60, height)[:, None, None]
    image = np.clip(ramp + generator.integers(10, 90, 3) + 20, 0, 255).astype(np.uint8)
    image = np.array(np.broadcast_to(image, (height, width, 3)))
    for _ in range(25):
        centre = (int(generator.integers(width)), int(generator.integers(height)))
        colour = [int(c) for c in generator.integers(0, 255, 3)]
        cv2.circle(image, centre, int(generator.integers(4, max(6, height // 5))), colour, -1)
    noise = cv2.GaussianBlur(generator.normal(0, 6, image.shape).astype(np.float32), (3, 3), 0)
    drawn: Image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return drawn


def bare_rate(backbone: LiteRTBackbone, pictures: int, interpreters: int, threads: int) -> float:
    """Return how many times a second bare interpreters invoke, side by side."""
    runners = [Interpreter(backbone.extractor, threads) for _ in range(interpreters)]
    for runner in runners:
        runner.invoke()

    def work(runner: Interpreter) -> None:
        for _ in range(pictures // interpreters):
            runner.invoke()

    with ThreadPoolExecutor(interpreters) as executor:
        started = time.perf_counter()
        list(executor.map(work, runners))
        return pictures / (time.perf_counter() - started)


def pipeline_rate(backbone: LiteRTBackbone, paths: list[Path]) -> float:
    """Return how many pictures a second go from files to features."""
    started = time.perf_counter()
    for result in compute_all(paths, read_image, backbone.extract):
        assert result.values is not None  # noqa: S101 - they were made here
    return len(paths) / (time.perf_counter() - started)


def features(options: argparse.Namespace) -> None:
    """Compare files-to-features with bare interpreters on all cores."""
    backbone = load_backbone(options.backbone, weights=options.weights)
    use_one_opencv_thread()
    cores = core_count()
    print(f"{backbone.info.name}, {PICTURES} pictures, {cores} cores, {options.rounds} rounds")
    for size in options.size:
        width, height = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            encoded = [encode_image(picture(n, width, height)).data for n in range(DIFFERENT)]
            paths = [Path(folder, f"{n:04}.jpg") for n in range(PICTURES)]
            for n, path in enumerate(paths):
                path.write_bytes(encoded[n % DIFFERENT])
            pipeline_rate(backbone, paths[:100])
            ratios, bares, rates = [], [], []
            for _ in range(options.rounds):
                # before and after, as the machine is not ours alone
                before = _best_bare(backbone, cores)
                rate = pipeline_rate(backbone, paths)
                bare = (before + _best_bare(backbone, cores)) / 2
                ratios.append(rate / bare)
                bares.append(bare)
                rates.append(rate)
            decode = _decode_ms(paths)
        kilobytes = statistics.mean(len(data) for data in encoded) / 1024
        print(
            f"  {size} ({kilobytes:.0f} kB): {statistics.median(rates):.0f} per second, bare "
            f"{statistics.median(bares):.0f}; ratio {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}); reading and decoding one: {decode:.2f} ms"
        )


def _best_bare(backbone: LiteRTBackbone, cores: int) -> float:
    count = PICTURES // 4
    return max(bare_rate(backbone, count, cores, 1), bare_rate(backbone, count, 1, cores))


def _decode_ms(paths: list[Path]) -> float:
    started = time.perf_counter()
    for path in paths[:200]:
        read_image(path)
    return (time.perf_counter() - started) * 1000 / len(paths[:200])


def make_project(path: Path, samples: int, backbone: LiteRTBackbone) -> None:
    """Make a project whose features are in its cache, as after `add` or a long session."""
    generator = np.random.default_rng(0)
    dim = backbone.info.feature_dim
    centres = generator.uniform(0, 1, (CLASSES, dim))
    names = [f"class {n}" for n in range(CLASSES)]
    with ProjectStore.create(path, names) as store:
        store.set_backbone(backbone.info)
        cache = FileFeatureCache(store.cache_folder, backbone.info.key, dim)
        for n in range(samples):
            class_id = n * CLASSES // samples
            if n % PER_BURST == 0 or class_id != (n - 1) * CLASSES // samples:
                burst_id = store.next_burst_id()
                shift = generator.normal(0, 0.2, dim)
            image = generator.integers(0, 256, (16, 16, 3), np.uint8)  # no two alike
            sample = store.add_sample(encode_image(image), names[class_id], burst_id)
            row = centres[class_id] + shift + generator.normal(0, 0.5, dim)
            cache.append(sample.image_sha256, np.maximum(row, 0).astype(np.float32))
        cache.close()


def project(options: argparse.Namespace) -> None:
    """Time opening and training, each in a process of its own."""
    backbone = load_backbone(options.backbone, weights=options.weights)
    sizes: list[int] = []
    peaks: list[int] = []
    for samples in options.samples:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "project")
            make_project(path, samples, backbone)
            command = [sys.executable, __file__, "child", str(path)]
            if options.weights:
                command += ["--weights", str(options.weights)]
            print(f"{samples} samples, {CLASSES} classes: ", end="", flush=True)
            said = subprocess.run(  # noqa: S603 - this very program
                command, check=True, stdout=subprocess.PIPE, text=True
            ).stdout
            line, size, peak = said.strip().rsplit("\t", 2)
            print(line)
            sizes.append(int(size))
            peaks.append(int(peak))
    if len(sizes) > 1:
        slope, constant = np.polyfit(sizes, peaks, 1)
        print(f"memory: {slope:.2f} times the features, and {constant / 1e6:.0f} MB")


def child(options: argparse.Namespace) -> None:
    """Open a project, train, and tell time and memory; run by `project`."""
    choice = BackboneChoice(weights=options.weights)
    generator = np.random.default_rng(0)
    train(  # what is imported at the first training is not the project's
        FeatureSet(
            generator.uniform(0, 1, (WARM, 8)).astype(np.float32),
            np.arange(WARM) % 2,
            np.arange(WARM).astype(np.str_),
            ("a", "b"),
        )
    )
    load_backbone(options.backbone, weights=options.weights)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the peak so far
    before = _memory("VmRSS")
    started = time.perf_counter()
    with ProjectStore.open(options.project) as store:
        opened = time.perf_counter()
        loaded = load_project_backbone(store, choice, _ignore, may_change=False)
        gathered = complete_features(store, loaded, _ignore)
        ready = time.perf_counter()
        ready_peak = _memory("VmHWM")
        train_project(store, loaded, gathered, HeadSettings(), _ignore)
        trained = time.perf_counter()
        loaded.cache.close()
    size, peak = gathered.feature_set.features.nbytes, _memory("VmHWM") - before
    print(
        f"{trained - started:.2f} s (open {opened - started:.2f}, features "
        f"{ready - opened:.2f}, train {trained - ready:.2f}); features {size / 1e6:.1f} MB, "
        f"peak {peak / 1e6:.1f} MB (before training {(ready_peak - before) / 1e6:.1f})"
        f"\t{size}\t{peak}"
    )


def _memory(what: str) -> int:
    """Return bytes of this process: `VmRSS` now, `VmHWM` at most."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024
    raise OSError(f"No {what} in /proc/self/status; this measurement needs Linux.")


def _ignore(_done: float, _what: str | None = None, /) -> None:
    """Show no progress."""


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    commands = parser.add_subparsers(required=True)
    for function in (features, project, child):
        command = commands.add_parser(function.__name__)
        command.set_defaults(function=function)
        command.add_argument("--backbone", default="built-in")
        command.add_argument("--weights", type=Path)
        if function is features:
            command.add_argument("--size", nargs="+", default=["224x224", "640x480"])
            command.add_argument("--rounds", type=int, default=5)
        elif function is project:
            command.add_argument("--samples", nargs="+", type=int, default=[5000, 10000, 20000])
        else:
            command.add_argument("project", type=Path)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    options.function(options)


if __name__ == "__main__":
    main()
