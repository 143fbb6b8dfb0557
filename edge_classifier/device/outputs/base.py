"""What every output is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..verdict import Hold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..classifier import Classifier
    from ..frame import Frame
    from ..looking import Look
    from ..verdict import Prediction


class Holds:
    """One `Hold` for each region of the picture.

    Args:
        frames: For how many frames in a row a label must hold.
    """

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._holds: dict[str, Hold] = {}

    def of(self, frame: Frame) -> Hold:
        """Return that of the region that is answered of."""
        return self._holds.setdefault(frame.region, Hold(self._frames))

    def reset(self) -> None:
        """Let each label hold anew."""
        self._holds.clear()


class Output:
    """Something that is told every prediction; closed at the end.

    A new one is a file in this folder, an option in `cli`, and a line in `runner`.
    """

    def consider(self, frame: Frame, prediction: Prediction) -> None:
        """Take what was said of a frame alone, before it is smoothed and shown.

        Not of one that was not inferred on, as it equals the one before. Its image is the part that
        was looked at, and the classifier still has what else is known of it.
        """

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Take a prediction; returns whether to go on."""
        raise NotImplementedError

    def show_all(self, frame: Frame, looks: Sequence[Look]) -> bool:
        """Take what is said of each part of a frame; returns likewise.

        Who shows pictures shows one with all of it; others are told of one after the other.
        """
        going_on = [self.show(one.seen(frame), one.answer) for one in looks if one.answer]
        return all(going_on)

    def wait(self, trouble: str) -> bool:  # noqa: ARG002 - for those who show it
        """Be told some times a second that no frame comes, and why if that is known.

        Returns whether to go on.
        """
        return True

    def exchanged(self, classifier: Classifier) -> None:
        """Be told that another model answers from the next frame on; takes no time."""

    def close(self) -> None:
        """Finish; may be called twice."""
