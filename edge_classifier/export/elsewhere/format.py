"""What a format for elsewhere is."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, TypeAlias

from edge_classifier.errors import ExportError
from edge_classifier.export.new_folder import FolderKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.export.replay import Evidence
    from edge_classifier.learning.model import Model
    from edge_classifier.project.store import Snapshot
    from edge_classifier.protocols import Backbone, Cancelled, Progress
    from edge_classifier.values import Sample

EXPECTED: Final = "expected.json"
LABELS: Final = "labels.txt"
README: Final = "README.md"
REFERENCE: Final = "reference"

IMAGE: Final = "image"
"""The name of the input: RGB pixels 0 to 255, `(N, S, S, 3)` float32."""

FAMILIARITY: Final = "familiarity"
"""The name of the output that is compared with the threshold of unknown, `(N, 1)`: OpenCV 4.13
cannot compute with tensors of one axis."""


def mark_of(format_name: str) -> str:
    """What `expected.json` says of itself in a folder of this format."""
    return f"edge-classifier {format_name}"


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """The classifier that is exported.

    Attributes:
        evidence: Samples that it is compared on, and what the live path says of them.
        weights: The file of `--weights`.
        calibrating: Other samples, for formats that round on what goes through the network.
    """

    project: Snapshot
    model: Model
    backbone: Backbone
    evidence: Evidence
    weights: Path | None = None
    calibrating: tuple[Sample, ...] = ()

    def predict(self, image: Image) -> Prediction:
        """Ask the live path about an image `(H, W, 3)` uint8 BGR."""
        (prediction,) = self.model.predict(self.backbone.extract([image]))
        return prediction


Write: TypeAlias = "Callable[[Original, Path, Progress, Cancelled], Sequence[str]]"
"""Writes a model, README.md and, by `write_answers`, all else into a new folder; refuses by an
`ExportError` what does not answer as it should. Returns what the user is to be told beside where
it is, one line each."""


@dataclass(frozen=True, slots=True)
class ElsewhereFormat:
    """One format.

    Attributes:
        name: As `--format` names it.
        write: Writes it.
        files: Patterns of the names of what `write` makes, beside what every folder has.
        packages: Modules that have to be installed, and what is said of each where it is missing.
        calibrates: Whether it is rounded on samples.
    """

    name: str
    write: Write
    files: tuple[str, ...]
    packages: tuple[tuple[str, str], ...] = ()
    calibrates: bool = False

    @property
    def kind(self) -> FolderKind:
        """What tells its folders from others."""
        return FolderKind(
            f"a model exported as {self.name}",
            EXPECTED,
            mark_of(self.name),
            (EXPECTED, LABELS, README, REFERENCE, *self.files),
        )

    def check_installed(self) -> None:
        """Look for what it needs, without importing it.

        Raises:
            ExportError: if something is missing.
        """
        for module, missing in self.packages:
            if find_spec(module) is None:
                raise ExportError(f"Exporting {self.name} needs {missing}")
