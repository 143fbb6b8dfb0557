"""Work aside: what trains, saves or exports on the one worker thread, and tells how far it is."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

from edge_classifier.errors import CancelledError, EdgeClassifierError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.protocols import Cancelled, Executor, Progress

T = TypeVar("T")


class Job(Generic[T]):
    """One piece of work on the start_worker thread.

    Args:
        text: What it does, for the user: `training`.
        work: Is called with a `protocols.Progress` and a question whether to stop.
        executor: Runs it.
    """

    def __init__(
        self, text: str, work: Callable[[Progress, Cancelled], T], executor: Executor
    ) -> None:
        self.text = text
        self._progress: float | None = None
        self._stop = threading.Event()
        self._future = executor.submit(lambda: work(self._tell, self._stop.is_set))

    def _tell(self, done: float, what: str | None = None) -> None:
        self._progress = done
        if what is not None:
            self.text = what

    @property
    def progress(self) -> float | None:
        """The part done, 0.0 to 1.0, or `None` where nothing was told yet."""
        return self._progress

    @property
    def done(self) -> bool:
        """Whether it has ended, in whichever way."""
        return self._future.done()

    def cancel(self) -> None:
        """Ask it to stop; it ends soon after."""
        self._stop.set()
        self._future.cancel()

    def result(self) -> T:
        """Return what the work returned, waiting for it if need be.

        Raises:
            CancelledError: if it was stopped.
            EdgeClassifierError: if it failed.
        """
        try:
            return self._future.result()
        except FutureCancelledError:
            raise CancelledError(f"Stopped: {self.text}.") from None
        except EdgeClassifierError:
            raise
        except Exception as error:
            # A library's surprise must not take the window with it.
            raise EdgeClassifierError(
                f"{self.text} failed ({type(error).__name__}: {error})."
            ) from error


def start_worker() -> ThreadPoolExecutor:
    """Make the one worker thread."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="start_worker")
