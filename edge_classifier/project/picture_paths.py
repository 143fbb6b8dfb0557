"""Which pictures are meant by paths, found one after the other."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from edge_classifier.device.console import say
from edge_classifier.device.files import start_of
from edge_classifier.device.media import Medium, is_junk, kind_named, kind_of, left_out
from edge_classifier.device.sources.pictures import pictures_below
from edge_classifier.errors import InvalidValueError
from edge_classifier.project.classes import fold_class_name
from edge_classifier.project.files import describe, reported
from edge_classifier.project.folder import SAMPLES, is_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path


def labelled_pictures(
    folder: Path, class_names: Sequence[str]
) -> tuple[list[tuple[Path, int]], list[str]]:
    """Find the pictures below a folder that has one folder a class, or below a project.

    The names of the folders may differ in case from those of the classes.

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
        inner = sorted(p for p in folder.iterdir() if p.is_dir() and not is_junk(p.name))
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


def picture_paths(
    paths: Iterable[Path], refused: Callable[[Path, OSError], None]
) -> Iterator[Path]:
    """Find pictures: files as they are given, folders with all that is `pictures_below` them.

    Files that are none are counted, by how they are called, and told of in one line at the end.
    """
    others: Counter[str] = Counter()
    for path in paths:
        if path.is_dir():
            yield from pictures_below(path, refused, others)
        else:
            yield path
    if others:
        say(left_out(others))


def is_video(path: Path) -> bool:
    """Say whether a file is a video, by its content, or its name where it cannot be read."""
    try:
        kind = kind_of(start_of(path)) or kind_named(path.name)
    except OSError:
        kind = None if path.is_dir() else kind_named(path.name)
    return kind is not None and kind.medium is Medium.VIDEO
