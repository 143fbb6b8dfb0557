"""Reads a source in a thread of its own."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .console import say
from .picture_check import PictureCheck
from .sources.base import Picture, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from .preprocessing import Image

_LOST_AFTER_S: Final = 1.0
_STALLED_AFTER_S: Final = 2.0
_BAD_AFTER_S: Final = 0.5
_IDLE_S: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture and the network's input made of it."""

    picture: Picture
    pixels: npt.NDArray[Any]
    preprocessing_ms: float


class Trouble:
    """Says what is wrong with a source once, not once a picture, and once that it is over.

    Args:
        name: The source, for the user.
        settle_s: For how many seconds all must be well before it is said to be over.
    """

    def __init__(self, name: str, settle_s: float) -> None:
        self.text = ""
        """What is wrong at present, or empty."""
        self._name = name
        self._settle_s = settle_s
        self._said: set[str] = set()
        self._well_since_s: float | None = None

    def note(self, text: str) -> None:
        """Take note of what is wrong."""
        self.text = f"{self._name} {text}"
        self._well_since_s = None
        if text not in self._said:
            self._said.add(text)
            say(f"{self.text}.".replace("?.", "?"))

    def over(self) -> None:
        """Take note of a picture that is good."""
        self.text = ""
        if not self._said:
            return
        now_s = time.monotonic()
        if self._well_since_s is None:
            self._well_since_s = now_s
        if now_s - self._well_since_s >= self._settle_s:
            self._said.clear()
            say(f"{self._name} is back.")


class Reader:
    """Reads and prepares pictures in a thread of its own, while the network runs.

    Of a live source only the newest picture is kept, one that gives pictures which are none is
    not believed, and one that is lost, in whatever way, is opened again until it is back; of any
    other every picture is handed over in its order.

    Args:
        source: Opened here.
        prepare: Makes the network's input.
        pace_s: Seconds between pictures of a video, or 0 for as fast as they are taken.
        retry_s: Seconds until a lost source is opened again.
        settle_s: For how many seconds a lost source must be well to be called back.

    Raises:
        ClassifyError: if the source cannot be opened.
    """

    def __init__(
        self,
        source: Source,
        prepare: Callable[[Image], npt.NDArray[Any]],
        *,
        pace_s: float = 0.0,
        retry_s: float = 1.0,
        settle_s: float = 2.0,
    ) -> None:
        source.open()
        self.source = source
        self.idle: Callable[[str], bool] = lambda _trouble: True
        """Called while no picture comes, with what is wrong; returns whether to go on."""
        self._prepare = prepare
        self._pace_s = pace_s
        self._retry_s = retry_s
        self._trouble = Trouble(source.name, settle_s)
        self._read_at_s = time.monotonic()
        self._check = PictureCheck()
        self._bad_since_s: float | None = None
        self._queue: queue.Queue[Prepared | Exception | None] = queue.Queue(1 if source.live else 4)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Prepared]:
        """Give the pictures until the source ends or the reader is closed."""
        while not self._closing.is_set():
            try:
                item = self._queue.get(timeout=_IDLE_S)
            except queue.Empty:
                silent_s = time.monotonic() - self._read_at_s
                if self.source.live and silent_s > _STALLED_AFTER_S and not self._trouble.text:
                    self._trouble.note("gives no more pictures; waiting for them")
                if not self.idle(self._trouble.text):
                    return
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item

    def close(self) -> None:
        """Stop reading; may be called twice."""
        self._closing.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        try:
            self._read_all()
            self._hand_over(None)
        except Exception as error:  # noqa: BLE001 - raised again where the pictures are taken
            self._hand_over(error)
        finally:
            self.source.close()

    def _read_all(self) -> None:
        index, due_s, clock = 0, time.monotonic(), self.source.clock()
        while not self._closing.is_set():
            started = time.perf_counter()
            read = self._read_live() if self.source.live else self.source.read()
            if read is None:
                if not self.source.live:
                    return
                continue
            name, image = read
            captured = time.perf_counter()
            pixels = self._prepare(image)
            prepared = time.perf_counter()
            if self._pace_s:
                due_s = max(due_s + self._pace_s, time.monotonic() - self._pace_s)
                self._closing.wait(max(0.0, due_s - time.monotonic()))
            picture = Picture(image, name, index, clock(index), (captured - started) * 1000)
            self._hand_over(Prepared(picture, pixels, (prepared - captured) * 1000))
            index += 1

    def _read_live(self) -> tuple[str, Image] | None:
        """Read from a live source; `None` where there is no good picture yet."""
        read = None
        with contextlib.suppress(Exception):  # a driver can raise anything
            read = self.source.read()
        if read is None:
            self._trouble.note("is lost; waiting for it to come back")
            self._open_again()
            return None
        self._read_at_s = time.monotonic()
        fault = self._check.fault(read[1])
        if not fault:
            self._bad_since_s = None
            self._trouble.over()
            return read
        if self._bad_since_s is None:
            self._bad_since_s = self._read_at_s
        if self._read_at_s - self._bad_since_s >= _BAD_AFTER_S:  # a single one is no trouble
            self._trouble.note(fault)
        return None

    def _open_again(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(Exception):  # what has gone may refuse to be closed
                self.source.close()
            self._closing.wait(self._retry_s)
            with contextlib.suppress(Exception):  # not back yet, whatever the driver calls it
                self.source.open()
                self._check, self._bad_since_s = PictureCheck(), None
                return

    def _hand_over(self, item: Prepared | Exception | None) -> None:
        while not self._closing.is_set():
            if self.source.live:
                with contextlib.suppress(queue.Empty):
                    self._queue.get_nowait()
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return
