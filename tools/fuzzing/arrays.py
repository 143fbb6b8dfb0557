"""Files of arrays (`.npz`): a project's model, a saved classifier."""

from __future__ import annotations

import io
import json
import pickle
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from edge_classifier.api import ImageClassifier
from edge_classifier.errors import ProjectFormatError
from edge_classifier.learning.model_file import FileModelStore
from edge_classifier.learning.project_backbone import BackboneChoice
from edge_classifier.values import FeatureSet
from fuzzing.base import ByteTarget
from fuzzing.mutate import encode_json, mutate_bytes, mutate_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random


Array: TypeAlias = np.ndarray[Any, Any]


_TYPES: Final = (np.float64, np.int64, np.str_, np.bool_)


class _Evil:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('a pickle was run')",)


class ArrayTarget(ByteTarget):
    """An archive of arrays, spoilt array by array or byte by byte."""

    def make(self, rng: Random) -> bytes:
        """Spoil it."""
        if rng.random() < 0.4:  # noqa: PLR2004 - some
            return super().make(rng)
        with zipfile.ZipFile(io.BytesIO(self.samples[0])) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        for _ in range(rng.choice((1, 1, 2, 3))):
            name = rng.choice([*entries, "meta.npy"])
            if name == "meta.npy" and name in entries:
                entries[name] = self._spoilt_meta(rng, entries[name])
            elif name in entries:
                entries[name] = self._spoilt_array(rng, entries[name])
                if rng.random() < 0.1:  # noqa: PLR2004 - rarely
                    new_name = rng.choice(
                        ("references.npy", "x.npy", "../x.npy", "class_names.npy")
                    )
                    entries[new_name] = entries.pop(name)
        buffer = io.BytesIO()
        usual = [zipfile.ZIP_STORED] * 8
        packing = rng.choice((*usual, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
        with zipfile.ZipFile(buffer, "w", packing) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a name that is there twice
            for name, content in entries.items():
                archive.writestr(name, content)
                if rng.random() < 0.02:  # noqa: PLR2004 - rarely
                    archive.writestr(name, b"twice")
        data = buffer.getvalue()
        return data if rng.random() < 0.8 else mutate_bytes(rng, data, self.samples)  # noqa: PLR2004 - mostly

    def _spoilt_meta(self, rng: Random, content: bytes) -> bytes:
        try:
            meta = json.loads(np.load(io.BytesIO(content), allow_pickle=False).tobytes())
        except Exception:  # noqa: BLE001 - same
            meta = {}
        text = encode_json(rng, mutate_json(rng, meta))
        return _npy(np.frombuffer(text, np.uint8))

    def _spoilt_array(self, rng: Random, content: bytes) -> bytes:
        try:
            array = np.load(io.BytesIO(content), allow_pickle=False)
        except Exception:  # noqa: BLE001 - it was spoilt before
            return mutate_bytes(rng, content, [content])
        return rng.choice((self._lying, self._retyped, self._revalued))(rng, content, array)

    def _lying(self, rng: Random, content: bytes, array: Array) -> bytes:
        """Give a header that claims something else, or a pickle."""
        holder = np.empty((1,), object)
        holder[0] = _Evil()
        shape = rng.choice(((1 << 40,), (1 << 31, 1 << 31), (-1,), (0, 5), ()))
        dtype = rng.choice(("|O", "<c16", "<M8[s]", "|S100000", "|V9", ">f8"))
        return rng.choice(
            (
                _claiming(shape, "<f4"),
                _claiming(array.shape, dtype),
                b"\x93NUMPY\x01\x00v\x00" + b"{" * 118 + content,
                _npy(holder, pickled=True),
                pickle.dumps(_Evil()),
                mutate_bytes(rng, content, [content]),
            )
        )

    def _retyped(self, rng: Random, _content: bytes, array: Array) -> bytes:
        """Give an array of another type or shape."""
        shape = rng.choice(((3, 3), (1,), (2, 2, 2), (2000, 2000)))
        return rng.choice(
            (
                _npy(np.zeros(shape, np.float32)),
                _npy(array.astype(np.str_ if array.dtype.kind == "U" else rng.choice(_TYPES))),
                _npy(array.T if array.ndim > 1 else array[None]),
                _npy(array[..., None]),
                _npy(array.reshape(-1)[:1].reshape(()) if array.size else array),
                _npy(array[: len(array) // 2] if array.ndim else array),
            )
        )

    def _revalued(self, rng: Random, content: bytes, array: Array) -> bytes:
        """Give an array with a value that no training gives."""
        if not array.size or array.dtype.kind not in "if":
            return mutate_bytes(rng, content, [content])
        spoilt = array.copy()
        values = (-1, 10**9) if array.dtype.kind == "i" else (np.nan, np.inf, 3e38, -3e38)
        spoilt.reshape(-1)[rng.randrange(array.size)] = rng.choice(values)
        return _npy(spoilt)


class ModelTarget(ArrayTarget):
    """`model.npz` of a project. Damage costs training again."""

    name = "model"

    def __init__(self, seeds: Path, arena: Path) -> None:
        super().__init__(seeds, arena)
        from edge_classifier.learning.project_backbone import load_project_backbone  # noqa: PLC0415 - the backbone takes a moment
        from edge_classifier.project.store import open_for_reading  # noqa: PLC0415 - the backbone takes a moment

        with open_for_reading(seeds / "project") as store:
            loaded = load_project_backbone(store, BackboneChoice(), _silent, may_change=False)
            loaded.cache.close()
        self._key = loaded.backbone.info.key
        self._dim = loaded.backbone.info.feature_dim

    def paths(self) -> Sequence[Path]:
        """The one model."""
        return [self.seeds / "project" / "model" / "model.npz"]

    def run(self, data: bytes) -> None:
        """Load it, and answer, extend and rename as the live picture does."""
        self.write("model.npz", data)
        found = FileModelStore(self.arena).load(backbone_key=self._key)
        if found is None:
            raise ProjectFormatError("told in the log")
        model, _ = found
        names = model.class_names
        if model.head.feature_dim != self._dim:
            return
        rows = np.ones((2, self._dim), np.float32)
        answer = model.predict(rows)[0]
        assert np.isfinite(answer.scores).all()  # noqa: S101 - what a picture shows
        ids = np.array([0, 1], np.int64)
        bursts = np.array(["a", "b"], np.str_)
        model.head.extended(FeatureSet(rows, ids, bursts, (names[0], "another one")))
        model.head.without(names[0])


class ClassifierTarget(ArrayTarget):
    """A file of `ImageClassifier.save`."""

    name = "classifier"

    def paths(self) -> Sequence[Path]:
        """The one file."""
        return [self.seeds / "classifier.npz"]

    def run(self, data: bytes) -> None:
        """Load it, answer, learn more."""
        classifier = ImageClassifier.load(self.write("classifier.npz", data))
        picture = np.full((8, 8, 3), 90, np.uint8)
        assert np.isfinite(classifier.predict_proba([picture])).all()  # noqa: S101 - scores
        assert len(classifier.predict([picture])) == 1  # noqa: S101 - one each


def _npy(array: Array, *, pickled: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=pickled)
    return buffer.getvalue()


def _claiming(shape: tuple[int, ...], dtype: str) -> bytes:
    """Make the header of an array that has no content."""
    header = (
        repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    )
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def _silent(_done: float, _what: str | None = None, /) -> None:
    """Show no progress."""
