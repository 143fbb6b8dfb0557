"""Pictures that lists name: which of a tree's lists are taken, and what they say together."""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from functools import partial
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers.base import Importer, LabelledPicture, Refusal
from edge_classifier.project.importers.class_names import class_names_beside
from edge_classifier.project.importers.file_lookup import (
    FileLookup,
    held_out_by_folder,
    may_be_picture,
)
from edge_classifier.project.importers.label_list import (
    LIST_SUFFIXES,
    NO_FILE,
    UNDECIDED,
    LabelList,
    read_list,
)
from edge_classifier.project.importers.splits import held_out_by_name, is_container
from edge_classifier.project.importers.tree import FolderTree, some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from edge_classifier.project.importers.base import Item
    from edge_classifier.project.importers.label_list import Row
    from edge_classifier.project.importers.tree import FileTree

_UNREAD: Final = frozenset({".xlsx", ".xls", ".ods", ".parquet", ".feather", ".arrow", ".xml"})
MOST_LISTS: Final = 200
_AGREES: Final = 0.9  # of the pictures: label and folder stand for each other
_FEW: Final = 3
_FEWEST: Final = 2
_NUMBER: Final = re.compile("[0-9]{1,6}")


class ListImporter(Importer):
    """Pictures that lists name, with their labels and perhaps their splits.

    `root` is the name of the folder that holds them, which may be a split's. Where a whole tree is
    imported, `lookup` holds all its pictures, and `labelled` what folders say of them.

    Attributes:
        paths: The pictures that are named.
    """

    def __init__(
        self,
        tree: FileTree,
        lists: Sequence[LabelList],
        root: str,
        lookup: FileLookup | None = None,
        labelled: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._tree = tree
        notes = [note for one in lists for note in one.notes]
        self._names = self._class_names(lists, labelled, notes)
        self._all_held_out = held_out_by_name(root) is True
        labels = {row.label for one in lists for row in one.rows}
        # Beside one other label it may be a class: control and test. A train is one, too.
        self._splits = {
            label for label in labels if len(labels) > _FEWEST and held_out_by_name(label)
        }
        self._items: list[Item] = [*lookup.refused] if lookup else []
        self._items += (refusal for one in lists for refusal in one.refused)
        rows: dict[str, list[tuple[LabelList, Row]]] = defaultdict(list)
        for one in lists:
            for row in one.rows:
                rows[posixpath.normpath(row.path)].append((one, row))
        self._items += map(self._item, rows.values())
        self.count = len(self._items)
        self.paths = {said[0][1].path for said in rows.values()}
        self.description = lists[0].description
        if len(lists) > 1:
            self.description = f"{len(lists)} lists, the first {self.description}"
        self._note_contradictions(rows, labelled, notes)
        held_out = {item.held_out for item in self._items if isinstance(item, LabelledPicture)}
        if held_out == {True}:
            notes.append(
                f"all of {tree.name} is held out, as a name or a column says; `--split train` "
                "trains on it."
            )
        elif held_out:
            self.description += ", with a held-out split" if True in held_out else ""
        pictures = lookup.pictures if lookup else ()
        unnamed = [tree.source(path) for path in pictures if path not in self.paths]
        if unnamed and rows:
            are = "picture is" if len(unnamed) == 1 else "pictures are"
            notes.append(f"{len(unnamed):,} {are} in no list, and left out: {some_of(unnamed)}.")
        self.notes = tuple(notes)

    def __iter__(self) -> Iterator[Item]:
        """Give refusals, then pictures in the order of the lists."""
        return iter(self._items)

    def _note_contradictions(
        self,
        rows: Mapping[str, list[tuple[LabelList, Row]]],
        labelled: Mapping[str, str],
        notes: list[str],
    ) -> None:
        """Tell which pictures lie in the folder of another class than the list says."""
        classes = set(labelled.values())
        labels = {said[0][1].path: said[0][1].label for said in rows.values()}
        named = {path: self._names.get(label, label) for path, label in labels.items()}
        wrong = [
            self._tree.source(path)
            for path, label in named.items()
            if label in classes and labelled.get(path, label) != label
        ]
        if wrong:
            are = "picture is" if len(wrong) == 1 else "pictures are"
            notes.append(
                f"{len(wrong):,} {are} called otherwise than the folder says, by the list that "
                f"is taken: {some_of(wrong)}."
            )

    def _item(self, said: list[tuple[LabelList, Row]]) -> Item:
        """Make one picture of all rows that name it."""
        row = said[0][1]
        source = self._tree.source(row.path)
        where: dict[str, str] = {}
        for one, other in said:
            where.setdefault(other.label, f"{one.unit} {other.number}")
        if len(where) > 1:
            labels = ", ".join(f"{label!r} in {place}" for label, place in where.items())
            return Refusal(f"{source} ({labels})", "it has different labels, and none is taken")
        if row.label in self._splits:
            return Refusal(
                source, f"it is labelled {row.label!r}, as what is not trained on is called"
            )
        splits = {one.held_out if r.held_out is None else r.held_out for one, r in said}
        if None in splits:
            by_folder = held_out_by_folder(row.path)
            splits.add(self._all_held_out if by_folder is None else by_folder)
        return LabelledPicture(
            source,
            self._names.get(row.label, row.label),
            partial(self._tree.read, row.path),
            held_out=True in splits,
        )

    def _class_names(
        self, lists: Sequence[LabelList], labelled: Mapping[str, str], notes: list[str]
    ) -> dict[str, str]:
        """Find the names of classes that are called by numbers: beside the lists, or folders."""
        labels = {label for one in lists for label in one.labels}
        if not labels or not all(map(_NUMBER.fullmatch, labels)):
            return {}
        own = {one.path for one in lists}
        names, where = class_names_beside(self._tree, {one.folder for one in lists}, labels, own)
        if names:
            called = some_of([f"{number} is {names[number]}" for number in sorted(names, key=int)])
            notes.append(f"{self._tree.source(where)} names the classes: {called}.")
            return names
        pairs = {(row.label, labelled.get(row.path, "")) for one in lists for row in one.rows}
        folders = {folder for _, folder in pairs}
        if len(pairs) == len(labels) == len(folders) and "" not in folders:
            return dict(pairs)
        if where:
            notes.append(f"{where}; the classes are called by their numbers.")
        return names


def open_list(
    path: Path, class_name: str | None = None, code_page: str | None = None
) -> ListImporter:
    """Open the one list that was named; all its pictures show `class_name`, if that is given.

    A table that is not UTF-8 is read as `code_page`, if that is given. What lies around the list is
    looked at only if it names files that are not where it says, and then by their names.

    Raises:
        NotImportableError: if it is no list of pictures and labels.
    """
    tree = FolderTree(path.parent, deep=False)
    found = read_list(tree, path.name, FileLookup(tree, []), class_name, code_page)
    notes = []
    if isinstance(found, str) or any(refusal.reason == NO_FILE for refusal in found.refused):
        try:
            tree = FolderTree(path.parent)
        except NotImportableError as error:
            notes.append(f"only files that are where the list says were found: {error}")
        else:
            lookup = FileLookup(tree, list(filter(may_be_picture, tree.paths)))
            found = read_list(tree, path.name, lookup, class_name, code_page)
    if isinstance(found, str):
        raise NotImportableError(
            f"{path} cannot be imported: {found}; call the one with the files `file` and the one "
            "with the classes `label`." + "".join(f" {note}" for note in notes)
        )
    importer = ListImporter(tree, [found], path.resolve().parent.name)
    if not found.rows and any(refusal.reason == NO_FILE for refusal in found.refused):
        notes.append(
            f"none of its files is in {tree.name} or below; add the folder that holds both."
        )
    importer.notes += tuple(notes)
    return importer


def find_lists(
    tree: FileTree, root: str, labelled: dict[str, str], code_page: str | None = None
) -> tuple[ListImporter | None, tuple[str, ...]]:
    """Find the lists in a tree that name its pictures; of several in a folder, the fullest.

    `labelled` is what folders or file names say of pictures. They are believed where they tell
    classes apart and lists name fewer than half of these pictures, do not say what they mean, or
    say what goes with other things than the folders and is not called classes.

    Returns:
        What the lists name, or `None`; and what the user should know of lists that are not taken.
    """
    lookup = FileLookup(tree)
    if not lookup.pictures:
        return None, ()
    notes: list[str] = []
    taken = _taken(_all_lists(tree, lookup, code_page, notes), notes)
    if not taken:
        return None, tuple(notes)
    importer = ListImporter(tree, taken, root, lookup, labelled)
    is_sure = all(one.columns.is_sure for one in taken)
    classes = {name for name in labelled.values() if not _tells_no_class(name)}
    told = len(labelled) if len(classes) > 1 else 0
    if told and not (is_sure and 2 * len(importer.paths & labelled.keys()) >= told):
        notes.append(
            f"{taken[0].source} was left aside: folders or names tell the classes of {told:,} "
            f"pictures, it of {len(importer.paths):,}; add it by itself to take it."
        )
        return None, tuple(notes)
    if told and not _go_together(taken, labelled):
        called = some_of(sorted(classes))
        if not _tell_classes(taken):
            notes.append(
                f"{some_of([one.source for one in taken])} was left aside: folders tell classes "
                f"apart ({called}), and what it says of the pictures goes with other things; add "
                "it by itself to take it."
            )
            return None, tuple(notes)
        notes.append(f"folders tell other classes ({called}) than the list that is taken.")
    if not is_sure and 2 * len(importer.paths) < len(lookup.pictures):
        notes.append(
            f"{taken[0].source} was left aside: it may name {len(importer.paths):,} of "
            f"{len(lookup.pictures):,} pictures, or something else; add it by itself to take it."
        )
        return None, tuple(notes)
    importer.notes += tuple(notes)
    return importer, ()


def list_paths(tree: FileTree, lookup: FileLookup) -> list[str]:
    """Give what may be a list, the outermost first, without what is said of one picture."""
    paths = _of_many_pictures(tree, lookup, LIST_SUFFIXES)
    return sorted(paths, key=lambda path: path.count("/"))


def _of_many_pictures(tree: FileTree, lookup: FileLookup, suffixes: frozenset[str]) -> list[str]:
    """Give files of some kinds, without what is said of one picture: boxes, masks."""
    stems = {PurePosixPath(path).stem for path in lookup.pictures}
    paths = [(path, PurePosixPath(path)) for path in tree.paths]
    return [text for text, p in paths if p.suffix.lower() in suffixes and p.stem not in stems]


def _all_lists(
    tree: FileTree, lookup: FileLookup, code_page: str | None, notes: list[str]
) -> list[LabelList]:
    """Read all that may be a list, the outermost first."""
    unread = _of_many_pictures(tree, lookup, _UNREAD)
    if unread:
        sources = some_of([tree.source(path) for path in unread])
        notes.append(f"{sources}: not read; save what names the classes as .csv or JSON.")
    paths = list_paths(tree, lookup)
    if len(paths) > MOST_LISTS:
        notes.append(f"{tree.name} holds {len(paths):,} lists; {MOST_LISTS} were looked at.")
    lists: list[LabelList] = []
    for path in paths[:MOST_LISTS]:
        try:
            found = read_list(tree, path, lookup, code_page=code_page)
        except NotImportableError as error:
            notes.append(str(error))
            continue
        if isinstance(found, LabelList):
            if found.rows:
                lists.append(found)
        elif found.startswith(UNDECIDED):
            notes.append(f"{tree.source(path)} was left aside: {found}.")
    return lists


def _taken(lists: list[LabelList], notes: list[str]) -> list[LabelList]:
    """Choose the lists that go together: the fullest, and those of other folders and splits."""
    taken: list[LabelList] = []
    named: set[str] = set()
    for one in sorted(lists, key=_fullness, reverse=True):
        beside = [other for other in taken if other.folder == one.folder]
        is_new = 2 * len(one.paths & named) < len(one.paths) and not one.is_submission
        if not taken or (is_new and all(_goes_with(one, other) for other in beside)):
            taken.append(one)
            named |= one.paths
        else:
            notes.append(
                f"{one.source} was left aside: it names {len(one.paths):,} pictures, "
                f"{taken[0].source} {len(taken[0].paths):,}; add it by itself to take it."
            )
    return taken


def _fullness(one: LabelList) -> tuple[object, ...]:
    """Give what lists are compared by: what names most, and then says most of it."""
    return (
        not one.is_submission,
        len(one.labels) > 1,  # else they may be placeholders
        len(one.paths),
        one.columns.says_classes,
        one.columns.is_sure,
        one.columns.split is not None,
        not all(map(_NUMBER.fullmatch, one.labels)),
        -len(one.path),
        one.path,
    )


def _goes_with(one: LabelList, other: LabelList) -> bool:
    """Say whether a list is another split of the one beside it, as `val.csv` of `train.csv`."""
    return (
        one.held_out is not None
        and one.held_out is not other.held_out
        and one.labels <= other.labels
        and (len(one.labels) > 1 or len(other.labels) == 1)
    )


def _go_together(taken: Sequence[LabelList], labelled: Mapping[str, str]) -> bool:
    """Say whether labels and the folders that are classes stand for each other, one for one."""
    within: dict[str, set[str]] = defaultdict(set)
    for path, name in labelled.items():
        within[posixpath.dirname(path)].add(name)
    pairs = Counter(
        (row.label, labelled[row.path])
        for one in taken
        for row in one.rows
        if row.path in labelled and len(within[posixpath.dirname(row.path)]) == 1
    )  # where there are several classes in a folder, files are called so
    for side in (0, 1):
        most: dict[str, int] = defaultdict(int)
        for pair, count in pairs.items():
            most[pair[side]] = max(most[pair[side]], count)
        if sum(most.values()) < _AGREES * pairs.total():
            return False
    return True


def _tell_classes(taken: Sequence[LabelList]) -> bool:
    """Say whether lists name classes by their columns' names, and tell some apart, not each row."""
    labels = {label for one in taken for label in one.labels}
    pictures = sum(len(one.paths) for one in taken)
    return all(one.columns.says_classes for one in taken) and 1 < len(labels) <= max(
        _FEW, _AGREES * pictures
    )


def _tells_no_class(folder: str) -> bool:
    return is_container(folder) or held_out_by_name(folder) is not None
