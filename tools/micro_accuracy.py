"""How much a classifier loses on 96 pixels in 8 bits, for backbones of one's choice.

    python tools micro_accuracy PROJECT … --backbone v1-0.25=FILE.h5 --backbone built-in=

For each project and backbone: the accuracy on bursts that were not learned from, as `evaluate`
deals them out, at the backbone's own size and in int8 at 96 pixels. Bursts are those that the first
backbone finds. The size is that of the network in int8, without a head.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from edge_classifier.evaluation.cross_validation import cross_validate
from edge_classifier.export.elsewhere.rounded_backbone import RoundedBackbone
from edge_classifier.export.elsewhere.small_classifier import INPUT_SIZE, Eye, seen_by
from edge_classifier.export.formats import INT8
from edge_classifier.export.input_size import pooled_at
from edge_classifier.export.samples import choose_samples
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.bulk import use_one_opencv_thread
from edge_classifier.learning.settings import stored_head_settings
from edge_classifier.project.store import open_for_reading
from edge_classifier.protocols import ignore_progress, never_cancelled


def measure(project: Path, backbones: dict[str, Path | None]) -> list[tuple[float, float, int]]:
    """Return for each backbone the two accuracies, and the bytes of the small one."""
    with open_for_reading(project, ignore_progress) as store:
        snapshot = store.snapshot()
    calibrating = choose_samples(snapshot, (INT8,)).calibrating
    eyes, sizes = [], []
    for name, weights in backbones.items():
        full = load_backbone(name, weights=weights)
        small = RoundedBackbone(pooled_at(full, INPUT_SIZE), calibrating, never_cancelled)
        sizes.append(len(small.content))
        eyes += [Eye(each.extract, each.info.feature_dim) for each in (full, small)]
    settings = stored_head_settings(snapshot.settings, snapshot.name)
    _, sets = seen_by(eyes, snapshot, settings, ignore_progress, never_cancelled)
    right = []
    for each_set in sets:
        evaluation = cross_validate(each_set, settings).evaluation
        right.append(float("nan") if evaluation is None else evaluation.accuracy)
    return list(zip(right[::2], right[1::2], sizes, strict=True))


def main() -> int:
    """Measure; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("projects", nargs="+", type=Path, metavar="PROJECT")
    parser.add_argument(
        "--backbone", action="append", required=True, metavar="NAME=WEIGHTS", help="or NAME="
    )
    options = parser.parse_args()
    use_one_opencv_thread()
    given = [text.partition("=") for text in options.backbone]
    backbones = {name: Path(file) if file else None for name, _, file in given}
    print("project", *(f"{name} own/{INPUT_SIZE} px" for name in backbones), sep="\t")
    rows = []
    for project in options.projects:
        rows.append(measure(project, backbones))
        cells = (f"{full:.3f} {small:.3f}" for full, small, _ in rows[-1])
        print(project.name, *cells, sep="\t", flush=True)
    means = np.mean([[row[:2] for row in of_project] for of_project in rows], axis=0)
    print("mean", *(f"{full:.3f} {small:.3f}" for full, small in means), sep="\t")
    print("bytes", *(size for _, _, size in rows[-1]), sep="\t")
    return 0


if __name__ == "__main__":
    sys.exit(main())
