"""Answers for any number of pictures, in their order, with no more than a batch in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.adapters.bulk import compute_all
from edge_classifier.adapters.image_file import read_image
from edge_classifier.frame import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from edge_classifier.errors import EdgeClassifierError
    from edge_classifier.frame import Image, Prediction
    from edge_classifier.model import Model
    from edge_classifier.protocols import Backbone, Progress


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What was said of one picture.

    Attributes:
        path: Its file.
        prediction: The answer, or `None` where the picture was refused.
        problem: Why it was refused, or `None`.
    """

    path: Path
    prediction: Prediction | None
    problem: EdgeClassifierError | None


def read_picture(path: Path) -> Image:
    """Read any picture of a user: `(H, W, 3)` uint8, BGR.

    Raises:
        InvalidImageError: if it cannot be read.
    """
    return read_image(path)


def predict_all(
    backbone: Backbone, model: Model, paths: Iterable[Path], *, threads: int | None = None
) -> Iterator[Predicted]:
    """Predict from picture files, in their order, each as soon as it is done.

    Args:
        backbone: Gives the features.
        model: Gives the answers.
        paths: Picture files; taken only as far ahead as the threads need.
        threads: How many compute features; all cores if `None`.

    Yields:
        One result a path.
    """
    for found in compute_all(paths, read_picture, backbone.extract, threads=threads):
        prediction = None if found.values is None else model.predict(found.values[None])[0]
        yield Predicted(found.item, prediction, found.problem)


def features_of(
    pictures: Sequence[tuple[Path, int]],
    backbone: Backbone,
    class_names: tuple[str, ...],
    progress: Progress,
    *,
    threads: int | None = None,
) -> tuple[FeatureSet, list[Path], list[str]]:
    """Compute the features of labelled picture files; each counts as a burst of its own.

    Args:
        pictures: Files, each with the index of its class.
        backbone: Gives the features.
        class_names: The classes.
        progress: Told the part done.
        threads: How many compute features; all cores if `None`.

    Returns:
        The features; the file of each row; why each of the others was refused, one line each.
    """
    features = np.empty((len(pictures), backbone.info.feature_dim), np.float32)
    ids: list[int] = []
    paths: list[Path] = []
    refused: list[str] = []
    found = compute_all(
        pictures, lambda picture: read_picture(picture[0]), backbone.extract, threads=threads
    )
    for done, result in enumerate(found):
        path, class_id = result.item
        if result.values is None:
            refused.append(str(result.problem))
        else:
            features[len(paths)] = result.values
            paths.append(path)
            ids.append(class_id)
        progress((done + 1) / len(pictures))
    bursts = np.array([str(n) for n in range(len(paths))], np.str_)
    rows = FeatureSet(features[: len(paths)], np.array(ids, np.int64), bursts, class_names)
    return rows, paths, refused
