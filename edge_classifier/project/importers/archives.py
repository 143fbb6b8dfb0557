"""Opening an archive: its content says of which kind it is, not its name."""

from __future__ import annotations

import io
from contextlib import closing
from functools import partial
from typing import IO, TYPE_CHECKING, Final, cast

from edge_classifier.device.files import open_regular
from edge_classifier.errors import NotImportableError
from edge_classifier.project.files import describe
from edge_classifier.project.importers.archive import closing_on_failure
from edge_classifier.project.importers.tar_archive import TarTree, is_packed, is_tar, unpacked
from edge_classifier.project.importers.tree import OTHER_ARCHIVE
from edge_classifier.project.importers.zip_archive import ZipTree

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.project.importers.tree import FileTree

_HEAD_BYTES: Final = 512
_ZIPS: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08", b"PK00PK\x03\x04")
"""Of full, empty and split ones; a text may begin with PK."""
_OTHERS: Final = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd")  # 7-Zip, RAR, zstd


def is_archive(head: bytes) -> bool:
    """Say whether a file that begins so is an archive, also of a kind that cannot be read."""
    return head.startswith((*_ZIPS, *_OTHERS)) or is_packed(head) or is_tar(head)


def open_archive(path: Path, code_page: str | None = None) -> FileTree:
    """Open an archive. `code_page` is how names are written in it that do not say so.

    Raises:
        NotImportableError: if it is none, damaged, or cannot be read.
    """
    try:
        file = io.BufferedReader(cast("io.RawIOBase", open_regular(path)))  # unbuffered so far
    except OSError as error:
        raise NotImportableError(f"Cannot read {path}: {describe(error)}.") from error
    return _opened(str(path), file, code_page, is_inner=False)


def _opened(name: str, file: IO[bytes], code_page: str | None, *, is_inner: bool) -> FileTree:
    with closing_on_failure(file, f"Cannot read {name}"):
        return _tree_of(name, file, code_page, is_inner=is_inner)


def _tree_of(name: str, file: IO[bytes], code_page: str | None, *, is_inner: bool) -> FileTree:
    open_inner = None if is_inner else partial(_inner, code_page=code_page)
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if head.startswith(_OTHERS):
        raise NotImportableError(f"{name}: {OTHER_ARCHIVE}.")
    if is_packed(head):
        with closing(file):
            inside = unpacked(file, name)
        try:
            return TarTree(name, inside, code_page=code_page, open_inner=open_inner)
        except BaseException:
            inside.close()
            raise
    if is_tar(head):
        return TarTree(name, file, code_page=code_page, open_inner=open_inner)
    return ZipTree(name, file, code_page=code_page, open_inner=open_inner)


def _inner(name: str, file: IO[bytes], code_page: str | None) -> FileTree:
    return _opened(name, file, code_page, is_inner=True)
