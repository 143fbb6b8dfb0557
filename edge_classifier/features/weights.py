"""Find the official weights of a backbone on this machine, or download them once.

No file is opened as weights before its hash was checked:

- A SHA-256 or MD5 that `edge_classifier.features.catalogue` pins must match, in Keras' cache, in
  ours, and after a download.
- Where nothing is pinned (v2-1.0), a download must match the MD5 that the storage server
  announces in its `x-goog-hash` header over TLS. Its SHA-256 is then recorded beside the file
  and must match ever after. That guards against damage and later changes, not against a server
  that served something else the very first time.
- Files in Keras' own cache without a pin, and files given by `--weights`, are the user's; they
  are told apart by their SHA-256, which is part of every project.
"""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from edge_classifier.device.files import read_regular
from edge_classifier.errors import DownloadError, WeightsMismatchError, WeightsNotFoundError
from edge_classifier.features.catalogue import BUILT_IN
from edge_classifier.features.download import MAX_BYTES, download
from edge_classifier.project.files import atomic_file, describe, write_atomic

if TYPE_CHECKING:
    from edge_classifier.features.catalogue import OfficialBackbone
    from edge_classifier.features.download import ByteProgress, Receipt
    from edge_classifier.protocols import Cancelled

_log = logging.getLogger(__name__)

_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_OFFLINE: Final = f"Offline use needs --weights FILE or --backbone {BUILT_IN}."


@dataclass(frozen=True, slots=True)
class CacheFolders:
    """Where weights and compiled extractors are kept; deleting `own` loses nothing but time.

    `keras` is the folder `models` in Keras' cache, and is only read.
    """

    own: Path
    keras: Path

    @classmethod
    def of_this_user(cls) -> CacheFolders:
        """The platform's cache folder, and Keras' own (`KERAS_HOME`, else `~/.keras`)."""
        keras = os.environ.get("KERAS_HOME")
        home = Path(keras) if keras else Path.home() / ".keras"
        return cls(Path(platformdirs.user_cache_dir("edge-classifier")), home / "models")

    @property
    def weights(self) -> Path:
        """Of downloaded weights."""
        return self.own / "weights"

    @property
    def extractors(self) -> Path:
        """Of compiled extractors."""
        return self.own / "extractors"


@dataclass(frozen=True, slots=True)
class Weights:
    """A weights file that is what it should be, with its SHA-256, hexadecimal."""

    path: Path
    sha256: str


def obtain_weights(
    backbone: OfficialBackbone,
    *,
    given: Path | None,
    folders: CacheFolders,
    progress: ByteProgress,
    cancelled: Cancelled,
    stall_s: float = 10.0,
) -> Weights:
    """Return the weights: the given file, or a cached one, or else download them.

    Whether a given file fits shows when it is loaded. `progress`, `cancelled` and `stall_s` are as
    for `download`.

    Raises:
        WeightsNotFoundError: if the given file does not exist.
        DownloadError: if there is none and none can be fetched.
        WeightsMismatchError: if what was fetched is not the official file, or what was given is
            no HDF5 file.
        CancelledError: if asked to stop.
    """
    if given is not None:
        return _given(given)
    found = find_weights(backbone, folders)
    if found is not None:
        return found
    try:
        folders.weights.mkdir(parents=True, exist_ok=True)
        target = folders.weights / backbone.file_name
        with atomic_file(target) as file:
            receipt = download(
                backbone.url, file, progress=progress, cancelled=cancelled, stall_s=stall_s
            )
            _check(receipt, backbone)
            # The record first: weights without a record are never used, the other way is harmless.
            write_atomic(record_of(target), f"{receipt.sha256}\n".encode())
    except DownloadError as error:
        raise DownloadError(
            f"The weights of {backbone.name} could not be downloaded: {error} {_OFFLINE}"
        ) from error
    except OSError as error:
        raise DownloadError(
            f"The weights of {backbone.name} cannot be kept in {folders.weights}: "
            f"{error.strerror or error}. Make room there, or pass --weights FILE."
        ) from error
    return Weights(target, receipt.sha256)


def _given(path: Path) -> Weights:
    content = _read(path)
    if not content.startswith(_HDF5):  # told at once, what would take TensorFlow seconds
        raise WeightsMismatchError(
            f"{path} is no weights file: expected HDF5, as Keras saves it (.h5, .weights.h5)."
        )
    return Weights(path, hashlib.sha256(content).hexdigest())


def find_weights(backbone: OfficialBackbone, folders: CacheFolders) -> Weights | None:
    """Look for genuine official weights in Keras' cache, then in ours.

    A file that is not what it should be is left alone and named in the log.
    """
    in_keras = folders.keras / backbone.file_name
    in_own = folders.weights / backbone.file_name
    for path in (in_keras, in_own):
        try:
            content = read_regular(path, MAX_BYTES)
        except OSError:
            continue
        sha256 = hashlib.sha256(content).hexdigest()
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        genuine = backbone.sha256 in (None, sha256) and backbone.md5 in (None, md5)
        if path == in_own:
            pinned = backbone.sha256 is not None or backbone.md5 is not None
            genuine = genuine and recorded_hash(path) in ((sha256, None) if pinned else (sha256,))
        if genuine:
            return Weights(path, sha256)
        _log.warning("%s is not used: its hash is not that of the official file.", path)
    return None


def hash_of(path: Path) -> str:
    """Return the SHA-256, hexadecimal, of a weights file, without opening it as one.

    Raises:
        WeightsNotFoundError: if it cannot be read.
    """
    return hashlib.sha256(_read(path)).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, MAX_BYTES)
    except OSError as error:
        raise WeightsNotFoundError(
            f"The weights file {path} cannot be read: {describe(error)}."
        ) from error


def _check(receipt: Receipt, backbone: OfficialBackbone) -> None:
    """Refuse what is not the official file."""
    if backbone.sha256 is None and backbone.md5 is None and receipt.server_md5 is None:
        raise WeightsMismatchError(
            f"The server of {backbone.url} sent no checksum, so the weights of {backbone.name} "
            "could not be checked and were not kept; pass a copy you trust with --weights FILE."
        )
    for kind, expected, received in (
        ("SHA-256", backbone.sha256, receipt.sha256),
        ("MD5", backbone.md5, receipt.md5),
        ("MD5", receipt.server_md5, receipt.md5),
    ):
        if expected not in (None, received):
            raise WeightsMismatchError(
                f"What {backbone.url} sent is not the official file and was not kept: expected "
                f"{kind} {expected}, received {received}. Try again later, or pass --weights FILE."
            )


def record_of(path: Path) -> Path:
    """The file beside a cached one that tells its SHA-256."""
    return path.with_name(f"{path.name}.sha256")


def recorded_hash(path: Path) -> str | None:
    """Read the SHA-256 that a cached file should have, or `None` where there is no record."""
    try:
        return record_of(path).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
