from __future__ import annotations

from pathlib import Path

import pytest

from edge_classifier.evaluation.advice import next_hint
from edge_classifier.features.dataset import Dataset
from edge_classifier.values import Sample


def dataset(**bursts: list[int]) -> Dataset:
    """Make samples: for each class the sizes of its bursts."""
    samples = [
        Sample(name, f"{name}-{burst}", Path(f"{burst}-{n}.jpg"), f"{name}{burst}{n}")
        for name, sizes in bursts.items()
        for burst, size in enumerate(sizes)
        for n in range(size)
    ]
    return Dataset(tuple(bursts), tuple(samples))


@pytest.mark.parametrize(
    ("captured", "hint"),
    [
        (dataset(), "show the first thing to the camera and hold 1"),
        (dataset(mug=[], phone=[]), "show mug to the camera and hold 1"),
        (dataset(mug=[1]), "record 4 more pictures of mug: hold 1"),
        (dataset(mug=[30]), "all but mug is unknown; for a second class show it and hold 2"),
        (
            dataset(mug=[30], phone=[]),
            "all but mug is unknown; for a second class show phone and hold 2",
        ),
        (dataset(mug=[15, 4]), "add 1 more of mug: hold 1"),
        (dataset(mug=[15, 15]), ""),
        (dataset(mug=[30], phone=[20], leaf=[]), "capture leaf: hold 3"),
        (
            dataset(mug=[30], phone=[8]),
            "if it says unknown too often: record phone from another side: hold 2",
        ),
        (
            dataset(mug=[30], phone=[15, 15]),
            "if it says unknown too often: record mug from another side: hold 1",
        ),
        (dataset(mug=[15, 15], phone=[4, 4]), "add 12 more of phone: hold 2"),
        (dataset(mug=[15, 15], background=[2, 2]), "add 16 more of background: hold B"),
        (dataset(mug=[15, 15], phone=[15, 15]), ""),
    ],
)
def test_the_hint_names_the_next_useful_step(captured: Dataset, hint: str) -> None:
    assert next_hint(captured) == hint
