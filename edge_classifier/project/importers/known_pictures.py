"""Which pictures a project has already, be they in other files: by their bytes, then pixels.

Bytes are compared by the hash that every sample has anyway. Pixels cost a decoding, so they are
hashed only of samples that are as large as a picture in question, and remembered in the cache.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.files import open_regular
from edge_classifier.device.interpreter import core_count
from edge_classifier.device.picture_decoder import image_size
from edge_classifier.errors import CancelledError, InvalidImageError
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.sample_files import read_cache, write_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import Sample

_HEADER_BYTES: Final = 1 << 18  # camera makers put thumbnails and profiles before the size
_FILE_NAME: Final = "pixels.json"


def pixel_hash(image: Image) -> str:
    """Hash a picture's size and pixels, `(H, W, 3)` uint8."""
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


class KnownPictures:
    """The class of every picture that is there, by its content.

    Hashes are remembered in `cache_folder`, if any. `read` gives a picture, BGR, from several
    threads.
    """

    def __init__(
        self,
        cache_folder: Path | None,
        samples: Iterable[Sample],
        read: Callable[[Path], Image] = read_image,
    ) -> None:
        self._read = read
        self._file = cache_folder / _FILE_NAME if cache_folder else None
        known = read_cache(self._file, "pixels") if self._file else {}
        self._remembered = {key: str(value) for key, value in known.items()}
        self._by_bytes: dict[str, str] = {}
        self._by_pixels: dict[str, str] = {}
        self._hashes: dict[str, str] = {}
        self._unsized: list[Sample] = []
        self._by_size: dict[tuple[int, int] | None, list[Sample]] = defaultdict(list)
        for sample in samples:
            self._by_bytes[sample.image_sha256] = sample.class_name
            pixels = self._remembered.get(sample.image_sha256)
            if pixels is None:
                self._unsized.append(sample)
            else:
                self.add(sample.image_sha256, pixels, sample.class_name)

    def find_bytes(self, sha256: str) -> str | None:
        """Give the class of the sample that is this very file, or `None`."""
        return self._by_bytes.get(sha256)

    def find_pixels(
        self, size: tuple[int, int], pixels: str, progress: Progress, cancelled: Cancelled
    ) -> str | None:
        """Give the class of the sample that has these pixels, or `None`.

        `size` is its width and height, in any order, `pixels` its `pixel_hash`. `progress` and
        `cancelled` are for when samples have to be read.

        Raises:
            CancelledError: if `cancelled` says so.
        """
        for sample in self._unsized:
            sample_size = None
            with suppress(OSError), open_regular(sample.path) as file:
                sample_size = image_size(file.read(_HEADER_BYTES))
            self._by_size[_upright(sample_size)].append(sample)
        self._unsized.clear()
        pending = self._by_size.pop(_upright(size), []) + self._by_size.pop(None, [])
        self._hash(pending, progress, cancelled)
        return self._by_pixels.get(pixels)

    def add(self, sha256: str, pixels: str, class_name: str) -> None:
        """Take in a picture that is there from now on, by the hashes of its file and pixels."""
        self._by_bytes[sha256] = class_name
        self._by_pixels[pixels] = class_name
        self._hashes[sha256] = pixels

    def save(self) -> None:
        """Remember what was computed; failing costs time, nothing else."""
        if self._file is None or self._hashes == self._remembered:
            return
        with suppress(OSError):
            write_cache(self._file, "pixels", self._hashes)

    def _hash(self, samples: list[Sample], progress: Progress, cancelled: Cancelled) -> None:
        if not samples:
            return
        with ThreadPoolExecutor(core_count(), thread_name_prefix="pixels") as executor:
            try:
                for done, pixels in enumerate(executor.map(self._pixels_of, samples)):
                    if cancelled():
                        raise CancelledError("Stopped while looking for duplicates.")  # noqa: TRY301 - what is waiting is called off below
                    progress(done / len(samples), "looking for duplicates in the project")
                    if pixels is not None:
                        self._hashes[samples[done].image_sha256] = pixels
                        self._by_pixels[pixels] = samples[done].class_name
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)
                raise

    def _pixels_of(self, sample: Sample) -> str | None:
        try:
            return pixel_hash(self._read(sample.path))
        except InvalidImageError:  # whoever trains on it will say so
            return None


def _upright(size: tuple[int, int] | None) -> tuple[int, int] | None:
    """Give a size that does not depend on how the camera was held."""
    return None if size is None else (min(size), max(size))
