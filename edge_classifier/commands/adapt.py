"""`edge-classifier adapt`: a project answers in another light or place as where it was taught."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.commands import options as shared
from edge_classifier.commands.console import open_for_writing
from edge_classifier.commands.unlabelled_frames import DEMO, Unlabelled, look_at_source
from edge_classifier.device.console import SOME_REFUSED, one_line, say
from edge_classifier.device.sources.named import check_source
from edge_classifier.errors import InvalidOptionError
from edge_classifier.features.bulk import use_one_opencv_thread
from edge_classifier.learning.adaptation import adapt_model
from edge_classifier.learning.adaptation_file import FileAdaptationStore
from edge_classifier.learning.familiar_frames import FamiliarFrames
from edge_classifier.learning.project_backbone import load_project_backbone
from edge_classifier.learning.project_model import taught_model
from edge_classifier.progress import ProgressMeter
from edge_classifier.project.framing import stored_framing

if TYPE_CHECKING:
    import argparse

    from edge_classifier.project.store import ProjectStore

IF_CANCELLED: Final = "the project answers as it did before"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `adapt`."""
    parser.add_argument("project", type=Path, help="project folder with a trained model")
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="pictures of the classes as they look now, without labels; folders of them; videos",
    )
    parser.add_argument(
        "--source",
        metavar="0|picamera|PATH|URL|demo",
        help="instead: a camera, video or stream, before which the classes are shown again",
    )
    parser.add_argument(
        "--undo", action="store_true", help="answer again as where the classes were taught"
    )
    shared.add_backbone_options(parser, bulk=True)
    parser.epilog = (
        "Samples and the trained model stay as they are: the features of the pictures are kept "
        "beside them, and replace those of an earlier `adapt`. Exit code: 0 adapted, 1 not "
        "possible, and then nothing has changed, 3 adapted, but some pictures could not be read "
        "(each is named with its reason)."
    )


def run(options: argparse.Namespace) -> int:
    """Adapt; the exit code is 3 where some pictures could not be read."""
    given = (bool(options.paths), options.source is not None, options.undo)
    if sum(given) != 1:
        raise InvalidOptionError(
            "Expected one of these: pictures of the classes as they look now, --source, or --undo."
        )
    if options.source not in (None, DEMO):
        check_source(options.source)
    use_one_opencv_thread()
    with open_for_writing(options.project) as store:
        if options.undo:
            _undo(store)
            return 0
        refused = _adapt(options, store)
    say(f"`edge-classifier adapt {options.project} --undo` takes it back.")
    return SOME_REFUSED if refused else 0


def _adapt(options: argparse.Namespace, store: ProjectStore) -> list[str]:
    """Adapt a project to what was asked for; returns what was refused, one line each."""
    choice = shared.backbone_choice(options)
    unlabelled = Unlabelled(options.paths)
    with (
        ProgressMeter("loading the backbone") as progress,
        load_project_backbone(store, choice, progress, may_change=False) as loaded,
    ):
        model, fresh = taught_model(store, loaded)
        if not fresh:
            say(
                f"{store.name} has changed since it was trained; adapting the model as it is. "
                f"`edge-classifier train {options.project}` takes the changes in."
            )
        frames = FamiliarFrames(model)
        if options.source is not None:
            progress.close()
            framing = stored_framing(store.settings)
            look_at_source(options.source, frames, loaded.backbone, framing)
        else:
            progress(0.0, "looking at the pictures")
            unlabelled.look(frames, loaded.backbone, progress, options.threads)
            progress.close()
        for line in unlabelled.refused:
            say(f"refused: {line}")
        if unlabelled.taken < unlabelled.found:
            say(f"{unlabelled.found:,} pictures found; {unlabelled.taken:,} were taken, evenly.")
        adaptation = adapt_model(model, frames.features())
        loaded.adaptation.save(frames.features())
    say(
        f"Adapted to {len(frames)} of {frames.looked_at:,} pictures ({frames}); the others were "
        "strange or repeated."
    )
    sys.stdout.write(f"{one_line(str(adaptation))}\n")
    return unlabelled.refused


def _undo(store: ProjectStore) -> None:
    key = store.backbone.key if store.backbone else ""
    if FileAdaptationStore(store.model_folder, key).remove():
        say(f"{store.name} answers again as it was taught.")
    else:
        say(f"{store.name} is not adapted; there is nothing to take back.")
