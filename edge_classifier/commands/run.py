"""`edge-classifier run`: an exported bundle on this machine, by the bundle's own code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.device import cli
from edge_classifier.export.bundle import check_bundle

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run`: those of `classify.py`."""
    parser.add_argument("bundle", type=Path, help="exported folder")
    cli.add_arguments(parser)
    parser.epilog = (
        "Exit code: 0 all answered, 1 not possible, 2 an option that can never be, 3 some pictures "
        "could not be read, 130 stopped with Ctrl-C. `classify.py` in the bundle has the same."
    )


def run(options: argparse.Namespace) -> int:
    """Run the bundle."""
    check_bundle(options.bundle)
    return cli.run(options)
