"""Who may write in a project: one program, for as long as the project is where it was opened."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import ProjectLockedError
from edge_classifier.languages.text import Text
from edge_classifier.project.files import FileLock, is_at, reported

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_log = logging.getLogger(__name__)

LOCK: Final = ".lock"
"""The name of the lock file in a project's folder."""

OPEN_ELSEWHERE: Final = Text("it is open in another edge-classifier")
OF_ANOTHER_USER: Final = "its lock file belongs to another user"

_MOVED: Final = "it was renamed, moved or deleted while it was open"
_REPLACED: Final = "another folder took its place while it was open"
_TAKEN: Final = "its lock file was replaced, as another edge-classifier would do, while it was open"


class ProjectLock:
    """Holds as long as folder and lock file are the very ones that were opened.

    Programs that clean up or synchronise delete and replace both, under a program that has the
    project open; without a look before each write two programs would then write at once.

    Attributes:
        on_made_again: Called, from any thread, after the lock file was deleted and is made again:
            another program may have had the project meanwhile.
    """

    on_made_again: Callable[[], None]

    def __init__(self, project: Path) -> None:
        """Take a project.

        Raises:
            ProjectLockedError: if another program has it, or its lock file cannot be written.
            ProjectError: if the folder cannot be written.
        """
        self._project = project
        self._file = FileLock(project / LOCK)
        self._folder: int | None = None
        self._looking = threading.Lock()
        self._lost = ""
        self._told = False
        self.on_made_again = lambda: None
        with reported("write in", project):
            try:
                ours = self._file.acquire()
            except PermissionError as error:
                if not os.path.lexists(project / LOCK):
                    raise
                raise ProjectLockedError(
                    f"{project / LOCK} belongs to another user and cannot be written; let that "
                    "user open the project, or delete the file."
                ) from error
            if not ours:
                raise ProjectLockedError(
                    f"{project} is open in another edge-classifier; close that one and try again."
                )
            if self._file.why_in_vain:
                _log.warning(
                    "%s lies on a disk without locks (%s): see to it that only one program has it "
                    "open.",
                    project,
                    self._file.why_in_vain,
                )
            # Held open, so that no other folder can come to be the same to the system.
            if hasattr(os, "O_DIRECTORY"):
                self._folder = os.open(project, os.O_RDONLY | os.O_DIRECTORY)

    def why_lost(self) -> str:
        """Look whether the project is still ours, and say why not; once it is not, it stays lost.

        A lock file that was only deleted is made again, which a warning in the log tells.
        """
        if self._file.is_there():
            return ""
        with self._looking:
            if not self._lost and not self._file.is_there():
                self._lost = self._what_happened()
            if self._lost:
                self._release()
            return self._lost

    def release(self) -> None:
        """Give the project back; may be called twice."""
        with self._looking:
            self._lost = self._lost or "it is closed"
            self._release()

    def _release(self) -> None:
        self._file.release()
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    def _what_happened(self) -> str:
        if not os.path.lexists(self._project):
            return _MOVED
        if self._folder is None or not is_at(self._folder, self._project):
            return _REPLACED
        again = FileLock(self._project / LOCK)
        try:
            if not again.acquire(new=True):
                return _TAKEN
        except FileExistsError:
            return _TAKEN
        except OSError:  # a disk on which nothing can be written: what is, will say so
            return ""
        self._file.release()
        self._file = again
        if not self._told:
            self._told = True
            _log.warning(
                "Another program deleted %s; it is made again whenever that happens.",
                self._project / LOCK,
            )
        self.on_made_again()
        return ""
