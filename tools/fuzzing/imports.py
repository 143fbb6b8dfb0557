"""Labelled pictures from elsewhere: archives, names."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import struct
import warnings
import zipfile
import zlib
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.project.importers import open_importer
from edge_classifier.project.importers.adding import add
from edge_classifier.project.picture_file import encode_file
from edge_classifier.project.store import ProjectStore
from fuzzing.base import ByteTarget
from fuzzing.mutate import HOSTILE_TEXTS, mutate_bytes
from fuzzing.sandbox import snapshot
from fuzzing.seeds import CLASSES, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

ENTRIES: Final = (
    *("dog/1.jpg", "dog/2.png", "cat/1.jpg", "train/dog/1.jpg", "val/cat/3.jpg", "dog-1.jpg"),
    *(
        "../evil.jpg",
        "a/../../evil.jpg",
        "/evil.jpg",
        "C:\\evil.jpg",
        "..\\evil.jpg",
        "dog/..",
        "dog/",
    ),
    *(
        "\\\\host\\share\\evil.jpg",
        "//host/evil.jpg",
        "dog/a\x00b.jpg",
        "NUL/1.jpg",
        "con.jpg",
        "DOG/1.jpg",
    ),
    *(
        "samples/mug/b0000001-0000.jpg",
        "project.json",
        "labels.csv",
        ".hidden/1.jpg",
        "__MACOSX/1.jpg",
    ),
    *(
        "dog/" * 400 + "1.jpg",
        "d" * 250 + "/1.jpg",
        "d" * 70 + ".jpg",
        "\ud800/1.jpg",
        "e\u0301/1.jpg",
    ),
    *(
        "\x1b[2J/1.jpg",
        "a\nb/1.jpg",
        "mug-!-1.jpg",
        "../x-!-1.jpg",
        "manifest.json",
        "in.zip",
        "in.tm",
    ),
    *("dog/1.heic", "dog/1.mp4", "1/1.jpg", "2/1.jpg", " /1.jpg", "$(touch x)/1.jpg", "<b>/1.jpg"),
)
_STORED: Final = 8  # one in so many is stored
_DATE: Final = (2026, 1, 1, 0, 0, 0)


class ImportTarget(ByteTarget):
    """A source that is added to a project."""

    def __init__(self, seeds: Path, arena: Path) -> None:
        super().__init__(seeds, arena)
        (arena / "train").mkdir(exist_ok=True)
        for number in range(6):
            (arena / "train" / f"{number}.jpg").write_bytes(encoded(number))
        self._project = arena / "project"
        self._pictures = [encoded(n, kind) for n, kind in enumerate(("JPEG", "PNG", "BMP", "GIF"))]

    def import_it(self, path: Path, data: bytes | None = None) -> None:
        """Add what it holds, or a folder with that in it; nothing but that project may change.

        Most inputs are only read: making a project takes ten times as long.
        """
        if zlib.crc32(path.read_bytes() if data is None else data) % _STORED:
            add(None, islice(open_importer(path), 40), dry_run=True)
            return
        shutil.rmtree(self._project, ignore_errors=True)
        before = snapshot(self.arena)
        importer = open_importer(path)
        assert importer.description  # noqa: S101 - for the user
        assert all(isinstance(name, str) for name in islice(importer.left_alone, 9))  # noqa: S101 - same
        with ProjectStore.create(self._project) as store:
            report = add(store, islice(importer, 40), total=importer.count)
            in_store = len(store.samples()) + len(store.held_out())
            assert in_store == report.added_count  # noqa: S101 - what is said is there
        after = snapshot(self.arena)
        inside = str(self._project)
        changed = {p for p in {*before, *after} if before.get(p) != after.get(p)}
        strays = [p for p in changed if p != inside and not p.startswith(inside + os.sep)]
        assert not strays, f"changed {strays[:3]}"  # noqa: S101 - what is looked for
        with ProjectStore.open(self._project) as store:
            assert len(store.samples()) + len(store.held_out()) == in_store  # noqa: S101 - same


class ZipTarget(ImportTarget):
    """An archive of pictures in folders."""

    name = "zip"

    def paths(self) -> Sequence[Path]:
        """The one archive."""
        return [self.seeds / "set.zip"]

    def make(self, rng: Random) -> bytes:
        """Spoil bytes, or pack hostile entries."""
        if rng.random() < 0.3:  # noqa: PLR2004 - some
            return mutate_bytes(rng, rng.choice(self.samples), self.samples)
        data = self.packed(rng)
        return data if rng.random() < 0.7 else mutate_bytes(rng, data, self.samples)  # noqa: PLR2004 - mostly

    def run(self, data: bytes) -> None:
        """Add it."""
        self.import_it(self.write("set.zip", data))

    def packed(self, rng: Random) -> bytes:
        """Pack hostile entries, and spoil headers."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that are there twice
            for _ in range(rng.choice((1, 2, 5, 12))):
                name = rng.choice((*ENTRIES, f"{rng.choice(HOSTILE_TEXTS)[:60]}/1.jpg"))
                entry = zipfile.ZipInfo(name.encode("utf-8", "replace").decode(), _DATE)
                if rng.random() < 0.1:  # noqa: PLR2004 - rarely
                    entry.filename = entry.orig_filename = (
                        name[:200].encode("utf-8", "replace").decode()
                    )
                kinds = (0, stat.S_IFREG, stat.S_IFREG, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFDIR)
                entry.external_attr = (rng.choice(kinds) | 0o777) << 16
                entry.create_system = rng.choice((0, 3))
                methods = (
                    zipfile.ZIP_STORED,
                    zipfile.ZIP_DEFLATED,
                    zipfile.ZIP_BZIP2,
                    zipfile.ZIP_LZMA,
                )
                entry.compress_type = rng.choice(methods)
                archive.writestr(entry, self.content(rng))
        data = bytearray(buffer.getvalue())
        for _ in range(rng.choice((0, 0, 1, 2))):
            self._spoil_header(rng, data)
        return bytes(data)

    def content(self, rng: Random) -> bytes:
        """Give what a file in an archive holds."""
        what = rng.randrange(12)
        if what == 0:
            return rng.choice((b"", b"/etc/passwd", bytes(3_000_000), b"file,label\n1.jpg,x\n"))
        picture = rng.choice(self._pictures)
        return mutate_bytes(rng, picture, self._pictures) if what < 4 else picture  # noqa: PLR2004 - some

    @staticmethod
    def _spoil_header(rng: Random, data: bytearray) -> None:
        """Change a field of a header: flags (encrypted), method, sizes, counts, offsets."""
        signatures = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06")
        signature = rng.choice(signatures)
        places = [n for n in range(len(data) - 22) if data[n : n + 4] == signature]
        if not places:
            return
        start = rng.choice(places)
        offset = rng.choice((6, 8, 10, 14, 18, 20, 22, 24, 26, 28, 38, 42))
        if start + offset + 4 > len(data):
            return
        if rng.random() < 0.5:  # noqa: PLR2004 - a coin
            struct.pack_into(
                "<H", data, start + offset, rng.choice((0, 1, 9, 12, 14, 97, 65_535, 0x801))
            )
        else:
            struct.pack_into("<I", data, start + offset, rng.choice((0, 1, 1 << 28, (1 << 32) - 1)))


class TeachableMachineTarget(ZipTarget):
    """A `.tm` file."""

    name = "tm"

    def paths(self) -> Sequence[Path]:
        """The one file."""
        return [self.seeds / "project.tm"]

    def make(self, rng: Random) -> bytes:
        """Spoil bytes, or pack hostile labels."""
        if rng.random() < 0.5:  # noqa: PLR2004 - a coin
            return super().make(rng)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that are there twice
            archive.writestr("manifest.json", rng.choice(("{}", "[" * 9999, "")))
            for number in range(rng.choice((1, 3, 8))):
                label = rng.choice((*CLASSES, *HOSTILE_TEXTS))[:90]
                name = f"{label}-!-{number}{rng.choice(('.jpg', '.png', '', '.exe'))}"
                archive.writestr(
                    name.encode("utf-8", "replace").decode(), rng.choice(self._pictures)
                )
        return buffer.getvalue()

    def run(self, data: bytes) -> None:
        """Add it."""
        self.import_it(self.write("project.tm", data))


class NamesTarget(ByteTarget):
    """Names of classes and files, through every door by which they come in."""

    name = "names"

    def __init__(self, seeds: Path, arena: Path) -> None:
        super().__init__(seeds, arena)
        self._file = encoded(1)
        self._encoded = encode_file(self._file, "a picture")

    def paths(self) -> Sequence[Path]:
        """None: names are drawn."""
        return []

    def make(self, rng: Random) -> bytes:
        """Draw a few names."""
        names = []
        for _ in range(rng.choice((1, 1, 2))):
            name = rng.choice(HOSTILE_TEXTS)[:400]
            if rng.random() < 0.7:  # noqa: PLR2004 - mostly
                letters = "./\\ ..:conNUL~\u0301é\u200d杯\x00\n\ud800İß*?|<>\"'$`;-"
                name = "".join(rng.choice(letters) for _ in range(rng.randint(0, 9)))
            if rng.random() < 0.3:  # noqa: PLR2004 - some
                name += "".join(chr(rng.randrange(0x11_0000)) for _ in range(3))
            names.append(name)
        return json.dumps(names).encode()

    def run(self, data: bytes) -> None:
        """Make, add, rename classes; put files of such names into the folders; save a copy."""
        names: list[str] = json.loads(data)
        project, copied = self.arena / "project", self.arena / "copy"
        for folder in (project, copied, self.arena / "source"):
            shutil.rmtree(folder, ignore_errors=True)
        with suppress(EdgeClassifierError):
            ProjectStore.create(project, names).close()
        with ProjectStore.open_or_create(project, ["mug"]) as store:
            for name in names:
                with suppress(EdgeClassifierError):
                    store.add_class(name)
                with suppress(EdgeClassifierError):
                    self._add(store, store.class_names()[-1])
                with suppress(EdgeClassifierError):
                    store.rename_class(store.class_names()[0], name)
                with suppress(EdgeClassifierError):
                    self._add(store, name)
        source = self.arena / "source"
        for name in names:
            for folder in (project / "samples", project / "samples" / "mug", source):
                with suppress(OSError, ValueError):
                    self._put(folder, name)
        with suppress(EdgeClassifierError), ProjectStore.open_or_create(project) as store:
            add(store, islice(open_importer(source), 20))
        with ProjectStore.open(project) as store:
            found = [entry for entry in os.listdir(project / "samples") if entry != "mug"]  # noqa: PTH208 - names only
            folded = [name.casefold() for name in store.class_names()]
            assert len(set(folded)) == len(folded)  # noqa: S101 - told apart on any file system
            for sample in store.samples():
                assert sample.path.parent.parent == project / "samples"  # noqa: S101 - what is looked for
            for name in store.class_names():
                assert "/" not in name, found  # noqa: S101 - same
                with suppress(EdgeClassifierError):
                    store.remove_class(name)
            store.save_as(copied)

    def _add(self, store: ProjectStore, class_name: str) -> None:
        store.add_sample(self._encoded, class_name, store.next_burst_id())

    def _put(self, folder: Path, name: str) -> None:
        """Put a picture where a stranger could, inside the folder."""
        if "/" in name or name in {"", ".", ".."}:
            return
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"{name}.jpg").write_bytes(self._file)
        (folder / f"{name}-1.jpg").write_bytes(self._file)
