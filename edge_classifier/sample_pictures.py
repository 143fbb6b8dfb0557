"""Going through the pictures of samples on the worker: watched, stopped, damaged ones and all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.errors import CancelledError, InvalidImageError, ProjectError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_classifier.frame import Image, Sample
    from edge_classifier.protocols import Cancelled, Progress, SampleStore


def read_pictures(
    store: SampleStore,
    samples: Sequence[Sample],
    progress: Progress,
    cancelled: Cancelled,
    stopped: str,
) -> Iterator[tuple[Sample, Image | ProjectError | InvalidImageError]]:
    """Read one picture after the other.

    Args:
        store: Where they are read.
        samples: Whose pictures.
        progress: Told the part done, each time that the caller is done with a picture.
        cancelled: Asked before each.
        stopped: What the user is told when it was cancelled.

    Yields:
        Each sample with its picture `(H, W, 3)`, uint8, BGR, or with why there is none: it was
        removed meanwhile, or is damaged.

    Raises:
        CancelledError: if asked to stop.
    """
    for done, sample in enumerate(samples):
        if cancelled():
            raise CancelledError(stopped)
        picture: Image | ProjectError | InvalidImageError
        try:
            picture = store.read_image(sample)
        except (ProjectError, InvalidImageError) as error:
            picture = error
        yield sample, picture
        progress((done + 1) / len(samples))
