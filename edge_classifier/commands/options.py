"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.device.interpreter import MOST_THREADS
from edge_classifier.device.option_types import number, whole_number
from edge_classifier.features.catalogue import AUTO, NAMES
from edge_classifier.languages.language import LANGUAGES, Language, language_of
from edge_classifier.learning.project_backbone import BackboneChoice
from edge_classifier.learning.settings import RANGES

if TYPE_CHECKING:
    import argparse


def add_backbone_options(parser: argparse.ArgumentParser, *, bulk: bool = False) -> None:
    """Add `--backbone`, `--weights`, `--features`, `--threads`.

    A `bulk` command looks at many pictures: each thread has a network of its own, and all cores
    are the default.
    """
    parser.add_argument(
        "--backbone",
        default=AUTO,
        choices=(AUTO, *NAMES),
        help="the network that looks at the picture; auto takes the project's, else the official "
        "v2-0.35 where it is cached, or can be fetched and compiled, else built-in",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="load these weights instead of official ones"
    )
    parser.add_argument(
        "--features",
        choices=("pooled", "spatial"),
        help="what the head sees: the mean over the picture, or every place of it",
    )
    parser.add_argument(
        "--threads",
        type=whole_number(1, MOST_THREADS),
        default=None if bulk else 1,
        metavar="N",
        help="pictures at a time (default: all cores)" if bulk else "CPU threads of the network",
    )
    parser.set_defaults(network_threads=1 if bulk else None)


def add_language_option(parser: argparse.ArgumentParser) -> None:
    """Add `--language`."""
    parser.add_argument(
        "--language",
        choices=LANGUAGES,
        help="of the window: English, German or French (default: the system's)",
    )


def language_of_window(options: argparse.Namespace) -> Language:
    """Read what `add_language_option` added, or what the system is set to."""
    return Language.load(options.language or language_of(os.environ))


def backbone_choice(options: argparse.Namespace) -> BackboneChoice:
    """Read what `add_backbone_options` added."""
    return BackboneChoice(
        name=options.backbone,
        weights=options.weights,
        feature_kind=options.features,
        threads=options.network_threads or options.threads,
    )


def add_head_options(parser: argparse.ArgumentParser) -> None:
    """Add `--head`, the hyperparameters and `--bursts`."""
    group = parser.add_argument_group(
        "head", "kept with the project; the dense head is the article's"
    )
    group.add_argument("--head", choices=("linear", "dense"), dest="kind")
    for name, what in (
        ("penalty", "linear: weight of the squared weights"),
        ("units", "dense: size of the hidden layer (100)"),
        ("learning_rate", "dense: of Adam (1e-4)"),
        ("epochs", "dense: passes over the samples (20)"),
        ("batch_fraction", "dense: part of the samples (0.4)"),
        ("seed", "dense: of weights and order (0)"),
    ):
        least, most = RANGES[name]
        whole = isinstance(least, int)
        kind = whole_number(int(least), int(most)) if whole else number(least, most)
        group.add_argument(f"--{name.replace('_', '-')}", type=kind, help=what)
    add_bursts_option(parser)


def add_bursts_option(parser: argparse._ActionsContainer, *more: str) -> None:
    """Add `--bursts`, with `more` choices."""
    parser.add_argument(
        "--bursts",
        choices=("found", *more, "single"),
        help="pictures that were added one by one: frames of one recording are found among them "
        "(the default), "
        + ("those of a class in one folder are one recording, " if more else "")
        + "or each is a single one; kept with the project",
    )


def head_changes(options: argparse.Namespace) -> dict[str, object]:
    """Read what `add_head_options` added; `None` where nothing was given."""
    names = ("kind", "penalty", "units", "learning_rate", "epochs", "batch_fraction", "seed")
    return {name: getattr(options, name) for name in (*names, "bursts")}
