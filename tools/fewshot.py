"""Few-shot benchmark: how much is learned from ten pictures a class, and what is unknown.

    python tools/fewshot.py --set signs=DIR --set clothes=TRAIN_DIR,TEST_DIR --backbone built-in
    python tools/fewshot.py --shared ../shared/data --backbone v2-0.35 --weights FILE

Every data set is a folder per class. How it is split into what may be learned from and what is
asked about: two folders as given; or by file order (the first and the last pictures of each
class, for frames taken one after the other); or by groups, where `--group NAME=REGEX` finds the
person or the burst in the file name. All methods get the same episodes and the same features.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from fewshots.episodes import (
    Episode,
    LabelledSet,
    episodes,
    natural_key,
    split_by_group,
    split_by_order,
)
from fewshots.measures import auroc, calibration_error, false_acceptance, interval, mean_of_sets

from edge_classifier.adapters.backbone import load_backbone
from edge_classifier.adapters.bulk import compute_all
from edge_classifier.adapters.image_file import read_image
from edge_classifier.backbones import NAMES
from edge_classifier.errors import EdgeClassifierError, InvalidValueError
from edge_classifier.head import imprint
from edge_classifier.model import Model
from edge_classifier.training import HeadSettings, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.frame import Features, FeatureSet
    from edge_classifier.protocols import Backbone

SHARED_SETS: Final = (
    "sign_digits",
    "clothing/train,clothing/test",
    "finger_counting",
    "azure_custom_vision",
)
IMAGE_SUFFIXES: Final = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
TEACHABLE_MACHINE_BATCH: Final = 16
OURS: Final = "ours"
TEACHABLE_MACHINE: Final = "teachable machine"


def nearest_mean(support: FeatureSet) -> Model:
    """Compare with the normalised class means."""
    return Model(imprint(support))


def teachable_machine(support: FeatureSet) -> Model:
    """Train as Teachable Machine does: Dense 100 relu, Adam 1e-3, 50 epochs, batches of 16."""
    batch = min(1.0, TEACHABLE_MACHINE_BATCH / len(support))
    return train(
        support,
        HeadSettings(kind="dense", learning_rate=1e-3, epochs=50, batch_fraction=batch),
    )


def article(support: FeatureSet) -> Model:
    """Train as the article does: Adam 1e-4, 20 epochs, batches of 0.4 N (on pooled features)."""
    return train(support, HeadSettings(kind="dense"))


METHODS: Final[dict[str, Callable[[FeatureSet], Model]]] = {
    OURS: train,
    TEACHABLE_MACHINE: teachable_machine,
    "article": article,
    "nearest mean": nearest_mean,
}


def pictures(folder: Path) -> list[Path]:
    """List the pictures of one class in natural order."""
    found = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES]
    return sorted(found, key=natural_key)


def class_folders(folder: Path) -> list[Path]:
    """List the folders that hold pictures."""
    if not folder.is_dir():
        raise InvalidValueError(f"There is no folder {folder}.")
    return [p for p in sorted(folder.iterdir()) if p.is_dir() and pictures(p)]


def extract(paths: list[Path], backbone: Backbone) -> Features:
    """Compute the features of pictures; one that cannot be read ends the benchmark."""
    rows = []
    for computed in compute_all(paths, read_image, backbone.extract):
        if computed.values is None:
            raise InvalidValueError(str(computed.problem))
        rows.append(computed.values)
    return np.stack(rows)


def load_set(text: str, backbone: Backbone, groups: dict[str, str], seed: int) -> LabelledSet:
    """Read one `NAME=DIR` or `NAME=TRAIN_DIR,TEST_DIR`."""
    name, _, where = text.partition("=")
    train_folder, _, test_folder = where.partition(",")
    classes, train_rows, bursts, test_rows = [], [], [], []
    generator = np.random.default_rng(seed)
    for folder in class_folders(Path(train_folder)):
        paths = pictures(folder)
        features = extract(paths, backbone)
        marks = np.array([str(n) for n in range(len(paths))])
        if test_folder:
            other = Path(test_folder) / folder.name
            learn, asked = np.arange(len(paths)), extract(pictures(other), backbone)
        elif name in groups:
            found = [re.search(groups[name], p.name) for p in paths]
            marks = np.array(
                [m.group(0) if m else p.name for m, p in zip(found, paths, strict=True)]
            )
            learn, rest = split_by_group(marks.tolist(), generator)
            asked = features[rest]
        else:
            learn, rest = split_by_order(len(paths))
            asked = features[rest]
        classes.append(folder.name)
        train_rows.append(features[learn])
        bursts.append(np.array([f"{folder.name}-{m}" for m in marks[learn]]))
        test_rows.append(asked)
    return LabelledSet(name, tuple(classes), tuple(train_rows), tuple(bursts), tuple(test_rows))


def measure(episode: Episode, method: Callable[[FeatureSet], Model]) -> dict[str, float]:
    """Train on one episode and ask."""
    started = time.perf_counter()
    model = method(episode.support)
    figures = {"seconds": time.perf_counter() - started}
    scores = model.head.scores(episode.query)
    figures["accuracy"] = float((scores.argmax(axis=1) == episode.query_ids).mean())
    figures["calibration"] = calibration_error(scores, episode.query_ids)
    for what, strangers in (("near", episode.near), ("far", episode.far)):
        if not len(strangers):
            continue
        known, strange = scores.max(axis=1), model.head.scores(strangers).max(axis=1)
        figures[f"{what} FA by score"] = false_acceptance(known, strange)
        if model.unknown:
            known = model.unknown.similarity(episode.query)
            strange = model.unknown.similarity(strangers)
            figures[f"{what} AUROC"] = auroc(known, strange)
            figures[f"{what} FA"] = false_acceptance(known, strange)
            figures[f"{what} FA as shipped"] = float((strange >= model.unknown.threshold).mean())
            figures["TA as shipped"] = float((known >= model.unknown.threshold).mean())
    return figures


def report(results: dict[str, dict[str, dict[str, list[float]]]], sets: list[str]) -> None:
    """Print accuracy by set and method, then what is unknown."""
    print(
        f"\n{'10-shot accuracy':20}" + "".join(f"{s[:14]:>15}" for s in sets) + "     mean  (95 %)"
    )
    for method, figures in results.items():
        accuracy = figures["accuracy"]
        low, high = interval(accuracy)
        cells = "".join(f"{np.mean(accuracy[s]):15.3f}" for s in sets)
        seconds = mean_of_sets(figures["seconds"])
        print(
            f"{method:20}{cells}{mean_of_sets(accuracy):9.3f}  ({low:.3f} to {high:.3f})"
            f"  ECE {mean_of_sets(figures['calibration']):.3f}  {seconds * 1000:.0f} ms"
        )
    ours, theirs = (results[m]["accuracy"] for m in (OURS, TEACHABLE_MACHINE))
    paired = {s: [a - b for a, b in zip(ours[s], theirs[s], strict=True)] for s in sets}
    low, high = interval(paired)
    worst = min(sets, key=lambda s: float(np.mean(paired[s])))
    print(
        f"\n{OURS} minus {TEACHABLE_MACHINE}, paired: {mean_of_sets(paired):+.3f} "
        f"({low:+.3f} to {high:+.3f}); least on {worst}: {np.mean(paired[worst]):+.3f}"
    )
    print("\nunknown (FA: strangers accepted where 95 % of known frames are; means over sets)")
    for key in sorted(k for k in results[OURS] if "FA" in k or "AUROC" in k or "TA" in k):
        print(f"  {key:24}{mean_of_sets(results[OURS][key]):.3f}")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=DIR[,TEST_DIR]")
    parser.add_argument("--group", action="append", default=[], metavar="NAME=REGEX")
    parser.add_argument("--shared", type=Path, help="also the sets of this folder")
    parser.add_argument("--backbone", default="built-in", choices=NAMES)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--features", default="pooled", choices=("pooled", "spatial"))
    parser.add_argument("--shots", type=int, default=10)
    parser.add_argument("--ways", type=int, default=6)
    parser.add_argument("--episodes", type=int, default=20, help="of each set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    options = parser.parse_args()
    shared = options.shared or Path(os.environ.get("EDGE_CLASSIFIER_SHARED", "../shared")) / "data"
    words = list(options.set)
    if options.shared or not words:
        for item in SHARED_SETS:
            folders = ",".join(str(shared / part) for part in item.split(","))
            words.append(f"{item.split('/')[0]}={folders}")
    groups = dict(g.split("=", 1) for g in options.group)
    try:
        backbone = load_backbone(
            options.backbone, weights=options.weights, feature_kind=options.features
        )
        sets = [load_set(w, backbone, groups, options.seed) for w in words]
        results: dict[str, dict[str, dict[str, list[float]]]] = {
            method: defaultdict(lambda: defaultdict(list)) for method in METHODS
        }
        drawn = episodes(
            sets,
            shots=options.shots,
            ways=options.ways,
            count=options.episodes,
            seed=options.seed,
        )
        for number, episode in enumerate(drawn):
            for method, learn in METHODS.items():
                for key, value in measure(episode, learn).items():
                    results[method][key][episode.set_name].append(value)
            total = options.episodes * len(sets)
            sys.stderr.write(f"\r{number + 1} of {total} episodes")
    except EdgeClassifierError as error:
        sys.stderr.write(f"fewshot: {error}\n")
        return 1
    sys.stderr.write("\n")
    print(f"{backbone.info.name}, {options.features}, {options.shots} shots, seed {options.seed}")
    report(results, [s.name for s in sets])
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
