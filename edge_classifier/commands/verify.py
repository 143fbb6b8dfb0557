"""`edge-classifier verify`: is what was exported what the live picture shows?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.commands.console import check_report, open_for_reading, percent, table
from edge_classifier.commands.worst_frames import write_worst_frames
from edge_classifier.device import checks
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.console import one_line, say
from edge_classifier.export.bundle import check_bundle
from edge_classifier.export.verification import verify_with_pictures, verify_with_project
from edge_classifier.learning.project_backbone import BackboneChoice, load_project_backbone
from edge_classifier.learning.project_model import trained_model
from edge_classifier.progress import ProgressMeter
from edge_classifier.project.folder import is_project

if TYPE_CHECKING:
    import argparse

    from edge_classifier.export.formats import Comparison
    from edge_classifier.export.verification import Verification

DIFFERENT: Final = 4
"""Exit code: a file differs by more than is allowed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `verify`."""
    parser.add_argument("bundle", type=Path, help="exported folder")
    parser.add_argument(
        "samples",
        nargs="?",
        type=Path,
        metavar="PROJECT|IMAGES",
        help="the project it was exported from: compares with the live path; "
        "or pictures, one folder a class: compares the bundle's files; without it, the bundle's "
        "own reference frames are used",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE.jpg", help="write the frames that differ most"
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="the weights file, if it was given by you"
    )
    parser.epilog = "Exit code: 0 the same classifier, 1 not possible, 4 it differs too much."


def run(options: argparse.Namespace) -> int:
    """Verify; see the exit codes in the help."""
    check_report(options.report)
    check_bundle(options.bundle)
    bundle = Bundle.open(options.bundle)
    if options.samples is None:
        return DIFFERENT if checks.verify(bundle) else 0
    with ProgressMeter("loading the backbone") as progress:
        if is_project(options.samples):
            verification = _with_project(options, bundle, progress)
        else:
            verification = verify_with_pictures(bundle, options.samples, progress)
    for line in verification.refused:
        say(f"refused: {line}")
    sys.stdout.write(_as_text(verification))
    if options.report:
        write_worst_frames(options.report, verification, bundle.class_names)
        say(f"The frames that differ most are in {options.report}.")
    for name, problem in verification.problems.items():
        say(f"{name} is not the same classifier: {problem}.")
    return DIFFERENT if verification.problems else 0


def _with_project(
    options: argparse.Namespace, bundle: Bundle, progress: ProgressMeter
) -> Verification:
    choice = BackboneChoice(weights=options.weights)
    with (
        open_for_reading(options.samples) as store,
        load_project_backbone(store, choice, progress, may_change=False) as loaded,
    ):
        model, _ = trained_model(store, loaded)
        return verify_with_project(
            bundle,
            store.snapshot(),
            model,
            loaded.backbone,
            progress=progress,
            cancelled=lambda: False,
        )


def _as_text(verification: Verification) -> str:
    header = ["", "agreement", "score differs by", "unknown", "accuracy", "size", "a frame"]
    rows = [_row(comparison) for comparison in verification.comparisons]
    worst = []
    for comparison in verification.compared:
        path = verification.paths[comparison.worst[0]]
        where = one_line(f"{path.parent.name}/{path.name}")
        worst.append(f"{comparison.name} differs most on {where}\n")
    return (
        table(header, rows)
        + f"\n{verification.comparisons[0].samples} samples, compared with "
        + f"{' and '.join(dict.fromkeys(verification.references.values()))}\n"
        + "".join(worst)
    )


def _row(comparison: Comparison) -> list[str]:
    return [
        comparison.name,
        percent(comparison.agreement),
        f"{comparison.difference:.1g}",
        percent(comparison.unknown_agreement),
        percent(comparison.accuracy),
        "" if comparison.bytes is None else f"{comparison.bytes / 1e6:.2f} MB",
        "" if comparison.ms is None else f"{comparison.ms:.1f} ms",
    ]
