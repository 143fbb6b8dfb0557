"""Episodes: which pictures are learned from, which are asked about, which are strangers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.errors import InvalidValueError
from edge_classifier.values import FeatureSet, Variants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.values import Features

_MANY = 30


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet:
    """The features of one data set, split once and for all episodes.

    Attributes:
        name: Short name.
        class_names: Its classes.
        train: For each class `(n, D)` features that may be learned from.
        train_bursts: For each class `(n,)`, which burst each row came from.
        test: For each class `(m, D)` features that are asked about: later frames, other
            people, another folder; never neighbours of what is learned from.
        kind: What it shows. Sets of one kind give no strangers to each other: they are no plain
            strangers, and may even be the same classes.
        variants: For each class `(n, V, D)` features of variants of the train pictures, or
            nothing. Only our default learns from them; they are of the same pictures.
    """

    name: str
    class_names: tuple[str, ...]
    train: tuple[Features, ...]
    train_bursts: tuple[npt.NDArray[np.str_], ...]
    test: tuple[Features, ...]
    kind: str = ""
    variants: tuple[Features, ...] = ()

    def learnable(self, shots: int) -> list[int]:
        """Return the classes with enough pictures to learn from, and one to ask about.

        Folders with less are no classes, but somebody's test picture (maybe of another class),
        and no strangers either.
        """
        return [
            c
            for c in range(len(self.class_names))
            if len(self.train[c]) >= shots and len(self.test[c])
        ]

    def is_far_from(self, other: LabelledSet) -> bool:
        """Whether what it shows is unrelated to another set."""
        return (self.kind or self.name) != (other.kind or other.name)


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """One small task.

    Attributes:
        set_name: Where it was drawn from.
        support: What is learned from.
        query: `(M, D)` what is asked.
        query_ids: `(M,)` the right answers.
        near: `(K, D)` test features of classes of the same set that could have been learned and
            were not.
        far: `(L, D)` test features of such classes of sets of another kind.
    """

    set_name: str
    support: FeatureSet
    query: Features
    query_ids: npt.NDArray[np.int64]
    near: Features
    far: Features


def natural_key(path: Path) -> list[tuple[int, str]]:
    """Sort `frame2` before `frame10`."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def split_by_order(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Split pictures that were taken one after the other: the first half, the last half.

    Of many, a tenth in between is left out: neighbouring frames are nearly the same picture.
    """
    gap = count // 20 if count >= _MANY else 0
    return np.arange(count // 2 - gap), np.arange(count // 2 + gap, count)


def split_by_group(
    groups: Sequence[str], generator: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Split so that no group (a person, a burst) is on both sides.

    Raises:
        InvalidValueError: with fewer than two groups.
    """
    names = sorted(set(groups))
    if len(names) < 2:  # noqa: PLR2004 - one cannot be on two sides
        raise InvalidValueError(f"Expected at least 2 groups, received {len(names)}.")
    chosen = set(generator.permutation(names)[: max(1, len(names) // 2)].tolist())
    inside = np.array([group in chosen for group in groups])
    return np.flatnonzero(inside), np.flatnonzero(~inside)


def episodes(
    sets: Sequence[LabelledSet], *, shots: int, ways: int, count: int, seed: int
) -> Iterator[Episode]:
    """Draw episodes; the same arguments give the same ones.

    Args:
        sets: All data sets; each gives strangers to the others.
        shots: Pictures of each class to learn from.
        ways: Classes at most.
        count: Episodes of each set.
        seed: Of the draws.

    Raises:
        InvalidValueError: if a set has fewer than two classes with enough pictures.
    """
    for number, one in enumerate(sets):
        usable = one.learnable(shots)
        if len(usable) < 2:  # noqa: PLR2004 - there must be something to tell apart
            raise InvalidValueError(
                f"{one.name} has {len(usable)} classes with {shots} pictures to learn from and "
                "one to ask about, expected at least 2."
            )
        others = [
            other.test[c]
            for other in sets
            if other.is_far_from(one)
            for c in other.learnable(shots)
        ]
        for draw in range(count):
            generator = np.random.default_rng([seed, number, draw])
            chosen = generator.permutation(usable)[:ways]
            left_out = [c for c in usable if c not in chosen]
            yield _episode(one, chosen.tolist(), left_out, others, shots, generator)


def _episode(
    one: LabelledSet,
    chosen: list[int],
    left_out: list[int],
    others: list[Features],
    shots: int,
    generator: np.random.Generator,
) -> Episode:
    rows = [np.sort(generator.permutation(len(one.train[c]))[:shots]) for c in chosen]
    width = one.train[0].shape[1]
    none = np.empty((0, width), np.float32)
    variants = None
    if one.variants:
        varied = np.concatenate([one.variants[c][r] for c, r in zip(chosen, rows, strict=True)])
        own = np.repeat(np.arange(len(varied), dtype=np.int64), varied.shape[1])
        variants = Variants(varied.reshape(-1, width), own)
    return Episode(
        one.name,
        FeatureSet(
            np.concatenate([one.train[c][r] for c, r in zip(chosen, rows, strict=True)]),
            np.repeat(np.arange(len(chosen)), shots),
            np.concatenate([one.train_bursts[c][r] for c, r in zip(chosen, rows, strict=True)]),
            tuple(one.class_names[c] for c in chosen),
            variants,
        ),
        np.concatenate([one.test[c] for c in chosen]),
        np.repeat(np.arange(len(chosen)), [len(one.test[c]) for c in chosen]),
        np.concatenate([none, *(one.test[c] for c in left_out)]),
        np.concatenate([none, *others]),
    )
