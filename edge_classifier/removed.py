"""What was moved to a project's trash in one go, and can be put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.frame import Sample


@dataclass(frozen=True, slots=True)
class Trashed:
    """Samples that lie in a folder of the trash.

    Attributes:
        folder: Where they lie, by the file names that they had.
        samples: As they were.
    """

    folder: Path
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """What `SampleStore.put_back` puts back.

    Attributes:
        class_name: Of all that was removed.
        whole_class: Whether the class went with its samples.
        samples: What was there to train on, or `None`.
        held_out: What was there to measure on only, or `None`.
    """

    class_name: str
    whole_class: bool
    samples: Trashed | None = None
    held_out: Trashed | None = None

    @property
    def count(self) -> int:
        """How many pictures were removed."""
        return sum(len(part.samples) for part in (self.samples, self.held_out) if part)
