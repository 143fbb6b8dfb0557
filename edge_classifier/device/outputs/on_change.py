"""Those who are told of each new label: a command, a webhook, a serial port, a table."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Final

from .base import Holds, Output
from .courier import FIRST_WAIT_S, Courier
from .json_lines import as_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..frame import Frame
    from ..verdict import Prediction
    from .courier import Receiver

PATIENCE_S: Final = 12.0
"""For how long a receiver may take to be told of what is left at the end."""


class OnChange(Output):
    """Tells receivers when the label has changed, each in a thread of its own.

    So none of them waits for another one, or holds up the picture.

    Args:
        receivers: Who is told.
        frames: For how many frames in a row a label must hold.
        patience_s: For how long `close` waits until all is told, in seconds.
        first_wait_s: Seconds until a receiver that is away is told again, for the first time.
    """

    def __init__(
        self,
        receivers: Sequence[Receiver],
        frames: int,
        *,
        patience_s: float = PATIENCE_S,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self._holds = Holds(frames)
        self._patience_s = patience_s
        self._couriers = [Courier(receiver, first_wait_s=first_wait_s) for receiver in receivers]

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Take a prediction, and hand on a change; never waits for who is told."""
        hold = self._holds.of(frame)
        before = hold.label
        if hold.update(prediction.label):
            now = datetime.now().astimezone().isoformat(timespec="milliseconds")
            change = {**as_record(frame, prediction), "previous": before, "time": now}
            for courier in self._couriers:
                courier.hand_over(change)
        return True

    def close(self) -> None:
        """Tell what is left, for some seconds at most."""
        close_all(self._couriers, self._patience_s)


def close_all(couriers: Sequence[Courier], patience_s: float) -> None:
    """Let all tell what is left at the same time, and end them."""
    deadline_s = time.monotonic() + patience_s
    for courier in couriers:
        courier.finish()
    for courier in couriers:
        courier.close(deadline_s)
