"""What every output is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..classifier import Classifier
    from ..frame import Frame
    from ..verdict import Prediction


class Output:
    """Something that is told every prediction; closed at the end.

    A new one is a file in this folder, an option in `cli`, and a line in `runner`.
    """

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Take a prediction; returns whether to go on."""
        raise NotImplementedError

    def wait(self, trouble: str) -> bool:  # noqa: ARG002 - for those who show it
        """Be told some times a second that no frame comes, and why if that is known.

        Returns whether to go on.
        """
        return True

    def exchanged(self, classifier: Classifier) -> None:
        """Be told that another model answers from the next frame on; takes no time."""

    def close(self) -> None:
        """Finish; may be called twice."""
