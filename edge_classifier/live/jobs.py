"""Work on the one worker thread: begun, asked how far it is, stopped, and taken over when done."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from edge_classifier.errors import CancelledError, EdgeClassifierError
from edge_classifier.languages.text import Text, as_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.protocols import Cancelled, Executor, Progress

T = TypeVar("T")

Work: TypeAlias = "Callable[[Progress, Cancelled], T]"
"""Does something, tells how far it is, and asks whether to stop."""


class Job(Generic[T]):
    """One piece of work on the worker thread.

    Attributes:
        name: What it does, for the user: `training`.
        text: The same, or what the work has said since.
        progress: The part done, 0.0 to 1.0, or `None` where nothing was told yet.
    """

    def __init__(self, text: str, work: Work[T], executor: Executor) -> None:
        self.name = self.text = text
        self.progress: float | None = None
        self._stop = threading.Event()
        self._future = executor.submit(lambda: work(self._tell, self._stop.is_set))

    def _tell(self, done: float, what: str | None = None) -> None:
        self.progress = done
        if what is not None:
            self.text = as_text(what)

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
            raise CancelledError(Text("Stopped: {work}.", work=self.name)) from None
        except EdgeClassifierError:
            raise
        except Exception as error:
            # A library's surprise must not take the window with it.
            raise EdgeClassifierError(
                f"{self.name} failed ({type(error).__name__}: {error})."
            ) from error


class Stage(Generic[T]):
    """One kind of work, of which the worker has at most one job at a time.

    Attributes:
        wanted: Whether to begin as soon as what comes before it has ended.
        job: What the worker does for it at present, or has done and nobody took over yet.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.wanted = False
        self.job: Job[T] | None = None

    def begin(self, text: str, work: Work[T]) -> None:
        """Give the worker a job, which is called `text` for the user."""
        self.wanted = False
        self.job = Job(text, work, self._executor)

    def ended(self) -> Job[T] | None:
        """Hand over the job once it has ended, in whichever way; its result says how."""
        if self.job is None or not self.job.done:
            return None
        job, self.job = self.job, None
        return job

    def poll(self) -> T | None:
        """Take over what the job gave: `None` before it has ended, and where it was stopped.

        Raises:
            EdgeClassifierError: if it failed.
        """
        job = self.ended()
        try:
            return job.result() if job else None
        except CancelledError:
            return None

    def cancel(self) -> None:
        """Ask the job to stop; how it ended is still to be taken over."""
        if self.job:
            self.job.cancel()

    def restart(self) -> None:
        """Begin anew, once it can, what is being done: it is out of date."""
        if self.job:
            self.abandon()
            self.wanted = True

    def abandon(self) -> None:
        """Stop the job, and take no note of how it ends."""
        self.cancel()
        self.job = None


def start_worker() -> ThreadPoolExecutor:
    """Make the one worker thread."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="worker")
