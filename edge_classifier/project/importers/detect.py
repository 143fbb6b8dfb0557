"""What a path is, and so which importer reads it."""

from __future__ import annotations

import os
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import open_regular
from edge_classifier.errors import InvalidImageError, NotImportableError
from edge_classifier.project.files import describe
from edge_classifier.project.importers import teachable_machine
from edge_classifier.project.importers.archive import ZipTree
from edge_classifier.project.importers.base import Importer, LabelledPicture
from edge_classifier.project.importers.csv_table import CsvImporter, is_picture_table
from edge_classifier.project.importers.labelled_tree import TreeImporter
from edge_classifier.project.importers.labels import NO_LABEL, labels_of
from edge_classifier.project.importers.other_models import recognise
from edge_classifier.project.importers.splits import SplitName
from edge_classifier.project.importers.tree import VIDEO_SUFFIXES, FolderTree
from edge_classifier.project.importers.video import Stretch, VideoImporter
from edge_classifier.project.picture_file import IMAGE_SUFFIXES, read_image_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.project.importers.base import Item
    from edge_classifier.project.importers.tree import FileTree

_TABLES: Final = frozenset({".csv", ".tsv"})
_ZIP: Final = b"PK"
_LOOKED_AT: Final = 1000


class SingleFileImporter(Importer):
    """A picture whose class is in its name, or was said.

    Raises:
        NotImportableError: if nothing tells its class.
    """

    description = "a picture"
    count = 1

    def __init__(self, path: Path, class_name: str | None = None) -> None:
        label = class_name or labels_of([path.stem])[0]
        if not label:
            raise NotImportableError(f"{path}: {NO_LABEL}.")
        self._picture = LabelledPicture(str(path), label, partial(read_image_bytes, path))

    def __iter__(self) -> Iterator[Item]:
        yield self._picture


def open_importer(
    path: Path, *, class_name: str | None = None, stretch: Stretch | None = None
) -> Importer:
    """Find out what a path is: folder, archive, table, video or picture; and open it.

    All of it shows `class_name`; without one, labels are looked for.

    Raises:
        NotImportableError: if there is nothing, or nothing that can be imported.
    """
    path = Path(path)
    try:
        return _checked(path, _open(path, class_name, stretch))
    except NotImportableError as error:
        if model := recognise(path):
            raise NotImportableError(model.line) from error
        raise


def _checked(path: Path, importer: Importer) -> Importer:
    if importer.count == 0:
        raise NotImportableError(
            f"There is no picture in {path}; name a folder, an archive, a table or a video."
        )
    return importer


def _open(path: Path, class_name: str | None, stretch: Stretch | None) -> Importer:
    try:
        is_folder, start = path.is_dir(), b""
        if not is_folder:
            with open_regular(path) as file:
                start = file.read(len(_ZIP))
    except (OSError, ValueError) as error:
        reason = describe(error) if isinstance(error, OSError) else str(error)
        raise NotImportableError(f"Cannot read {path}: {reason}.") from error
    suffix = path.suffix.lower()
    if is_folder:
        return _of_tree(FolderTree(path), path.resolve(), class_name)
    if suffix in {".zip", teachable_machine.SUFFIX} or start.startswith(_ZIP):
        capture_of = teachable_machine.class_of_archive(path.stem)
        return _of_tree(ZipTree(path), path.with_suffix(""), class_name, capture_of)
    if suffix in _TABLES:
        tree = FolderTree(path.parent, listed=False)
        return CsvImporter(tree, path.name, _table(tree, path.name), class_name)
    if suffix in VIDEO_SUFFIXES:
        if class_name is None:
            raise NotImportableError(f"Say what the video {path} shows: `--class NAME`.")
        return VideoImporter(path, class_name, stretch or Stretch())
    if suffix in IMAGE_SUFFIXES or class_name is not None:
        return SingleFileImporter(path, class_name)
    raise NotImportableError(
        f"{path} is none of what can be imported: a folder, .zip, .tm, .csv, a video or a picture."
    )


def _of_tree(
    tree: FileTree, root: Path, class_name: str | None, capture_of: str | None = None
) -> Importer:
    """Import a tree; `root` is where it lies, without what says how it is packed."""
    if teachable_machine.is_project(tree):
        return teachable_machine.TeachableMachineImporter(tree, class_name)
    for path in tree.paths:
        if PurePosixPath(path).suffix.lower() in _TABLES and path.count("/") <= 1:
            data = _table(tree, path)
            if is_picture_table(data):
                table = CsvImporter(tree, path, data, class_name)
                if table.finds_any():
                    return table
    importer = TreeImporter(
        tree,
        root=root.name,
        class_name=class_name,
        capture_of=capture_of,
        beside=_names_beside(root),
    )
    placed = importer.placed
    if placed and all(picture.reason == NO_LABEL for picture in placed):
        raise NotImportableError(
            f"Nothing tells what the {len(placed)} pictures in {tree.name} show: put them into a "
            "folder per class, or name what all of them show with `--class NAME`."
        )
    return importer


def _names_beside(path: Path) -> list[str]:
    """List the names around and beside a path, where they may explain its own."""
    if not SplitName.of(path.name).uses:
        return []
    path = path.resolve()
    names = [path.parent.name]
    try:
        with os.scandir(path.parent) as entries:
            beside = islice(entries, _LOOKED_AT)
            names += (Path(entry.name).stem for entry in beside if entry.name != path.name)
    except OSError:  # then the name has to speak for itself
        pass
    return names


def _table(tree: FileTree, path: str) -> bytes:
    try:
        return tree.read(path)
    except InvalidImageError as error:
        raise NotImportableError(f"Cannot read the table {tree.source(path)}.") from error
