"""Pictures read, decoded and hashed on several cores, in their order and a few ahead."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.interpreter import core_count
from edge_classifier.errors import InvalidImageError
from edge_classifier.project.importers.base import Refusal
from edge_classifier.project.importers.known_pictures import pixel_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from edge_classifier.project.importers.base import Item
    from edge_classifier.values import EncodedImage

_MOST_THREADS: Final = 4
"""Each holds a whole picture, which may be 0.2 GB."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadPicture:
    """A picture as it was read.

    Attributes:
        sha256: Hash of the file that it is, or will be.
        encoded: As it will be stored, with an image of the right size and without its pixels;
            `None` if the very file is known.
        pixels: Its `pixel_hash`; empty likewise.
    """

    sha256: str
    encoded: EncodedImage | None = None
    pixels: str = ""


def read_ahead(
    items: Iterable[Item], is_known: Callable[[str], bool]
) -> Generator[tuple[Item, Callable[[], ReadPicture]], None, None]:
    """Read pictures before they are asked for.

    Args:
        items: Taken only as far ahead as the threads need.
        is_known: Says whether a file of this SHA-256 is there already, so that it need not be
            decoded; asked from the threads.

    Yields:
        Each item, and what waits for its picture: it raises `InvalidImageError` where that
        cannot be used, and always for a refusal.
    """
    threads = min(core_count(), _MOST_THREADS)
    running: deque[tuple[Item, Callable[[], ReadPicture]]] = deque()
    executor = ThreadPoolExecutor(threads, thread_name_prefix="import")
    try:
        for item in items:
            running.append((item, executor.submit(_read, item, is_known).result))
            if len(running) > threads:
                yield running.popleft()
        while running:
            yield running.popleft()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _read(item: Item, is_known: Callable[[str], bool]) -> ReadPicture:
    if isinstance(item, Refusal):
        raise InvalidImageError(item.reason)
    if callable(item.content):
        data = item.content()
        sha256 = hashlib.sha256(data).hexdigest()
        if is_known(sha256):
            return ReadPicture(sha256)
        item = replace(item, content=lambda: data)
    encoded = item.encoded()
    pixels = pixel_hash(encoded.image)
    # What waits to be stored needs no pixels any more, only their number: up to 0.2 GB each.
    no_pixels = np.broadcast_to(np.zeros(3, np.uint8), encoded.image.shape)
    return ReadPicture(encoded.sha256, replace(encoded, image=no_pixels), pixels)
