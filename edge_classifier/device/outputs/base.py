"""What every output is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..sources.base import Picture
    from ..verdict import Answer


class Output:
    """Something that is told every answer; closed at the end."""

    def show(self, picture: Picture, answer: Answer) -> bool:
        """Take an answer; returns whether to go on."""
        raise NotImplementedError

    def wait(self, trouble: str) -> bool:  # noqa: ARG002 - for those who show it
        """Be told some times a second that no picture comes; returns whether to go on.

        Args:
            trouble: What is wrong, or empty where nothing is known to be.
        """
        return True

    def close(self) -> None:
        """Finish; may be called twice."""
