"""What a path is, and so which importer reads it."""

from __future__ import annotations

import os
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import start_of
from edge_classifier.device.media import JPEG, MJPEG, Medium, kind_named, kind_of
from edge_classifier.device.sources.videos import kind_of_source
from edge_classifier.errors import NotImportableError
from edge_classifier.project.files import describe
from edge_classifier.project.importers import teachable_machine
from edge_classifier.project.importers.archives import is_archive, open_archive
from edge_classifier.project.importers.base import Importer, LabelledPicture
from edge_classifier.project.importers.label_list import LIST_SUFFIXES
from edge_classifier.project.importers.labelled_tree import TreeImporter
from edge_classifier.project.importers.labels import NO_LABEL, labels_of
from edge_classifier.project.importers.list_importer import find_lists, open_list
from edge_classifier.project.importers.other_models import recognise
from edge_classifier.project.importers.splits import SplitName
from edge_classifier.project.importers.tree import FolderTree, archive_stem
from edge_classifier.project.importers.video import Stretch, VideoImporter
from edge_classifier.project.picture_file import read_image_bytes
from edge_classifier.project.project_file import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.project.importers.base import Item
    from edge_classifier.project.importers.tree import FileTree

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
    path: Path,
    *,
    class_name: str | None = None,
    stretch: Stretch | None = None,
    code_page: str | None = None,
) -> Importer:
    """Find out what a path is: folder, archive, table, video or picture; and open it.

    All of it shows `class_name`; without one, labels are looked for. Names in an archive that do
    not say how they are written are read as `code_page`, if given.

    Raises:
        NotImportableError: if there is nothing, or nothing that can be imported.
    """
    path = Path(path)
    try:
        return _checked(path, _open(path, class_name, stretch, code_page))
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


def _open(
    path: Path, class_name: str | None, stretch: Stretch | None, code_page: str | None
) -> Importer:
    try:
        is_folder, start = path.is_dir(), b""
        if not is_folder:
            start = start_of(path)
    except (OSError, ValueError) as error:
        reason = describe(error) if isinstance(error, OSError) else str(error)
        raise NotImportableError(f"Cannot read {path}: {reason}.") from error
    suffix = path.suffix.lower()
    if is_folder:
        # a link's own name may be a split's; `.` has none
        root = path.absolute() if path.name not in {"", ".."} else path.resolve()
        return _of_tree(FolderTree(path), root, class_name, code_page=code_page)
    if archive_stem(path.name) or suffix == teachable_machine.SUFFIX or is_archive(start):
        stem = archive_stem(path.name) or path.stem
        capture_of = teachable_machine.class_of_archive(stem)
        tree = open_archive(path, code_page)
        root = path.absolute().with_name(stem)
        return _of_tree(tree, root, class_name, capture_of, code_page)
    kind = kind_of(start)
    if kind is None and suffix in LIST_SUFFIXES:
        tree, folder = FolderTree(path.parent), path.resolve().parent.name
        return open_list(tree, path.name, folder, class_name, code_page)
    kind = kind or kind_named(path.name)
    if kind is JPEG and kind_of_source(path) is MJPEG:
        kind = MJPEG
    if kind is not None and kind.medium is Medium.VIDEO:
        if class_name is None:
            raise NotImportableError(f"Say what the video {path} shows: `--class NAME`.")
        return VideoImporter(path, class_name, stretch or Stretch())
    if kind is not None or class_name is not None:
        return SingleFileImporter(path, class_name)
    raise NotImportableError(
        f"{path} is none of what can be imported: a folder, .zip, .tar, .tgz, .tm, .csv, a video "
        "or a picture."
    )


def _of_tree(
    tree: FileTree,
    root: Path,
    class_name: str | None,
    capture_of: str | None = None,
    code_page: str | None = None,
) -> Importer:
    """Import a tree; `root` is where it lies, without what says how it is packed."""
    importer = _importer_of(tree, root, class_name, capture_of, code_page)
    importer.notes = (*tree.notes, *importer.notes)
    return importer


def _importer_of(
    tree: FileTree,
    root: Path,
    class_name: str | None,
    capture_of: str | None,
    code_page: str | None,
) -> Importer:
    if teachable_machine.is_project(tree):
        return teachable_machine.TeachableMachineImporter(tree, class_name)
    importer = TreeImporter(
        tree,
        root=root.name,
        class_name=class_name,
        capture_of=capture_of,
        beside=_names_beside(root),
    )
    placed = importer.placed
    if class_name is None and FILE_NAME not in tree.paths:
        labelled = {picture.path: picture.class_name for picture in placed if picture.class_name}
        lists, notes = find_lists(tree, root.name, labelled, code_page)
        if lists is not None:
            return lists
        importer.notes += notes
    if placed and all(picture.reason == NO_LABEL for picture in placed):
        raise NotImportableError(
            f"Nothing tells what the {len(placed)} pictures in {tree.name} show: put them into a "
            "folder per class, or name what all of them show with `--class NAME`."
            + "".join(f" {note}" for note in importer.notes[:1])
        )
    return importer


def _names_beside(path: Path) -> list[str]:
    """List the names around and beside a path, where they may explain its own."""
    if not SplitName.of(path.name).uses:
        return []
    names = [path.parent.name]
    try:
        with os.scandir(path.parent) as entries:
            beside = islice(entries, _LOOKED_AT)
            names += (Path(entry.name).stem for entry in beside if entry.name != path.name)
    except OSError:  # then the name has to speak for itself
        pass
    return names
