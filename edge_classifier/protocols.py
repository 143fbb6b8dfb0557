"""The seams: what the rooms ask of the world, each with a fake in `tests/support/fakes.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

    import numpy as np
    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.values import BackboneInfo, Features

T = TypeVar("T")


Cancelled: TypeAlias = Callable[[], bool]
"""Says whether the work that asks should stop."""


class Progress(Protocol):
    """Is told how far a work is."""

    def __call__(self, done: float, what: str | None = None, /) -> None:
        """Take the part done, 0.0 to 1.0, and what is being done where that has changed."""


def ignore_progress(_done: float, _what: str | None = None, /) -> None:
    """Show no progress; a `Progress`."""


def part_of(progress: Progress, start: float, end: float) -> Progress:
    """Tell the progress of a part of a work as that of the whole."""
    return lambda done, what=None: progress(start + done * (end - start), what)


def never_cancelled() -> bool:
    """Let work go on to its end; a `Cancelled`."""
    return False


class Backbone(Protocol):
    """A frozen MobileNet without its top."""

    @property
    def info(self) -> BackboneInfo:
        """What it is."""

    @property
    def extractor(self) -> bytes:
        """The TFLite file that it runs, from `(1, S, S, 3)` float32 to `(1, h, w, c)`."""

    def extract(self, images: Sequence[Image]) -> Features:
        """Compute the features `(N, D)` of N images of any size."""

    def extract_spatial(self, images: Sequence[Image]) -> tuple[Features, npt.NDArray[np.float32]]:
        """Compute the same, and the feature maps `(N, h, w, c)` that they come of."""


class Executor(Protocol):
    """Runs work aside: the one worker thread, or at once in tests."""

    def submit(self, work: Callable[[], T], /) -> Future[T]:
        """Run the work some time and give its result through the future."""
