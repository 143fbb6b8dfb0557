"""What a device adapts from, and the frames that it kept."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_classifier.device.adaptation_state import NAME as STATE
from edge_classifier.device.adapter import Adapter
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.checks import verify
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.npz import npz_bytes
from edge_classifier.device.taught import NAME as TAUGHT
from edge_classifier.device.taught import read_taught
from fuzzing.arrays import ArrayTarget

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

_PICTURE = np.full((20, 24, 3), 90, np.uint8)


class TaughtTarget(ArrayTarget):
    """`taught.npz`, of the hash that `spec.json` says."""

    name = "taught"

    def __init__(self, seeds: Path, arena: Path) -> None:
        super().__init__(seeds, arena)
        self._bundle = arena / "bundle"
        shutil.copytree(seeds / "bundle", self._bundle, dirs_exist_ok=True)
        self._spec = json.loads((self._bundle / "spec.json").read_text(encoding="utf-8"))

    def paths(self) -> Sequence[Path]:
        """The one file."""
        return [self.seeds / "bundle" / TAUGHT]

    def run(self, data: bytes) -> None:
        """Verify the bundle, and adapt."""
        self.write(f"bundle/{TAUGHT}", data)
        about = self._spec["taught"] | {"sha256": hashlib.sha256(data).hexdigest()}
        text = json.dumps(self._spec | {"taught": about})
        self.write("bundle/spec.json", text.encode())
        bundle = Bundle.open(self._bundle)
        with contextlib.redirect_stdout(io.StringIO()):
            verify(bundle)
        _adapt(bundle)


class StateTarget(ArrayTarget):
    """`adaptation-state.npz` of the bundle in `seeds`."""

    name = "adaptation-state"

    def __init__(self, seeds: Path, arena: Path) -> None:
        super().__init__(seeds, arena)
        self._bundle = Bundle.open(seeds / "bundle")
        taught = read_taught(self._bundle)
        key = f"{self._bundle.spec['taught']['sha256']} follow".encode()
        arrays: dict[str, npt.NDArray[Any]] = {
            "key": np.frombuffer(key, np.uint8),
            "rows": taught.trial_rows[:20],
            "labels": taught.taught.class_ids[:20],
        }
        self.samples = [npz_bytes(arrays)]
        self._copy = arena / "bundle"
        shutil.copytree(seeds / "bundle", self._copy, dirs_exist_ok=True)

    def paths(self) -> Sequence[Path]:
        """None: it is made here."""
        return []

    def run(self, data: bytes) -> None:
        """Begin with it; what is wrong with it is said, and never raised."""
        self.write(f"bundle/{STATE}", data)
        _adapt(Bundle.open(self._copy))


def _adapt(bundle: Bundle) -> None:
    classifier = Classifier(bundle)
    with (
        contextlib.redirect_stderr(io.StringIO()),
        closing(Adapter(classifier, "follow", background=False)) as adapter,
    ):
        for _ in range(2):
            answer = adapter.update(classifier.predict(_PICTURE))
    assert np.isfinite(answer.scores).all()  # noqa: S101 - scores
