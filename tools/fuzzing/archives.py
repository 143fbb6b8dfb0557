"""Tar archives, packed or not, and archives in archives."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from functools import partial
from typing import TYPE_CHECKING, Final

from fuzzing.imports import ENTRIES, ZipTarget
from fuzzing.mutate import HOSTILE_TEXTS, mutate_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

_KINDS: Final = (*[tarfile.REGTYPE] * 8, *b"1234567LKSDMVxgXA\0".decode("latin-1"))
_SIZES: Final = (b"0" * 11 + b"\0", b"7" * 11 + b"\0", b"\x80" + b"\xff" * 11, b"-1         \0")
_BLOCK: Final = 512
_PACKERS: Final = (  # the fast ways
    partial(gzip.compress, compresslevel=1),
    partial(bz2.compress, compresslevel=1),
    partial(lzma.compress, preset=0),
)


class TarTarget(ZipTarget):
    """A tar archive."""

    name = "tar"

    def paths(self) -> Sequence[Path]:
        """None: they are made here."""
        return []

    def make(self, rng: Random) -> bytes:
        """Pack hostile members, spoil headers and bytes, pack it all."""
        data = self._tar(rng)
        if rng.random() < 0.3:  # noqa: PLR2004 - some
            data = mutate_bytes(rng, data, [data])
        pack = rng.choice((bytes, bytes, *_PACKERS))
        data = pack(data)
        if rng.random() < 0.3:  # noqa: PLR2004 - some
            data = mutate_bytes(rng, data, [data])
        if rng.random() < 0.1:  # noqa: PLR2004 - rarely
            data += pack(bytes(rng.choice((1, 512, 1 << 20))))
        return data

    def run(self, data: bytes) -> None:
        """Add it."""
        self.import_it(self.write("set.tgz", data))

    def _tar(self, rng: Random) -> bytes:
        buffer = io.BytesIO()
        form = rng.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
        with tarfile.open(fileobj=buffer, mode="w", format=form, errors="replace") as tar:
            for _ in range(rng.choice((1, 2, 5, 12))):
                name = rng.choice((*ENTRIES, f"{rng.choice(HOSTILE_TEXTS)[:60]}/1.jpg"))
                info = tarfile.TarInfo(
                    name.encode("utf-8", "replace")[:90].decode("utf-8", "ignore")
                )
                content = self.content(rng)
                info.size = len(content)
                if rng.random() < 0.1:  # noqa: PLR2004 - rarely
                    keys = ("path", "size", "GNU.sparse.major", "hdrcharset", "x")
                    values = ("../evil.jpg", "9" * 30, "-1", "1", "dog/2.jpg", "0" * 70_000)
                    info.pax_headers = {rng.choice(keys): rng.choice(values)}
                tar.addfile(info, io.BytesIO(content))
        data = bytearray(buffer.getvalue())
        for _ in range(rng.choice((0, 0, 1, 2))):
            self._spoil_block(rng, data)
        return bytes(data)

    @staticmethod
    def _spoil_block(rng: Random, data: bytearray) -> None:
        """Change a header's kind, size or name, and mostly make its checksum right again."""
        starts = [n for n in range(0, len(data), _BLOCK) if data[n + 257 : n + 262] == b"ustar"]
        if not starts:
            return
        start = rng.choice(starts)
        what = rng.randrange(3)
        if what == 0:
            kind = rng.choice(_KINDS)
            data[start + 156 : start + 157] = kind if isinstance(kind, bytes) else kind.encode()
        elif what == 1:
            data[start + 124 : start + 136] = rng.choice(_SIZES)
        else:
            data[start : start + 100] = rng.randbytes(100)
        if rng.random() < 0.9:  # noqa: PLR2004 - mostly
            data[start + 148 : start + 156] = b" " * 8
            total = sum(data[start : start + _BLOCK])
            data[start + 148 : start + 156] = b"%06o\0 " % total


class NestedTarget(TarTarget):
    """A zip archive with archives in it."""

    name = "nested"

    def make(self, rng: Random) -> bytes:
        """Pack spoilt archives, and ones in ones, with pictures beside them."""
        return self._nested(rng, 0)

    def _nested(self, rng: Random, depth: int) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for number in range(rng.choice((1, 2, 4))):
                deeper = depth < 3 and rng.random() < 0.4  # noqa: PLR2004 - some
                inner = rng.choice((super().make, self.packed))
                data = self._nested(rng, depth + 1) if deeper else inner(rng)
                suffix = rng.choice((".zip", ".tgz", ".tar", ".tm", ".tar.xz", "/1.zip", ""))
                name = rng.choice(("train", "test", "dog", "cat-samples", "../x", "dog/1.jpg"))
                method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
                archive.writestr(f"{name}{number * rng.randrange(2)}{suffix}", data, method)
            archive.writestr("dog/1.jpg", self.content(rng))
        data = buffer.getvalue()
        return data if rng.random() < 0.8 else mutate_bytes(rng, data, [data])  # noqa: PLR2004 - mostly

    def run(self, data: bytes) -> None:
        """Add it."""
        self.import_it(self.write("set.zip", data))
