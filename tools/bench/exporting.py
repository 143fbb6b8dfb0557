"""Measures an export: how long, how much memory, how near to the live path, how the picture moves.

    python tools bench.exporting --shared DIR [--backbone NAME] [--weights FILE] [--part PART ...]

Eight projects are made of the shared pictures, four of them dim, bright, grey and small: one half
of each is taught, the other, later half asked. Parts: `agreement` (of every format with the live
path on the half that was not taught), `time` (of the commands `export` and `export --format all`,
with the first of these projects) and `gap` (between shown pictures while `E` exports).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from support.screen import some_screen

from bench.live import Looped, fill, live, record_demo
from edge_classifier.export.exporter import export_bundle, export_from_session
from edge_classifier.learning.feature_sets import complete_features
from edge_classifier.learning.project_backbone import BackboneChoice, load_project_backbone
from edge_classifier.learning.project_model import train_project, trained_model
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.project.picture_file import encode_image, read_image
from edge_classifier.project.picture_paths import picture_paths
from edge_classifier.project.store import ProjectStore
from edge_classifier.protocols import ignore_progress, never_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.preprocessing import Image

if sys.platform == "win32":
    sys.exit("What a child process used is not told on Windows.")

PARTS: Final = ("agreement", "time", "gap")
_ROUNDS: Final = 5
_GAP_S: Final = 12.0
_FEW: Final = 3


def _dim(image: Image) -> Image:
    return np.asarray(image * 0.3, np.uint8)


def _bright(image: Image) -> Image:
    return np.asarray(255 - (255 - image.astype(np.float32)) * 0.3, np.uint8)


def _grey(image: Image) -> Image:
    one = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.cvtColor(one, cv2.COLOR_GRAY2BGR), np.uint8)


def _as_it_is(image: Image) -> Image:
    return image


PROJECTS: Final[dict[str, tuple[str, Callable[[Image], Image], int]]] = {
    "fingers": ("finger_counting", _as_it_is, 1000),
    "signs": ("sign_digits", _as_it_is, 1000),
    "clothes": ("clothing/train", _as_it_is, 1000),
    "capture": ("teachable_machine_capture", _as_it_is, 1000),
    "fingers, dim": ("finger_counting", _dim, 1000),
    "clothes, bright": ("clothing/train", _bright, 1000),
    "signs, grey": ("sign_digits", _grey, 1000),
    "clothes, few": ("clothing/train", _as_it_is, _FEW),
}
"""By name: folder, light, and how many pictures of a class are taught at most."""


def make_project(path: Path, shared: Path, name: str, choice: BackboneChoice) -> None:
    """Teach the first half of a set; the later half is held out."""
    folder, light, most = PROJECTS[name]
    with ProjectStore.create(path) as store:
        for of_class in sorted(p for p in (shared / folder).iterdir() if p.is_dir()):
            pictures = sorted(picture_paths([of_class], lambda *_: None))
            store.add_class(of_class.name)
            half = (len(pictures) + 1) // 2
            for held_out, part in ((False, pictures[:half][:most]), (True, pictures[half:])):
                burst = store.next_burst_id()
                for picture in part:
                    encoded = encode_image(light(read_image(picture)))
                    store.add_sample(encoded, of_class.name, burst, held_out=held_out)
        with load_project_backbone(store, choice, ignore_progress, may_change=True) as loaded:
            gathered = complete_features(store, loaded, ignore_progress)
            train_project(store, loaded, gathered, HeadSettings(), ignore_progress)


def measure_agreement(folder: Path, name: str, choice: BackboneChoice) -> None:
    """Export all formats of a project, and tell what was measured on what is held out."""
    with (
        ProjectStore.open(folder) as store,
        load_project_backbone(store, choice, ignore_progress, may_change=False) as loaded,
    ):
        bundle = export_bundle(
            store.snapshot(),
            trained_model(store, loaded)[0],
            loaded.backbone,
            formats="all",
            progress=ignore_progress,
            cancelled=never_cancelled,
        )
    spec = json.loads((bundle / "spec.json").read_bytes())
    for model_format, about in spec["measured"].items():
        if model_format == "live path":
            print(f"   {name}: right {about['accuracy']:.3f} of {about['samples']}")
            continue
        unknown = about["unknown_agreement"]
        print(
            f"      {model_format:8} labels {about['agreement']:.3f}, unknown "
            f"{'-' if unknown is None else f'{unknown:.3f}'}, scores within "
            f"{about['largest_score_difference']:.1e}, a frame {about['ms']:.1f} ms"
        )


def measure_time(folder: Path, choice: BackboneChoice) -> None:
    """Run the command as users do; the least of some runs counts on a shared machine."""
    for model_format in ("float32", "all"):
        words = ["export", str(folder), "-o", f"{folder}-timed", "--format", model_format]
        if choice.weights:
            words += ["--weights", str(choice.weights)]
        runs = [_run(words) for _ in range(_ROUNDS)]
        wall, processor, memory = (min(values) for values in zip(*runs, strict=True))
        print(
            f"   export --format {model_format}: {wall:.2f} s (all runs: "
            f"{', '.join(f'{run[0]:.2f}' for run in runs)}), processor {processor:.2f} s, "
            f"memory {memory:.0f} MB"
        )


def _run(words: list[str]) -> tuple[float, float, float]:
    """Run a command of ours; returns seconds, processor seconds and megabytes at most."""
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.execv(sys.executable, [sys.executable, "-m", "edge_classifier", *words])  # noqa: S606 - our own command
    _, status, used = os.wait4(child, 0)
    if status:
        sys.exit(f"`edge-classifier {' '.join(words)}` failed.")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measure_gap(folder: Path, choice: BackboneChoice) -> None:
    """Let a session export again and again while its picture moves."""
    exports: list[float] = []

    def exported(*job: Any) -> Path:  # noqa: ANN401 - as `Export` says
        started = time.perf_counter()
        bundle = export_from_session(*job)
        exports.append(time.perf_counter() - started)
        return bundle

    video = record_demo(folder / "demo.mp4")
    with ProjectStore.create(folder / "gap") as store:
        fill(store, 60)
        for pressed in ("", "e"):
            shown, _, _ = live(
                store,
                choice,
                lambda: Looped(video, paced=True),
                seconds=_GAP_S,
                drop=True,
                key=pressed,
                export=exported,
            )
            gaps = np.diff(shown) * 1000
            print(
                f"   {f'E pressed, {len(exports)} exports' if pressed else 'nothing pressed'}: "
                f"longest gap {gaps.max():.0f} ms, 99 % {np.percentile(gaps, 99):.0f}, "
                f"median {np.median(gaps):.0f}"
            )
    print(
        f"   exports took {', '.join(f'{s:.2f}' for s in exports)} s; wanted: 1.5 at most, gap 50"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shared", type=Path, required=True, help="folder with data/")
    parser.add_argument("--backbone", default="built-in")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    choice = BackboneChoice(options.backbone, options.weights)
    print(f"{options.backbone}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        projects = {name: folder / f"project {n}" for n, name in enumerate(PROJECTS)}
        timed = "fingers"
        for name, path in projects.items():
            if "agreement" in options.part or ("time" in options.part and name == timed):
                make_project(path, options.shared / "data", name, choice)
        if "agreement" in options.part:
            for name, path in projects.items():
                measure_agreement(path, name, choice)
        if "time" in options.part:
            measure_time(projects[timed], choice)
        if "gap" in options.part:
            with some_screen():
                measure_gap(folder, choice)


if __name__ == "__main__":
    main()
