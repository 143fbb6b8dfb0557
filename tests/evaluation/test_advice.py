from __future__ import annotations

from pathlib import Path

import pytest

from edge_classifier.evaluation.advice import left_out_line, next_hint, unknown_line
from edge_classifier.evaluation.suspects import Reason, Suspect
from edge_classifier.features.dataset import Dataset
from edge_classifier.project.samples import Samples
from edge_classifier.values import Sample


def dataset(**bursts: list[int]) -> Dataset:
    """Make samples: for each class the sizes of its bursts."""
    samples = [
        Sample(name, f"{name}-{burst}", Path(f"{burst}-{n}.jpg"), f"{name}{burst}{n}")
        for name, sizes in bursts.items()
        for burst, size in enumerate(sizes)
        for n in range(size)
    ]
    return Dataset(tuple(bursts), Samples.of(samples))


@pytest.mark.parametrize(
    ("captured", "hint"),
    [
        (dataset(), "show the first thing to the camera and hold 1"),
        (dataset(mug=[], phone=[]), "show mug to the camera and hold 1"),
        (dataset(mug=[1]), "record 4 more pictures of mug: hold 1"),
        (
            dataset(mug=[30]),
            (
                "all but mug is unknown, not reliably yet: record it again elsewhere (hold 1); "
                "another class: hold 2"
            ),
        ),
        (
            dataset(mug=[30], phone=[]),
            (
                "all but mug is unknown, not reliably yet: record it again elsewhere (hold 1); "
                "phone: hold 2"
            ),
        ),
        (dataset(mug=[15, 4]), "add 1 more of mug: hold 1"),
        (dataset(mug=[15, 15]), ""),
        (dataset(mug=[30], phone=[20], leaf=[]), "record leaf: hold 3"),
        (
            dataset(mug=[30], phone=[8]),
            (
                '"unknown" is not reliable yet: record phone again elsewhere (hold 2), and the '
                "empty scene (B)"
            ),
        ),
        (
            dataset(mug=[30], phone=[15, 15]),
            (
                '"unknown" is not reliable yet: record mug again elsewhere (hold 1), and the empty '
                "scene (B)"
            ),
        ),
        (
            dataset(mug=[30], phone=[30], background=[20]),
            '"unknown" is not reliable yet: record mug again elsewhere (hold 1)',
        ),
        (dataset(mug=[15, 15], phone=[15, 15], background=[20]), ""),
        (dataset(mug=[15, 15], phone=[4, 4]), "add 12 more of phone: hold 2"),
        (dataset(mug=[15, 15], background=[2, 2]), "add 16 more of background: hold B"),
        (dataset(mug=[15, 15], phone=[15, 15]), ""),
    ],
)
def test_the_hint_names_the_next_useful_step(captured: Dataset, hint: str) -> None:
    assert next_hint(captured) == hint


@pytest.mark.parametrize(
    ("captured", "line"),
    [
        (dataset(), ""),
        (dataset(mug=[15, 15], phone=[1] * 20, background=[20]), ""),
        (
            dataset(mug=[15, 15], phone=[30]),
            (
                '"unknown" is not reliable yet: record phone again elsewhere, and the empty scene '
                "(background)"
            ),
        ),
        (
            dataset(mug=[30], phone=[30], background=[20]),
            '"unknown" is not reliable yet: record each of 2 classes again elsewhere',
        ),
    ],
)
def test_evaluate_says_the_same_without_keys(captured: Dataset, line: str) -> None:
    assert unknown_line(captured) == line


def suspects(reason: Reason, **counts: int) -> list[Suspect]:
    samples = dataset(**{name: [count] for name, count in counts.items()}).samples
    return [Suspect(sample, reason, "looks so", 0.9) for sample in samples]


@pytest.mark.parametrize(
    ("left_out", "line"),
    [
        ([], ""),
        (suspects(Reason.EMPTY, mug=1), "1 picture of mug looks empty and is left out"),
        (suspects(Reason.EMPTY, mug=4), "4 pictures of mug look empty and are left out"),
        (
            suspects(Reason.EMPTY, mug=2, phone=3),
            "5 pictures of mug and phone look empty and are left out",
        ),
        (
            suspects(Reason.EMPTY, mug=2, phone=3, leaf=1),
            "6 pictures of 3 classes look empty and are left out",
        ),
        (
            suspects(Reason.EMPTY, mug=2) + suspects(Reason.MISLABELLED, mug=2),
            "4 pictures of mug look out of place and are left out",
        ),
    ],
)
def test_what_is_left_out_is_said_in_one_line(left_out: list[Suspect], line: str) -> None:
    assert left_out_line(left_out) == line
