"""`edge-classifier train`: a head on a project's samples, without a window."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.commands import options as shared
from edge_classifier.commands.console import open_for_writing, table
from edge_classifier.commands.suggestions import general_advice
from edge_classifier.device.console import SOME_REFUSED, one_line, say
from edge_classifier.device.interpreter import core_count
from edge_classifier.evaluation.advice import counted
from edge_classifier.evaluation.suspects import out_of_place
from edge_classifier.features.bulk import use_one_opencv_thread
from edge_classifier.features.catalogue import AUTO
from edge_classifier.learning.feature_sets import ProjectFeatures, complete_features
from edge_classifier.learning.fine_tuning import fine_tune, undo_fine_tuning
from edge_classifier.learning.project_backbone import load_project_backbone
from edge_classifier.learning.project_model import train_project
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.progress import ProgressMeter

if TYPE_CHECKING:
    from edge_classifier.learning.model import Model

IF_CANCELLED: Final = "the model is as it was; features that were computed are kept"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `train`."""
    parser.add_argument("project", type=Path, help="project folder")
    shared.add_backbone_options(parser, bulk=True)
    shared.add_head_options(parser)
    tuning = parser.add_mutually_exclusive_group()
    tuning.add_argument(
        "--fine-tune",
        action="store_true",
        help="first fine-tune the last blocks of the network on the samples (up to a minute); the "
        "project keeps the result in its folder `backbone`",
    )
    tuning.add_argument(
        "--undo-fine-tuning",
        action="store_true",
        help="go back to the network as it came, and delete that",
    )
    # Their names in version 0.1.
    for old, destination in (("--deep", "fine_tune"), ("--shallow", "undo_fine_tuning")):
        tuning.add_argument(old, dest=destination, action="store_true", help=argparse.SUPPRESS)
    parser.epilog = "Exit code: 0 trained, 1 not, 3 trained but some pictures could not be read."


def run(options: argparse.Namespace) -> int:
    """Train; the exit code is 3 where some pictures could not be read."""
    use_one_opencv_thread()
    with open_for_writing(options.project) as store:
        settings = project_head_settings(store, shared.head_changes(options))
        choice = shared.backbone_choice(options)
        if options.fine_tune or options.undo_fine_tuning:
            change = fine_tune if options.fine_tune else undo_fine_tuning
            with ProgressMeter("loading the backbone") as progress:
                change(store, choice, progress, lambda: False)
            choice = replace(choice, name=AUTO)
        with (
            ProgressMeter("loading the backbone") as progress,
            load_project_backbone(store, choice, progress, may_change=True) as loaded,
        ):
            started = time.monotonic()
            gathered = complete_features(store, loaded, progress, threads=options.threads)
            extracted = time.monotonic()
            model = train_project(store, loaded, gathered, settings, progress)
            trained = time.monotonic()
    left_out = out_of_place(gathered.samples, gathered.feature_set)
    for line in gathered.refused:
        say(line)
    say(f"backbone: {loaded.note}")
    sys.stdout.write(_summary(gathered, model))
    learned = len(gathered.feature_set) - len(left_out)
    classes = counted(len(model.class_names), "class", "classes")
    sys.stdout.write(
        f"\ntrained on {learned} pictures of {classes}: "
        f"features {extracted - started:.2f} s on {options.threads or core_count()} cores, "
        f"head {trained - extracted:.2f} s\n"
    )
    if gathered.added.recordings:
        say(f"{gathered.added.line} (--bursts single: each is single)")
    for line in general_advice(gathered, left_out):
        say(line)
    say(f"`edge-classifier evaluate {options.project}` says how good it is.")
    return SOME_REFUSED if gathered.refused else 0


def _summary(gathered: ProjectFeatures, model: Model) -> str:
    counts = gathered.feature_set.counts
    rows = [
        [one_line(name), str(count), str(gathered.burst_count(name))]
        for name, count in zip(model.class_names, counts, strict=True)
    ]
    return table(["class", "pictures", "bursts"], rows)
