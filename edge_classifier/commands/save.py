"""`edge-classifier save`: a copy of a project, as key S makes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.commands.console import open_for_reading
from edge_classifier.device.console import say
from edge_classifier.features.carried import files_to_carry
from edge_classifier.features.weights import CacheFolders
from edge_classifier.learning.project_backbone import BackboneChoice, load_project_backbone
from edge_classifier.progress import ProgressMeter
from edge_classifier.protocols import never_cancelled

if TYPE_CHECKING:
    import argparse

IF_CANCELLED: Final = "no copy was saved"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `save`."""
    parser.add_argument("project", type=Path, help="project folder")
    parser.add_argument("copy", type=Path, help="new folder")
    parser.add_argument(
        "--portable",
        action="store_true",
        help="make sure that the copy goes on without TensorFlow, as on a Raspberry Pi: compile "
        "its network first, where that was not done on this machine",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="the weights file, if it was given by you"
    )


def run(options: argparse.Namespace) -> int:
    """Save a copy."""
    with (
        open_for_reading(options.project) as store,
        ProgressMeter("saving a copy") as progress,
    ):
        if options.portable and store.backbone is not None:
            choice = BackboneChoice(weights=options.weights)
            load_project_backbone(store, choice, progress, may_change=False).close()
        more = files_to_carry(store.path, store.backbone, CacheFolders.of_this_user())
        store.save_as(options.copy, progress, never_cancelled, more=more)
    say(f"Saved a copy in {options.copy}.")
    return 0
