"""Few-shot accuracy: ten pictures of each class, a softmax on normalised pooled features."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from backbone.views import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SHOTS = 10
DRAWS = 8
_FEWEST_PICTURES = 4  # in a class
_FEWEST_CLASSES = 2


@dataclass(frozen=True, slots=True)
class Task:
    """Classes to tell apart.

    Attributes:
        name: Short name.
        train: ``(N, s, s, 3)`` uint8 RGB; the early pictures of each class.
        train_ids: ``(N,)`` class numbers.
        test: ``(M, s, s, 3)`` uint8 RGB; the late pictures of each class.
        test_ids: ``(M,)`` class numbers.
    """

    name: str
    train: NDArray[np.uint8]
    train_ids: NDArray[np.int64]
    test: NDArray[np.uint8]
    test_ids: NDArray[np.int64]


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(p), "") if p.isdigit() else (0, p) for p in re.split(r"(\d+)", path.name)]


def _read(path: Path, size: int) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"Expected a picture, received: {path.name}")
    side = min(image.shape[:2])
    top, left = ((extent - side) // 2 for extent in image.shape[:2])
    square = image[top : top + side, left : left + side]
    mode = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    resized = cv2.resize(square, (size, size), interpolation=mode)
    return np.asarray(cv2.cvtColor(resized, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _classes(folder: Path) -> dict[str, list[Path]]:
    classes = {}
    for child in sorted(path for path in folder.iterdir() if path.is_dir()):
        found = [path for path in child.iterdir() if path.suffix.lower() in SUFFIXES]
        if len(found) >= _FEWEST_PICTURES:
            classes[child.name] = sorted(found, key=_natural)
    if len(classes) < _FEWEST_CLASSES:
        raise ValueError(f"Expected two or more folders of pictures under {folder}")
    return classes


def load(texts: list[str], size: int) -> list[Task]:
    """Read tasks from ``name=folder[,test folder]``.

    Without a test folder the first half of each class (by file name, so by time in a capture)
    is for training and the second half for the test.
    """
    tasks = []
    for text in texts:
        name, _, rest = text.partition("=")
        train_folder, _, test_folder = rest.partition(",")
        classes = _classes(Path(train_folder))
        tests = _classes(Path(test_folder)) if test_folder else {}
        parts: dict[str, tuple[list[NDArray[np.uint8]], list[int]]] = {
            "train": ([], []),
            "test": ([], []),
        }
        for class_id, (class_name, paths) in enumerate(classes.items()):
            half = len(paths) // 2
            chosen = {
                "train": paths if tests else paths[:half],
                "test": tests[class_name] if tests else paths[half:],
            }
            for part, members in chosen.items():
                parts[part][0].extend(_read(path, size) for path in members)
                parts[part][1].extend([class_id] * len(members))
        tasks.append(
            Task(
                name,
                np.stack(parts["train"][0]),
                np.asarray(parts["train"][1], np.int64),
                np.stack(parts["test"][0]),
                np.asarray(parts["test"][1], np.int64),
            )
        )
    return tasks


def softmax_head(
    features: NDArray[np.float32], class_ids: NDArray[np.int64], penalty: float = 1e-3
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit a softmax by accelerated gradient descent, to convergence.

    Args:
        features: ``(N, D)``, rows of length one.
        class_ids: ``(N,)``.
        penalty: Weight of the squared norm of the weights.

    Returns:
        Weights ``(D, C)`` and bias ``(C,)``.
    """
    inputs = np.hstack([features, np.ones((len(features), 1), np.float32)])
    wanted = np.eye(int(class_ids.max()) + 1, dtype=np.float32)[class_ids]
    weights = np.zeros((inputs.shape[1], wanted.shape[1]), np.float32)
    ahead = weights.copy()
    rate = 1.0  # rows have length sqrt(2): the loss is smooth with a constant of at most one
    momentum = 1.0
    for _ in range(400):
        scores = inputs @ ahead
        scores = np.exp(scores - scores.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
        gradient = inputs.T @ (scores - wanted) / len(inputs) + penalty * ahead
        following = ahead - rate * gradient
        next_momentum = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = following + (momentum - 1) / next_momentum * (following - weights)
        weights, momentum = following, next_momentum
    return weights[:-1], weights[-1]


def accuracies(
    tasks: list[Task], extract: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
) -> dict[str, float]:
    """Mean accuracy of each task over several draws of `SHOTS` pictures, and their ``mean``."""
    results: dict[str, float] = {}
    for task in tasks:
        train, test = (_unit(extract(images)) for images in (task.train, task.test))
        hits = []
        for draw in range(DRAWS):
            rng = np.random.default_rng(draw)
            chosen = np.concatenate(
                [
                    rng.permutation(np.flatnonzero(task.train_ids == class_id))[:SHOTS]
                    for class_id in np.unique(task.train_ids)
                ]
            )
            weights, bias = softmax_head(train[chosen], task.train_ids[chosen])
            hits.append(float(np.mean((test @ weights + bias).argmax(1) == task.test_ids)))
        results[task.name] = float(np.mean(hits))
    results["mean"] = float(np.mean(list(results.values())))
    return results


def _unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(norms, 1e-12), dtype=np.float32)
