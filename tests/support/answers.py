"""Predictions that outputs are told, and waiting for what they do of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_classifier.device.frame import Frame
from edge_classifier.device.verdict import UNKNOWN, Prediction

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.outputs.base import Output

NAMES = ("mug", "phone", "växt 🌱")
LABELS = (*NAMES, UNKNOWN)


def tell(
    output: Output,
    label: str,
    score: float = 0.75,
    names: tuple[str, ...] = NAMES,
    *,
    region: str = "",
) -> bool:
    """Show an output a frame of a label, of which "unknown" is one, perhaps of a region."""
    rest = (1 - score) / (len(names) - 1)
    scores = [score if n == label or (label == UNKNOWN and n == names[0]) else rest for n in names]
    familiar = 0.25 if label == UNKNOWN else 0.875
    answer = Prediction(names, np.array(scores, np.float32), familiar, 0.5)
    assert answer.label == label
    image = np.zeros((4, 4, 3), np.uint8)
    return output.show(Frame(image, 0, 0.0, name="camera 0", region=region), answer)


def wait_until(done: Callable[[], object], timeout_s: float = 30.0) -> None:
    """Wait until something is so; as long as only a machine that hangs would take."""
    deadline_s = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline_s, "it never came"
        time.sleep(0.005)


class Said:
    """What was said on standard error, so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    @property
    def lines(self) -> list[str]:
        self._text += self._capsys.readouterr().err
        return self._text.splitlines()
