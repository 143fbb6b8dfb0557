"""Which file of a tree a list means, when it was written for other folders or another computer.

What a list calls a file is taken apart at its slashes. A file is meant if it has the same name (be
it in another case, with another suffix or none, with or without the hash that a labelling tool
put before it) and its folders agree from the back: of several such files, the one that agrees
furthest. Where several agree as far, none is taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from edge_classifier.device.media import PICTURE_SUFFIXES
from edge_classifier.project.importers.splits import held_out_by_name
from edge_classifier.project.importers.tree import sort_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_classifier.project.importers.tree import FileTree

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE: Final = re.compile(r"[A-Za-z]:/")
_SERVED: Final = re.compile(r"/data/local-files/?\?")
# 1a2b3c4d-cat.jpg, 7-1a2b3c4d-cat.jpg or a UUID: what tools put before names that are uploaded.
_HASH_BEFORE: Final = re.compile(
    r"^(?:[0-9]+-)?(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}[-_]|[0-9]{8}-"
    r"|(?=[a-f]*[0-9]+[a-f]|[0-9]*[a-f]+[0-9])[0-9a-f]{8,64}[-_])(?=.)"
)
# cat_jpg.rf.<32 digits>.jpg, cat.jpg.51cf0001.ingestion-6f99-bv.jpg: what tools put behind.
_HASH_BEHIND: Final = re.compile(
    r"(?:[_.](?:jpe?g|png|bmp|webp))?(?:\.rf\.[0-9a-f]{32}|\.[0-9a-z]{6,}\.ingestion-[0-9a-z-]+)$"
)
# cat_mLPkNFG.jpg, which Label Studio made of cat.jpg where that was there already
_RENAMED: Final = re.compile(r"_[A-Za-z0-9]{7}(\.[A-Za-z0-9]+)$")
_ANY_SUFFIX: Final = re.compile(r"(.+)\.[a-z][a-z0-9]{1,4}")
_LONGEST_NAME: Final = 4096
_MANY: Final = 16  # files of one name: then their folders are looked up, and not compared
_DEPTHS: Final = 3


class FileLookup:
    """Finds the pictures of a tree by what lists call them.

    Attributes:
        pictures: All of the tree.
        refused: What looks like one, and cannot be read.
    """

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self.pictures, self.refused, _ = sort_out(tree)
        self._known = frozenset(self.pictures)
        self._index: dict[str, list[str]] = defaultdict(list)
        for path in self.pictures:
            for key in _keys_of_file(path.rpartition("/")[2]):
                self._index[key].append(path)
        self._folders = {part for path in self.pictures for part in _place_of(path).folders}
        self._by_folders: dict[str, dict[tuple[str, ...], list[str]]] = {}

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The names of pictures, without suffix, and of the folders that they are in."""
        parts = (path.split("/") for path in self.pictures)
        return tuple({word for *folders, name in parts for word in (*folders, _stem(name))})

    def knows(self, folder: str, name: str) -> bool:
        """Say whether a list in `folder` may mean a file, or several, by this name."""
        name = name.strip()
        if not 0 < len(name) <= _LONGEST_NAME:
            return False
        if any(key in self._index for form in _forms(name) for key in _keys_of_query(form[-1])):
            return True
        return looks_like_picture(name) and self._tree.find(folder, name) is not None

    def find(self, folder: str, name: str, *, held_out: bool | None = None) -> tuple[str, ...]:
        """Find what a list in `folder` calls `name`.

        Of files that would do as well, those are preferred that lie in a split's folder that is
        held out, or not, as the list says.

        Returns:
            No path, one, or several between which nothing decides.
        """
        if not 0 < len(name) <= _LONGEST_NAME:
            return ()
        slashed = name.replace("\\", "/")
        exact = slashed if folder == "." else f"{folder}/{slashed}"
        if exact in self._known:
            return (exact,)
        if slashed.startswith(("/", "../")) or _DRIVE.match(slashed):
            for suffix in ("", ".jpg", ".jpeg", ".png", ".JPG"):
                if (outside := self._tree.find(folder, slashed + suffix)) is not None:
                    return (outside,)
        found = self._furthest(name)
        if len(found) > 1 and held_out is not None:
            found = [path for path in found if held_out_by_folder(path) is held_out] or found
        if len(found) > 1:  # beside the list, if there is one
            found = [path for path in found if (path.rpartition("/")[0] or ".") == folder] or found
        if not found and not looks_like_picture(name):
            other = self._tree.find(folder, slashed)  # whatever its name, it may be a picture
            return () if other is None else (other,)
        return tuple(found)

    def _furthest(self, name: str) -> list[str]:
        """Find the files whose folders agree furthest; of these, whose names are the surest."""
        best, found = (-1, 0), dict[str, None]()
        for form in _forms(name):
            said = tuple(map(_folded, form[:-1]))
            for doubt, key in enumerate(_keys_of_query(form[-1])):
                if best[0] >= len(said):
                    break  # no other name can do better
                for path in self._named(key, said):
                    depth = self._agreement(said, _place_of(path))
                    if depth is not None and (depth, -doubt) > best:
                        best, found = (depth, -doubt), {path: None}
                    elif (depth, -doubt) == best:
                        found[path] = None
        return list(found)

    def _named(self, key: str, said: tuple[str, ...]) -> Sequence[str]:
        """Give files of a name; of very many, those in the folders that a list says."""
        paths = self._index.get(key, ())
        if len(paths) <= _MANY:
            return paths
        if key not in self._by_folders:
            by_folders: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
            self._by_folders[key] = by_folders
            for path in paths:
                folders = _place_of(path).folders
                for depth in range(1, min(_DEPTHS, len(folders)) + 1):
                    by_folders[folders[-depth:]].append(path)
        for depth in range(min(_DEPTHS, len(said)), 0, -1):
            if said[-depth:] in self._by_folders[key]:
                return self._by_folders[key][said[-depth:]][:_MANY]
        return paths[: 2 if said else _MANY]  # between which nothing decides

    def _agreement(self, said: tuple[str, ...], there: _Place) -> int | None:
        """Count the folders that agree from the back; `None` if they contradict each other.

        They do if the list says a folder that is there, elsewhere; or another split.
        """
        if not said:
            return 0
        shorter = min(len(said), len(there.folders))
        depth = 0
        while depth < shorter and said[-1 - depth] == there.folders[-1 - depth]:
            depth += 1
        if depth < shorter:
            missing = said[-1 - depth]
            if missing in self._folders and missing not in there.folders:
                return None
        splits = {_place("/".join(said)).held_out, there.held_out} - {None}
        return depth if len(splits) <= 1 else None


class _Place(NamedTuple):
    """A folder: its parts as they are compared, and what the innermost split's name says."""

    folders: tuple[str, ...]
    held_out: bool | None


@lru_cache(maxsize=65_536)
def _place(folder: str) -> _Place:
    parts = folder.split("/") if folder else []
    splits = map(held_out_by_name, reversed(parts))
    held_out = next((split for split in splits if split is not None), None)
    return _Place(tuple(map(_folded, parts)), held_out)


def _place_of(path: str) -> _Place:
    return _place(path.rpartition("/")[0])


def looks_like_picture(name: str) -> bool:
    """Say whether a name ends like that of a picture."""
    return _stem(name.strip()) != name.strip()


def held_out_by_folder(path: str) -> bool | None:
    """Say what the innermost folder that is called like a split says; `None` without one."""
    return _place_of(path).held_out


def _forms(name: str) -> Iterable[list[str]]:
    """Take what a list calls a file apart: as a path, without what the web puts around it."""
    text = name.strip().replace("\\", "/")
    forms = [text]
    if _URL.match(text) or _SERVED.search(text):
        parts = urlsplit(text) if "[" not in text and "]" not in text else None
        if parts is not None:
            forms = [unquote(value) for value in parse_qs(parts.query).get("d", ())]
            forms += [unquote(parts.path), parts.path]
    elif "%" in text:
        forms.append(unquote(text))
    if "data/upload/" in text:
        forms.append(_RENAMED.sub(r"\1", text))
    for form in dict.fromkeys(forms):
        path = [part for part in form.split("/") if part not in {"", ".", ".."}]
        if path:
            yield path


def _keys_of_file(name: str) -> Iterable[str]:
    """Give what a file is found by; what follows a slash tells the kinds of keys apart."""
    name = unicodedata.normalize("NFC", name)
    stem = _stem(name)
    folded = stem.casefold()
    bare, number = _without_hash(folded), _without_zeros(folded)
    keys = (f"{name}/name", f"{name.casefold()}/any", f"{stem}/stem", f"{folded}/any-stem")
    return (*keys, *([f"{bare}/bare"] * (bare != folded)), *([f"{number}/number"] * bool(number)))


def _keys_of_query(name: str) -> Iterator[str]:
    """Give the keys of the files that a list may mean by a name, the surest first.

    A hash is stripped of one of the two only: where both have one, they are different files.
    """
    name = unicodedata.normalize("NFC", name)
    yield f"{name}/name"
    yield f"{name.casefold()}/any"
    stem = _stem(name)
    yield f"{stem}/stem"
    folded = stem.casefold()
    yield f"{folded}/any-stem"
    if suffixed := _ANY_SUFFIX.fullmatch(folded):
        yield f"{suffixed[1]}/any-stem"
    if (bare := _without_hash(folded)) != folded:
        yield f"{bare}/any-stem"
    yield f"{folded}/bare"
    if number := _without_zeros(folded):
        yield f"{number}/number"


def _stem(name: str) -> str:
    """Give a picture's name without its suffix, and any other as it is."""
    stem, dot, suffix = name.rpartition(".")
    return stem if stem and f"{dot}{suffix}".lower() in PICTURE_SUFFIXES else name


def _without_hash(stem: str) -> str:
    if not ("-" in stem or "_" in stem or "." in stem):
        return stem
    return _HASH_BEFORE.sub("", _HASH_BEHIND.sub("", stem), count=1)


def _without_zeros(stem: str) -> str:
    return stem.lstrip("0") or "0" if stem.isascii() and stem.isdigit() else ""


def _folded(part: str) -> str:
    return unicodedata.normalize("NFC", part).casefold()
