"""Which class and which split pictures belong to, by the folders that they lie in.

Folders at the top are classes, as for Keras and scikit-learn; deeper ones are not (pictures in
`dog/garden/` are of `dog`). Around that, folders that hold all the rest are skipped, and `levels`
tells splits and folders around classes from classes. Where there are no folders, the label is in
the file name (`dog-1.jpg`). What cannot be told from names is said in a note, or refused.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from operator import attrgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.project.classes import fold_class_name
from edge_classifier.project.importers.labels import NO_LABEL, labels_of
from edge_classifier.project.importers.levels import Folder, Level, Use, annotated_over
from edge_classifier.project.importers.splits import SplitName
from edge_classifier.project.importers.tree import some_names
from edge_classifier.project.natural_order import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_BESIDE: Final = "it lies beside class folders, so it has no label; move it into one"
_MOST_OTHER_WORDS: Final = 2


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture's place in a data set.

    Attributes:
        class_name: Its label; empty where there is none.
        held_out: Whether it is to be measured on.
        reason: Why there is no label.
    """

    path: str
    class_name: str
    held_out: bool = False
    reason: str = ""

    @property
    def order(self) -> tuple[object, ...]:
        """What to sort by: those to train on first, then by class as people count."""
        return self.held_out, natural_key(self.class_name), natural_key(self.path)


@dataclass(frozen=True, slots=True)
class Layout:
    """How pictures lie.

    Attributes:
        placed: Every picture, in its `order`.
        description: For the user: `a folder per class`.
        notes: What was decided and could be meant otherwise.
    """

    placed: list[Placed]
    description: str
    notes: tuple[str, ...] = ()


def place_pictures(
    paths: Iterable[str],
    root: str = "",
    class_name: str | None = None,
    beside: Iterable[str] = (),
    links: Mapping[str, str] | None = None,
) -> Layout:
    """Find classes and splits of pictures' relative paths, with `/` between their parts.

    `root` is the name of the folder itself, which may be a split's, and `beside` those of the
    folders around and beside it, which may explain it; `class_name` is what all pictures show, if
    the user has said so; `links` are names of the folders that links lead to, which may be splits'
    as well.

    Raises:
        NotImportableError: if there are more folders than any data set has.
    """
    reading = _Reading(one_class=class_name is not None)
    top = Folder.of(root, paths, links or {})
    if class_name is not None and fold_class_name(class_name) == fold_class_name(root):
        reading.read(top, None)  # `--class test` for the folder `test`: a class, and no split
    else:
        reading.read_around(top, None, beside)
    placed = [*reading.placed, *reading.labelled_by_name()]
    notes = tuple(reading.all_notes(placed))
    description = "a folder per class" if reading.placed else "labels in file names"
    if class_name is not None:
        placed = [Placed(p.path, class_name, p.held_out) for p in placed]
        description, notes = "one class", ()
    if any(p.held_out and p.class_name for p in placed):
        description += ", with a held-out split"
    return Layout(sorted(placed, key=attrgetter("order")), description, notes)


class _Reading:
    """The walk from the top down to the classes."""

    def __init__(self, *, one_class: bool) -> None:
        self.placed: list[Placed] = []
        self._one_class = one_class
        self._by_name: dict[str, tuple[bool, str]] = {}  # the label is in the file's name
        self._context: set[str] = set()
        self._notes: list[str] = []
        self._doubtful: list[str] = []
        self._splits_of_classes: list[str] = []
        self._parts: defaultdict[str, set[str]] = defaultdict(set)  # folders in class folders

    def read_around(self, folder: Folder, held_out: bool | None, beside: Iterable[str]) -> None:  # noqa: FBT001 - private
        """Read a folder that all else lies in, whose name may be a split's."""
        own = folder.split
        around = [SplitName.of(name) for name in beside]
        few = len(own.rest) <= _MOST_OTHER_WORDS
        if own.held_out is not None and (
            (not own.rest and len(own.uses) == 1)
            or (own.is_last and few)
            or any(own.rest <= its.rest for its in around if not its.uses)
            or any(own.rest == its.rest for its in around if its.uses and its.uses != own.uses)
        ):
            held_out = own.held_out
        elif own.held_out and few and folder.core.folders:
            self._notes.append(
                f"{folder.name!r} may be meant for measuring, and is trained on; "
                "`--split held-out` holds it out."
            )
        self.read(folder, held_out)

    def read(self, folder: Folder, held_out: bool | None) -> None:  # noqa: FBT001 - private
        """Read a folder that is no class; `held_out` is `None` where it is in no split."""
        self._by_name |= dict.fromkeys(folder.files, (held_out is True, ""))
        self._context |= folder.split.rest
        kids = list(folder.folders.values())
        if len(kids) == 1 and (
            not kids[0].files or kids[0].says_no_class or kids[0].folded == folder.folded
        ):
            self.read_around(kids[0], held_out, [folder.name])
            return
        level = Level(kids, self._context, in_split=held_out is not None, one_class=self._one_class)
        for decision in level.decide():
            kid = decision.folder
            told = held_out if decision.held_out is None else decision.held_out
            if decision.use is Use.AROUND:
                self.read(kid, told)
            elif decision.use is Use.CLASS:
                if decision.class_name:
                    self._splits_of_classes.append(kid.name)
                elif kid.split.uses or kid.says_no_class:
                    self._doubtful.append(kid.name)
                self._take_class(kid, decision.class_name or kid.name, told)
            elif decision.use is Use.BY_NAME:
                self._by_name |= dict.fromkeys(kid.all_files(), (told is True, decision.reason))
            else:
                self.placed += (
                    Placed(path, "", told is True, decision.reason) for path in kid.all_files()
                )
        self._notes += level.notes

    def labelled_by_name(self) -> Iterator[Placed]:
        """Place what no folder tells the class of."""
        folders = {fold_class_name(p.class_name): p.class_name for p in self.placed if not p.reason}
        labels = labels_of([PurePosixPath(path).stem for path in self._by_name])
        for (path, (held_out, reason)), label in zip(self._by_name.items(), labels, strict=True):
            name = folders.get(fold_class_name(label or "")) if folders else label
            yield Placed(
                path, name or "", held_out,
                "" if name else reason or (_BESIDE if folders else NO_LABEL),
            )  # fmt: skip

    def all_notes(self, placed: Sequence[Placed]) -> Iterator[str]:
        """Give what the user should know about how all was understood."""
        yield from dict.fromkeys(self._notes)
        if self._doubtful:
            yield (
                "Taken for classes and not for splits, by what lies beside and in them: "
                f"{some_names(self._doubtful)}."
            )
        if self._splits_of_classes:
            some = some_names(self._splits_of_classes)
            yield f"Taken for splits of the classes that they name: {some}."
        yield from self._notes_of_parts()
        taught = Counter(p.class_name for p in placed if not p.held_out)
        only_held_out = dict.fromkeys(p.class_name for p in placed if p.held_out and p.class_name)
        missing = [name for name in only_held_out if name not in taught]
        if missing and any(taught):
            yield f"{some_names(missing)}: only held out; nothing in there is to be trained on."

    def _notes_of_parts(self) -> Iterator[str]:
        if not self._parts:
            return
        parts = [f"{name}/{part}" for name in self._parts for part in sorted(self._parts[name])]
        yield f"Folders within a class are no classes: {some_names(parts)} are of the outer one."
        shared = Counter(part for own in self._parts.values() for part in own)
        others = {p.class_name for p in self.placed if p.class_name}.difference(self._parts)
        deeper = [name for name, own in self._parts.items() if len(own) > 1 and others]
        if sum(count > 1 for count in shared.values()) > 1:
            deeper = list(self._parts)
        if deeper:
            some = some_names(deeper)
            yield f"If those are the classes, add the outer ones by themselves: {some}."

    def _take_class(self, folder: Folder, name: str, held_out: bool | None) -> None:  # noqa: FBT001 - private
        """Take all that is in a folder for one class, but for splits in there."""
        context = self._context | {*folder.split.words}
        to = folder.links_to
        linked_out = to is not None and not to.rest and to.held_out is True
        waiting = [(folder, held_out is True or linked_out)]
        while waiting:
            here, is_held_out = waiting.pop()
            self.placed += (Placed(path, name, is_held_out) for path in here.files)
            annotations = annotated_over(here)
            for kid in here.folders.values():
                if reason := annotations.get(kid.name):
                    self.placed += (
                        Placed(path, "", is_held_out, reason) for path in kid.all_files()
                    )
                    continue
                said = [kid.split, *([kid.links_to] if kid.links_to else [])]
                uses = [own.held_out for own in said if own.uses and own.rest <= context]
                waiting.append((kid, is_held_out or True in uses))
                if not {True, False} & {*uses}:
                    self._parts[name].add(kid.name)
