"""`edge-classifier export`: a folder that runs on a Raspberry Pi, or a model for elsewhere."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge_classifier.commands.console import BUNDLE_WRITTEN, open_for_reading, percent, table
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.console import say
from edge_classifier.device.stop import INTERRUPTED
from edge_classifier.errors import InvalidOptionError, InvalidValueError, NotTrainedError
from edge_classifier.export.elsewhere.exporter import export_elsewhere
from edge_classifier.export.elsewhere.formats import ELSEWHERE
from edge_classifier.export.exporter import export_bundle
from edge_classifier.export.formats import ALL, AUTO, DYNAMIC, FLOAT32, INT8, LIMITS
from edge_classifier.export.samples import HELD_OUT
from edge_classifier.export.to_device import Place, copy_to_device
from edge_classifier.learning.feature_sets import complete_features
from edge_classifier.learning.project_backbone import BackboneChoice, load_project_backbone
from edge_classifier.learning.project_model import train_project, trained_model
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.progress import ProgressMeter
from edge_classifier.protocols import never_cancelled

if TYPE_CHECKING:
    from edge_classifier.learning.model import Model
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.project.store import ProjectStore

IF_CANCELLED: Final = "nothing was exported; a bundle that was there is as it was"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    parser.add_argument("project", type=Path, help="project folder")
    parser.add_argument(
        "--format",
        choices=(*LIMITS, ALL, AUTO, *ELSEWHERE),
        default=FLOAT32,
        help="kind of model file (default: float32); auto takes the smallest and fastest that is "
        f"right; {', '.join(ELSEWHERE)} are for other places than a Raspberry Pi",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="DIR",
        help="folder to write (default: PROJECT-bundle, or PROJECT-FORMAT for other places)",
    )
    parser.add_argument(
        "--to",
        type=_place,
        metavar="[USER@]HOST:DIR",
        help="also copy the bundle there by ssh, verify it there, and let it take the place of one "
        "that is there; what runs from there takes it up by itself",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="the weights file, if it was given by you"
    )
    parser.epilog = (
        "Exit code: 0 exported and verified, 1 not; then nothing was written, but where it says "
        "otherwise."
    )


def run(options: argparse.Namespace) -> int:
    """Export."""
    elsewhere = ELSEWHERE.get(options.format)
    if elsewhere and options.to:
        raise InvalidOptionError(f"--to copies bundles, and --format {options.format} makes none.")
    if elsewhere:
        elsewhere.check_installed()  # before anything is trained
    with open_for_reading(options.project) as store:
        choice = BackboneChoice(weights=options.weights)
        with (
            ProgressMeter("loading the backbone") as progress,
            load_project_backbone(store, choice, progress, may_change=False) as loaded,
        ):
            model = _model(store, loaded, progress)
            exported = (store.snapshot(), model, loaded.backbone)
            if elsewhere:
                folder, notes = export_elsewhere(
                    *exported,
                    elsewhere,
                    out=options.output,
                    weights=options.weights,
                    progress=progress,
                    cancelled=never_cancelled,
                )
            else:
                folder = export_bundle(
                    *exported,
                    formats=options.format,
                    out=options.output,
                    progress=progress,
                    cancelled=never_cancelled,
                )
    if elsewhere:
        for note in notes:
            say(note)
        say(f"The model is in {folder}; its README.md says how to load it.")
        return 0
    # First, since the table may have nowhere to go.
    say(BUNDLE_WRITTEN.format(folder=folder))
    if options.to and not _copy(folder, options.to):
        return INTERRUPTED
    spec = Bundle.open(folder).spec
    sys.stdout.write(_table(spec))
    if not {DYNAMIC, INT8}.isdisjoint(spec["models"]) and spec["measured_on"] != HELD_OUT:
        say(
            "What a model was trained on is easy for it: of pictures that it is unsure of, dynamic "
            "and int8 name up to 5 in 100 otherwise. With held-out pictures (see `add`) the table "
            "shows what they do to yours."
        )
    for model_format, reason in spec["left_out"].items():
        say(f"{model_format} was left out: {reason}.")
    return 0


def _place(text: str) -> Place:
    try:
        return Place.parse(text)
    except InvalidValueError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from error


def _copy(folder: Path, place: Place) -> bool:
    """Copy a bundle to another machine; returns whether nobody has cancelled that."""
    try:
        with ProgressMeter("copying") as progress:
            told = copy_to_device(folder, place, progress)
    except KeyboardInterrupt:
        say(f"edge-classifier: cancelled: {place.text} is as it was.")
        return False
    say(f"The bundle is in {place.text}, verified there: {'; '.join(told.splitlines())}.")
    return True


def _model(store: ProjectStore, loaded: LoadedBackbone, progress: ProgressMeter) -> Model:
    """Take the trained model, or train where the samples have changed since."""
    try:
        model, current = trained_model(store, loaded)
    except NotTrainedError:
        current = False
    if current:
        return model
    gathered = complete_features(store, loaded, progress)
    trained = train_project(store, loaded, gathered, project_head_settings(store), progress)
    progress.close()
    say(f"Trained on all {len(gathered.feature_set)} samples first; they had changed.")
    return trained


def _table(spec: dict[str, Any]) -> str:
    rows = []
    for model_format, about in spec["models"].items():
        measured = spec["measured"][model_format]
        rows.append(
            [
                f"{about['file']} ({model_format})",
                f"{about['bytes'] / 1e6:.2f} MB",
                percent(measured["agreement"]),
                percent(measured["unknown_agreement"]),
                f"{measured['largest_score_difference']:.1g}",
                f"{measured['ms']:.1f} ms",
            ]
        )
    samples = spec["measured"]["live path"]["samples"]
    return (
        table(["file", "size", "agreement", "unknown", "score differs by", "a frame"], rows)
        + f"\ncompared with the live path on {samples} {spec['measured_on']}\n"
    )
