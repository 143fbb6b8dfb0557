"""`edge-classifier serve`: an exported bundle that answers others, by the bundle's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.commands import run as runner

if TYPE_CHECKING:
    import argparse

_ADDRESS: Final = "127.0.0.1:8080"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run`, which with `--serve` does the same."""
    runner.add_arguments(parser)
    parser.set_defaults(serve=_ADDRESS, no_window=True, quiet=True)
    parser.epilog = (
        f"Where no --serve is given it is {_ADDRESS}. No window opens and no JSON is printed; "
        f"`edge-classifier run BUNDLE --serve {_ADDRESS}` does both. {parser.epilog}"
    )


def run(options: argparse.Namespace) -> int:
    """Serve the bundle."""
    return runner.run(options)
