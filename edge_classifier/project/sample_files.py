"""Which pictures lie in the class folders, and what their bytes hash to."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from edge_classifier.device.files import open_regular, read_regular
from edge_classifier.device.media import PICTURE_SUFFIXES, is_junk
from edge_classifier.device.picture_decoder import MAX_FILE_BYTES
from edge_classifier.project.files import atomic_file, is_temporary, reported, write_atomic
from edge_classifier.project.project_file import MAX_BURST

if TYPE_CHECKING:
    from collections.abc import Mapping

_CAPTURED: Final = re.compile(r"b(\d{7})-(\d{4,9})\.(?:jpg|png)", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_BURST_ID: Final = re.compile(r"b\d{7}", re.ASCII)
_PART: Final = re.compile(r"\+.+/(b\d{7})(?:-\d{4,9} \(\d+\)\.(?:jpg|png))?", re.ASCII | re.DOTALL)
_FOREIGN: Final = "+"  # sorts before every captured burst, so undo takes captured ones first
_CACHE_VERSION: Final = 1
_MAX_CACHE_BYTES: Final = 32 * 1024 * 1024  # a quarter of a million samples
_INDEX_HEADER: Final = b"edge-classifier hashes 1\n"
_LONGEST_LINE: Final = 4096
_SPARE_LINES: Final = 1000
_NAMED: Final = 3

_Known: TypeAlias = "tuple[int, int, str]"  # size, time in nanoseconds, SHA-256


class FoundFile(NamedTuple):
    """A picture in a class folder.

    Attributes:
        mtime_ns: When it was last written, in nanoseconds.
        burst_number: Of a captured sample; `None` if some other program put the file there.
        burst_index: Of a captured sample within its burst, else 0.
    """

    name: str
    size: int
    mtime_ns: int
    burst_number: int | None
    burst_index: int


@dataclass(slots=True)
class Found:
    """What a look into `samples` gave.

    Attributes:
        folders: Names of the class folders, by the class name they stand for (NFC).
        left_alone: What was not taken, each with the reason.
    """

    folders: dict[str, str] = field(default_factory=dict)
    left_alone: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Say in one line what was left alone; empty if nothing was."""
        more = len(self.left_alone) - _NAMED
        line = ", ".join(self.left_alone[:_NAMED])
        return line + (f" and {more} more" if more > 0 else "")


def burst_id_of(number: int) -> str:
    """Write the number of a burst so that ids sort in the order of capture."""
    return f"b{number:07d}"


def burst_number_of(burst_id: str) -> int | None:
    """Read the number of a captured burst; `None` if the id is of no such form."""
    return int(burst_id[1:]) if _BURST_ID.fullmatch(burst_id) else None


def foreign_burst_id(class_name: str, name: str) -> str:
    """Name the burst of a picture that some other program put there: it is one by itself."""
    return f"{_FOREIGN}{class_name}/{name}"


def recording_of(burst_id: str) -> str:
    """Name what a burst was recorded with: what is held out together, whatever its classes.

    Pictures of a burst that went to another class, or had to take another name there, are bursts of
    their own; they still resemble those that stayed.
    """
    part = _PART.fullmatch(burst_id)
    return part[1] if part else burst_id


def sample_file_name(burst_id: str, index: int, suffix: str) -> str:
    """Name the file of a captured sample."""
    return f"{burst_id}-{index:04d}{suffix}"


def find_class_folders(samples: Path) -> Found:
    """List the class folders, without following links.

    Raises:
        ProjectError: if `samples` cannot be read.
    """
    found = Found()
    with reported("read", samples):
        if not samples.is_dir():
            return found
        for entry in sorted(os.scandir(samples), key=lambda entry: entry.name):
            if is_junk(entry.name):
                continue
            # a Mac writes names decomposed; the class is the same
            name = unicodedata.normalize("NFC", entry.name)
            if not entry.is_dir(follow_symlinks=False):
                found.left_alone.append(f"{entry.name!r} (not a folder)")
            elif name in found.folders:
                found.left_alone.append(f"{entry.name!r} (twice, in two spellings of Unicode)")
            else:
                found.folders[name] = entry.name
    return found


def find_pictures(folder: Path, found: Found, *, sweep: bool) -> list[FoundFile]:
    """List the pictures of one class, by name, without reading them.

    What is left alone is noted in `found`; `sweep` deletes writes that never ended.

    Raises:
        ProjectError: if the folder cannot be read.
    """
    pictures: list[FoundFile] = []
    with reported("read", folder):
        for entry in os.scandir(folder):
            if is_junk(entry.name):
                if sweep and is_temporary(entry.name) and entry.is_file(follow_symlinks=False):
                    Path(entry.path).unlink(missing_ok=True)
                continue
            try:
                status = entry.stat(follow_symlinks=False)
                reason = _unfit(entry.name, status)
            except FileNotFoundError:  # the program that has the project open moved it away
                continue
            if reason:
                name = f"{folder.name}/{entry.name}"
                found.left_alone.append(f"{name!r} ({reason})")
                continue
            number, index = captured_as(entry.name)
            pictures.append(
                FoundFile(entry.name, status.st_size, status.st_mtime_ns, number, index)
            )
    return sorted(pictures, key=lambda picture: picture.name)


def sweep(folder: Path) -> None:
    """Delete writes that never ended; only the one program that may write may call this."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if is_temporary(entry.name) and entry.is_file(follow_symlinks=False):
                Path(entry.path).unlink(missing_ok=True)


def _unfit(name: str, status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return "a link"
    if not stat.S_ISREG(status.st_mode):
        return "not a file"
    if os.path.splitext(name)[1].lower() not in PICTURE_SUFFIXES:  # noqa: PTH122 - 200,000 times
        return "its name has no picture's suffix"
    return "" if status.st_size else "empty"


def captured_as(name: str) -> tuple[int | None, int]:
    """Read a captured picture's burst and place in it; `None` and 0 of any other file."""
    match = _CAPTURED.fullmatch(name)
    if match is None or int(match[1]) > MAX_BURST:
        return None, 0
    return int(match[1]), int(match[2])


class HashIndex:
    """Remembers the SHA-256 of pictures by name, size and time, so that they need no reading.

    A line a picture, so that a file however large costs no more than there are pictures. An
    optimisation: a damaged, stale or missing index costs time, nothing else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, _Known] = {}
        self._current: dict[str, _Known] = {}
        self._changed = False

    def read(self, pictures: int) -> None:
        """Read what is known of so many pictures; `digest` asks for it."""
        with suppress(OSError), io.BufferedReader(open_regular(self._path)) as file:  # type: ignore[type-var]  # a raw file
            if file.readline(len(_INDEX_HEADER)) != _INDEX_HEADER:
                return
            for _ in range(2 * pictures + _SPARE_LINES):
                line = file.readline(_LONGEST_LINE)
                if not line:
                    return
                with suppress(ValueError):
                    size, mtime_ns, digest, key = line[:-1].split(b" ", 3)
                    self._known[os.fsdecode(key)] = (int(size), int(mtime_ns), digest.decode())

    def forget_the_rest(self) -> None:
        """Forget what was read of pictures that nobody has asked for."""
        self._known.clear()

    def digest(self, folder: Path, picture: FoundFile) -> str:
        """Give the SHA-256 of a picture, hexadecimal; reads it only if it must.

        Raises:
            OSError: if it must, and cannot.
        """
        key = f"{folder.name}/{picture.name}"
        known = self._known.pop(key, None)
        if known and known[:2] == (picture.size, picture.mtime_ns) and _DIGEST.fullmatch(known[2]):
            self._current[key] = known
            return known[2]
        data = read_regular(folder / picture.name, MAX_FILE_BYTES)
        digest = hashlib.sha256(data).hexdigest()
        self._current[key] = (picture.size, picture.mtime_ns, digest)
        self._changed = True
        return digest

    def note(self, path: Path, digest: str) -> None:
        """Remember a picture that was just written."""
        status = path.stat()
        self._current[_key(path)] = (status.st_size, status.st_mtime_ns, digest)
        self._changed = True

    def forget(self, path: Path) -> None:
        """Forget a picture that is gone."""
        if self._current.pop(_key(path), None):
            self._changed = True

    def move(self, path: Path, target: Path) -> None:
        """Follow a picture to another folder."""
        entry = self._current.pop(_key(path), None)
        if entry is not None:
            self._current[_key(target)] = entry
            self._changed = True

    def save(self) -> None:
        """Write what is known, if it differs from what the file says.

        Raises:
            OSError: if it cannot be written.
        """
        if not self._changed:
            return
        self._path.parent.mkdir(exist_ok=True)
        with atomic_file(self._path) as file:
            file.write(_INDEX_HEADER)
            file.writelines(
                f"{size} {mtime_ns} {digest} ".encode() + os.fsencode(key) + b"\n"
                for key, (size, mtime_ns, digest) in self._current.items()
                if "\n" not in key
            )
        self._changed = False


def read_cache(path: Path, name: str) -> dict[str, Any]:
    """Read what `write_cache` wrote; a damaged or missing file holds nothing."""
    try:
        content = json.loads(read_regular(path, _MAX_CACHE_BYTES))
        if content["version"] == _CACHE_VERSION and isinstance(content[name], dict):
            return dict(content[name])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    return {}


def write_cache(path: Path, name: str, entries: Mapping[str, object]) -> None:
    """Remember hashes in a file that can be deleted without loss."""
    content = {"version": _CACHE_VERSION, name: entries}
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, json.dumps(content, separators=(",", ":")).encode())


def _key(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
