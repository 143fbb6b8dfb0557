"""Joins a project on disk with what a session needs of it; used by every command."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from edge_classifier.errors import InvalidValueError
from edge_classifier.export.exporter import export_bundle
from edge_classifier.training import HeadSettings

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.adapters.store import ProjectStore
    from edge_classifier.frame import Sample
    from edge_classifier.model import Model
    from edge_classifier.protocols import Backbone, Cancelled, Progress
    from edge_classifier.session import Export


def exporter(store: ProjectStore, weights: Path | None) -> Export:
    """Return what a session's export key runs on the worker thread."""

    def export(
        model: Model,
        backbone: Backbone,
        samples: tuple[Sample, ...],
        progress: Progress,
        cancelled: Cancelled,
    ) -> Path:
        return export_bundle(
            store,
            model,
            backbone,
            weights=weights,
            samples=samples,
            progress=progress,
            cancelled=cancelled,
        )

    return export


def head_settings(store: ProjectStore, changes: dict[str, Any]) -> HeadSettings:
    """Return the project's head settings with changes from the command line, and keep them.

    They are not kept in a project that is open read-only.

    Args:
        store: The project.
        changes: Fields of `HeadSettings`; `None` leaves a field as it is.

    Raises:
        InvalidValueError: if a value is out of its range.
    """
    known = {field.name for field in fields(HeadSettings)}
    stored = store.settings.get("head", {})
    values = {name: value for name, value in stored.items() if name in known}
    values.update({name: value for name, value in changes.items() if value is not None})
    try:
        settings = HeadSettings(**values)
    except TypeError as error:
        raise InvalidValueError(
            f"The head settings in {store.name}/project.json cannot be used: {error}."
        ) from error
    changed = asdict(settings) != stored and (stored or settings != HeadSettings())
    if changed and not store.read_only:
        store.update_settings(head=asdict(settings))
    return settings


def worker() -> ThreadPoolExecutor:
    """Make the one worker thread."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="worker")
