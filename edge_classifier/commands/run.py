"""`edge-classifier run`: an exported bundle on this machine, by the bundle's own code.

Or a model of another program, by the same code.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.commands.predictors import is_bundle
from edge_classifier.device import cli
from edge_classifier.device.console import say
from edge_classifier.errors import InvalidValueError
from edge_classifier.export.bundle import check_bundle
from edge_classifier.export.other_models import open_other_model, what_is_not_known
from edge_classifier.project.folder import is_project
from edge_classifier.project.importers.other_models import recognise

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run`: those of `classify.py`."""
    parser.add_argument(
        "bundle",
        type=Path,
        help="exported folder; or a TFLite export of Teachable Machine or Lobe, as folder or .zip",
    )
    cli.add_arguments(parser)
    parser.epilog = (
        "Exit code: 0 all answered, 1 not possible, 2 an option that can never be, 3 some pictures "
        "could not be read, 130 stopped with Ctrl-C. `classify.py` in the bundle has the same."
    )


def run(options: argparse.Namespace) -> int:
    """Run the bundle."""
    path = options.bundle
    found = None if is_bundle(path) or is_project(path) else recognise(path)
    if found is None:
        check_bundle(path)
        return cli.run(options)
    for option in ("verify", "heat", "adapt", "keep_unsure"):
        if getattr(options, option) not in (False, "off", None):
            raise InvalidValueError(
                f"--{option.replace('_', '-')} needs what only a bundle of `edge-classifier "
                f"export` holds, and {path} is of another program."
            )
    bundle = open_other_model(found)
    say(what_is_not_known(bundle))
    return cli.run(options, lambda _path: bundle)
