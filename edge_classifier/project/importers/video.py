"""A stretch of a video file: every n-th frame of it, as one burst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import (
    CameraError,
    CameraNotFoundError,
    InvalidValueError,
    NotImportableError,
)
from edge_classifier.project.importers.base import Importer, LabelledPicture, Refusal
from edge_classifier.project.importers.video_frames import VideoFrames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_classifier.project.importers.base import Item

EVERY: Final = 10
"""Three frames a second of a usual video: neighbours differ by more than noise."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which frames of a video are meant.

    Attributes:
        every: Every which one.
        from_s: Where the stretch begins, in seconds.
        to_s: Where it ends, or `None` for the end of the video.
    """

    every: int = EVERY
    from_s: float = 0.0
    to_s: float | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InvalidValueError(f"Expected every 1st frame or fewer, received {self.every}.")
        if not 0 <= self.from_s < (float("inf") if self.to_s is None else self.to_s):
            raise InvalidValueError(
                "Expected a stretch that begins at 0 s or later and ends after that, "
                f"received {self.from_s} s to {self.to_s} s."
            )


class VideoImporter(Importer):
    """Frames of a video, all of one class.

    Raises:
        NotImportableError: if it cannot be played.
    """

    def __init__(self, path: Path, class_name: str, stretch: Stretch) -> None:
        self._path = path
        self._class_name = class_name
        self._stretch = stretch
        self._taken = False
        try:
            self._frames = self._open()
        except CameraNotFoundError as error:
            raise NotImportableError(str(error)) from error
        fps = self._frames.fps
        self.description = f"a video at {fps:.3g} fps, 1 frame of {stretch.every}"
        self.count = self._count(fps)

    def __iter__(self) -> Iterator[Item]:
        """Give the frames, and a refusal in place of what cannot be read."""
        frames = self._frames if not self._taken else self._open()
        self._taken = True
        try:
            for time_s, image in frames:
                name = f"{self._path} at {time_s:.2f} s"
                yield LabelledPicture(name, self._class_name, image, str(self._path))
        except CameraError as error:
            yield Refusal(str(self._path), str(error))
        finally:
            frames.close()

    def _open(self) -> VideoFrames:
        stretch = self._stretch
        return VideoFrames(str(self._path), stretch.every, stretch.from_s, stretch.to_s)

    def _count(self, fps: float) -> int | None:
        """Say how many frames will come, about; the file may not know."""
        frames = self._frames.count
        if frames is None:
            return None
        end = frames if self._stretch.to_s is None else min(frames, self._stretch.to_s * fps)
        return max(0, int((end - self._stretch.from_s * fps) / self._stretch.every) + 1)
