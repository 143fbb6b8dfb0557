"""Those who follow each answer, and what is wrong with the camera: pins, a broker, instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..verdict import UNKNOWN
from .base import Holds, Output
from .courier import Courier
from .json_lines import as_record
from .on_change import PATIENCE_S, close_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..classifier import Classifier
    from ..frame import Frame
    from ..verdict import Prediction
    from .courier import Receiver


class EachFrame(Output):
    """Tells receivers of the newest answer, each in a thread of its own as fast as it takes them.

    They get what a JSON line holds, and beside it `held`, the label that counts, `None` where that
    is one of a model before, `trouble`, empty while frames come, and `model`, the hash of the one
    that answers, empty before it was exchanged. While none come they get only these three, and no
    label counts.

    Args:
        receivers: Who is told.
        frames: For how many frames in a row a label must hold.
    """

    def __init__(self, receivers: Sequence[Receiver], frames: int) -> None:
        self._holds = Holds(frames)
        self._trouble = self._model = ""
        self._couriers = [Courier(receiver, newest_only=True) for receiver in receivers]

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Take a prediction and hand it on; never waits for who is told."""
        self._trouble = ""
        hold = self._holds.of(frame)
        hold.update(prediction.label)
        held = hold.label if hold.label in (*prediction.class_names, UNKNOWN) else None
        self._hand_over({**as_record(frame, prediction), "held": held, "trouble": ""})
        return True

    def wait(self, trouble: str) -> bool:
        """Hand on that nothing is answered, and why; once, not some times a second."""
        if trouble and trouble != self._trouble:
            # What was seen last may be so no longer: a label has to hold anew.
            self._holds.reset()
            self._hand_over({"held": None, "trouble": trouble})
            self._trouble = trouble
        return True

    def exchanged(self, classifier: Classifier) -> None:
        """Say so with the next answer; at once while none comes, as where it is paused."""
        self._model = classifier.sha256
        if self._trouble:
            self._hand_over({"held": None, "trouble": self._trouble})

    def close(self) -> None:
        """Tell what is left, for some seconds at most."""
        close_all(self._couriers, PATIENCE_S)

    def _hand_over(self, news: dict[str, Any]) -> None:
        for courier in self._couriers:
            courier.hand_over({**news, "model": self._model})
