"""How the source of frames is doing, as plain data that the reader tells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SourceStatus(Enum):
    """What can be expected of a source."""

    OPENING = "opening"
    """It was never open yet."""
    RUNNING = "running"
    """Frames arrive."""
    STALLED = "stalled"
    """It is open, and no frame arrives."""
    UNUSABLE = "unusable"
    """Pictures arrive that are none: black, or cut off."""
    LOST = "lost"
    """It has gone; it is opened again and again until it is back."""
    ENDED = "ended"
    """It has given its last frame: a video is over."""
    FAILED = "failed"
    """It could not be opened in the first place, or is not to be opened again; nobody tries."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source is doing.

    Attributes:
        status: What can be expected of it.
        text: One line for the user, or empty while all is well.
        frozen: Whether pictures arrive, and it is the very same one for long: maybe a plain scene
            that was made by a computer, maybe a camera that has stopped to look.
    """

    status: SourceStatus
    text: str = ""
    frozen: bool = False
    passes: int = 0

    @property
    def in_trouble(self) -> bool:
        """Whether what was seen last may be so no longer: nothing is to be said of it."""
        return self.status in (SourceStatus.STALLED, SourceStatus.UNUSABLE, SourceStatus.LOST)
