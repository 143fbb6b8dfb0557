"""Progress of long work on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TextIO

from edge_classifier.device.console import one_line
from edge_classifier.protocols import ignore_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import rich.progress
    from typing_extensions import Self

    from edge_classifier.protocols import Progress

_BAR_AFTER_S: Final = 0.2
"""Work that is done sooner shows no bar, and does not wait for `rich` to be imported."""

_REFRESH_S: Final = 0.1
_LINE_AFTER_S: Final = 5.0
_LINE_EVERY_S: Final = 30.0


class ProgressMeter:
    """Shows how far a work is and how long it still takes; a `protocols.Progress`."""

    def __init__(
        self,
        what: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._stream = stream or sys.stderr
        self._clock = clock
        self._on_terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._bar: rich.progress.Progress | None = None
        self._began_s = clock()
        self._next_s = self._began_s + (_BAR_AFTER_S if self._on_terminal else _LINE_AFTER_S)

    def __enter__(self) -> Self:
        """Return itself; the bar is wiped at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, done: float, what: str | None = None, /) -> None:
        """Show the part done, 0.0 to 1.0, and what is being done where that has changed."""
        now_s = self._clock()
        if what is not None:
            self._what = what
        if now_s < self._next_s:
            return
        done = max(0.0, min(1.0, done))
        if self._on_terminal:
            self._next_s = now_s + _REFRESH_S
            self._draw(done)
        else:
            self._next_s = now_s + _LINE_EVERY_S
            left_s = (now_s - self._began_s) * (1 - done) / done if done else 0.0
            left = f", about {left_s:.0f} s left" if left_s >= 1 else ""
            with suppress(OSError, ValueError):  # a log that is full or closed stops nothing
                self._stream.write(f"{one_line(self._what)}: {done:.0%}{left}\n")
                self._stream.flush()

    def close(self) -> None:
        """Wipe the bar; may be called twice, and the next call of the meter draws it again."""
        if self._bar is not None:
            bar, self._bar = self._bar, None
            bar.stop()

    def _draw(self, done: float) -> None:
        if self._bar is None:
            self._bar = _new_bar(self._stream, self._clock)
            self._bar.add_task("", total=1.0)
        self._bar.update(self._bar.task_ids[0], completed=done, description=one_line(self._what))
        self._bar.start()  # does nothing from the second time on
        self._bar.refresh()


def _new_bar(stream: TextIO, clock: Callable[[], float]) -> rich.progress.Progress:
    from rich import progress as bars  # noqa: PLC0415 - 50 ms that only long work on a terminal pays
    from rich.console import Console  # noqa: PLC0415 - as above

    class SteadyConsole(Console):
        """A console that leaves the cursor be: a program that is killed could not show it again."""

        def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002, FBT001, FBT002 - rich's
            """Do nothing."""
            return False

    return bars.Progress(
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TimeRemainingColumn(),
        bars.TextColumn("{task.description}", markup=False),
        console=SteadyConsole(
            file=stream, force_terminal=True, markup=False, highlight=False, emoji=False
        ),
        auto_refresh=False,  # no thread; the work itself says how far it is
        transient=True,
        redirect_stdout=False,  # answers never go where the bar is
        redirect_stderr=False,
        get_time=clock,
    )


@contextmanager
def shown(progress: bool | Progress, what: str) -> Iterator[Progress]:  # noqa: FBT001 - a user's word
    """Give what is told how far a work is: a meter (`True`), nobody (`False`) or a callback."""
    if progress is True:
        with ProgressMeter(what) as meter:
            yield meter
    else:
        yield progress or ignore_progress
