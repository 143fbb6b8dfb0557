"""Who hands on what is to be told, so that nobody waits for who is told."""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..console import say
from ..errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_WAITING: Final = 16
_STOP_S: Final = 2.0
FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 30.0


class Receiver(Protocol):
    """Who is told of something."""

    name: str
    """The option that asks for it."""
    retries: bool
    """Whether what went wrong is told again, until it goes well or gives way to newer things."""

    def tell(self, news: dict[str, Any]) -> str:
        """Tell of something, within some seconds; returns what went wrong, or nothing."""

    def stop(self) -> None:
        """Break off what is being told, if anything is, and let go of what is held.

        Called from another thread than `tell`, once nothing more is to be told.
        """


class Courier:
    """Tells one receiver, in a thread of its own.

    The oldest of what waits gives way where it is too much, and is counted. What goes wrong is said
    once, not each time; with a receiver that `retries`, so is that it goes on. The waits in between
    grow from `first_wait_s` to half a minute.

    With `newest_only` nothing is lost with what gives way: what is told next says all of its
    region, and without one of all regions. With `waits` nothing gives way: who hands something over
    waits, and so do the frames of a file.
    """

    def __init__(
        self,
        receiver: Receiver,
        *,
        newest_only: bool = False,
        waits: bool = False,
        first_wait_s: float = FIRST_WAIT_S,
    ) -> None:
        self._receiver = receiver
        self._newest_only, self._waits = newest_only, waits
        self._first_wait_s = self._wait_s = first_wait_s
        self._said = ""
        self._too_slow = self._finishing = self._closed = False
        self._dropped = 0
        self._waiting: deque[dict[str, Any]] = deque()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=receiver.name, daemon=True)
        self._thread.start()

    def hand_over(self, news: dict[str, Any]) -> None:
        """Take something to be told; returns at once, unless it `waits`."""
        with self._changed:
            if self._waits:
                self._changed.wait_for(lambda: len(self._waiting) < MOST_WAITING)
            full = not self._newest_only and len(self._waiting) == MOST_WAITING
            if self._newest_only:
                region = news.get("region")
                kept = [n for n in self._waiting if region and n.get("region") != region]
                self._waiting = deque(kept)
            elif full:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(news)
            self._changed.notify_all()
        if full and not (self._too_slow or self._said):
            self._too_slow = True
            say(f"{self._receiver.name}: too slow; some changes are not told.")

    def finish(self) -> None:
        """Tell what is left and no more."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()

    def close(self, deadline_s: float) -> None:
        """Wait until that is done, but not beyond a time; may be called twice."""
        if self._closed:
            return
        self._closed = True
        self.finish()
        self._thread.join(max(0.0, deadline_s - time.monotonic()))
        with self._changed:
            self._dropped += len(self._waiting)
            self._waiting.clear()
        self._receiver.stop()
        self._thread.join(_STOP_S)
        if self._dropped and not self._newest_only:
            say(f"{self._receiver.name}: {self._not_told()}.")

    def _run(self) -> None:
        while (news := self._next()) is not None:
            try:
                trouble = self._receiver.tell(news)
            except Exception as error:  # noqa: BLE001 - the next one is told whatever it was
                trouble = f"{type(error).__name__}: {error}"
            if self._receiver.retries:
                self._told_or_away(news, trouble)
            else:
                if trouble and trouble != self._said:
                    say(f"{self._receiver.name}: {trouble}")
                self._said = trouble

    def _next(self) -> dict[str, Any] | None:
        """Wait for something to tell; `None` at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._finishing)
            self._changed.notify_all()
            return self._waiting.popleft() if self._waiting else None

    def _told_or_away(self, news: dict[str, Any], trouble: str) -> None:
        """Keep what could not be told, for as long as there is room; wait before the next try."""
        if not trouble:
            if self._said:
                with self._changed:
                    lost, self._dropped = self._dropped and f"; {self._not_told()}", 0
                say(f"{self._receiver.name}: goes on{lost or ''}.")
            self._said, self._wait_s = "", self._first_wait_s
            return
        if not self._said:
            say(f"{self._receiver.name}: {trouble}")
        self._said = trouble
        with self._changed:
            if self._finishing:  # this was the last try
                self._dropped += 1 + len(self._waiting)
                self._waiting.clear()
                return
            if len(self._waiting) == MOST_WAITING:
                self._dropped += 1
            else:
                self._waiting.appendleft(news)
            self._changed.wait_for(lambda: self._finishing, self._wait_s)
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)

    def _not_told(self) -> str:
        one = self._dropped == 1
        return f"{self._dropped} change{'' if one else 's'} {'was' if one else 'were'} not told"


@contextmanager
def needed(option: str, library: str) -> Iterator[None]:
    """Say in a line which library an option needs, where importing it in the block fails.

    Raises:
        InvalidValueError: saying how to install it.
    """
    try:
        yield
    except ImportError as error:
        raise InvalidValueError(
            f"{option} needs {library}, which is not installed here: pip install {library}"
        ) from error
