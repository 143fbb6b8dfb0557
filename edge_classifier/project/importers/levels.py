"""What each of the folders is that lie beside each other: a class, a split, or one around others.

Names alone do not tell: `test` is a split beside `train`, and a class beside `control`. So it is
looked at what the folders hold, and whether that is what lies beside them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import NotImportableError
from edge_classifier.project.classes import fold_class_name
from edge_classifier.project.importers.labels import labels_of
from edge_classifier.project.importers.splits import SplitName, glued_splits, without_split

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_UNLABELLED: Final = (
    "it lies in {!r}, which tells how pictures are used and not what they show; put it into a "
    "folder of its class in there, or add that folder with `--class NAME`"
)
_NO_SPLIT: Final = (
    "it lies in {!r}, beside folders that hold the classes ({}); add that folder by itself"
)
_ANNOTATION: Final = (
    "it lies in {!r}, where labelling programs put what is drawn over pictures; if it is a class, "
    "add that folder with `--class NAME`"
)
_COUNTERPARTS: Final = frozenset(
    {"control", "controls", "reference", "baseline", "placebo", "treatment", "blank", "invalid"}
)
"""Beside these, `test` and `valid` are what pictures show."""
_UNSORTED: Final = frozenset(
    {"all", "unknown", "unlabeled", "unlabelled", "unclassified", "unsorted"}
)
_ANNOTATIONS: Final = frozenset({"annotation", "annotations", "label", "labels"})
_DRAWN: Final = frozenset(
    {*_ANNOTATIONS, "mask", "masks", "trimap", "trimaps", "gt", "groundtruth", "ground", "truth"}
    | {"seg", "segmentation", "segmentations", "segmented", "polygons", "heatmap", "heatmaps"}
)
_DEEPEST: Final = 64
_MOST_FOLDERS: Final = 20_000
_NAMED: Final = 4
_SHARED: Final = 2  # folders of the same names are no accident


@dataclass(eq=False)
class Folder:
    """A folder that holds pictures, somewhere.

    Attributes:
        files: The paths of the pictures directly in it.
        folders: Those in it, by name.
        links_to: What the name of the folder says that a link leads to.
    """

    name: str
    split: SplitName
    files: list[str] = field(default_factory=list)
    folders: dict[str, Folder] = field(default_factory=dict)
    links_to: SplitName | None = None

    @classmethod
    def of(cls, name: str, paths: Iterable[str], links: Mapping[str, str]) -> Folder:
        """Sort pictures into folders; `links` are names that links lead to, by their paths.

        Raises:
            NotImportableError: if those are more than any data set has.
        """
        top, count = cls(name, SplitName.of(name)), 0
        for path in paths:
            here = top
            for part in path.split("/")[:-1][:_DEEPEST]:
                if part not in here.folders:
                    count += 1
                    here.folders[part] = cls(part, SplitName.of(part))
                here = here.folders[part]
            here.files.append(path)
            if count > _MOST_FOLDERS:
                raise NotImportableError(
                    f"{name} has more than {_MOST_FOLDERS:,} folders of pictures; add parts of it."
                )
        for path, target in links.items():
            top._follow(path, SplitName.of(target))
        waiting = [top]
        while waiting:
            kids = waiting.pop().folders
            for kid_name, split in glued_splits({n: kid.split for n, kid in kids.items()}).items():
                kids[kid_name].split = split
            waiting += kids.values()
        return top

    def _follow(self, path: str, target: SplitName) -> None:
        """Let what a link leads to say of which split it is; a class is called as the link is."""
        here = self
        for part in path.split("/") if path else ():
            if part not in here.folders:  # no picture in there
                return
            here = here.folders[part]
        here.links_to = target
        own = here.split.held_out
        if (here is self or here.folders) and (target.held_out or own is None) and target.uses:
            here.split = target

    @cached_property
    def folded(self) -> str:
        """Its name, as names of classes are compared."""
        return fold_class_name(self.name)

    @cached_property
    def says_no_class(self) -> bool:
        """Whether its name is only one of a split, or of any set of pictures."""
        return (
            bool(self.split.uses and not self.split.rest)
            or self.split.is_container
            or self.folded in _UNSORTED
        )

    @cached_property
    def core(self) -> Folder:
        """The folder inside, past those that hold only one that tells no class either."""
        here = self
        while not here.files and len(here.folders) == 1:
            (only,) = here.folders.values()
            if only.files and not (only.says_no_class or only.folded == here.folded):
                break
            here = only
        return here

    @cached_property
    def inner(self) -> set[str]:
        """The names of the folders in `core`, folded: what may be classes."""
        return {folder.folded for folder in self.core.folders.values()}

    @property
    def holds_classes(self) -> bool:
        """Whether most of it is in several folders: what a class rarely is."""
        core = self.core
        return len(core.folders) > 1 and 2 * len(core.files) < len(core.all_files())

    @cached_property
    def splits(self) -> list[Folder]:
        """The splits in `core` that hold folders, which are the classes then."""
        found = [
            kid
            for kid in self.core.folders.values()
            if kid.split.held_out is not None and kid.inner
        ]
        return found if len(found) > 1 or any(not kid.split.rest for kid in found) else []

    @cached_property
    def classes(self) -> set[str]:
        """The names of class folders in it, folded, if it is not a class itself."""
        splits = self.splits
        return {name for split in splits for name in split.inner} if splits else self.inner

    @cached_property
    def stems(self) -> set[str]:
        """The names of its pictures without suffixes, if there are no folders in it."""
        return set() if self.folders else {PurePosixPath(path).stem for path in self.files}

    def all_files(self) -> list[str]:
        """Give the paths of all pictures in it, at any depth."""
        return [*self.files, *(f for kid in self.folders.values() for f in kid.all_files())]


class Use(Enum):
    """What a folder is."""

    CLASS = auto()
    AROUND = auto()
    """No class: what is in it is looked at."""
    BY_NAME = auto()
    """A split without class folders: only files' names may tell."""
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a folder is taken for.

    Attributes:
        held_out: Whether its pictures are, as far as it tells; `None` if it does not.
        class_name: Of a class, if it is not the folder's name.
        reason: Why pictures in it are refused that have no label.
    """

    folder: Folder
    use: Use
    held_out: bool | None = None
    class_name: str = ""
    reason: str = ""


class Level:
    """Folders beside each other; there may be many, so nothing is compared in pairs.

    `context` are words that tell nothing more here: the data set's own name; `in_split` whether
    all of this lies in a split; `one_class` whether the user has said what all show.

    Attributes:
        notes: What was decided that could be meant otherwise.
    """

    def __init__(
        self, folders: Iterable[Folder], context: set[str], *, in_split: bool, one_class: bool
    ) -> None:
        self._all = list(folders)
        self._context = context
        self._in_split = in_split
        self._one_class = one_class
        self.notes: list[str] = []
        self._names = Counter(folder.folded for folder in self._all)
        self._uses: defaultdict[frozenset[str], set[tuple[str, ...]]] = defaultdict(set)
        self._uses_of_flat: defaultdict[frozenset[str], set[tuple[str, ...]]] = defaultdict(set)
        self._flat_by_rest: dict[frozenset[str], Folder] = {}
        for folder in self._all:
            own = folder.split
            self._uses[own.rest].add(own.uses)
            if folder.files and own.uses and not own.rest <= context:
                self._uses_of_flat[own.rest].add(own.uses)
            elif folder.files and not own.uses:
                self._flat_by_rest.setdefault(own.rest, folder)
        self._in_splits = _counted(f.inner for f in self._all if f.split.uses)

    def decide(self) -> list[Decision]:
        """Say what each of the folders is."""
        left = list(self._all)
        stems = {stem for folder in left if folder.split.is_container for stem in folder.stems}
        found = [d for folder in left if (d := self._annotation(folder, stems)) is not None]
        decisions = found if len(found) < len(left) else []
        decisions += [d for folder in left if (d := self._part_of_class(folder)) is not None]
        taken = {decision.folder for decision in decisions}
        left = [folder for folder in left if folder not in taken]
        if len(left) == 1 and decisions and left[0].says_no_class:  # `images` beside `annotations`
            return [*decisions, Decision(left[0], Use.AROUND, left[0].split.held_out)]
        splits = {folder for folder in left if self._is_named_as_split(folder)}
        others = [folder for folder in left if folder not in splits]
        beside = _Beside(splits, others)
        told = [self._split(folder, beside) for folder in left if folder in splits]
        around = [decision.folder for decision in told if decision.use is Use.AROUND]
        return [*decisions, *told, *self._others(others, around)]

    def _annotation(self, folder: Folder, stems: set[str]) -> Decision | None:
        """Refuse what is drawn over pictures, or tells of them, in a folder of its own.

        `stems` are the names of pictures in folders called `images` or so, without suffixes.
        """
        named = _ANNOTATIONS.issuperset(folder.split.words or "-")
        over = folder.stems and folder.stems <= stems and not folder.split.is_container
        if not over and (not named or self._shares_names(folder)):
            return None
        return Decision(folder, Use.REFUSED, reason=_ANNOTATION.format(folder.name))

    def _shares_names(self, folder: Folder) -> bool:
        """Say whether folders in it are called as folders beside it are."""
        return any(self._names[name] > (name == folder.folded) for name in folder.inner)

    def _part_of_class(self, folder: Folder) -> Decision | None:
        """Find the split of one class: `cats_test` beside `cats`, or beside `cats_train`."""
        own = folder.split
        if own.held_out is None or not folder.files or own.rest <= self._context:
            return None
        if whole := self._flat_by_rest.get(own.rest):
            return Decision(folder, Use.CLASS, own.held_out, class_name=whole.name)
        if len(self._uses_of_flat) > 1 and len(self._uses_of_flat[own.rest]) > 1:
            return Decision(folder, Use.CLASS, own.held_out, without_split(folder.name))
        return None

    def _is_named_as_split(self, folder: Folder) -> bool:
        """Say whether a name is that of a split, with what else it says explained."""
        own, inner = folder.split, folder.inner
        if own.held_out is None:
            return False
        return (
            own.rest <= self._context
            or any(its != own.uses and (its or inner) for its in self._uses[own.rest])
            or self._shares_names(folder)
            or any(self._in_splits[name] > 1 for name in inner)
        )

    def _split(self, folder: Folder, beside: _Beside) -> Decision:
        """Say what a folder is that is called as a split is."""
        held_out, inner = folder.split.held_out, folder.inner
        around = Decision(folder, Use.AROUND, held_out)
        a_class = Decision(folder, Use.CLASS)
        by_name = Decision(folder, Use.BY_NAME, held_out, reason=_UNLABELLED.format(folder.name))
        more_splits = beside.splits_with_folders > bool(inner)
        if not beside.others and (beside.any_held_out or beside.splits_with_folders):
            return around if inner or not beside.splits_with_folders else by_name
        if inner:
            holds_classes = beside.say_no_class or (not held_out and folder.holds_classes)
            repeats_some = inner & (beside.names | beside.in_wrapped_splits)
            if more_splits or repeats_some or (holds_classes and not self._in_split):
                return around
            if not held_out or beside.is_counterpart:
                return a_class
            if inner & beside.inner:
                return around
            return Decision(folder, Use.REFUSED, held_out, reason=by_name.reason)
        labels = labels_of([PurePosixPath(path).stem for path in folder.all_files()])
        told = all(label and fold_class_name(label) in beside.names for label in labels)
        if told or more_splits or self._one_class or beside.in_wrapped_splits:
            return by_name
        only_two = len(self._all) == 2  # noqa: PLR2004 - else there would be nothing to tell apart
        as_class = only_two or beside.is_counterpart or not (held_out or beside.any_held_out)
        if self._in_split or as_class:
            return a_class
        return by_name

    def _others(self, others: Sequence[Folder], splits: Sequence[Folder]) -> list[Decision]:
        """Say what folders are that are not called as splits are."""
        names = Counter(other.folded for other in others)
        around = [
            other
            for other in others
            if other.splits
            or (other.split.is_container and not other.files)
            or sum(names[name] > (name == other.folded) for name in other.inner) >= _SHARED
        ]
        holders = [*splits, *around]
        classes = {name for folder in holders for name in folder.classes}
        trained_on = any(split.split.held_out is False for split in splits)
        if passed := [o.name for o in around if not o.split.is_container]:
            names_of_them = ", ".join(map(repr, passed[:_NAMED]))
            self.notes.append(f"No classes, but around class folders: {names_of_them}.")
        left = set(others).difference(around)
        strict = trained_on or not any(other.folded in classes for other in left)
        decisions = [Decision(other, Use.AROUND) for other in around]
        named = ", ".join(repr(folder.name) for folder in holders[:_NAMED])
        for other in (other for other in others if other in left):
            if not classes or not strict or other.folded in classes:
                decisions.append(Decision(other, Use.CLASS))
            elif other.inner & classes and not trained_on:
                self.notes.append(f"{other.name!r} holds what {named} holds, and is trained on.")
                decisions.append(Decision(other, Use.AROUND, held_out=False))
            else:
                reason = _NO_SPLIT.format(other.name, named)
                decisions.append(Decision(other, Use.REFUSED, reason=reason))
        return decisions


class _Beside:
    """What lies at one level, summed up."""

    def __init__(self, splits: Collection[Folder], others: Collection[Folder]) -> None:
        self.others = bool(others)
        self.say_no_class = all(other.says_no_class for other in others)
        self.names = {other.folded for other in others}
        self.inner = {name for other in others for name in other.inner}
        self.in_wrapped_splits = {n for other in others if other.splits for n in other.classes}
        self.is_counterpart = any(_COUNTERPARTS & {*other.split.words} for other in others)
        self.splits_with_folders = sum(bool(split.inner) for split in splits)
        self.any_held_out = any(split.split.held_out for split in splits)


def annotated_over(folder: Folder) -> dict[str, str]:
    """Find folders in one of a class that hold what is drawn over its pictures, with reasons.

    Labels and masks are what is called so beside `images`, or beside pictures of the same names.
    """
    kids = list(folder.folders.values())
    stems = {stem for kid in kids if kid.split.is_container for stem in kid.stems}
    own = {PurePosixPath(path).stem for path in folder.files}
    return {
        kid.name: _ANNOTATION.format(kid.name)
        for kid in kids
        if not (kid.split.is_container or kid.split.uses)
        and (
            (kid.stems and kid.stems <= stems and 2 * len(kid.stems) > len(stems))
            or (kid.split.rest and kid.split.rest <= _DRAWN and (stems or kid.stems & own))
        )
    }


def _counted(sets: Iterable[set[str]]) -> Counter[str]:
    return Counter(name for names in sets for name in names)
