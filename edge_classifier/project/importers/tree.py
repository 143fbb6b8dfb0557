"""Files below a folder, by their relative paths; an archive gives the same (see `archive`)."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.project.files import describe
from edge_classifier.project.folder import SAMPLES
from edge_classifier.project.importers.base import Refusal
from edge_classifier.project.picture_file import IMAGE_SUFFIXES, read_image_bytes
from edge_classifier.project.project_file import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

VIDEO_SUFFIXES: Final = frozenset(
    {".mp4", ".m4v", ".mkv", ".avi", ".mov", ".webm", ".mpg", ".mpeg", ".ogv", ".3gp", ".wmv"}
)
"""What is taken for a video, in lower case."""

_UNREADABLE: Final = frozenset(
    {".heic", ".heif", ".svg", ".psd", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".jp2"}
)
_JUNK: Final = frozenset({"__macosx", "thumbs.db", "desktop.ini"})


class FileTree(ABC):
    """A folder, or what an archive holds.

    Attributes:
        name: What the user calls it.
        paths: All files, relative, with `/` between the parts; hidden ones left out.
        refusals: What cannot be looked at.
    """

    name: str
    paths: Sequence[str] = ()

    def __init__(self, name: str) -> None:
        self.name = name
        self.refusals: list[Refusal] = []

    @property
    def stored(self) -> Sequence[str]:
        """The paths in the order in which an archive holds them."""
        return self.paths

    @abstractmethod
    def source(self, path: str) -> str:
        """Name a file for the user."""

    @abstractmethod
    def find(self, folder: str, name: str) -> str | None:
        """Find the file that a list in `folder` calls `name`."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Read a file.

        Raises:
            InvalidImageError: if it cannot be read, or is larger than any picture.
        """


class FolderTree(FileTree):
    """A folder on disk. Links to folders are not followed: they may go round.

    Not `listed`, it has the files only that a list in it names.
    """

    def __init__(self, folder: Path, *, listed: bool = True) -> None:
        super().__init__(str(folder))
        self._folder = folder
        if listed:
            self.paths = self._list()

    def source(self, path: str) -> str:
        """Name a file for the user."""
        return str(self._folder / path)

    def find(self, folder: str, name: str) -> str | None:
        """Find the file that a list in `folder` calls `name`, be it outside of the folder."""
        if name.startswith(("//", "\\\\")):  # on Windows another machine, which would be asked
            return None
        try:
            path = PurePosixPath(folder) / name
            return str(path) if (self._folder / path).is_file() else None
        except (OSError, ValueError):  # a name that no file can have
            return None

    def read(self, path: str) -> bytes:
        """Read a file."""
        return read_image_bytes(self._folder / path)

    def _list(self) -> list[str]:
        paths: list[str] = []

        def refuse(error: OSError) -> None:
            self.refusals.append(Refusal(str(error.filename), describe(error)))

        for here, folders, files in os.walk(self._folder, onerror=refuse):
            inside = Path(here).relative_to(self._folder)
            if inside.parts and FILE_NAME in files and SAMPLES in folders:
                folders.clear()  # a project that happens to lie here, perhaps the one added to
                continue
            folders[:] = sorted(f for f in folders if not is_junk(f))
            paths += ((inside / file).as_posix() for file in sorted(files) if not is_junk(file))
        return paths


def is_junk(name: str) -> bool:
    """Say whether a file or folder is hidden, or one that systems leave behind."""
    return name.startswith(".") or name.casefold() in _JUNK


def sort_out(tree: FileTree) -> tuple[list[str], list[Refusal], list[str]]:
    """Tell pictures from other files, by their names.

    Returns:
        The paths of pictures; what was probably meant to be imported and cannot be, with what
        the tree itself refuses; and all other paths.
    """
    pictures: list[str] = []
    refused = list(tree.refusals)
    others: list[str] = []
    for path in tree.paths:
        suffix = PurePosixPath(path).suffix.lower()
        reason = ""
        if suffix in IMAGE_SUFFIXES:
            pictures.append(path)
        elif suffix in VIDEO_SUFFIXES:
            reason = "a video; name it by itself, with `--class NAME` for what it shows"
        elif suffix in _UNREADABLE:
            reason = f"{suffix[1:].upper()} pictures cannot be read; convert it to JPEG or PNG"
        elif suffix in {".zip", ".tm"}:
            reason = "an archive in there; name it by itself"
        else:
            others.append(path)
        if reason:
            refused.append(Refusal(tree.source(path), reason))
    return pictures, refused, others
