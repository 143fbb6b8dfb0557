"""What lies in a project's folder: `project.json`, indices, cached features."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.project.importers.known_pictures import KnownPictures, pixel_hash
from edge_classifier.project.picture_file import encode_file
from edge_classifier.project.project_file import FILE_NAME
from edge_classifier.project.store import ProjectStore
from fuzzing.base import ByteTarget
from fuzzing.mutate import encode_json, mutate_bytes, mutate_json
from fuzzing.seeds import encoded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

_JSON_SHARE = 0.8


class ProjectTarget(ByteTarget):
    """`project.json`, edited by a stranger; the project is then opened and worked with."""

    name = "project"

    def __init__(self, seeds: Path, arena: Path) -> None:
        super().__init__(seeds, arena)
        self._picture = encode_file(encoded(1), "a picture")
        shutil.copytree(seeds / "project", arena / "fresh", ignore=shutil.ignore_patterns("*.bin"))
        full = json.loads(self.samples[0])
        full["classes"][0]["renamed_from"] = "old mug"
        full["settings"] = {"head": {"kind": "dense", "units": 100}, "mirror": True, "a": [1, {}]}
        full["extra"] = {"of": "another program"}
        full["last_burst"] = 40
        self._documents = [json.loads(self.samples[0]), full]

    def paths(self) -> Sequence[Path]:
        """The one file."""
        return [self.seeds / "project" / FILE_NAME]

    def make(self, rng: Random) -> bytes:
        """Spoil values mostly, bytes sometimes."""
        data = encode_json(rng, mutate_json(rng, rng.choice(self._documents)))
        return data if rng.random() < _JSON_SHARE else mutate_bytes(rng, data, self.samples)

    def run(self, data: bytes) -> None:
        """Open it, add to it, rename, undo, open it again."""
        folder = self.arena / "project"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.arena / "fresh", folder)
        (folder / FILE_NAME).write_bytes(data)
        with ProjectStore.open(folder) as store:
            names = store.class_names()
            assert len(store.settings) >= 0  # noqa: S101 - it can be copied
            with suppress(EdgeClassifierError):  # it cannot be used, and says so
                project_head_settings(store, {"epochs": 3})
            store.update_settings(mirror=False)
            name = store.add_class("another one")
            burst = store.next_burst_id()
            store.add_sample(self._picture, name, burst)
            store.remove_burst(burst)
            with suppress(EdgeClassifierError):
                store.rename_class(names[0] if names else name, "a new name")
            samples = len(store.samples())
        with ProjectStore.open(folder, read_only=True) as store:
            # A folder whose name clashed with that of a class may be one of its own by now.
            assert len(store.samples()) >= samples  # noqa: S101 - nothing is lost


class IndexTarget(ByteTarget):
    """What is remembered beside the samples: hashes, pixels, sources. Damage costs time only."""

    name = "index"

    def __init__(self, seeds: Path, arena: Path) -> None:
        super().__init__(seeds, arena)
        shutil.copytree(
            seeds / "project", arena / "project", ignore=shutil.ignore_patterns("*.bin")
        )
        with ProjectStore.open(arena / "project") as store:
            self._samples = {s.path: s.image_sha256 for s in store.samples()}
            pixels = dict.fromkeys(self._samples.values(), "ab" * 16)
        self._hashes = (arena / "project" / "cache" / "hashes.txt").read_bytes()
        self._pixels = {"version": 1, "pixels": pixels}
        self._source = {"sample": "b0000001-0000.jpg", "source": "photos/1.jpg"}

    def paths(self) -> Sequence[Path]:
        """The index of hashes."""
        return [self.seeds / "project" / "cache" / "hashes.txt"]

    def make(self, rng: Random) -> bytes:
        """Spoil one of the three."""
        document = rng.choice((None, None, self._pixels, self._source))
        if document is None:
            return mutate_bytes(rng, self._hashes, self.samples)
        data = encode_json(rng, mutate_json(rng, document))
        return data if rng.random() < _JSON_SHARE else mutate_bytes(rng, data, self.samples)

    def run(self, data: bytes) -> None:
        """Open the project, and look pictures up."""
        folder = self.arena / "project"
        for name in ("cache/hashes.txt", "cache/hashes-validation.txt", "cache/pixels.json"):
            (folder / name).write_bytes(data)
        (folder / "sources.jsonl").write_bytes(data + b"\n" + data)
        with ProjectStore.open(folder) as store:
            found = {s.path: s.image_sha256 for s in store.samples()}
            assert found.keys() == self._samples.keys()  # noqa: S101 - none is lost
            assert all(len(bytes.fromhex(h)) == 32 for h in found.values())  # noqa: PLR2004, S101 - SHA-256
            index = KnownPictures(store.cache_folder, store.samples())
            size, pixels = (16, 12), pixel_hash(np.zeros((12, 16, 3), np.uint8))
            assert index.find_pixels(size, pixels, lambda *_: None, lambda: False) is None  # noqa: S101 - it is not there
            index.save()


class FeatureCacheTarget(ByteTarget):
    """Cached features. Damage costs time only; what is given is finite."""

    name = "features"
    _DIM = 4

    def __init__(self, seeds: Path, arena: Path) -> None:
        self._key = "a backbone's key"
        cache = FileFeatureCache(arena, self._key, self._DIM)
        for number in range(6):
            cache.append(f"{number:064x}", np.full(self._DIM, number, np.float32))
        cache.close()
        self._file = cache.path
        super().__init__(seeds, arena)

    def paths(self) -> Sequence[Path]:
        """A file of six records."""
        return [self._file]

    def make(self, rng: Random) -> bytes:
        """Spoil bytes; half of the time with the checksums made right again."""
        data = super().make(rng)
        if rng.random() < 0.5:  # noqa: PLR2004 - a coin
            return data
        header, record = 52, 32 + 4 * self._DIM + 4
        spoilt = bytearray(data)
        if len(spoilt) >= header:
            struct.pack_into("<I", spoilt, header - 4, zlib.crc32(spoilt[: header - 4]))
        for start in range(header, len(spoilt) - record + 1, record):
            if rng.random() < 0.3:  # noqa: PLR2004 - some
                value = rng.choice((float("nan"), float("inf"), 3e38, 0.0))
                struct.pack_into("<f", spoilt, start + 32, value)
            content = bytes(spoilt[start : start + record - 4])
            struct.pack_into("<I", spoilt, start + record - 4, zlib.crc32(content))
        return bytes(spoilt)

    def run(self, data: bytes) -> None:
        """Load all, some, append, rewrite."""
        self._file.write_bytes(data)
        cache = FileFeatureCache(self.arena, self._key, self._DIM)
        hashes, features = cache.load()
        assert features.shape == (len(hashes), self._DIM)  # noqa: S101 - one row each
        assert np.isfinite(features).all()  # noqa: S101 - others would spoil a whole training
        wanted = [f"{number:064x}" for number in range(8)]
        rows, known = cache.select(wanted)
        assert np.isfinite(rows[known]).all()  # noqa: S101 - same
        cache.append("ff" * 32, np.zeros(self._DIM, np.float32))
        cache.compact(wanted)
        cache.close()
