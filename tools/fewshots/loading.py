"""From folders of pictures to features, split into what is learned from and what is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from edge_classifier.errors import InvalidValueError
from edge_classifier.features.bulk import compute_all
from edge_classifier.features.variants import make_variants
from edge_classifier.project.picture_file import read_image
from fewshots.episodes import LabelledSet, natural_key, split_by_group, split_by_order

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.values import Features

Extract: TypeAlias = "Callable[[list[Image]], Features]"
"""Gives `(N, D)` features of N pictures, as `protocols.Backbone.extract` does."""

IMAGE_SUFFIXES: Final = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


@dataclass(frozen=True, slots=True)
class DataSet:
    """Where the pictures of one data set lie, and how they are split.

    Attributes:
        name: Short name.
        train: A folder per class.
        test: The same classes to ask about, or `None` to split those in `train`.
        group: What finds the person or the burst in a file name, or `None` where the order of
            the files says how they are split.
        kind: What it shows; see `LabelledSet.kind`.
    """

    name: str
    train: Path
    test: Path | None = None
    group: str | None = None
    kind: str = ""

    @classmethod
    def from_text(cls, text: str, groups: dict[str, str], kinds: dict[str, str]) -> DataSet:
        """Read `NAME=DIR` or `NAME=TRAIN_DIR,TEST_DIR`.

        Raises:
            InvalidValueError: if it is neither.
        """
        name, _, where = text.partition("=")
        train, _, test = where.partition(",")
        if not name or not train:
            raise InvalidValueError(
                f"Expected NAME=DIR or NAME=TRAIN_DIR,TEST_DIR, received {text!r}."
            )
        return cls(
            name,
            Path(train),
            Path(test) if test else None,
            groups.get(name),
            kinds.get(name, ""),
        )


def load_set(data: DataSet, extract: Extract, seed: int) -> LabelledSet:
    """Compute the features of a data set, and split it once and for all.

    Groups are dealt out over all classes at once: who is learned from is asked about in none.

    Raises:
        InvalidValueError: if a folder or a picture cannot be read, or there is one group only.
    """
    folders = class_folders(data.train)
    paths = [pictures_in(folder) for folder in folders]
    marks = [_marks(of_class, data.group) for of_class in paths]
    learned = _learned(marks, by_group=data.group is not None, seed=seed)
    names, train_rows, bursts, test_rows = [], [], [], []
    for folder, of_class, of_marks, learn in zip(folders, paths, marks, learned, strict=True):
        if data.test is None:
            rest = _rest(learn, len(of_class), by_group=data.group is not None)
            asked = [of_class[n] for n in rest.tolist()]
        else:
            learn = np.arange(len(of_class))  # noqa: PLW2901 - nothing is split off
            asked = pictures_in(data.test / folder.name)
        if not len(learn) or not asked:
            continue  # somebody's single picture is no class
        names.append(folder.name)
        train_rows.append(features_of([of_class[n] for n in learn.tolist()], varied(extract)))
        bursts.append(np.array([f"{folder.name}-{of_marks[n]}" for n in learn.tolist()]))
        test_rows.append(features_of(asked, extract))
    return LabelledSet(
        data.name,
        tuple(names),
        tuple(np.ascontiguousarray(rows[:, 0]) for rows in train_rows),
        tuple(bursts),
        tuple(test_rows),
        data.kind,
        tuple(np.ascontiguousarray(rows[:, 1:]) for rows in train_rows),
    )


def varied(extract: Extract) -> Extract:
    """Compute the features of a picture, then those of its variants: `(1, 1 + VARIANTS, D)`."""
    return lambda images: extract([images[0], *make_variants(images[0])])[None]


def pictures_in(folder: Path) -> list[Path]:
    """List the pictures of one class in natural order."""
    found = [p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES]
    return sorted(found, key=natural_key)


def class_folders(folder: Path) -> list[Path]:
    """List the folders that hold pictures."""
    if not folder.is_dir():
        raise InvalidValueError(f"There is no folder {folder}.")
    return [p for p in sorted(folder.iterdir()) if p.is_dir() and pictures_in(p)]


def _marks(paths: list[Path], group: str | None) -> list[str]:
    """Name the burst of each picture; without a group each is its own."""
    if group is None:
        return [str(n) for n in range(len(paths))]
    found = [re.search(group, p.name) for p in paths]
    return [m.group(0) if m else p.name for m, p in zip(found, paths, strict=True)]


def _learned(marks: list[list[str]], *, by_group: bool, seed: int) -> list[npt.NDArray[np.int64]]:
    """Say which rows of each class may be learned from."""
    if not by_group:
        return [split_by_order(len(of_class))[0] for of_class in marks]
    everyone = [mark for of_class in marks for mark in of_class]
    learn, _ = split_by_group(everyone, np.random.default_rng(seed))
    chosen = {everyone[n] for n in learn.tolist()}
    return [
        np.flatnonzero([mark in chosen for mark in of_class]).astype(np.int64) for of_class in marks
    ]


def _rest(learn: npt.NDArray[np.int64], count: int, *, by_group: bool) -> npt.NDArray[np.int64]:
    """Say which rows of a class are asked about."""
    if by_group:
        return np.setdiff1d(np.arange(count), learn)
    return split_by_order(count)[1]


def features_of(paths: list[Path], extract: Extract) -> Features:
    """Compute the features of pictures; one that cannot be read ends the benchmark."""
    rows = []
    for computed in compute_all(paths, read_image, extract):
        if computed.values is None:
            raise InvalidValueError(str(computed.problem))
        rows.append(computed.values)
    return np.stack(rows)
