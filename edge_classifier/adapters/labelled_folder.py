"""Pictures to evaluate on: one folder a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.adapters.files import describe, reported
from edge_classifier.adapters.picture_paths import picture_paths
from edge_classifier.adapters.project_folder import SAMPLES, is_project
from edge_classifier.errors import InvalidValueError
from edge_classifier.names import fold_class_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def labelled_pictures(
    folder: Path, class_names: Sequence[str]
) -> tuple[list[tuple[Path, int]], list[str]]:
    """Find the pictures below a folder that has one folder a class, or below a project.

    Args:
        folder: Holds the class folders; their names may differ in case.
        class_names: The classes that there are.

    Returns:
        The pictures, each with the index of its class, and why others are refused, one line
        each.

    Raises:
        InvalidValueError: if it is no folder, or none of its folders is of a class.
        ProjectError: if it cannot be read.
    """
    if not folder.is_dir():
        raise InvalidValueError(f"Expected a folder with one folder a class, received {folder}.")
    if is_project(folder):
        folder = folder / SAMPLES
    ids = {fold_class_name(name): n for n, name in enumerate(class_names)}
    found: list[tuple[Path, int]] = []
    refused: list[str] = []
    matched = False
    with reported("read", folder):
        inner = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    for path in inner:
        class_id = ids.get(fold_class_name(path.name))
        if class_id is None:
            refused.append(f"The folder {path} is of none of the classes.")
            continue
        matched = True
        pictures = picture_paths(
            [path], lambda p, e: refused.append(f"Cannot read {p}: {describe(e)}.")
        )
        found += [(picture, class_id) for picture in pictures]
    if not matched:
        raise InvalidValueError(
            f"Expected folders called {', '.join(class_names)} in {folder}, "
            f"received {', '.join(p.name for p in inner[:9]) or 'none'}."
        )
    return found, refused
