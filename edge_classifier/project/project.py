"""An open project: its lock, its project file, and what that says."""

from __future__ import annotations

import copy
import logging
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_classifier.device.console import as_text
from edge_classifier.errors import (
    BackboneMismatchError,
    ProjectError,
    ProjectLockedError,
    UnknownClassError,
)
from edge_classifier.languages.text import Text
from edge_classifier.project.classes import clean_class_name
from edge_classifier.project.folder import (
    CACHE,
    HELD_OUT,
    MODEL,
    SAMPLES,
    check_folder,
    checked_project,
    is_blank,
    is_project,
    make_folder,
    refusal,
)
from edge_classifier.project.lock import LOCK, OF_ANOTHER_USER, OPEN_ELSEWHERE, ProjectLock
from edge_classifier.project.project_file import (
    FILE_NAME,
    ProjectFile,
    check_settings,
    read_project_file,
    write_project_file,
)
from edge_classifier.protocols import ignore_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

    from edge_classifier.project.project_file import ClassEntry
    from edge_classifier.protocols import Progress
    from edge_classifier.values import BackboneInfo, Colour

_log = logging.getLogger(__name__)


class Project:
    """What a project is, beside its samples; `ProjectStore` adds those.

    Made by `open`, `create` or `open_or_create`. One program at a time may write.

    Attributes:
        path: The project's folder.
        cache_folder: Where to keep what can be deleted without loss; may not exist yet.
        model_folder: Where to keep heads; may not exist yet.
    """

    def __init__(self, path: Path, file: ProjectFile, lock: ProjectLock | None) -> None:
        self.path = path
        self.cache_folder = path / CACHE
        self.model_folder = path / MODEL
        self._file = file
        self._lock = lock
        self._why_read_only = ""
        self._lost = False
        self._changing = threading.Lock()

    @classmethod
    def open(
        cls, path: Path, *, read_only: bool = False, progress: Progress = ignore_progress
    ) -> Self:
        """Open the project in a folder; `read_only` works beside a program that has it open.

        Raises:
            NotAProjectError: if the folder holds something else.
            ProjectFormatError: if its project file is damaged or newer.
            ProjectLockedError: if another program has it open.
            ProjectError: if it cannot be read or, unless `read_only`, written.
        """
        path = checked_project(path)
        lock = None if read_only else ProjectLock(path)
        return cls._loaded(path, lock, progress=progress)

    @classmethod
    def open_as_possible(cls, path: Path, *, progress: Progress = ignore_progress) -> Self:
        """Open a project as `open` does, and one that cannot be written read-only.

        That is one that is open in another program, or lies where nothing may be written:
        `why_read_only` says which.

        Raises:
            NotAProjectError: if the folder holds something else.
            ProjectFormatError: if its project file is damaged or newer.
            ProjectError: if it cannot be read.
        """
        path = checked_project(path)
        reason = "its folder may not be written"
        if os.access(path, os.W_OK):
            try:
                return cls.open(path, progress=progress)
            except ProjectLockedError:
                unwritable = (path / LOCK).exists() and not os.access(path / LOCK, os.W_OK)
                reason = OF_ANOTHER_USER if unwritable else OPEN_ELSEWHERE
        return cls._loaded(path, None, reason, progress=progress)

    @classmethod
    def create(cls, path: Path, class_names: Iterable[str] = ()) -> Self:
        """Make a new project, where nothing is or a folder empty but for hidden files; open it.

        Raises:
            InvalidClassNameError: if a name cannot be used; then nothing was made.
            NotAProjectError: if the folder holds something.
            ProjectError: if it is a project already, or cannot be written.
        """
        path = Path(path)
        file = ProjectFile()
        for name in class_names:
            file = file.with_class(name)
        if is_project(path):
            raise ProjectError(f"{path} is a project already; open it, or name another folder.")
        if not is_blank(path):
            raise refusal(path)
        make_folder(path)
        lock = ProjectLock(path)
        try:
            if not (path / FILE_NAME).exists():  # another program may have been a bit faster
                write_project_file(path / FILE_NAME, file)
        except BaseException:
            lock.release()
            raise
        return cls._loaded(path, lock)

    @classmethod
    def open_or_create(
        cls,
        path: Path,
        class_names: Iterable[str] = (),
        *,
        as_possible: bool = False,
        progress: Progress = ignore_progress,
    ) -> Self:
        """Open a project, or make it if there is nothing yet.

        Classes that it lacks are added; `as_possible` opens it as `open_as_possible` does.

        Raises:
            EdgeClassifierError: as `open`, `create` and `add_class` do.
        """
        path, names = Path(path), list(class_names)
        if is_blank(path):
            return cls.create(path, names)
        open_it = cls.open_as_possible if as_possible else cls.open
        store = open_it(path, progress=progress)
        try:
            for name in names:
                if clean_class_name(name) not in store.class_names():
                    store.add_class(name)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def _loaded(
        cls,
        path: Path,
        lock: ProjectLock | None,
        why_read_only: str = "",
        *,
        progress: Progress = ignore_progress,
    ) -> Self:
        try:
            is_new = not (path / FILE_NAME).exists()
            if is_new:
                _log.warning(
                    "%s is missing: its classes are taken from the folders.", path / FILE_NAME
                )
            store = cls(
                path, ProjectFile() if is_new else read_project_file(path / FILE_NAME), lock
            )
            store._why_read_only = why_read_only or "it was opened so"
            store._load(progress, changed=is_new)
        except BaseException:
            if lock:
                lock.release()
            raise
        return store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the project back; may be called twice."""
        if self._lock is None:
            return
        try:
            self.look()
            self._before_close()
        finally:
            self._give_back("it is closed")

    # What it is

    @property
    def name(self) -> str:
        """The project's name, for the user: that of its folder, also where that is no text."""
        return as_text(self.path.resolve().name)

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed: opened so, lost (see `lost`), or closed."""
        return self._lock is None

    @property
    def lost(self) -> bool:
        """Whether the folder was moved, deleted or taken over by another program while open.

        That is noticed by `look`, and before anything is changed.
        """
        return self._lost

    @property
    def why_read_only(self) -> str:
        """Why nothing can be changed, for the user; empty where it can."""
        return self._why_read_only if self.read_only else ""

    @property
    def backbone(self) -> BackboneInfo | None:
        """What the project's features come from, or `None` until that is chosen."""
        return self._file.backbone

    def set_backbone(self, info: BackboneInfo, *, replace: bool = False) -> None:
        """Record what the features come from; `replace` if the user asked for another one.

        Raises:
            BackboneMismatchError: if the project has another one.
            ProjectError: if it cannot be written.
        """
        current = self._file.backbone
        if current == info:
            return
        if current is not None and not replace:
            what = (
                f"{info.name} instead of {current.name}"
                if info.name != current.name
                else f"other weights or another preprocessing of {info.name}"
            )
            raise BackboneMismatchError(
                f"The project {self.name} was made with the backbone {current.name} "
                f"(weights {current.weights_sha256[:8]}); to go on with {what} "
                f"(weights {info.weights_sha256[:8]}), ask for the change: all features are "
                "then computed anew."
            )
        self._change(lambda file: file.with_backbone(info))

    @property
    def settings(self) -> dict[str, Any]:
        """A copy of the settings, by name: whatever JSON can hold.

        For example how strict "unknown" is: `unknown.stored_steps(store.settings)`.
        """
        return copy.deepcopy(dict(self._file.settings))

    def update_settings(self, **changes: object) -> None:
        """Change some settings and keep the others: `update_settings(unknown_steps=2)`.

        Raises:
            InvalidValueError: if JSON cannot hold them.
            ProjectError: if they cannot be written; then they are as before.
        """
        checked = check_settings(changes)
        if {**self._file.settings, **checked} != self._file.settings:
            self._change(lambda file: replace(file, settings={**file.settings, **checked}))

    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of their keys."""
        return self._file.class_names

    def colour(self, class_name: str) -> Colour:
        """The colour of a class: blue, green, red.

        Raises:
            UnknownClassError: if the project has no such class.
        """
        return self._entry(class_name).colour

    def colours(self) -> dict[str, Colour]:
        """The colour of each class."""
        return {entry.name: entry.colour for entry in self._file.classes}

    def add_class(self, class_name: str) -> str:
        """Add a class at the end and return its name as stored (trimmed, NFC).

        Raises:
            InvalidClassNameError: if it cannot be stored or told from another one.
            ProjectError: if it cannot be written.
        """
        name = self._file.with_class(class_name).class_names[-1]
        for folder in (SAMPLES, HELD_OUT):
            check_folder(self.path / folder / name)
        self._change(lambda file: file.with_class(name))
        return name

    def _load(self, _progress: Progress, *, changed: bool) -> None:
        """Take in what lies beside the project file; `changed` if that has to be written anyway."""
        if changed and not self.read_only:
            self._change(lambda file: file)

    def _before_close(self) -> None:
        """Do what is left to do while the project is still ours."""

    def look(self) -> None:
        """Look whether the project is still where it was opened, and ours.

        Raises:
            ProjectError: if it has been lost since the last look; it is read-only from then on.
        """
        if self._lock is not None:
            self.check_writable()

    def check_writable(self) -> None:
        """Refuse to change anything in a project that is read-only, or has been lost.

        Raises:
            ProjectError: if it is, saying why.
        """
        lock = self._lock  # which another thread may find lost at the same moment
        if lock is not None and (why := lock.why_lost()):
            self._lost = True
            self._give_back(why)
        if self._lost:
            raise ProjectError(self._how_lost())
        if lock is None:
            raise ProjectError(
                Text(
                    "{path} is read-only ({why}): nothing in it can be changed; save it as another "
                    "project (key S) to go on there.",
                    path=str(self.path),
                    why=self._why_read_only,
                )
            )

    def _how_lost(self) -> str:
        return f"{self.path} can no longer be changed: {self._why_read_only}; open it again."

    def _give_back(self, why_read_only: str) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            self._why_read_only = why_read_only
            lock.release()

    def _change(self, change: Callable[[ProjectFile], ProjectFile]) -> None:
        """Change the project file, on disk and here, or neither.

        The lock keeps apart the worker thread, which chooses the backbone, and the picture's.
        """
        self.check_writable()
        with self._changing:
            file = change(self._file)
            write_project_file(self.path / FILE_NAME, file)
            self._file = file

    def _entry(self, class_name: str) -> ClassEntry:
        for entry in self._file.classes:
            if entry.name == class_name:
                return entry
        raise UnknownClassError(
            f"The project {self.name} has no class {class_name!r}; "
            f"it has {', '.join(map(repr, self.class_names())) or 'none'}."
        )
