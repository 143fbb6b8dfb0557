from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edge_classifier.device.unknown_detector import UnknownDetector
from edge_classifier.errors import InvalidValueError

ROWS = np.eye(3, 8, dtype=np.float32)


def detector(**changes: Any) -> UnknownDetector:
    plain = UnknownDetector(ROWS, np.ones(3, np.float32), 0.5, measured_on_bursts=True)
    return replace(plain, **changes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"bursts": 0},
        {"class_ids": np.zeros(2, np.int64)},
        {"shift": np.zeros(3, np.float32)},
        {"scales": np.ones(2, np.float32)},
        {"references": ROWS[:0]},
    ],
    ids=", ".join,
)
def test_what_is_no_detector_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="Expected"):
        detector(**wrong)


def test_the_shift_is_taken_off_as_an_exported_graph_does_it_with_other_constants() -> None:
    scales, shift = np.array([1.0, 2.0, 0.5], np.float32), np.full(8, 0.1, np.float32)
    shifted = detector(scales=scales, shift=shift)
    rows = np.random.default_rng(0).uniform(0, 1, (5, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = 1 - scales * (1 - (rows - shift) @ ROWS.T)
    found = shifted.similarities(rows)
    np.testing.assert_allclose(found, np.maximum(expected, 0), atol=1e-6)
    folded = rows @ (ROWS * scales[:, None]).T + shifted.offsets
    np.testing.assert_allclose(np.maximum(folded, 0), found, atol=1e-6)
