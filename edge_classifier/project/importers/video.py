"""A stretch of a video file: every n-th frame of it, as one burst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2

from edge_classifier.device.sources.named import open_source
from edge_classifier.errors import (
    CameraError,
    CameraNotFoundError,
    InvalidValueError,
    NotImportableError,
)
from edge_classifier.project.importers.candidate import Candidate, FramePicture, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_classifier.project.importers.candidate import Item

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


class VideoImporter:
    """Frames of a video, all of one class.

    Args:
        path: The file.
        class_name: What it shows.
        stretch: Which frames.

    Raises:
        NotImportableError: if it cannot be played.
    """

    def __init__(self, path: Path, class_name: str, stretch: Stretch) -> None:
        self._path = path
        self._class_name = class_name
        self._stretch = stretch
        try:
            source = open_source(str(path), paced=False)
        except CameraNotFoundError as error:
            raise NotImportableError(str(error)) from error
        self._fps = source.fps
        source.close()

    @property
    def description(self) -> str:
        """What was found, for the user."""
        return f"a video at {self._fps:.3g} fps, 1 frame of {self._stretch.every}"

    @property
    def count(self) -> int | None:
        """How many frames will come, about; the file may not know."""
        capture = cv2.VideoCapture(str(self._path.resolve()), cv2.CAP_FFMPEG)
        frames = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        capture.release()
        if not 0 < frames < float("inf"):
            return None
        end = frames if self._stretch.to_s is None else min(frames, self._stretch.to_s * self._fps)
        return max(0, int((end - self._stretch.from_s * self._fps) / self._stretch.every) + 1)

    @property
    def left_alone(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def __iter__(self) -> Iterator[Item]:
        """Give the frames, and a refusal in place of what cannot be read."""
        first: int | None = None
        source = open_source(str(self._path), paced=False)
        try:
            for frame in source:
                time_s = frame.index / source.fps
                if self._stretch.to_s is not None and time_s >= self._stretch.to_s:
                    return
                if time_s < self._stretch.from_s:
                    continue
                first = frame.index if first is None else first
                if (frame.index - first) % self._stretch.every == 0:
                    yield Candidate(
                        f"{self._path} at {time_s:.2f} s",
                        self._class_name,
                        FramePicture(frame.image),
                        group=str(self._path),
                    )
        except CameraError as error:
            yield Refusal(str(self._path), str(error))
        finally:
            source.close()
