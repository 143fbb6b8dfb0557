"""Pictures read, decoded and hashed on several cores, in their order and a few ahead."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.adapters.bulk import core_count
from edge_classifier.adapters.pixel_index import pixel_hash
from edge_classifier.errors import InvalidImageError
from edge_classifier.importers.candidate import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from edge_classifier.frame import EncodedImage
    from edge_classifier.importers.candidate import Item

_MOST_THREADS: Final = 4
"""Each holds a whole picture, which may be 0.2 GB."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadPicture:
    """A candidate's picture.

    Attributes:
        encoded: As it will be stored.
        pixels: Its `pixel_hash`.
    """

    encoded: EncodedImage
    pixels: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.encoded.image.shape[:2]
        return width, height


def read_ahead(
    items: Iterable[Item],
) -> Generator[tuple[Item, Callable[[], ReadPicture]], None, None]:
    """Read candidates before they are asked for.

    Args:
        items: Taken only as far ahead as the threads need.

    Yields:
        Each item, and what waits for its picture: it raises `InvalidImageError` where that
        cannot be used, and always for a refusal.
    """
    threads = min(core_count(), _MOST_THREADS)
    running: deque[tuple[Item, Callable[[], ReadPicture]]] = deque()
    executor = ThreadPoolExecutor(threads, thread_name_prefix="import")
    try:
        for item in items:
            running.append((item, executor.submit(_read, item).result))
            if len(running) > threads:
                yield running.popleft()
        while running:
            yield running.popleft()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _read(item: Item) -> ReadPicture:
    if isinstance(item, Refusal):
        raise InvalidImageError(item.reason)
    encoded = item.picture.encoded()
    return ReadPicture(encoded, pixel_hash(encoded.image))
