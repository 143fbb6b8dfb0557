"""Archives, read in place: nothing is unpacked into the file system by a name in one.

What is in an archive that lies in one is read, too, as if it were a folder; deeper ones are told.
"""

from __future__ import annotations

import io
import re
import tempfile
import threading
import weakref
from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar, cast

from edge_classifier.device.media import START_BYTES
from edge_classifier.device.picture_decoder import MAX_FILE_BYTES
from edge_classifier.errors import InvalidImageError, NotImportableError
from edge_classifier.project.files import describe
from edge_classifier.project.importers.base import Refusal
from edge_classifier.project.importers.code_pages import CODE_PAGES, code_page_of, is_written_in
from edge_classifier.project.importers.teachable_machine import class_of_archive, is_project
from edge_classifier.project.importers.tree import FileTree, archive_stem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

MOST_FILES: Final = 200_000
"""In one archive; each costs half a kilobyte."""

_DRIVE: Final = re.compile(r"[A-Za-z]:")
BOMB_BYTES: Final = 64 * 1024 * 1024
BOMB_RATIO: Final = 200  # of a white 8000 x 8000 BMP it may be more, but that is larger, too
_READINGS: Final = 3  # a picture may be read to look at it, and again to add it
_IN_MEMORY: Final = 16 * 1024 * 1024
_CHUNK: Final = 1 << 20

ENCRYPTED: Final = "it is encrypted; unpack the archive first"

HandleT = TypeVar("HandleT")
OpenInner: TypeAlias = "Callable[[str, IO[bytes]], FileTree]"


@dataclass(frozen=True, slots=True)
class Member(Generic[HandleT]):
    """What an archive says of a file in it.

    Attributes:
        name: Its path; bytes where nothing tells in which code page.
        size: In bytes, unpacked.
        packed: Bytes that it takes in the archive, at least 1.
        handle: What the archive finds it by.
        problem: Why it cannot be read, or empty.
    """

    name: str | bytes
    size: int
    packed: int
    handle: HandleT
    problem: str = ""


class ArchiveTree(FileTree, Generic[HandleT]):
    """What an archive holds. `code_page` is how names are written that do not say so.

    `file` is the archive, which is closed with this; `open_inner` opens an archive in it, by its
    name for the user; without, that is refused.

    Raises:
        NotImportableError: if it is damaged, or cannot be read.
    """

    def __init__(
        self,
        name: str,
        file: IO[bytes],
        *,
        code_page: str | None = None,
        open_inner: OpenInner | None = None,
    ) -> None:
        super().__init__(name)
        weakref.finalize(self, file.close)
        self._code_page = code_page
        self._open_tree = open_inner
        self._reading = threading.RLock()
        self._members: dict[str, Member[HandleT]] = {}
        self._inner: dict[str, tuple[FileTree, str]] = {}
        file.seek(0, io.SEEK_END)
        self._left = _READINGS * max(BOMB_BYTES, BOMB_RATIO * file.tell())
        self._take(list(islice(self._list(file), MOST_FILES + 1)))
        self.paths = sorted(self._members)
        if not is_project(self):  # whose archives are no pictures
            for path in [path for path in self.paths if archive_stem(path) is not None]:
                self._open_inner(path)
            self.paths = sorted([*self._members, *self._inner])
        self._note_left_out()

    @property
    def stored(self) -> Sequence[str]:
        """The paths in the order in which the archive holds them."""
        return (*self._members, *self._inner)

    def source(self, path: str) -> str:
        """Name a file for the user: `archive.zip/dog/1.jpg`."""
        if path in self._inner:
            tree, inner = self._inner[path]
            return tree.source(inner)
        return f"{self.name}/{path}"

    def find(self, folder: str, name: str) -> str | None:
        """Find the file that a list in `folder` calls `name`; only in the archive."""
        parts: list[str] = []
        for part in (PurePosixPath(folder) / name).parts:
            if part == "..":
                if not parts:
                    return None
                parts.pop()
            else:
                parts.append(part)
        path = "/".join(parts)
        return path if path in self._members or path in self._inner else None

    def read(self, path: str) -> bytes:
        """Read a file.

        Raises:
            InvalidImageError: if it is damaged or a bomb.
        """
        if path in self._inner:
            tree, inner = self._inner[path]
            return tree.read(inner)
        member, name = self._members[path], self.source(path)
        size = member.size
        if size > MAX_FILE_BYTES:
            raise InvalidImageError(f"{name} would unpack to {size:,} bytes; no picture does.")
        with self._reading:  # one file under all members
            data = b"".join(self._unpacked(member, name))
        if len(data) != size:
            raise InvalidImageError(f"{name} is not as long as the archive says.")
        return data

    def start(self, path: str) -> bytes:
        """Read a file's first bytes."""
        if path in self._inner:
            tree, inner = self._inner[path]
            return tree.start(inner)
        try:
            with self._reading:
                return b"".join(self._chunks(self._members[path], START_BYTES))
        except Exception:  # noqa: BLE001 - libraries of archives raise whatever comes to hand
            return b""

    @abstractmethod
    def _list(self, file: IO[bytes]) -> Iterator[Member[HandleT]]:
        """List what is in an archive; what is damaged may be told in `refusals`."""

    @abstractmethod
    def _chunks(self, member: Member[HandleT], size: int) -> Iterator[bytes]:
        """Read the first `size` bytes of a file, in pieces; raises whatever it may."""

    def _unpacked(self, member: Member[HandleT], name: str) -> Iterator[bytes]:
        size = member.size
        self._left -= size
        if self._left < 0 or is_bomb(size, member.packed):
            raise InvalidImageError(f"{name} would unpack to {size:,} bytes; no picture does.")
        try:
            yield from self._chunks(member, size + 1)
        except Exception as error:  # libraries of archives raise whatever comes to hand
            raise InvalidImageError(f"{name} is damaged in the archive: {error}.") from error

    def _take(self, members: list[Member[HandleT]]) -> None:
        if len(members) > MOST_FILES:
            raise too_many_files(self.name)
        locked = [member.problem == ENCRYPTED for member in members]
        if locked and all(locked):
            raise NotImportableError(
                f"{self.name} is encrypted; unpack it with its password, and add that folder."
            )
        read_name = self._reader_of_names(members)
        for member in members:
            # only now: a backslash is the second byte of some letters
            path, reason = _cleaned(read_name(member.name).replace("\\", "/"))
            if not reason and (path.endswith("/") or self._is_left_out(path.split("/"))):
                continue
            reason = reason or member.problem
            if not reason and path in self._members:
                reason = "its name is in the archive twice; the first one is taken"
            if reason:
                self.refusals.append(Refusal(self.source(path), reason))
            else:
                self._members[path] = member

    def _reader_of_names(self, members: Iterable[Member[HandleT]]) -> Callable[[str | bytes], str]:
        """Find out how names are written that do not say so."""
        unsaid = [m.name for m in members if isinstance(m.name, bytes) and not m.name.isascii()]
        page = self._code_page or code_page_of(unsaid)
        wrong = [name for name in unsaid if not is_written_in(name, page)]
        if self._code_page and wrong:
            raise NotImportableError(
                f"The names in {self.name} are not written in {page}, as {wrong[0]!r} shows; name "
                "another code page with `--code-page`, or leave that out to have it found."
            )
        example = next((name for name in unsaid if not is_written_in(name, "utf-8")), None)
        if example is not None:
            about = f" ({CODE_PAGES[page]})" if page in CODE_PAGES else ""
            self.notes.append(
                f"Names in {self.name} do not say how they are written; they were read as "
                f"{page}{about}, as in {example.decode(page, 'replace')!r}. `--code-page` says "
                "another one."
            )
        return lambda name: name if isinstance(name, str) else name.decode(page, "replace")

    def _open_inner(self, path: str) -> None:
        """Read what an archive in this one holds as if it were a folder."""
        member, name = self._members.pop(path), self.source(path)
        if self._open_tree is None:
            self.refusals.append(Refusal(name, "an archive in one in an archive; unpack that"))
            return
        try:
            tree = self._open_tree(name, copied(self._unpacked(member, name), name))
        except (InvalidImageError, NotImportableError) as error:
            self.refusals.append(Refusal(name, str(error)))
            return
        stem = archive_stem(path) or ""
        folder = PurePosixPath(path).parent / (class_of_archive(stem) or stem)
        self.refusals += tree.refusals
        self.notes += tree.notes
        for inner in tree.paths:
            outer = (folder / inner).as_posix()
            if outer in self._members or outer in self._inner:
                reason = f"{outer} is in {self.name} already"
                self.refusals.append(Refusal(tree.source(inner), reason))
            else:
                self._inner[outer] = (tree, inner)


def copied(chunks: Iterable[bytes], name: str) -> IO[bytes]:
    """Put what is unpacked where it can be read at any place: in memory, or a file without a name.

    Raises:
        NotImportableError: if there is no room.
    """
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - for the caller
    with closing_on_failure(cast("IO[bytes]", file), f"Cannot unpack {name}"):
        for chunk in chunks:
            file.write(chunk)
    return cast("IO[bytes]", file)


@contextmanager
def closing_on_failure(file: IO[bytes], problem: str) -> Iterator[None]:
    """Keep a file open for the caller, but where that fails.

    Raises:
        NotImportableError: for an `OSError`, beginning with the `problem`.
    """
    try:
        yield
    except OSError as error:
        file.close()
        raise NotImportableError(f"{problem}: {describe(error)}.") from error
    except BaseException:
        file.close()
        raise


def is_bomb(size: int, packed: int) -> bool:
    """Say whether that many bytes, from so few, are more than any pictures unpack to."""
    return size > BOMB_BYTES and size > BOMB_RATIO * packed


def too_many_files(name: str) -> NotImportableError:
    """Make the error for an archive that lists absurdly many files."""
    return NotImportableError(
        f"{name} lists more files than are read at once; split it into several archives."
    )


def _cleaned(path: str) -> tuple[str, str]:
    """Give a path as it is used here, and why it cannot be, or nothing."""
    if not path:
        return path, "it has no name"
    if path.startswith("/") or ".." in path.split("/") or _DRIVE.match(path):
        return path, "its name points outside of the archive"
    parts = [part for part in path.split("/")[:-1] if part not in {"", "."}]
    return "/".join([*parts, path.rpartition("/")[2]]), ""
