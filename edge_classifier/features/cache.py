"""Features on disk, so that none is ever computed twice.

One file per backbone, to which records of one size are appended, all numbers little-endian::

    header  magic (8), version (uint32), D (uint32), SHA-256 of the backbone's key (32),
            CRC-32 of these (uint32)
    record  SHA-256 of the picture file (32), D float32, CRC-32 of these (uint32)

A record that a crash cut off, or whose CRC-32 is wrong, is never used; nor is a file of another
backbone, dimension or version.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import threading
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from edge_classifier.device.files import open_regular
from edge_classifier.device.npz import MAX_NUMBER
from edge_classifier.errors import InvalidValueError, ProjectError
from edge_classifier.project.files import NOFOLLOW, atomic_file, reported

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.values import Features

_MAGIC: Final = b"ECFEATS\n"
_VERSION: Final = 1
_HEADER: Final = struct.Struct("<8sII32s")
_CRC: Final = struct.Struct("<I")
_HASH_BYTES: Final = 32
_CHUNK_BYTES: Final = 4 << 20  # read at a time, so that loading needs little beside the result


class FileFeatureCache:
    """Features of one backbone in a folder.

    One program at a time may append (the project's lock sees to that); any may load meanwhile.

    The folder is made when the first features come; if not `writable`, these are forgotten.
    `check`, called before a file is opened to be written, raises `ProjectError` where that may not
    be.
    """

    def __init__(
        self,
        folder: Path,
        backbone_key: str,
        feature_dim: int,
        *,
        writable: bool = True,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        if feature_dim < 1:
            raise InvalidValueError(f"Expected 1 or more features, received {feature_dim}.")
        key = hashlib.sha256(backbone_key.encode()).digest()
        self.path = folder / f"features-{key.hex()[:32]}.bin"
        self._dim = feature_dim
        header = _HEADER.pack(_MAGIC, _VERSION, feature_dim, key)
        self._header = header + _CRC.pack(zlib.crc32(header))
        self._record_bytes = _HASH_BYTES + 4 * feature_dim + _CRC.size
        self._writable = writable
        self._check = check
        self._file: BinaryIO | None = None
        self._end = 0
        self._using = threading.Lock()

    def load(self) -> tuple[list[str], Features]:
        """Read all that is known.

        Returns:
            The SHA-256 of each picture file, hexadecimal, and `(N, D)` float32, row by row.

        Raises:
            ProjectError: if the file is there and cannot be read.
        """
        hashes: list[str] = []
        with self._reading() as file:
            try:
                features: Features = np.empty((self._records_in(file), self._dim), np.float32)
            except MemoryError as error:
                raise ProjectError(f"{self.path} is larger than the memory; delete it.") from error
            for chunk, whole in self._chunks(file, len(features)):
                if not whole.any():  # no crash damages so much; nothing after it is ours
                    break
                rows = chunk["features"][whole]
                features[len(hashes) : len(hashes) + len(rows)] = rows
                hashes += [bytes(digest).hex() for digest in chunk["sha256"][whole]]
        return hashes, features[: len(hashes)]

    def select(self, image_sha256s: Sequence[str]) -> tuple[Features, npt.NDArray[np.bool_]]:
        """Read the features of N pictures only, in their order, and hold no others.

        Returns:
            `(N, D)` float32, undefined where not known; and `(N,)` bool, which are known.

        Raises:
            ProjectError: if the file is there and cannot be read.
        """
        features = np.empty((len(image_sha256s), self._dim), np.float32)
        known = np.zeros(len(image_sha256s), np.bool_)
        rows: dict[bytes, list[int]] = {}
        for row, image_sha256 in enumerate(image_sha256s):
            rows.setdefault(_digest_of(image_sha256), []).append(row)
        with self._reading() as file:
            for chunk, whole in self._chunks(file, self._records_in(file)):
                pairs = [
                    (record, row)
                    for record, digest in enumerate(chunk["sha256"].tolist())
                    if whole[record]
                    for row in rows.pop(digest, ())  # a picture's first record will do
                ]
                if pairs:
                    records, wanted = np.array(pairs).T
                    features[wanted] = chunk["features"][records]
                    known[wanted] = True
        return features, known

    def append(self, image_sha256: str, features: Features) -> None:
        """Add the features `(D,)` of one picture; they survive the program when this returns.

        Raises:
            InvalidValueError: if they are of another shape or type.
            ProjectError: if they cannot be written; then nothing was.
        """
        digest = _digest_of(image_sha256)
        if features.shape != (self._dim,) or features.dtype != np.float32:
            raise InvalidValueError(
                f"Expected features of shape ({self._dim},) and dtype float32, "
                f"received {features.shape} and {features.dtype}."
            )
        if not self._writable:
            return
        content = digest + features.astype("<f4").tobytes()
        record = content + _CRC.pack(zlib.crc32(content))
        with self._using, reported("write", self.path):
            if self._file is None:
                self._start()
            assert self._file is not None  # noqa: S101 - what `_start` is for
            try:
                remaining = memoryview(record)
                while remaining:
                    remaining = remaining[self._file.write(remaining) :]
            except BaseException:
                with suppress(OSError):
                    self._file.truncate(self._end)
                    self._file.seek(self._end)
                raise
            self._end += len(record)

    def record_count(self) -> int:
        """Count what the file holds, damaged and repeated records included.

        Raises:
            ProjectError: if the file is there and cannot be read.
        """
        with self._reading() as file:
            return self._records_in(file)

    def compact(self, keep: Collection[str]) -> None:
        """Rewrite the file with the features of some pictures only, each once.

        Raises:
            ProjectError: if it cannot be written; then it is as before.
        """
        wanted = {_digest_of(image_sha256) for image_sha256 in keep}
        self._check()
        with self._using, reported("write", self.path):
            self._close()
            file = self._open()
            if file is None:
                return
            # `file` twice: it is closed before the replacing, as Windows needs, and if that fails.
            with file, atomic_file(self.path) as rewritten, file:
                rewritten.write(self._header)
                for chunk, whole in self._chunks(file, self._records_in(file)):
                    for record in chunk[whole]:
                        digest = bytes(record["sha256"])
                        if digest in wanted:
                            wanted.remove(digest)
                            rewritten.write(record.tobytes())

    def close(self) -> None:
        """Release the file; may be called twice."""
        with self._using:
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextmanager
    def _reading(self) -> Iterator[BinaryIO]:
        """Open the file for reading behind its header; nothing if there is none of ours."""
        with self._using, reported("read", self.path), self._open() or io.BytesIO() as file:
            yield file

    def _open(self) -> BinaryIO | None:
        """Open the file for reading behind its header; `None` if there is none of ours."""
        try:
            file = open_regular(self.path)
        except FileNotFoundError:
            return None
        if file.read(len(self._header)) != self._header:
            file.close()
            return None
        return file

    def _start(self) -> None:
        """Open the file for appending, without what a crash left at its end."""
        self._check()
        self.path.parent.mkdir(exist_ok=True)
        file = self._open()
        if file is None:
            with atomic_file(self.path) as new:
                new.write(self._header)
            good = 0
        else:
            with file:
                good = seen = 0
                for chunk, whole in self._chunks(file, self._records_in(file)):
                    if whole.any():
                        good = seen + int(np.flatnonzero(whole)[-1]) + 1
                    seen += len(chunk)
        self._end = len(self._header) + good * self._record_bytes
        flags = os.O_RDWR | NOFOLLOW | getattr(os, "O_BINARY", 0)
        self._file = os.fdopen(os.open(self.path, flags), "r+b", buffering=0)
        self._file.truncate(self._end)
        self._file.seek(self._end)

    def _records_in(self, file: BinaryIO) -> int:
        """Count the records, and go to the first."""
        size = file.seek(0, os.SEEK_END) - len(self._header)
        file.seek(len(self._header))
        return max(0, size // self._record_bytes)

    def _chunks(
        self, file: BinaryIO, count: int
    ) -> Iterator[tuple[npt.NDArray[np.void], npt.NDArray[np.bool_]]]:
        """Read records some at a time, and say which are as they were written."""
        features = ("features", "<f4", (self._dim,))
        layout = np.dtype([("sha256", np.void, _HASH_BYTES), features, ("crc", "<u4")])
        content = self._record_bytes - _CRC.size
        at_once = max(1, _CHUNK_BYTES // self._record_bytes)
        buffer = bytearray(min(count, at_once) * self._record_bytes)
        while count > 0:
            size = file.readinto(memoryview(buffer)[: count * self._record_bytes])  # type: ignore[attr-defined]  # raw files have it
            records = (size or 0) // self._record_bytes
            if not records:
                return
            count -= records
            view = memoryview(buffer)
            starts = range(0, records * self._record_bytes, self._record_bytes)
            sums = [zlib.crc32(view[start : start + content]) for start in starts]
            chunk = np.frombuffer(buffer, layout, records)
            usual = (np.abs(chunk["features"]) <= MAX_NUMBER).all(axis=1)  # and no NaN
            yield chunk, usual & (chunk["crc"] == np.array(sums, np.uint32))


def _digest_of(image_sha256: str) -> bytes:
    try:
        digest = bytes.fromhex(image_sha256)
    except ValueError:
        digest = b""
    if len(digest) != _HASH_BYTES:
        raise InvalidValueError(f"Expected a SHA-256 in hexadecimal, received {image_sha256!r}.")
    return digest
