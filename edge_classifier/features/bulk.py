"""Many pictures read, with no more than a batch of them in memory: one by one, or on all cores.

In `compute_all` each thread reads, decodes and infers on its own, with an interpreter of its own;
all three let other Python threads run. So decoding overlaps with inference without a picture ever
being handed from one thread to another.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from edge_classifier.device.interpreter import core_count
from edge_classifier.errors import (
    CancelledError,
    InvalidImageError,
    InvalidValueError,
    ProjectError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    import numpy as np
    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import Sample


T = TypeVar("T")

_CHUNK: Final = 8
"""Pictures a thread takes at once: few enough to answer soon, many enough to hide hand-overs."""

_CHUNKS_PER_THREAD: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class Computed(Generic[T]):
    """What was computed of one picture, one row of values, or the problem why nothing could be.

    `item` is what stands for the picture: its path, its sample.
    """

    item: T
    values: npt.NDArray[np.float32] | None
    problem: InvalidImageError | ProjectError | None


def use_one_opencv_thread() -> None:
    """Let OpenCV work in the thread that calls it, for the rest of this process.

    Every core has a picture of its own already; OpenCV's own threads beside that cost a tenth
    (measured: 1.50 against 1.35 ms of processor time per picture of 224 px).
    """
    import cv2  # noqa: PLC0415 - the session imports this module, and needs no OpenCV

    cv2.setNumThreads(1)


def compute_all(
    items: Iterable[T],
    read: Callable[[T], Image],
    compute: Callable[[list[Image]], npt.NDArray[np.float32]],
    *,
    threads: int | None = None,
) -> Generator[Computed[T], None, None]:
    """Compute something of every picture and yield it, in their order, as soon as it is there.

    Items are taken only as far ahead as the threads, all cores if `None`, need them; `read` and
    `compute`, which gives `(N, …)` float32 of N images as `protocols.Backbone.extract` does, are
    called from the threads.

    Raises:
        InvalidValueError: with fewer than one thread.
    """
    count = core_count() if threads is None else threads
    if count < 1:
        raise InvalidValueError(f"Expected 1 or more threads, received {count}.")

    def compute_one(item: T) -> Computed[T]:
        try:
            return Computed(item, compute([read(item)])[0], None)
        except (InvalidImageError, ProjectError) as error:
            return Computed(item, None, error)

    def work(chunk: list[T]) -> list[Computed[T]]:
        return [compute_one(item) for item in chunk]

    remaining = iter(items)
    running: deque[Future[list[Computed[T]]]] = deque()
    executor = ThreadPoolExecutor(count, thread_name_prefix="bulk")
    try:
        size = 1  # the first answer comes as soon as one picture is done
        while chunk := list(islice(remaining, size)):
            running.append(executor.submit(work, chunk))
            size = min(_CHUNK, size + 1)
            if len(running) >= count * _CHUNKS_PER_THREAD:
                yield from running.popleft().result()
        while running:
            yield from running.popleft().result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def compute_each(
    items: Sequence[T],
    read: Callable[[T], Image],
    compute: Callable[[list[Image]], npt.NDArray[np.float32]],
    keep: Callable[[T, npt.NDArray[np.float32]], None],
    *,
    progress: Progress,
    what: str,
    threads: int | None = None,
) -> list[str]:
    """Compute something of every picture, as `compute_all` does, and hand it over.

    `keep` takes each item with what was computed of it, in the calling thread; `progress` is told
    that `what` is being done.

    Returns:
        Why the other pictures were refused, one line each.
    """
    refused = []
    found = compute_all(items, read, compute, threads=threads)
    for done, result in enumerate(found, start=1):
        if result.values is None:
            refused.append(str(result.problem))
        else:
            keep(result.item, result.values)
        progress(done / len(items), what)
    return refused


def read_pictures(
    samples: Sequence[Sample], progress: Progress, cancelled: Cancelled, stopped: str
) -> Iterator[tuple[Sample, Image | ProjectError | InvalidImageError]]:
    """Read one picture after the other, in the thread that calls.

    `progress` is told the part done each time that the caller is done with a picture; `stopped`
    is what the user is told when it was cancelled.

    Yields:
        Each sample with its image, or with why there is none: it was removed meanwhile, or is
        damaged.

    Raises:
        CancelledError: if asked to stop.
    """
    from edge_classifier.project.picture_file import read_image  # noqa: PLC0415 - as above

    for done, sample in enumerate(samples):
        if cancelled():
            raise CancelledError(stopped)
        picture: Image | ProjectError | InvalidImageError
        try:
            picture = read_image(sample.path)
        except (ProjectError, InvalidImageError) as error:
            picture = error
        yield sample, picture
        progress((done + 1) / len(samples))
