"""Files below a folder, by their relative paths; an archive gives the same (see `archive`)."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import suppress
from functools import partial
from operator import attrgetter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import start_of
from edge_classifier.device.media import Medium, is_junk, kind_in_folder
from edge_classifier.errors import NotImportableError
from edge_classifier.project.files import describe
from edge_classifier.project.folder import SAMPLES
from edge_classifier.project.importers.base import Refusal
from edge_classifier.project.picture_file import read_image_bytes
from edge_classifier.project.project_file import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_ARCHIVE: Final = re.compile(r"(.+?)\.(zip|tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz))", re.IGNORECASE)
_OTHER_ARCHIVES: Final = frozenset({".7z", ".rar", ".zst", ".tzst", ".gz", ".bz2", ".xz"})
_MOST_FILES: Final = 1_000_000
OTHER_ARCHIVE: Final = "archives of this kind cannot be read; unpack it, or pack it as .zip"
_MOST_VISITS: Final = 16
"""Of one folder, by different links: each of a few may hold links to all others."""
_NAMED: Final = 3


class FileTree(ABC):
    """A folder, or what an archive holds.

    Attributes:
        name: What the user calls it.
        paths: All files, relative, with `/` between the parts; hidden ones left out.
        refusals: What cannot be looked at.
        notes: How it was read, where that is not plain.
        links: The names of the folders that links to folders lead to, by their own paths; the
            tree's is empty.
    """

    name: str
    paths: Sequence[str] = ()

    def __init__(self, name: str) -> None:
        self.name = name
        self.refusals: list[Refusal] = []
        self.notes: list[str] = []
        self.links: dict[str, str] = {}
        self._left_out: dict[str, None] = {}

    def _is_left_out(self, parts: Sequence[str]) -> bool:
        """Say whether a path is hidden, or what systems leave behind; folders are noted."""
        place = next((n for n, part in enumerate(parts) if is_junk(part)), None)
        if place is None:
            return False
        if place < len(parts) - 1:
            self._left_out["/".join(parts[: place + 1])] = None
        return True

    def _note_left_out(self) -> None:
        if self._left_out:
            self.notes.append(
                f"Left out, as hidden or made by systems: {some_names(sorted(self._left_out))}."
            )

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

    @abstractmethod
    def start(self, path: str) -> bytes:
        """Read a file's first bytes, which tell its kind; none where it cannot be read."""


class FolderTree(FileTree):
    """A folder on disk. Links to folders are followed, but not round and round.

    Not `deep`, only what lies in the folder itself is listed, however much that is.

    Raises:
        NotImportableError: if there are more files than any data set has.
    """

    def __init__(self, folder: Path, *, deep: bool = True) -> None:
        super().__init__(str(folder))
        self._folder = folder
        if deep:
            if folder.is_symlink():
                self.links[""] = folder.resolve().name
            self.paths = list(self._walk())
            self._note_left_out()
            if self.links:
                followed = [
                    path if PurePosixPath(path).name == to else f"{path or folder.name} -> {to}"
                    for path, to in sorted(self.links.items())
                ]
                self.notes.append(f"Links to folders were followed: {some_names(followed)}.")
        else:
            with suppress(OSError):  # then it may still be known what is called how in there
                self.paths = [name for name in _entries(folder)[0] if not is_junk(name)]

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

    def start(self, path: str) -> bytes:
        """Read a file's first bytes."""
        with suppress(OSError):
            return start_of(self._folder / path)
        return b""

    def _walk(self) -> Iterator[str]:
        """List all files, folder by folder."""
        visits: Counter[tuple[int, int]] = Counter()
        around = {_identity(folder) for folder in (self._folder, *self._folder.resolve().parents)}
        waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset(around))]
        count = 0
        while waiting:
            inside, outer = waiting.pop()
            here = self._folder / inside
            try:
                files, folders = _entries(here)
            except OSError as error:
                self.refusals.append(Refusal(str(here), describe(error)))
                continue
            if inside and FILE_NAME in files and any(f.name == SAMPLES for f in folders):
                # a project that happens to lie here, perhaps the one added to
                self.notes.append(f"Left out, as it is a project of its own: {here}.")
                continue
            prefix = f"{inside}/" if inside else ""
            kept = [prefix + name for name in files if not is_junk(name)]
            yield from kept
            count += len(kept)
            if count > _MOST_FILES:
                raise NotImportableError(
                    f"{self.name} holds more than {_MOST_FILES:,} files; add parts of it."
                )
            for entry in reversed(folders):
                path = prefix + entry.name
                if self._is_left_out([*path.split("/"), ""]):
                    continue
                real = _identity(Path(entry.path))
                visits[real] += 1
                if real in outer:
                    self.refusals.append(Refusal(entry.path, "a link to a folder around it"))
                elif visits[real] > _MOST_VISITS:
                    self.refusals.append(Refusal(entry.path, "a folder that many links lead to"))
                else:
                    waiting.append((path, outer | {real}))
                    if entry.is_symlink():
                        self.links[path] = Path(entry.path).resolve().name


def _entries(folder: Path) -> tuple[list[str], list[os.DirEntry[str]]]:
    """Give the names of files and the folders in a folder, links among them."""
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=attrgetter("name"))
    folders = [entry for entry in entries if _is_folder(entry)]
    names = {entry.name for entry in folders}
    return [entry.name for entry in entries if entry.name not in names], folders


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _identity(folder: Path) -> tuple[int, int]:
    try:
        about = folder.stat()
    except OSError:  # which is told where it is listed
        return (0, 0)
    return about.st_dev, about.st_ino


def some_names(names: Iterable[str]) -> str:
    """Quote the first few names, for the user."""
    return some_of([repr(name) for name in names])


def some_of(things: Sequence[str]) -> str:
    """List the first few, for the user."""
    more = len(things) - _NAMED
    return ", ".join(things[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def archive_stem(path: str) -> str | None:
    """Give the name of an archive without what says how it is packed; `None` for other files."""
    match = _ARCHIVE.fullmatch(PurePosixPath(path).name)
    return match[1] if match else None


def sort_out(tree: FileTree) -> tuple[list[str], list[Refusal], list[str]]:
    """Tell pictures from other files, by their names or else by their content.

    Returns:
        The paths of pictures; what was probably meant to be imported and cannot be, with what
        the tree itself refuses; and all other paths.
    """
    pictures: list[str] = []
    refused = list(tree.refusals)
    others: list[str] = []
    for path in tree.paths:
        kind = kind_in_folder(path, partial(tree.start, path))
        reason = ""
        if kind is not None and kind.medium is Medium.PICTURE:
            pictures.append(path)
        elif kind is not None and kind.medium is Medium.VIDEO:
            reason = "a video; name it by itself, with `--class NAME` for what it shows"
        elif kind is not None:
            reason = f"{kind.name}, which is not read; save it as JPEG or PNG"
        elif PurePosixPath(path).suffix.lower() == ".tm" or archive_stem(path) is not None:
            reason = "an archive in there; name it by itself"
        elif PurePosixPath(path).suffix.lower() in _OTHER_ARCHIVES:
            reason = OTHER_ARCHIVE
        else:
            others.append(path)
        if reason:
            refused.append(Refusal(tree.source(path), reason))
    return pictures, refused, others
