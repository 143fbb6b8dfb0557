"""The seams: what the core asks of the world, each with a fake in `edge_classifier.testing`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from edge_classifier.frame import (
        BackboneInfo,
        Colour,
        EncodedImage,
        Features,
        Frame,
        Image,
        Sample,
    )
    from edge_classifier.model import Model
    from edge_classifier.removed import Removed

T = TypeVar("T")

Clock: TypeAlias = Callable[[], float]
"""Gives seconds of a monotonic clock, as `time.monotonic` does."""

Cancelled: TypeAlias = Callable[[], bool]
"""Says whether the work that asks should stop."""


class Progress(Protocol):
    """Is told how far a work is."""

    def __call__(self, done: float, what: str | None = None, /) -> None:
        """Take the part done, 0.0 to 1.0, and what is being done where that has changed."""


class FrameSource(Protocol):
    """Something that gives frames: a camera, a video file, a stream, the demo.

    Iterating gives frames in the order of capture. The end of a video is the end of the
    iteration; a camera that vanishes raises `CameraLostError`. Each frame's image is an array
    of its own, never written to again. `close` may be called twice, and from another thread.
    """

    @property
    def description(self) -> str:
        """What it is, for the user: `camera 0, 640x480 at 30 fps`."""

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames."""

    def close(self) -> None:
        """Release the device."""


class Display(Protocol):
    """Something that shows pictures and hears keys: a window, later a page in a browser."""

    def show(self, image: Image) -> str | None:
        """Show a picture and return what was pressed since the last call.

        Args:
            image: `(H, W, 3)` uint8, BGR.

        Returns:
            `None`, or the name of a key: a printable character as it was typed (`"a"`, `"é"`,
            `" "`), or one of `enter`, `escape`, `backspace`, `tab`, `delete`, `up`, `down`,
            `left`, `right`, or `close` once the window was closed.
        """

    def poll(self) -> str | None:
        """Return what was pressed since the last call, as `show` does, and show nothing new."""

    def close(self) -> None:
        """Take the window away; may be called twice."""


class Backbone(Protocol):
    """A frozen MobileNet without its top."""

    @property
    def info(self) -> BackboneInfo:
        """What it is."""

    def extract(self, images: Sequence[Image]) -> Features:
        """Compute the features of images.

        Args:
            images: N pictures of any size, each `(H, W, 3)` uint8, BGR.

        Returns:
            `(N, D)` float32.
        """


class FeatureCache(Protocol):
    """Features that were computed before, of one backbone, keyed by the image's hash."""

    def load(self) -> tuple[list[str], Features]:
        """Return the SHA-256 of each known image and the features, `(N, D)`, row by row."""

    def append(self, image_sha256: str, features: Features) -> None:
        """Add one image's features, `(D,)` float32; on disk when this returns."""

    def close(self) -> None:
        """Flush and release the file; may be called twice."""


class SampleStore(Protocol):
    """A project on disk: classes and samples.

    Every method that changes something has done so on disk when it returns.
    """

    @property
    def name(self) -> str:
        """The project's name, for the user."""

    @property
    def why_read_only(self) -> str:
        """Why nothing can be changed, for the user; empty where it can."""

    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of their keys."""

    def colour(self, class_name: str) -> Colour:
        """The colour of a class: blue, green, red."""

    @property
    def settings(self) -> dict[str, Any]:
        """A copy of the project's settings, by name: whatever JSON can hold.

        For example how strict "unknown" is: `unknown.stored_steps(store.settings)`.
        """

    def update_settings(self, **changes: object) -> None:
        """Change some settings and keep the others: `update_settings(unknown_steps=2)`.

        Raises:
            InvalidValueError: if JSON cannot hold them.
            ProjectError: if they cannot be written; then they are as before.
        """

    def samples(self) -> tuple[Sample, ...]:
        """All samples to train on, by class, then in the order they were captured."""

    def held_out(self) -> tuple[Sample, ...]:
        """All samples that are measured on and never trained on, in the same order."""

    def encode(self, image: Image) -> EncodedImage:
        """Turn a frame's picture into what will be stored (BGR, any size)."""

    def next_burst_id(self) -> str:
        """Give an identifier that no burst has or had, sorting after all others."""

    def add_sample(self, encoded: EncodedImage, class_name: str, burst_id: str) -> Sample:
        """Store a sample.

        Raises:
            UnknownClassError: if the project has no such class.
            ProjectError: if it cannot be written; then nothing was.
        """

    def add_class(self, class_name: str) -> str:
        """Add a class at the end and return its name as stored (trimmed, NFC).

        Raises:
            InvalidClassNameError: if it cannot be stored or told from another one.
        """

    def rename_class(self, class_name: str, new_name: str) -> str:
        """Rename a class, its samples with it, and return the name as stored."""

    def remove_class(self, class_name: str) -> Removed:
        """Move a class with its samples to the project's trash."""

    def remove_burst(self, burst_id: str) -> Removed:
        """Move a burst's samples to the project's trash."""

    def remove_samples(self, samples: Sequence[Sample]) -> Removed:
        """Move some samples of one class, of those to train on, to the project's trash."""

    def put_back(self, removed: Removed) -> int:
        """Move what was removed back, with its class if that is gone; return how many are back.

        Raises:
            InvalidClassNameError: if the class's name can no longer be told from another one.
            ProjectError: if the pictures are no longer in the trash, or cannot be moved.
        """

    def thumbnail(self, sample: Sample) -> Image:
        """Read a sample's picture, small, BGR."""

    def read_image(self, sample: Sample) -> Image:
        """Read a sample's picture, whole, BGR."""

    def sync(self) -> None:
        """Make sure that what was written survives a power cut; may take a while."""

    def save_as(self, target: Path, progress: Progress, cancelled: Cancelled) -> None:
        """Copy the whole project to a new folder; whole or not at all.

        Raises:
            ProjectError: if it cannot be written.
            CancelledError: if asked to stop.
        """


class ModelStore(Protocol):
    """Where a project keeps its trained model."""

    def save(self, model: Model, *, backbone_key: str, fingerprint: str) -> None:
        """Store a model; whole or not at all.

        Args:
            model: The head and its measure of unknown.
            backbone_key: `BackboneInfo.key` of the features it was trained on.
            fingerprint: `Dataset.fingerprint` of what it was trained on.
        """

    def load(self, *, backbone_key: str) -> tuple[Model, str] | None:
        """Return the model and its fingerprint, or `None` if there is none for this backbone."""


class Executor(Protocol):
    """Runs work aside: the one worker thread, or at once in tests."""

    def submit(self, work: Callable[[], T], /) -> Future[T]:
        """Run the work some time and give its result through the future."""
