"""Training views and what the teachers say about them, computed once and kept on disk.

A *view* is one random square crop of one picture.  Views lie in shards of a few thousand, one
folder each, as plain ``.npy`` arrays:

========== =========== ====================================================================
file       type        content
========== =========== ====================================================================
pixels     uint8       ``(N, s, s, 3)`` RGB, what the student sees
wide       float16     ``(N, 1280)`` pooled features of MobileNet v2 1.0
narrow     float16     ``(N, 1280)`` pooled features of MobileNet v2 0.35
deep       float16     ``(N, 5, 5, 320)`` last bottleneck of v2 1.0 (stride 32)
middle     float16     ``(N, 10, 10, 96)`` last bottleneck of v2 1.0 at stride 16
========== =========== ====================================================================

A shard is complete when its ``shard.json`` exists; unfinished ones are made again by
`backbone.preparation`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edge_classifier.device.interpreter import core_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
DEEP_GRID = 5
MIDDLE_GRID = 10
_POOL_NUMBERS = 3


@dataclass(frozen=True, slots=True)
class Pool:
    """A folder of pictures and how it is looked at.

    Attributes:
        name: Short name; part of the shards' names.
        folder: Searched recursively for JPEG and PNG files.
        views: Number of views of each picture.
        pixel_size: Side in pixels of the stored crops.
        teacher_size: Side in pixels at which the teachers see the crops.
    """

    name: str
    folder: Path
    views: int = 1
    pixel_size: int = 160
    teacher_size: int = 224

    @classmethod
    def parse(cls, text: str) -> Pool:
        """Read ``name=folder[,views[,pixel_size[,teacher_size]]]``."""
        name, separator, rest = text.partition("=")
        folder, *numbers = rest.split(",")
        if not name or not separator or not folder or len(numbers) > _POOL_NUMBERS:
            raise ValueError(f"Expected name=folder[,views[,pixels[,teacher]]], received: {text!r}")
        return cls(name, Path(folder), *(int(number) for number in numbers))

    def pictures(self) -> list[Path]:
        """All pictures of the pool, sorted by path."""
        found = (p for p in self.folder.rglob("*") if p.suffix.lower() in SUFFIXES)
        return sorted(path for path in found if path.is_file())


class _Rows:
    """The rows of an ``.npy`` file, each read by itself.

    Not as a memory map: where the views are larger than the memory, each touched row would make
    the system read ahead twenty times as much.
    """

    def __init__(self, path: Path) -> None:
        mapped = np.load(path, mmap_mode="r")
        self._shape, self._dtype = mapped.shape[1:], mapped.dtype
        self._start = mapped.offset
        self._bytes = int(np.prod(self._shape)) * self._dtype.itemsize
        self._file = path.open("rb", buffering=0)
        if sys.platform == "linux":
            os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)

    def __getitem__(self, index: int) -> NDArray[Any]:
        if sys.platform == "win32":
            raise NotImplementedError("Windows reads from no place without moving there.")
        content = os.pread(self._file.fileno(), self._bytes, self._start + index * self._bytes)
        row: NDArray[Any] = np.frombuffer(content, self._dtype).reshape(self._shape)
        return row


class ViewStore:
    """All complete shards of a folder, addressed by one running number.

    Attributes:
        counts: Views of each pool, by name.
    """

    def __init__(self, folder: Path) -> None:
        """Open the shards that are complete now."""
        self.names = sorted(path.parent.name for path in folder.glob("*/shard.json"))
        if not self.names:
            msg = f"Expected shards under {folder}, found none: run 'prepare' first"
            raise FileNotFoundError(msg)
        self._shards: list[dict[str, _Rows]] = []
        self.counts: dict[str, int] = {}
        starts = [0]
        for name in self.names:
            record = json.loads((folder / name / "shard.json").read_text())
            keys = ("pixels", "wide", "narrow", "deep", "middle")
            self._shards.append({key: _Rows(folder / name / f"{key}.npy") for key in keys})
            starts.append(starts[-1] + int(record["count"]))
            self.counts[record["pool"]] = self.counts.get(record["pool"], 0) + record["count"]
        self._starts = np.asarray(starts)

    def __len__(self) -> int:
        """Return the number of views."""
        return int(self._starts[-1])

    def read(
        self, indices: NDArray[np.int64], size: int, flips: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """Gather a batch.

        Args:
            indices: ``(B,)`` numbers of views.
            size: Side of the student's pictures in pixels.
            flips: ``(B,)``, which views to mirror, maps included.

        Returns:
            ``pixels (B, size, size, 3)`` uint8 and the teachers' arrays in float16.
        """
        rows: dict[str, list[NDArray[Any]]] = {}
        shards = np.searchsorted(self._starts, indices, side="right") - 1
        for index, shard, flip in zip(indices, shards, flips, strict=True):
            offset = int(index - self._starts[shard])
            for key, array in self._shards[shard].items():
                row = array[offset]
                if key == "pixels" and row.shape[0] != size:
                    shrinks = row.shape[0] > size * 1.3
                    mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
                    row = cv2.resize(row, (size, size), interpolation=mode)
                if flip and row.ndim > 1:
                    row = row[:, ::-1]
                rows.setdefault(key, []).append(row)
        return {key: np.stack(values) for key, values in rows.items()}


def thread_limit() -> int:
    """Return the number of processor cores that this process may use."""
    return core_count()
