"""The frames that a project was adapted to, on disk: whole or not at all.

What is kept are their features, not what was made of them: adaptation is computed anew from these
whenever the model is trained again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.files import read_regular
from edge_classifier.device.frame_buffer import MAX_FRAMES
from edge_classifier.device.npz import MAX_NUMBER, npz_bytes, read_arrays
from edge_classifier.device.taught import MAX_BYTES
from edge_classifier.project.files import reported, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_classifier.values import Features

NAME: Final = "adaptation.npz"

_log = logging.getLogger(__name__)


class FileAdaptationStore:
    """Keeps the features of frames in a folder, and none if not `writable`.

    `check`, called before anything is written, raises `ProjectError` where that may not be.
    """

    def __init__(
        self,
        folder: Path,
        backbone_key: str,
        *,
        writable: bool = True,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = folder / NAME
        self._key = backbone_key
        self._writable = writable
        self._check = check

    def save(self, features: Features) -> None:
        """Store frames, `(N, D)`, in place of those before.

        Raises:
            ProjectError: if they cannot be written.
        """
        if not self._writable:
            return
        key = np.frombuffer(self._key.encode(), np.uint8)
        self._check()
        with reported("write", self._path):
            self._path.parent.mkdir(exist_ok=True)
            write_atomic(self._path, npz_bytes({"backbone": key, "features": features}))

    def remove(self) -> bool:
        """Forget them; says whether there were any, of this or of another backbone.

        Raises:
            ProjectError: if that cannot be written.
        """
        kept = self._path.exists()
        if self._writable:
            self._check()
            with reported("remove", self._path):
                self._path.unlink(missing_ok=True)
        return kept

    def load(self) -> Features | None:
        """Return the frames; `None` if there are none of this backbone.

        A damaged file counts as none, with a warning in the log.
        """
        frames, problem = self.read()
        if problem:
            _log.warning("%s", problem)
        return frames

    def read(self) -> tuple[Features | None, str]:
        """Return the same, and why a file that is there cannot be used, or an empty line."""
        if not self._path.exists():
            return None, ""
        try:
            arrays = read_arrays(read_regular(self._path, MAX_BYTES))
            features = arrays["features"]
            if arrays["backbone"].tobytes() != self._key.encode():
                return None, ""
            if features.ndim != 2 or features.dtype != np.float32:  # noqa: PLR2004 - (N, D)
                raise ValueError(f"it holds {features.dtype} of shape {features.shape}")  # noqa: TRY301 - told below like everything else
            many = not 0 < len(features) <= MAX_FRAMES
            if many or not (np.abs(features) <= MAX_NUMBER).all():
                raise ValueError("its numbers are no features")  # noqa: TRY301 - likewise
        except (ValueError, KeyError, TypeError, OSError, OverflowError) as error:
            return None, (
                f"{self._path} is damaged ({error}); the project answers unadapted: adapt it again."
            )
        return features, ""
