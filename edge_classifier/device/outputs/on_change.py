"""A command or a webhook on each new label."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..console import say
from ..verdict import Hold
from .base import Output
from .json_lines import as_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..frame import Frame
    from ..verdict import Prediction

_MOST_WAITING: Final = 16
_STOP_S: Final = 2.0


class Receiver(Protocol):
    """Who is told of a new label."""

    name: str
    """The option that asks for it."""

    def tell(self, change: dict[str, Any]) -> str:
        """Tell of a change, within some seconds; returns what went wrong, or nothing."""

    def stop(self) -> None:
        """Break off what is being told; called from another thread."""


class OnChange(Output):
    """Tells receivers when the label has changed, each in a thread of its own.

    So none of them waits for another one, or holds up the picture. What goes wrong is said once,
    not at each change.

    Args:
        receivers: Who is told.
        frames: For how many frames in a row a label must hold.
        patience_s: For how long `close` waits until all is told, in seconds.
    """

    def __init__(
        self, receivers: Sequence[Receiver], frames: int, *, patience_s: float = 12.0
    ) -> None:
        self._hold = Hold(frames)
        self._patience_s = patience_s
        self._couriers = [_Courier(receiver) for receiver in receivers]

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Take a prediction, and hand on a change; never waits for who is told."""
        before = self._hold.label
        if self._hold.update(prediction.label):
            change = {**as_record(frame, prediction), "previous": before}
            for courier in self._couriers:
                courier.hand_over(change)
        return True

    def close(self) -> None:
        """Tell what is left, for some seconds at most."""
        deadline_s = time.monotonic() + self._patience_s
        for courier in self._couriers:
            courier.finish()
        for courier in self._couriers:
            courier.close(deadline_s)


class _Courier:
    """Tells one receiver, in a thread of its own."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._said = ""
        self._too_slow = False
        self._finishing = False
        self._changes: queue.Queue[dict[str, Any] | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name=receiver.name, daemon=True)
        self._thread.start()

    def hand_over(self, change: dict[str, Any]) -> None:
        """Take a change, or leave it out where too many wait already."""
        try:
            self._changes.put_nowait(change)
        except queue.Full:
            if not self._too_slow:
                self._too_slow = True
                say(f"{self._receiver.name}: too slow; some changes are not told.")

    def finish(self) -> None:
        """Tell what is left and no more."""
        self._finishing = True
        with contextlib.suppress(queue.Full):
            self._changes.put_nowait(None)

    def close(self, deadline_s: float) -> None:
        """Wait until that is done, but not beyond a time."""
        self._thread.join(max(0.0, deadline_s - time.monotonic()))
        if self._thread.is_alive():
            with contextlib.suppress(queue.Empty):
                while True:
                    self._changes.get_nowait()
            self._receiver.stop()
            self._thread.join(_STOP_S)

    def _run(self) -> None:
        while not (self._finishing and self._changes.empty()):
            self._too_slow = self._too_slow and not self._changes.empty()
            change = self._changes.get()
            if change is None:
                continue
            try:
                self._say(self._receiver.tell(change))
            except Exception as error:  # noqa: BLE001 - the next change is told whatever it was
                self._say(f"{type(error).__name__}: {error}")

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self._said:
            say(f"{self._receiver.name}: {trouble}")
        self._said = trouble
