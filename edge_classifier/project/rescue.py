"""Pictures that their project can no longer take, kept beside it."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.errors import ProjectError
from edge_classifier.project.files import describe, flush_folder, write_new

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.values import EncodedImage


class Rescue:
    """Keeps pictures of a project in a folder of class folders, which `add` imports.

    It lies beside the project or, where nothing can be written there, among temporary files.
    """

    def __init__(self, project: Path) -> None:
        here = project.absolute()  # as long as there is a working directory
        self._beside = here.parent / f"{here.name}-rescued"
        self._folder: Path | None = None

    def keep(self, encoded: EncodedImage, class_name: str) -> Path:
        """Keep a picture, and give the folder of all that were kept.

        Raises:
            ProjectError: if it can be kept nowhere.
        """
        reason = ""
        for folder in self._places():
            try:
                _write(folder / class_name, encoded)
            except OSError as error:  # noqa: PERF203 - of two or three
                reason = describe(error)
            else:
                self._folder = folder
                return folder
        raise ProjectError(f"The picture could be kept nowhere: {reason}.")

    def _places(self) -> Iterator[Path]:
        if self._folder is not None:
            yield self._folder
        yield self._beside
        with suppress(OSError):
            yield Path(tempfile.mkdtemp(prefix="edge-classifier-rescued-"))


def _write(folder: Path, encoded: EncodedImage) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.mkdir(exist_ok=True)
    with suppress(FileExistsError):  # the same picture: the name says what is in it
        write_new(folder / f"{encoded.sha256[:32]}{encoded.suffix}", encoded.data, durable=True)
    flush_folder(folder)
    flush_folder(folder.parent)
