"""One picture file."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edge_classifier.adapters.image_file import read_image_bytes
from edge_classifier.errors import NotImportableError
from edge_classifier.importers.candidate import Candidate, FilePicture
from edge_classifier.importers.labels import labels_of
from edge_classifier.importers.layout import NO_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_classifier.importers.candidate import Item


class SingleFileImporter:
    """A picture whose class is in its name, or was said.

    Args:
        path: The file.
        class_name: What it shows, if the user has said so.

    Raises:
        NotImportableError: if nothing tells its class.
    """

    def __init__(self, path: Path, class_name: str | None = None) -> None:
        label = class_name or labels_of([path.stem])[0]
        if not label:
            raise NotImportableError(f"{path}: {NO_LABEL}.")
        source = str(path)
        picture = FilePicture(source, partial(read_image_bytes, path))
        self._candidate = Candidate(source, label, picture)

    @property
    def description(self) -> str:
        """What was found, for the user."""
        return "a picture"

    @property
    def count(self) -> int:
        """One."""
        return 1

    @property
    def left_alone(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def __iter__(self) -> Iterator[Item]:
        """Give it."""
        yield self._candidate
