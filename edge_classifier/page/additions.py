"""Adds what visitors drop to the project, while its session goes on."""

from __future__ import annotations

import shutil
import time
from collections import deque
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from edge_classifier.device.console import one_line
from edge_classifier.errors import CancelledError, EdgeClassifierError, NotImportableError
from edge_classifier.evaluation.advice import counted
from edge_classifier.page.drops import DropFolder
from edge_classifier.project.importers import open_importer
from edge_classifier.project.importers.adding import add

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.live.session import Session
    from edge_classifier.page.drops import Drop
    from edge_classifier.project.importers.adding import ImportReport
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import EncodedImage, Sample

T = TypeVar("T")

_MOST_WAITING: Final = 8
_SHARE_S: Final = 0.008
"""Of the loop's time between two frames, for storing what is added."""
_LOOK_S: Final = 0.1


class Additions:
    """Adds what was dropped, one after the other, while the session goes on.

    The worker reads, checks and compares; what changes the project is done by `poll`, in the
    loop's thread, a little at a time.
    """

    def __init__(self, session: Session, store: ProjectStore) -> None:
        self.folder = DropFolder(None if store.read_only else store.cache_folder)
        self._session = session
        self._store = store
        self._waiting: deque[Drop] = deque()
        self._calls: deque[_Call] = deque()

    @property
    def full(self) -> bool:
        """Whether so much waits that no more is taken."""
        return len(self._waiting) >= _MOST_WAITING

    def add(self, drop: Drop) -> None:
        """Add something as soon as can be; from the page's thread."""
        self._waiting.append(drop)

    def poll(self) -> None:
        """Store what there is to store, and begin with what waits; from the loop's thread."""
        until_s = time.monotonic() + _SHARE_S
        idle_until_s = until_s if self._calls else 0.0
        while time.monotonic() < until_s:
            if self._calls:
                self._calls.popleft()()
            elif time.monotonic() < idle_until_s:
                time.sleep(0.0002)  # the next one follows at once, while there are some
            else:
                break
        if self._waiting and not self._session.unfinished:
            drop = self._waiting[0]
            if self._session.add_pictures(
                one_line(drop.path.name), lambda p, c: self._work(drop, p, c)
            ):
                self._waiting.popleft()

    def close(self) -> None:
        """Forget what waits, after the worker has ended."""
        self._waiting.clear()
        self.folder.close()

    def _work(self, drop: Drop, progress: Progress, cancelled: Cancelled) -> str:
        """Add something, in the worker's thread; returns what became of it."""
        try:
            importer = open_importer(drop.path, class_name=drop.class_name)
            project = _FromWorker(self._store, self._calls, cancelled)
            items = (replace(item, source=drop.shown(item.source)) for item in importer)
            report = add(
                project, items, total=importer.count, progress=progress, cancelled=cancelled
            )
        except NotImportableError as error:
            raise NotImportableError(drop.shown(str(error))) from error
        except EdgeClassifierError as error:  # a class was removed meanwhile
            return f"{error} What was added before stays."
        else:
            return drop.shown(_told(report, drop.path.stem))
        finally:
            shutil.rmtree(drop.folder, ignore_errors=True)


def _told(report: ImportReport, name: str) -> str:
    parts = report.counts(f"{name}: {counted(report.added_count, 'picture')} added")
    if report.refused:
        parts[-1] += f" ({report.refused[0].reason.rstrip('.')})"
    if report.cancelled:
        parts.append("stopped before the end")
    if report.stopped:
        parts.append(report.stopped)
    return ", ".join(parts)


class _Call:
    """Something that the loop's thread does for the worker."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.future: Future[Any] = Future()
        self._work = work

    def __call__(self) -> None:
        """Do it."""
        if self.future.set_running_or_notify_cancel():
            try:
                self.future.set_result(self._work())
            except Exception as error:  # noqa: BLE001 - the worker waits for it, and tells it
                self.future.set_exception(error)


class _FromWorker:
    """A project as the worker sees it: what changes it is done in the loop's thread."""

    def __init__(self, store: ProjectStore, calls: deque[_Call], cancelled: Cancelled) -> None:
        self._store = store
        self._calls = calls
        self._cancelled = cancelled
        self.path = store.path
        self.cache_folder = store.cache_folder

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written."""
        return self._store.read_only

    def samples(self) -> tuple[Sample, ...]:
        """As `ProjectStore`."""
        return self._do(self._store.samples)

    def held_out(self) -> tuple[Sample, ...]:
        """As `ProjectStore`."""
        return self._do(self._store.held_out)

    def class_names(self) -> tuple[str, ...]:
        """As `ProjectStore`."""
        return self._store.class_names()

    def add_class(self, name: str) -> str:
        """As `ProjectStore`."""
        return self._do(lambda: self._store.add_class(name))

    def next_burst_id(self) -> str:
        """As `ProjectStore`."""
        return self._do(self._store.next_burst_id)

    def add_sample(
        self, encoded: EncodedImage, class_name: str, burst_id: str, *, held_out: bool = False
    ) -> Sample:
        """As `ProjectStore`."""
        return self._do(
            lambda: self._store.add_sample(encoded, class_name, burst_id, held_out=held_out)
        )

    def _do(self, work: Callable[[], T]) -> T:
        call = _Call(work)
        self._calls.append(call)
        while not wait([call.future], _LOOK_S).done:
            if self._cancelled() and call.future.cancel():
                raise CancelledError("Stopped.")
        return cast("T", call.future.result())
