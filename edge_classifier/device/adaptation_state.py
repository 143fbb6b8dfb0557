"""The frames that a device has adapted to, in a small file beside the bundle's own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np

from .console import say
from .files import is_temporary, read_regular, write_atomic
from .frame_buffer import MAX_FRAMES
from .npz import npz_bytes, read_arrays

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

NAME: Final = "adaptation-state.npz"

_MAX_BYTES: Final = 128 * 1024 * 1024
"""256 frames of the largest features are 64 MB."""

_UNIT: Final = 1e-3
"""How far from 1 the length of a row may be."""

_FORGOTTEN_S: Final = 60.0
"""A write that did not end for so long was cut short."""


class AdaptationState:
    """Keeps frames, whole or not at all, for those who come with the same `key`.

    Where the folder cannot be written nothing is kept, which is said once.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / NAME
        self._key = key
        self._writable = True

    def load(self, feature_dim: int, classes: int) -> list[tuple[npt.NDArray[np.float32], int]]:
        """Return the frames, the oldest first: features `(D,)` of length 1, and class.

        None from a file that is damaged or of something else, which is said.
        """
        self._clear_up()
        try:
            arrays = read_arrays(read_regular(self._path, _MAX_BYTES))
            rows, labels = arrays["rows"], arrays["labels"]
            if arrays["key"].tobytes() != self._key.encode():
                say(f"{self._path} is of another bundle or way of adapting; adapting begins anew.")
                return []
            if len(labels) > MAX_FRAMES:
                raise ValueError(f"it holds {len(labels)} frames")  # noqa: TRY301 - told below like everything else
            if rows.dtype != np.float32 or rows.shape != (len(labels), feature_dim):
                raise ValueError(f"it holds {rows.dtype} of shape {rows.shape}")  # noqa: TRY301 - told below like everything else
            if labels.dtype != np.int64 or labels.ndim != 1:
                raise ValueError(f"it holds labels of shape {labels.shape}")  # noqa: TRY301 - likewise
            if not ((labels >= 0) & (labels < classes)).all():
                raise ValueError("its classes are not those of the bundle")  # noqa: TRY301 - likewise
            if not (np.abs(np.linalg.norm(rows, axis=1) - 1.0) < _UNIT).all():
                raise ValueError("its numbers are no features")  # noqa: TRY301 - likewise
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError, OSError, OverflowError) as error:
            say(f"{self._path} is damaged ({error}); adapting begins anew.")
            return []
        return list(zip(rows, labels.tolist(), strict=True))

    def save(self, rows: npt.NDArray[np.float32], class_ids: npt.NDArray[np.int64]) -> None:
        """Keep frames, `(N, D)` of length 1, and their classes, `(N,)`, in place of others."""
        if not self._writable:
            return
        key = np.frombuffer(self._key.encode(), np.uint8)
        content = npz_bytes({"key": key, "rows": rows, "labels": class_ids})
        try:
            write_atomic(self._path, content, durable=True)
        except OSError as error:
            self._writable = False
            say(
                f"{self._path} cannot be written ({error.strerror}); the next start begins to "
                "adapt anew."
            )

    def _clear_up(self) -> None:
        """Take away what was being written when a program or the power was cut short."""
        try:
            for path in self._path.parent.iterdir():
                if is_temporary(path.name) and time.time() - path.stat().st_mtime > _FORGOTTEN_S:
                    path.unlink()
        except OSError:  # another program took it away first, or nothing can be written here
            return
