"""Pictures that lists name: which lists are taken, and which file and label each row means."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import InvalidImageError, NotImportableError
from edge_classifier.project.importers.base import Importer, LabelledPicture, Refusal
from edge_classifier.project.importers.class_names import class_names_beside
from edge_classifier.project.importers.columns import Columns, cell, is_one, understand
from edge_classifier.project.importers.csv_table import TABLE_SUFFIXES, read_table
from edge_classifier.project.importers.file_lookup import FileLookup, held_out_by_folder
from edge_classifier.project.importers.json_list import JSON_SUFFIXES, read_json_list
from edge_classifier.project.importers.label_table import MAX_BYTES, LabelTable, labels_in
from edge_classifier.project.importers.splits import held_out_by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.project.importers.base import Item
    from edge_classifier.project.importers.tree import FileTree

LIST_SUFFIXES: Final = TABLE_SUFFIXES | JSON_SUFFIXES
"""What a list of files and labels may be called, in lower case."""

_UNREAD: Final = frozenset({".xlsx", ".xls", ".ods", ".parquet", ".feather", ".arrow"})
_MOST_LISTS: Final = 200
_NAMED: Final = 3
_LIST_WORDS: Final = re.compile(
    r"(?:labels?|annotations?|instances|class(?:es)?|list|metadata|captions?|info)", re.IGNORECASE
)
_NO_FILE: Final = "there is no such file"


@dataclass(slots=True)
class _List:
    """A list and what its rows mean.

    Attributes:
        pictures: Number of the row, path and label of each that is there.
        refused: All other rows.
    """

    table: LabelTable
    columns: Columns
    held_out: bool | None
    pictures: list[_Row] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    otherwise: int = 0

    @property
    def labels(self) -> set[str]:
        return {row.label for row in self.pictures}

    @property
    def folder(self) -> str:
        return str(PurePosixPath(self.table.path).parent)

    @property
    def paths(self) -> set[str]:
        return {row.path for row in self.pictures}


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    path: str
    label: str
    held_out: bool | None


class ListImporter(Importer):
    """Pictures that lists name, with their labels and perhaps their splits.

    `root` is the name of the folder that holds all, which may be a split's; `class_name`, if
    given, is what all of them show.
    """

    def __init__(
        self,
        tree: FileTree,
        lists: list[_List],
        pictures: tuple[str, ...],
        *,
        root: str = "",
        class_name: str | None = None,
    ) -> None:
        self._tree = tree
        self._items: list[Item] = []
        self.paths: set[str] = set()
        notes: list[str] = []
        for one in lists:
            source = tree.source(one.table.path)
            notes += one.table.notes
            notes += (f"{source}: {note}." for note in one.columns.notes)
            self._items += one.refused
        names = {} if class_name else self._class_names(lists, notes)
        self._place(lists, names, held_out_by_name(root) is True)
        self.description = lists[0].table.description
        if len(lists) > 1:
            self.description = f"{len(lists)} lists, the first {self.description}"
        held_out = {item.held_out for item in self._items if isinstance(item, LabelledPicture)}
        if held_out == {True}:
            notes.append("All of it is held out, as a name or a column says.")
        elif True in held_out:
            self.description += ", with a held-out split"
        unnamed = [path for path in pictures if path not in self.paths]
        if unnamed and len(pictures) > len(unnamed):
            notes.append(
                f"{_counted(unnamed, 'picture is', 'pictures are')} in no list, and left out: "
                f"{_some([tree.source(path) for path in unnamed])}."
            )
        self.notes = tuple(notes)
        self.count = len(self._items)

    def __iter__(self) -> Iterator[Item]:
        """Give refusals, then pictures in the order of the list."""
        return iter(self._items)

    def _class_names(self, lists: list[_List], notes: list[str]) -> dict[str, str]:
        """Find the names of classes that are called by numbers."""
        labels = {label for one in lists for label in one.labels}
        if not labels or not all(re.fullmatch("[0-9]{1,6}", label) for label in labels):
            return {}
        folders = {one.folder for one in lists}
        own = {one.table.path for one in lists}
        names, where = class_names_beside(self._tree, folders, labels, own)
        if names:
            notes.append(
                f"{self._tree.source(where)} names the classes: "
                + _some([f"{n} is {names[n]}" for n in sorted(names, key=int)])
                + "."
            )
        elif where:
            notes.append(f"{where}; the classes are called by their numbers.")
        return names

    def _place(self, lists: list[_List], names: dict[str, str], held_out: bool) -> None:  # noqa: FBT001 - private
        rows: dict[str, list[tuple[_List, _Row]]] = defaultdict(list)
        for one in lists:
            for row in one.pictures:
                rows[posixpath.normpath(row.path)].append((one, row))
        for said in rows.values():
            one, row = said[0]
            self.paths.add(row.path)
            source = self._tree.source(row.path)
            by_label = {other.label: other.number for _, other in reversed(said)}
            if len(by_label) > 1:
                where = ", ".join(
                    f"{label!r} in {one.table.unit} {number}" for label, number in by_label.items()
                )
                self._items.append(
                    Refusal(f"{source} ({where})", "it has different labels, and no one is right")
                )
                continue
            splits = [_first(other.held_out, of.held_out) for of, other in said]
            if any(split is None for split in splits):
                splits.append(_first(held_out_by_folder(row.path), held_out))
            self._items.append(
                LabelledPicture(
                    source,
                    names.get(row.label, row.label),
                    partial(self._tree.read, row.path),
                    held_out=any(splits),
                )
            )


def open_list(tree: FileTree, path: str, root: str, class_name: str | None) -> ListImporter:
    """Open the one list that was named.

    Raises:
        NotImportableError: if it is no list of pictures and labels.
    """
    source = tree.source(path)
    lookup = FileLookup(tree)
    found = _read(tree, path, lookup, class_name)
    if isinstance(found, str):
        raise NotImportableError(
            f"{source} cannot be imported: {found}. Call the column with the files `file` and "
            "the one with the classes `label`."
        )
    _resolve(found, tree, lookup, class_name)
    importer = ListImporter(tree, [found], (), root=root, class_name=class_name)
    if not found.pictures and any(refusal.reason == _NO_FILE for refusal in found.refused):
        importer.notes += (
            f"none of its files is in {tree.name} or below; add the folder that holds both.",
        )
    return importer


def find_lists(
    tree: FileTree, root: str, labelled: dict[str, str]
) -> tuple[ListImporter | None, tuple[str, ...]]:
    """Find the lists in a tree that name its pictures; of several in a folder, the fullest.

    `labelled` is what folders, or names, say of pictures. They are believed where they tell classes
    apart and a list names fewer than half of these pictures, or does not say what it means.

    Returns:
        What the lists name, or `None`; and what the user should know of lists that are not taken.
    """
    notes = [
        f"{tree.source(path)} is not read; save it as .csv if it names the classes."
        for path in tree.paths
        if PurePosixPath(path).suffix.lower() in _UNREAD
    ][:_NAMED]
    lookup = FileLookup(tree)
    if not lookup.pictures:
        return None, ()
    stems = {PurePosixPath(path).stem for path in lookup.pictures}
    candidates = [
        path
        for path in tree.paths
        if PurePosixPath(path).suffix.lower() in LIST_SUFFIXES
        and PurePosixPath(path).stem not in stems  # what is said of one picture: boxes, masks
    ]
    candidates.sort(key=lambda path: path.count("/"))
    if len(candidates) > _MOST_LISTS:
        notes.append(f"of {len(candidates)} lists, {_MOST_LISTS} were looked at.")
    lists: list[_List] = []
    for path in candidates[:_MOST_LISTS]:
        try:
            found = _read(tree, path, lookup, None)
        except NotImportableError as error:
            notes.append(str(error))
            continue
        if isinstance(found, _List):
            _resolve(found, tree, lookup, None)
            if found.pictures:
                lists.append(found)
        elif found.startswith(_UNDECIDED):
            notes.append(f"{tree.source(path)} was left aside: {found}.")
    taken = _taken(lists, tree, notes)
    if not taken:
        return None, tuple(notes)
    importer = ListImporter(tree, taken, lookup.pictures, root=root)
    by_name = all(one.columns.by_name for one in taken)
    if len(set(labelled.values())) > 1 and (
        not by_name or 2 * len(importer.paths & labelled.keys()) < len(labelled)
    ):
        notes.append(
            f"{tree.source(taken[0].table.path)} was left aside: folders or names tell the classes "
            f"of {len(labelled)} pictures, it of {len(importer.paths)}; add it by itself to take it."
        )
        return None, tuple(notes)
    importer.notes += tuple(notes)
    return importer, ()


_UNDECIDED: Final = "it does not say"


def _taken(lists: list[_List], tree: FileTree, notes: list[str]) -> list[_List]:
    """Choose the lists that go together: the fullest, and those of other folders and splits."""
    lists = sorted(lists, key=_fullness, reverse=True)
    taken: list[_List] = []
    named: set[str] = set()
    for one in lists:
        beside = [other for other in taken if other.folder == one.folder]
        if not taken or (
            2 * len(one.paths & named) < len(one.paths)
            and not _is_submission(one)
            and all(_goes_with(one, other) for other in beside)
        ):
            taken.append(one)
            named |= one.paths
        else:
            notes.append(
                f"{tree.source(one.table.path)} was left aside: it names {len(one.paths)} pictures, "
                f"{tree.source(taken[0].table.path)} {len(taken[0].paths)}; add it by itself to "
                "take it."
            )
    return taken


def _fullness(one: _List) -> tuple[object, ...]:
    readable = not all(label.isdigit() for label in one.labels)
    return (
        not _is_submission(one),
        len(one.labels) > 1,
        len(one.paths),
        one.columns.by_name,
        one.columns.split is not None,
        readable,
        -len(one.table.path),
        one.table.path,
    )


def _goes_with(one: _List, other: _List) -> bool:
    """Say whether a list is another split of the one beside it, as `val.csv` of `train.csv`."""
    return (
        one.held_out is not None
        and one.held_out is not other.held_out
        and one.labels <= other.labels
        and (len(one.labels) > 1 or len(other.labels) == 1)
    )


def _is_submission(one: _List) -> bool:
    """Say whether it is what a competition wants to be handed in, with labels that are none."""
    return "submission" in PurePosixPath(one.table.path).name.casefold()


def _read(tree: FileTree, path: str, lookup: FileLookup, class_name: str | None) -> _List | str:
    """Read a list, or say why it is none.

    Raises:
        NotImportableError: if it cannot be read.
    """
    source = tree.source(path)
    try:
        data = tree.read(path)
    except InvalidImageError as error:
        raise NotImportableError(f"Cannot read the list {source}.") from error
    if len(data) > MAX_BYTES:
        raise NotImportableError(
            f"{source} has {len(data):,} bytes, at most {MAX_BYTES:,} are read; split it into "
            "several tables."
        )
    folder = str(PurePosixPath(path).parent)
    knows = partial(lookup.knows, folder)
    needs_label = class_name is None
    columns: Columns | str
    if PurePosixPath(path).suffix.lower() in JSON_SUFFIXES:
        table = read_json_list(path, data, source)
        if table is None:
            return "it is no list of pictures and their labels"
        columns = understand(table.rows, knows, needs_label=needs_label)
    else:
        names = [part for picture in lookup.pictures for part in _stems(picture)]
        table, columns = read_table(path, data, source, knows, names, needs_label=needs_label)
    if isinstance(columns, str):
        return columns
    return _List(table, columns, _split_by_name(path))


def _stems(path: str) -> list[str]:
    *folders, name = path.split("/")
    return [*folders, PurePosixPath(name).stem]


def _split_by_name(path: str) -> bool | None:
    """Say which split a list is of, by its name: `train.csv`, `valid_labels.csv`."""
    return held_out_by_name(_LIST_WORDS.sub("", PurePosixPath(path).stem).strip(" _.-"))


def _resolve(one: _List, tree: FileTree, lookup: FileLookup, class_name: str | None) -> None:
    """Find out which file and which label each row means."""
    table, columns = one.table, one.columns
    source = tree.source(table.path)
    unclear: list[tuple[str, str, tuple[str, ...], str, bool | None, int]] = []
    start = bool(columns.names)
    for number, row in zip(table.numbers[start:], table.rows[start:], strict=True):
        where = f"{source}, {table.unit} {number}"
        name = cell(row, columns.file)
        if not name:
            one.refused.append(Refusal(where, "it names no file"))
            continue
        where = f"{where}: {name}"
        labels = [class_name] if class_name else _labels(row, columns)
        if len(labels) != 1:
            reason = (
                "it has several labels; a picture has one here" if labels else "it has no label"
            )
            said = f" ({', '.join(labels[:_NAMED])})" if labels else ""
            one.refused.append(Refusal(where + said, reason))
            continue
        label = table.class_names.get(labels[0], labels[0])
        held_out = columns.held_out.get(cell(row, columns.split))
        found = lookup.find(one.folder, name, held_out=_first(held_out, one.held_out))
        if (
            one.held_out is False and held_out is None
        ):  # a picture of the test may be called so, too
            found = tuple(path for path in found if not held_out_by_folder(path))
        if len(found) == 1:
            one.pictures.append(_Row(number, found[0], label, held_out))
        elif found:
            unclear.append((where, label, found, name, held_out, number))
        else:
            one.refused.append(Refusal(where, _NO_FILE))
    homes = {posixpath.dirname(row.path) for row in one.pictures}
    for where, label, found, _, held_out, number in unclear:
        home = [path for path in found if posixpath.dirname(path) in homes]
        if len(homes) == len(home) == 1:  # all others are in one folder, and so is this
            one.pictures.append(_Row(number, home[0], label, held_out))
        else:
            one.refused.append(
                Refusal(f"{where} ({_some(list(found))})", "several files are called so")
            )
    for number, reason in table.broken:
        one.refused.append(Refusal(f"{source}, {table.unit} {number}", reason))


def _labels(row: object, columns: Columns) -> list[str]:
    if columns.one_hot:
        return [columns.names[n].strip() for n in columns.one_hot if is_one(cell(row, n))]
    return labels_in(cell(row, columns.label))


def _first(*values: bool | None) -> bool | None:
    return next((value for value in values if value is not None), None)


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _counted(things: list[str], one: str, several: str) -> str:
    return f"{len(things):,} {one if len(things) == 1 else several}"
