"""The one thread that reads from the source of frames, so that nobody waits for a camera."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .errors import CameraError, CameraHungError
from .picture_check import PictureCheck
from .source_state import SourceState, SourceStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from .frame import Clock, Frame, FrameSource
    from .preprocessing import Image

_JOIN_S: Final = 2.0
"""How long `close` waits for a device that does not answer; the thread ends when it does."""

_UNUSABLE_S: Final = 0.5
"""For how long only bad pictures must have come before that is said; one alone is left out."""

_SLOW: Final = 3.0
"""A source is not silent before it has been for so many times as long as between its frames."""

_SLOWEST_S: Final = 2.0
"""Between the frames of a source, as far as that is taken for its way."""

_ASKED_OF_HUNG: Final = 10
"""So often its state is asked for before a source is given up."""

_MANY_BAD: Final = 0.2
_FEW_BAD: Final = 0.1
_FROZEN_S: Final = 5.0
_FROZEN_PICTURES: Final = 10
"""For how long, and how often, the very same picture must have come before that is said: some
cameras repeat one in the dark, and a network's stream what does not move, until its key frame."""

_BAD_WEIGHT: Final = 0.05
"""Bad pictures among good ones are said from that part of the last twenty or so on."""


class FrameReader:
    """Opens a source and reads it in a thread of its own, from the moment this is made.

    A source that fails, in whatever way, is opened again until it is back; frames then go on
    with increasing indices. A source that could never be opened is given up.

    Args:
        open_source: Opens the source; called in the thread, again after each loss. Each frame
            that the source gives must have an array of its own.
        name: What the source is, for the user: `camera 0`.
        clock: Measures how long no frame has come.
        retry_s: Seconds from a loss to the next attempt to open.
        stall_s: Seconds without a frame after which the source is said to have stalled; a
            source that is slow by itself is given longer.
        drop: Whether a frame that was not taken is replaced by the next one. Otherwise the
            thread waits, and every frame is taken exactly once.
        ahead: How many frames may wait to be taken where none is dropped: more than one evens
            out that some take longer to decode.
        loop: Whether a source that ends begins again, as if it went on.
        reopen: Whether a source that fails is opened again; otherwise it is given up.
        hung_s: Seconds without a picture after which a source that does not answer is given up:
            it may be that only a new process gets it back.
        prepare: Makes `Frame.prepared` of a picture, here, so that the loop need not.
        upright: Brings each picture upright, before anybody sees it.
        check_pictures: Whether pictures are left out that no camera in order gives (black ones,
            damaged ones), and one that repeats the very same picture is told.
    """

    def __init__(  # noqa: PLR0913 - all keyword-only but what is read
        self,
        open_source: Callable[[], FrameSource],
        *,
        name: str = "the camera",
        clock: Clock = time.monotonic,
        retry_s: float = 1.0,
        stall_s: float = 1.0,
        drop: bool = True,
        ahead: int = 1,
        loop: bool = False,
        reopen: bool = True,
        hung_s: float = math.inf,
        prepare: Callable[[Image], npt.NDArray[Any] | None] | None = None,
        check_pictures: bool = False,
        upright: Callable[[Image], Image] | None = None,
    ) -> None:
        self.description = name
        """What the source says it is (`camera 0, 640x480 at 30 fps`); its name before that."""
        self.first_error: CameraError | None = None
        """Why the source was given up, once the status is `FAILED`."""
        self._name = name
        self._open_source = open_source
        self._clock = clock
        self._retry_s = retry_s
        self._stall_s = stall_s
        self._drop = drop
        self._ahead = ahead
        self._loop = loop
        self._reopen = reopen
        self._hung_s = hung_s
        self._prepare = prepare
        self._check_pictures = check_pictures
        self._upright = upright
        self._changed = threading.Condition()
        self._source: FrameSource | None = None
        self._frames: deque[Frame] = deque(maxlen=1 if drop else None)
        self._next_index = self._passes = 0
        self._status = SourceStatus.OPENING
        self._text = f"opening {name}"
        self._waiting_since_s: float | None = None
        self._hung_since_s: float | None = None
        self._asked_of_hung = 0
        self._usual_gap_s = 0.0
        self._last_image: Image | None = None
        self._same_since_s = 0.0
        self._same = 0
        self._frozen = False
        self._bad_since_s: float | None = None
        self._bad_part = 0.0
        self._closing = False
        self._start()

    def __enter__(self) -> FrameReader:  # noqa: PYI034 - Python 3.10 has no `Self`
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def state(self) -> SourceState:
        """How the source is doing."""
        with self._changed:
            self._give_up_if_hung()
            status, text, frozen, passes = self._status, self._text, self._frozen, self._passes
            if status is SourceStatus.ENDED and self._frames:
                return SourceState(SourceStatus.RUNNING, passes=passes)
            since_s = self._waiting_since_s
            patience_s = max(self._stall_s, _SLOW * self._usual_gap_s)
        if since_s is not None:
            silent_s = self._clock() - since_s
            if silent_s > patience_s and status is not SourceStatus.LOST:
                what = self.description.partition(",")[0]  # another camera may have stepped in
                text = f"no picture from {what} for {silent_s:.0f} s"
                return SourceState(SourceStatus.STALLED, text, passes=passes)
        return SourceState(status, text, frozen, passes)

    def take(self, timeout_s: float) -> Frame | None:
        """Take the newest frame, if it was not taken before; else wait for one.

        Returns:
            The frame, or `None` after that time, and as soon as the status changes meanwhile:
            when the source ends or is lost, and when the reader is closed.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            status = self._status
            while not self._frames and self._status is status and not self._closing:
                remaining_s = deadline_s - time.monotonic()
                if remaining_s <= 0:
                    break
                self._changed.wait(remaining_s)
            if not self._frames:
                return None
            if not self._drop:
                self._changed.notify_all()
            return self._frames.popleft()

    def begin_again(self) -> None:
        """Read a source that has ended once more, from its beginning; another is left alone."""
        with self._changed:
            if self._status is not SourceStatus.ENDED or self._frames or self._closing:
                return
            self._status, self._text = SourceStatus.OPENING, f"opening {self._name}"
            self._passes += 1
        self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="frame-reader", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading and release the source; may be called twice."""
        with self._changed:
            self._closing = True
            self._frames.clear()
            source = self._source
            self._changed.notify_all()
        if source is not None:
            _close(source)
        self._thread.join(_JOIN_S)

    @property
    def _is_over(self) -> bool:
        return self._closing or self.first_error is not None

    def _run(self) -> None:
        while not self._is_over:
            first_index = self._next_index
            try:
                source = self._open()
            except Exception as error:  # noqa: BLE001 - a device driver can raise anything
                if self._status is SourceStatus.OPENING:
                    self._give_up(self._as_ours(error, "cannot be opened"))
                    return
            else:
                try:
                    self._read_all(source)
                except Exception as error:  # noqa: BLE001 - a device driver can raise anything
                    loss = self._as_ours(error, "has stopped working")
                    if isinstance(loss, CameraHungError) and self._hung_since_s is None:
                        self._hung_since_s = self._waiting_since_s
                    if not self._reopen:
                        self._give_up(loss)
                        return
                    reason = str(loss).rstrip(".")
                    self._set(SourceStatus.LOST, f"{reason}; waiting for it to come back")
                else:
                    if self._ends_for_good(first_index):
                        return
                    continue
                finally:
                    _close(source)
            with self._changed:
                self._changed.wait_for(lambda: self._closing, self._retry_s)

    def _ends_for_good(self, first_index: int) -> bool:
        """Say whether a source that has ended stays so; one that gives nothing does."""
        if self._loop and self._next_index > first_index and not self._closing:
            self._passes += 1
            return False
        self._set(SourceStatus.ENDED, "the video has ended")
        return True

    def _open(self) -> FrameSource:
        source = self._open_source()
        try:
            description = source.description
        except BaseException:
            _close(source)
            raise
        with self._changed:
            self._source = source
            self.description = description
            self._waiting_since_s = self._clock()
        return source

    def _read_all(self, source: FrameSource) -> None:
        """Hand over the source's frames until it ends or the reader is closed."""
        first_index = self._next_index
        if self._closing:  # while it was opened, when `close` could not know of it
            return
        check = PictureCheck()
        for given in source:
            turn = self._upright
            frame = replace(given, image=turn(given.image)) if turn else given
            fault = check.fault(frame.image) if self._check_pictures else ""
            if fault:
                self._leave_out(fault)
                continue
            if not self._hand_over(self._prepared(frame, first_index)):
                return
            self._next_index = first_index + frame.index + 1

    def _prepared(self, frame: Frame, first_index: int) -> Frame:
        """Number a frame on over all openings of the source, and prepare it."""
        index = first_index + frame.index
        if self._prepare is None:
            return replace(frame, index=index) if first_index else frame
        started_s = time.perf_counter()
        prepared = self._prepare(frame.image)
        prepare_ms = (time.perf_counter() - started_s) * 1000.0
        return replace(frame, index=index, prepared=prepared, prepare_ms=prepare_ms)

    def _hand_over(self, frame: Frame) -> bool:
        """Make a frame the newest one; returns whether to go on."""
        with self._changed:
            if not self._drop and len(self._frames) >= self._ahead:
                self._waiting_since_s = None  # it is not the source that keeps us waiting
                self._changed.wait_for(lambda: len(self._frames) < self._ahead or self._closing)
            if self._is_over:
                return False
            self._frames.append(frame)
            now_s = self._note_arrival(bad=False)
            self._bad_since_s = None
            if self._bad_part < _FEW_BAD or self._status is not SourceStatus.RUNNING:
                self._text = ""
            self._status = SourceStatus.RUNNING
            self._frozen = self._check_pictures and self._is_repeated(frame.image, now_s)
            if self._frozen:
                self._text = (
                    f"{self._name} gives the very same picture again and again; is it frozen?"
                )
            self._changed.notify_all()
            return True

    def _leave_out(self, fault: str) -> None:
        """Take note of a picture that is none."""
        with self._changed:
            now_s = self._note_arrival(bad=True)
            if self._closing:
                return
            if self._bad_since_s is None:
                self._bad_since_s = now_s
            if now_s - self._bad_since_s >= _UNUSABLE_S:
                self._status, self._text = SourceStatus.UNUSABLE, f"{self._name} {fault}"
                self._frozen = False
                self._changed.notify_all()
            elif self._status is SourceStatus.RUNNING and self._bad_part > _MANY_BAD:
                self._text = f"some pictures are left out: {self._name} {fault}"

    def _is_repeated(self, image: Image, now_s: float) -> bool:
        """Say whether the very same picture has come for long: a sensor's noise never repeats."""
        if self._last_image is None or not _is_same(image, self._last_image):
            self._last_image, self._same_since_s, self._same = image, now_s, 0
        self._same += 1
        return self._same > _FROZEN_PICTURES and now_s - self._same_since_s >= _FROZEN_S

    def _note_arrival(self, *, bad: bool) -> float:
        """Take note that something has come; returns when."""
        now_s = self._clock()
        if self._waiting_since_s is not None:
            self._usual_gap_s = min(_SLOWEST_S, now_s - self._waiting_since_s)
        self._waiting_since_s, self._hung_since_s = now_s, None
        self._bad_part += _BAD_WEIGHT * (bad - self._bad_part)
        return now_s

    def _give_up_if_hung(self) -> None:
        since_s = self._hung_since_s if self._hung_since_s is not None else self._waiting_since_s
        hung = since_s is not None and self._clock() - since_s > self._hung_s
        self._asked_of_hung = self._asked_of_hung + 1 if hung else 0
        # Where it was this process that stood still, the source answers as soon as it goes on.
        if since_s is not None and self._asked_of_hung == _ASKED_OF_HUNG:
            self._give_up(
                CameraHungError(
                    f"{self._name} has not answered for {self._clock() - since_s:.0f} s; "
                    "starting this again may help."
                )
            )

    def _give_up(self, error: CameraError) -> None:
        if self._passes:  # a video that was played, and can be played no more
            self._set(SourceStatus.ENDED, str(error))
            return
        self.first_error = error
        self._set(SourceStatus.FAILED, str(error))

    def _as_ours(self, error: Exception, what: str) -> CameraError:
        """Tell an error of somebody else's in one line."""
        if isinstance(error, CameraError):
            return error
        lines = str(error).strip().splitlines()
        kind = type(error).__name__
        reason = f"{kind}: {lines[0][:100]}" if lines else kind
        return CameraError(f"{self._name} {what} ({reason}).")

    def _set(self, status: SourceStatus, text: str) -> None:
        with self._changed:
            if not self._closing:
                self._status, self._text = status, text
            self._source = None
            self._waiting_since_s = self._bad_since_s = None
            self._frozen = False
            self._usual_gap_s = 0.0
            self._changed.notify_all()


def _is_same(one: Image, other: Image) -> bool:
    # Nearly every other picture is told by a few of its pixels.
    few = np.s_[::16, ::16]
    return one.shape == other.shape and bool(
        (one[few] == other[few]).all() and (one == other).all()
    )


def _close(source: FrameSource) -> None:
    # A device that has gone may refuse to be closed; there is nothing left to tell of it.
    with contextlib.suppress(Exception):
        source.close()
