"""Few-shot benchmark: how much is learned from ten pictures a class, and what is unknown.

    python tools fewshots --set signs=DIR --set clothes=TRAIN_DIR,TEST_DIR --backbone built-in
    python tools fewshots --shared ../shared/data --backbone v2-0.35 --weights FILE
    python tools fewshots --shared ../shared/data --backbone v1-0.25 --weights v1-0.25=FILE \
        --backbone v2-0.35 --weights v2-0.35=FILE --backbone built-in

Every data set is a folder per class. How it is split into what may be learned from and what is
asked about: two folders as given; or by file order (the first and the last pictures of each
class, for frames taken one after the other); or by groups, where `--group NAME=REGEX` finds the
person or the burst in the file name. All methods get the same episodes and the same features;
our default also learns from variants of the same pictures, as in the product.

Of several backbones it prints the table that the README shows: our default on each, what a frame
costs (measured in turn, against v1-0.25 or else the first), and what passes as known. With
`v2-0.35+v2-1.0` the features of both lie side by side; that is no backbone of the product yet.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from edge_classifier.errors import EdgeClassifierError, InvalidValueError
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.catalogue import BUILT_IN, NAMES
from fewshots.cost import milliseconds, undisturbed
from fewshots.episodes import Episode, LabelledSet, episodes
from fewshots.loading import DataSet, load_set
from fewshots.measures import auroc, calibration_error, calibration_gap, false_acceptance
from fewshots.methods import METHODS, OURS, TEACHABLE_MACHINE
from fewshots.side_by_side import SEPARATOR, SideBySide
from fewshots.tables import POOLED, BackboneRow, Results, print_backbones, print_methods

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from edge_classifier.learning.model import Model
    from edge_classifier.values import FeatureSet

Answers: TypeAlias = "tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]"
"""Confidences, and whether the answers were right."""

REFERENCE: Final = "v1-0.25"
SHARED_SETS: Final = (
    "sign_digits",
    "clothing/train,clothing/test",
    "finger_counting",
    "azure_custom_vision",
)
SHARED_KINDS: Final = {"sign_digits": "hands", "finger_counting": "hands"}


def measure(
    episode: Episode, method: Callable[[FeatureSet], Model], answers: list[Answers]
) -> dict[str, float]:
    """Train on one episode and ask; adds what was answered to `answers`."""
    started = time.perf_counter()
    model = method(episode.support)
    figures = {"seconds": time.perf_counter() - started}
    scores = model.head.scores(episode.query)
    figures["accuracy"] = float((scores.argmax(axis=1) == episode.query_ids).mean())
    figures["calibration"] = calibration_error(scores, episode.query_ids)
    answers.append((scores.max(axis=1), scores.argmax(axis=1) == episode.query_ids))
    for what, strangers in (("near", episode.near), ("far", episode.far)):
        if not len(strangers):
            continue
        known, strange = scores.max(axis=1), model.head.scores(strangers).max(axis=1)
        figures[f"{what} FA by score"] = false_acceptance(known, strange)
        if model.unknown:
            known = model.unknown.similarity(episode.query, scores)
            strange = model.unknown.similarity(strangers, model.head.scores(strangers))
            figures[f"{what} AUROC"] = auroc(known, strange)
            figures[f"{what} FA"] = false_acceptance(known, strange)
            figures[f"{what} FA as shipped"] = float((strange >= model.unknown.threshold).mean())
            figures["TA as shipped"] = float((known >= model.unknown.threshold).mean())
    return figures


def compare_methods(sets: Sequence[LabelledSet], options: argparse.Namespace) -> Results:
    """Let every method learn every episode."""
    results: Results = {m: defaultdict(lambda: defaultdict(list)) for m in METHODS}
    drawn = episodes(
        sets, shots=options.shots, ways=options.ways, count=options.episodes, seed=options.seed
    )
    answers: dict[tuple[str, str], list[Answers]] = defaultdict(list)
    for number, episode in enumerate(drawn):
        for method, learn in METHODS.items():
            of_set = answers[method, episode.set_name]
            for key, value in measure(episode, learn, of_set).items():
                results[method][key][episode.set_name].append(value)
        sys.stderr.write(f"\r{number + 1} of {options.episodes * len(sets)} episodes")
    sys.stderr.write("\n")
    for (method, name), of_set in answers.items():
        confidences, right = (np.concatenate(part) for part in zip(*of_set, strict=True))
        results[method][POOLED][name] = [calibration_gap(confidences, right)]
    return results


def data_sets(options: argparse.Namespace) -> list[DataSet]:
    """Read `--set`, `--group`, `--kind` and `--shared`."""
    words = list(options.set)
    if options.shared or not words:
        shared = options.shared or Path(os.environ.get("EDGE_CLASSIFIER_SHARED", "../shared"))
        folder = shared if options.shared else shared / "data"
        for item in SHARED_SETS:
            folders = ",".join(str(folder / part) for part in item.split(","))
            words.append(f"{item.split('/')[0]}={folders}")
    groups = dict(g.split("=", 1) for g in options.group)
    kinds = SHARED_KINDS | dict(k.split("=", 1) for k in options.kind)
    return [DataSet.from_text(w, groups, kinds) for w in words]


def load_backbones(options: argparse.Namespace) -> list[SideBySide]:
    """Load every `--backbone` with its `--weights`.

    Raises:
        InvalidValueError: if weights are given for none of them, or there is no such backbone.
        BackboneError: if one cannot be had.
    """
    wanted = list(dict.fromkeys(options.backbone or [BUILT_IN]))
    names = list(dict.fromkeys(n for together in wanted for n in together.split(SEPARATOR)))
    weights: dict[str, Path] = {}
    for text in options.weights:
        name, separator, file = text.rpartition("=")
        name = name if separator else names[0]
        if name not in names or (not separator and len(names) > 1):
            raise InvalidValueError(
                f"Expected --weights NAME=FILE for one of {', '.join(names)}, received {text!r}."
            )
        weights[name] = Path(file)
    loaded = {
        name: load_backbone(name, weights=weights.get(name), feature_kind=options.features)
        for name in names
    }
    return [SideBySide(tuple(loaded[n] for n in text.split(SEPARATOR))) for text in wanted]


def compare_backbones(
    backbones: Sequence[SideBySide], results: dict[str, Results]
) -> list[BackboneRow]:
    """Put what our default reached on each beside what a frame costs on it."""
    extractors = {name: e for b in backbones for name, e in b.extractors.items()}
    alone = {name: undisturbed(times) for name, times in milliseconds(extractors).items()}
    cost = {b.name: sum(alone[name] for name in b.extractors) for b in backbones}
    first = alone.get(REFERENCE, cost[backbones[0].name])
    return [
        BackboneRow(
            b.name,
            results[b.name][OURS],
            results[b.name][TEACHABLE_MACHINE],
            ms=cost[b.name],
            times=cost[b.name] / first,
            size=sum(len(content) for content in b.extractors.values()),
        )
        for b in backbones
    ]


def add_shared_arguments(parser: argparse.ArgumentParser, *, episodes: int) -> None:
    """Add what each protocol takes beside its sets: how tasks are drawn, on which backbones."""
    parser.add_argument(
        "--backbone",
        action="append",
        metavar="NAME[+NAME]",
        help=f"may be repeated; {', '.join(NAMES)}, or several side by side",
    )
    parser.add_argument("--weights", action="append", default=[], metavar="[NAME=]FILE")
    parser.add_argument("--features", default="pooled", choices=("pooled", "spatial"))
    parser.add_argument("--shots", type=int, default=10)
    parser.add_argument("--ways", type=int, default=6)
    parser.add_argument("--episodes", type=int, default=episodes, help="of each set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")


def arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=DIR[,TEST_DIR]")
    parser.add_argument("--group", action="append", default=[], metavar="NAME=REGEX")
    parser.add_argument(
        "--kind",
        action="append",
        default=[],
        metavar="NAME=KIND",
        help="what a set shows; sets of one kind are no far strangers to each other",
    )
    parser.add_argument("--shared", type=Path, help="also the sets of this folder")
    add_shared_arguments(parser, episodes=20)
    return parser


def main() -> int:
    """Run the benchmark."""
    options = arguments().parse_args()
    results: dict[str, Results] = {}
    try:
        wanted = data_sets(options)
        backbones = load_backbones(options)
        for backbone in backbones:
            name = backbone.name
            sets = [load_set(data, backbone.extract, options.seed) for data in wanted]
            results[name] = compare_methods(sets, options)
            print(f"{name}, {options.features}, {options.shots} shots, seed {options.seed}")
            print_methods(results[name], [s.name for s in sets], options.shots)
        if len(backbones) > 1:
            print_backbones(compare_backbones(backbones, results))
    except EdgeClassifierError as error:
        sys.stderr.write(f"fewshot: {error}\n")
        return 1
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
