"""Later conditions: taught on the first frames of recordings, asked about the last ones.

    python tools fewshots.later --set rock=DIR --set signs=DIR --kind rock=hands \
        --kind signs=hands --far DIR --backbone v2-0.35 --weights FILE --half second

Every set is a folder per class of the frames of one recording, in the order of their names. What
is measured is described in `fewshots.recordings`: accuracy as it is, adapted, following; and what
is called unknown at the threshold that is shipped. Choose on the first half, report on the second.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from edge_classifier.errors import EdgeClassifierError, InvalidValueError
from edge_classifier.features.strangers import Strangers
from edge_classifier.learning.training import use_one_thread
from fewshots.__main__ import add_shared_arguments, load_backbones
from fewshots.loading import class_folders, features_of, pictures_in, varied
from fewshots.measures import mean_of_sets
from fewshots.recordings import (
    LEAST_FRAMES,
    Draw,
    Recording,
    draw_task,
    far_of,
    measure,
    taught_count,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.values import Features
    from fewshots.loading import Extract
    from fewshots.side_by_side import SideBySide

Figures: TypeAlias = "dict[str, dict[str, list[float]]]"
"""By figure, then by set: one number an episode."""

_MOST_FRAMES: Final = 100
"""Frames of a class, evenly over its recording."""

_MOST_CLASSES: Final = 8
_MOST_FAR: Final = 30


def load_recording(name: str, folder: Path, kind: str, extract: Extract) -> Recording:
    """Compute the features of a set.

    Raises:
        InvalidValueError: if it has not two classes with enough frames, or one cannot be read.
    """
    names: list[str] = []
    frames, variants = [], []
    for class_folder in class_folders(folder):
        paths = pictures_in(class_folder)
        if len(paths) < LEAST_FRAMES or len(names) == _MOST_CLASSES:
            continue
        picks = np.unique(np.linspace(0, len(paths) - 1, _MOST_FRAMES).astype(np.int64))
        chosen = [paths[n] for n in picks.tolist()]
        first = features_of(chosen[: taught_count(len(chosen))], varied(extract))
        rest = features_of(chosen[len(first) :], extract)
        names.append(class_folder.name)
        frames.append(np.concatenate([first[:, 0], rest]))
        variants.append(first[:, 1:])
    if len(names) < 2:  # noqa: PLR2004 - one cannot be told from anything
        raise InvalidValueError(
            f"Expected 2 classes or more of {LEAST_FRAMES} frames in {folder}, found {len(names)}."
        )
    return Recording(name, tuple(names), tuple(frames), tuple(variants), kind or name)


def load_far(folders: Sequence[Path], extract: Extract, feature_dim: int) -> Features:
    """Compute the features of pictures of other things, some of each folder."""
    found = [np.empty((0, feature_dim), np.float32)]
    for folder in folders:
        found += [
            features_of(pictures_in(class_folder)[:_MOST_FAR], extract)
            for class_folder in class_folders(folder)
        ]
    return np.concatenate(found)


def run(backbone: SideBySide, options: argparse.Namespace) -> Figures:
    """Let the product's default learn every task on one backbone."""
    kinds = dict(text.split("=", 1) for text in options.kind)
    named = sorted(text.split("=", 1) for text in options.set)
    part = {"first": slice(0, None, 2), "second": slice(1, None, 2), "both": slice(None)}
    sets = [
        load_recording(name, Path(folder), kinds.get(name, ""), backbone.extract)
        for name, folder in named[part[options.half]]
    ]
    strangers = Strangers(backbone.backbones[0]).features()
    others = load_far(options.far, backbone.extract, strangers.shape[1])
    how = Draw(options.shots, options.ways, options.in_a_row, options.singly)
    figures: Figures = defaultdict(lambda: defaultdict(list))
    for number, one in enumerate(sets):
        for episode in range(options.episodes):
            generator = np.random.default_rng([options.seed, number, episode])
            task = draw_task(one, strangers, how, generator)
            found = measure(task, far_of(sets, one, others), generator)
            for name, value in found.items():
                figures[name][one.name].append(value)
        sys.stderr.write(f"\r{number + 1} of {len(sets)} sets")
    sys.stderr.write("\n")
    return figures


def print_figures(figures: Figures) -> None:
    """Print each figure's mean over the sets, and the set where it is worst."""
    print(f"{'figure':44}   mean    worst set")
    for name, by_set in figures.items():
        means = {key: float(np.mean(values)) for key, values in by_set.items()}
        lower_is_worse = name.startswith(("accuracy", "gain"))
        worst = (min if lower_is_worse else max)(means, key=lambda key: means[key])
        print(f"{name:44} {mean_of_sets(by_set):6.3f}   {means[worst]:6.3f} {worst}")


def arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", action="append", required=True, metavar="NAME=DIR")
    parser.add_argument("--kind", action="append", default=[], metavar="NAME=KIND")
    parser.add_argument(
        "--far",
        action="append",
        type=Path,
        default=[],
        metavar="DIR",
        help="a folder per class of other things",
    )
    parser.add_argument("--half", default="both", choices=("first", "second", "both"))
    parser.add_argument("--in-a-row", action="store_true", help="shots follow each other")
    parser.add_argument("--singly", action="store_true", help="each shot as a burst of its own")
    add_shared_arguments(parser, episodes=6)
    return parser


def main() -> int:
    """Run the benchmark."""
    options = arguments().parse_args()
    use_one_thread()
    results: dict[str, Figures] = {}
    try:
        for backbone in load_backbones(options):
            results[backbone.name] = figures = run(backbone, options)
            print(f"\n{backbone.name}, {options.features}, {options.shots} shots")
            print_figures(figures)
    except EdgeClassifierError as error:
        sys.stderr.write(f"fewshots.later: {error}\n")
        return 1
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
