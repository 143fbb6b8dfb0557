"""Files that visitors drop: received within bounds, and added to the project by its importers."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import InvalidValueError
from edge_classifier.project.importers.archive import MOST_FILES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST_BYTES: Final = 2 << 30
"""Of one drop."""
_LEFT_FREE: Final = 200 << 20
"""Of the disk, whatever is dropped."""
_LONGEST_NAME: Final = 1000
_LONGEST_HEAD: Final = 8192
_PATIENCE_S: Final = 20.0
"""Between two parts of what a visitor sends."""
_CHUNK: Final = 1 << 20
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*\x7f]+')
_FOLDER: Final = "dropped-"


@dataclass(frozen=True, slots=True)
class Drop:
    """What was dropped, as it lies on the disk; `folder` is removed once it was added.

    Attributes:
        class_name: What all of it shows, or `None` where that is to be found out.
    """

    folder: Path
    path: Path
    class_name: str | None

    def shown(self, text: str) -> str:
        """Name files in a text as the visitor does, without where they lie for now."""
        return text.replace(f"{self.folder}{os.sep}", "")


class DropFolder:
    """Where what is dropped is kept until it was added.

    Args:
        below: A folder that can be lost, and that is ours alone; where there is none, the system's
            for temporary files is taken.
        most_files: Of one drop.
    """

    def __init__(self, below: Path | None, *, most_files: int = MOST_FILES) -> None:
        if below:
            below.mkdir(parents=True, exist_ok=True)
            for old in below.glob(f"{_FOLDER}*"):  # of a program that was killed
                shutil.rmtree(old, ignore_errors=True)
        self._most_files = most_files
        self.path = Path(tempfile.mkdtemp(prefix=_FOLDER, dir=below))
        self._number = 0

    async def receive(
        self, name: str, body: AsyncIterator[bytes], *, class_name: str | None, many: bool
    ) -> Drop:
        """Write down what a visitor sends: one file, or many that become one archive.

        Names of many files never become paths on the disk: the archive is read with all the
        care that is taken of an archive from strangers.

        Raises:
            InvalidValueError: if it is too large, of too many files, or cut off.
        """
        self._number += 1
        folder = self.path / str(self._number)
        folder.mkdir()
        try:
            name = _file_name(name)
            path = folder / (f"{name}.zip" if many else name)
            parts = _Parts(body, self._room())
            if many:
                await _write_archive(path, parts, self._most_files)
            else:
                with path.open("xb") as file:
                    async for chunk in parts.rest():
                        file.write(chunk)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Drop(folder, path, class_name)

    def _room(self) -> int:
        return min(MOST_BYTES, shutil.disk_usage(self.path).free - _LEFT_FREE)

    def close(self) -> None:
        """Remove all that is left; may be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)


class _Parts:
    """The body of a request, read in parts of a wanted length."""

    def __init__(self, body: AsyncIterator[bytes], most: int) -> None:
        self._body = body
        self._most = most
        self._data = b""
        self._ended = False

    async def line(self) -> bytes:
        """Return what comes before the next line's end, which is no part of it; empty at the end.

        Raises:
            InvalidValueError: if the line is absurdly long, or cut off.
        """
        while b"\n" not in self._data:
            if len(self._data) > _LONGEST_HEAD or (self._ended and self._data):
                raise InvalidValueError("What was dropped came in parts that make no sense.")
            if self._ended:
                return b""
            await self._more()
        line, _, self._data = self._data.partition(b"\n")
        return line

    async def part(self, count: int) -> AsyncIterator[bytes]:
        """Give so many bytes.

        Raises:
            InvalidValueError: if there are fewer.
        """
        while count > 0:
            if not self._data:
                if self._ended:
                    raise InvalidValueError("What was dropped did not come whole; drop it again.")
                await self._more()
            chunk, self._data = self._data[:count], self._data[count:]
            count -= len(chunk)
            if chunk:
                yield chunk

    async def rest(self) -> AsyncIterator[bytes]:
        """Give all that is left."""
        while not self._ended or self._data:
            if self._data:
                yield self._data
                self._data = b""
            else:
                await self._more()

    async def _more(self) -> None:
        try:
            chunk = await asyncio.wait_for(anext_of(self._body), _PATIENCE_S)
        except asyncio.TimeoutError:
            raise InvalidValueError("What was dropped did not come whole; drop it again.") from None
        if chunk is None:
            self._ended = True
            return
        self._most -= len(chunk)
        if self._most < 0:
            raise InvalidValueError(
                f"There is no room for what was dropped (at most {MOST_BYTES >> 30} GB at a time); "
                "`edge-classifier add` has no such bound."
            )
        self._data += chunk


async def anext_of(body: AsyncIterator[bytes]) -> bytes | None:
    """Return the next part, or `None` after the last one."""
    async for chunk in body:
        return chunk
    return None


async def _write_archive(path: Path, parts: _Parts, most_files: int) -> None:
    """Write many files, each after a line of JSON with its name and its length."""
    with zipfile.ZipFile(path, "x") as archive:
        while line := await parts.line():
            if len(archive.filelist) >= most_files:  # each takes memory, also an empty one
                raise InvalidValueError(
                    f"More than {most_files:,} files were dropped; drop fewer at a time."
                )
            try:
                head = json.loads(line)
                name, size = head["path"], head["size"]
            except (ValueError, RecursionError, KeyError, TypeError):
                name = size = None
            if (
                not isinstance(name, str)
                or not isinstance(size, int)
                or not 0 <= size <= MOST_BYTES
            ):
                raise InvalidValueError("What was dropped came in parts that make no sense.")
            entry = zipfile.ZipInfo(name[:_LONGEST_NAME].encode("utf-8", "replace").decode())
            with archive.open(entry, "w", force_zip64=size >= 1 << 31) as file:
                async for chunk in parts.part(size):
                    file.write(chunk)


def _file_name(name: str) -> str:
    """Make a name that any system takes of one that comes from a visitor."""
    stem, dot, suffix = _NOT_IN_NAMES.sub("_", name).strip(" .").rpartition(".")
    stem, suffix = (stem, suffix) if dot else (suffix, "")
    cut = (stem or "dropped").encode("utf-8", "replace")[:150].decode("utf-8", "ignore")
    return f"{cut}.{suffix[:10]}" if suffix else cut
