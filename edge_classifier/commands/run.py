"""`edge-classifier run`: an exported bundle on this machine, by the bundle's own code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.device import classify

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run`: those of `classify.py`."""
    parser.add_argument("bundle", type=Path, help="exported folder")
    classify.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Run the bundle."""
    return classify.run(options)
