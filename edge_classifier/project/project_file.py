"""`project.json`: what a project is, beside its pictures. Format version 1.

::

    {
      "format": "edge-classifier project",
      "version": 1,
      "classes": [{"name": "mug", "key": "1", "colour": "#56b4e9"}],
      "backbone": null,
      "settings": {},
      "last_burst": 0
    }

The order of the classes gives their keys; `key` only tells other readers. Fields that this
version does not know are kept as they are.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from edge_classifier.device.files import read_regular
from edge_classifier.errors import InvalidValueError, ProjectFormatError
from edge_classifier.project.classes import (
    clean_class_name,
    colour_from_hex,
    colour_to_hex,
    key_of,
    next_colour,
)
from edge_classifier.project.files import reported, write_atomic
from edge_classifier.project.framing import stored_framing
from edge_classifier.values import BackboneInfo, checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge_classifier.values import Colour

FILE_NAME: Final = "project.json"
VERSION: Final = 1
MAX_BURST: Final = 8_999_999
"""The highest number of a burst that a project file may ask to go on from."""

_FORMAT: Final = "edge-classifier project"
_MAX_BYTES: Final = 16 * 1024 * 1024
_MAX_DEPTH: Final = 50
_MAX_CLASSES: Final = 2_000


@dataclass(frozen=True, slots=True)
class ClassEntry:
    """A class, as the project file holds it.

    Attributes:
        name: As `clean_class_name` gives it.
        colour: Blue, green, red.
        renamed_from: The folder its samples may still lie in, if a renaming was cut short.
        extra: Fields of other programs.
    """

    name: str
    colour: Colour
    renamed_from: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """The content of a project file.

    Attributes:
        classes: In their order.
        backbone: What the features come from, or `None` until that is chosen.
        settings: Whatever JSON can hold, by name.
        last_burst: The highest number that a burst which is now in the trash ever had.
        extra: Fields of other programs.
    """

    classes: tuple[ClassEntry, ...] = ()
    backbone: BackboneInfo | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    last_burst: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names, in the order of the classes."""
        return tuple(entry.name for entry in self.classes)

    def with_backbone(self, info: BackboneInfo) -> ProjectFile:
        """Name what the features come from."""
        return replace(self, backbone=info)

    def with_class(self, name: str) -> ProjectFile:
        """Add a class at the end, with a colour of its own.

        Raises:
            InvalidClassNameError: if the name cannot be used beside the others.
        """
        name = clean_class_name(name, self.class_names)
        colour = next_colour(name, (entry.colour for entry in self.classes))
        return replace(self, classes=(*self.classes, ClassEntry(name, colour)))

    def with_entry(self, entry: ClassEntry, place: int) -> ProjectFile:
        """Put a class back that was taken out, at its place among the others if it can be.

        Raises:
            InvalidClassNameError: if its name can no longer be told from another one.
        """
        clean_class_name(entry.name, self.class_names, is_stored=True)
        classes = (*self.classes[:place], entry, *self.classes[place:])
        return replace(self, classes=classes)

    def without_class(self, name: str) -> ProjectFile:
        """Take a class out; the others keep their colours."""
        return replace(self, classes=tuple(e for e in self.classes if e.name != name))

    def renamed(self, name: str, new_name: str, renamed_from: str | None) -> ProjectFile:
        """Give a class another name, and say where its samples still lie (`None`: nowhere)."""
        return replace(
            self,
            classes=tuple(
                replace(e, name=new_name, renamed_from=renamed_from) if e.name == name else e
                for e in self.classes
            ),
        )

    def settled(self) -> ProjectFile:
        """Say that no samples lie elsewhere."""
        classes = tuple(
            replace(e, renamed_from=None) if e.renamed_from else e for e in self.classes
        )
        return replace(self, classes=classes)


def check_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Copy settings, so that what is stored is what JSON gives back.

    Raises:
        InvalidValueError: if they hold something else than texts, numbers, truth values, `None`,
            lists and dictionaries of these.
    """
    try:
        copy: Any = json.loads(json.dumps(dict(settings), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValueError(f"These settings cannot be stored in JSON: {error}") from error
    if copy != _tuples_as_lists(dict(settings)):
        raise InvalidValueError("Expected settings whose names are all texts, at every level.")
    return dict(copy)


def write_project_file(path: Path, file: ProjectFile) -> None:
    """Write a project file, whole or not at all, and wait until the disk has it.

    Raises:
        ProjectError: if it cannot be written; then it is as before.
    """
    with reported("write", path):
        write_atomic(path, _encode(file), durable=True)


def read_project_file(path: Path) -> ProjectFile:
    """Read and check a project file.

    Raises:
        ProjectFormatError: if it is damaged, or of a newer version.
        ProjectError: if it cannot be read.
    """
    with reported("read", path):
        data = read_regular(path, _MAX_BYTES)
    try:
        return _decode(data)
    except (ValueError, OverflowError, RecursionError) as error:
        problem = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ProjectFormatError(
            f"{path} is damaged ({problem.rstrip('.')}); correct it, or move it away and open the "
            "project again: its classes are then taken from the folders in samples."
        ) from error
    except _NewerVersionError as error:
        raise ProjectFormatError(
            f"{path} was written by a newer edge-classifier (format {error}, this one reads "
            f"{VERSION}); update with `pip install -U edge-classifier`."
        ) from error


class _NewerVersionError(Exception):
    """The file says that it is of a later format."""


def _encode(file: ProjectFile) -> bytes:
    names = file.class_names
    content = {
        "format": _FORMAT,
        "version": VERSION,
        "classes": [
            {
                "name": entry.name,
                "key": key_of(names, entry.name),
                "colour": colour_to_hex(entry.colour),
                **({"renamed_from": entry.renamed_from} if entry.renamed_from else {}),
                **entry.extra,
            }
            for entry in file.classes
        ],
        "backbone": None if file.backbone is None else file.backbone.as_json(),
        "settings": file.settings,
        "last_burst": file.last_burst,
        **file.extra,
    }
    try:
        return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:  # half a surrogate pair in a setting: legal in JSON, not in UTF-8
        return (json.dumps(content, indent=2) + "\n").encode()


def _decode(data: bytes) -> ProjectFile:
    content = checked(
        dict, json.loads(data.decode(), parse_float=_finite, parse_constant=_finite), "content"
    )
    if content.pop("format", None) != _FORMAT:
        raise ValueError(f"its format is not {_FORMAT!r}")
    version = checked(int, content.pop("version", None), "version")
    if version > VERSION:
        raise _NewerVersionError(version)
    if version < 1:
        raise ValueError(f"its version is {version}")
    _check_depth(content)
    classes = _classes(checked(list, content.pop("classes", None), "classes"))
    backbone = content.pop("backbone", None)
    last_burst = checked(int, content.pop("last_burst", 0), "last_burst")
    if not 0 <= last_burst <= MAX_BURST:
        raise ValueError(f"last_burst is {last_burst}")
    settings = checked(dict, content.pop("settings", {}), "settings")
    checked(dict, settings.get("head", {}), "the settings of the head")
    stored_framing(settings)
    return ProjectFile(
        classes=classes,
        backbone=None
        if backbone is None
        else BackboneInfo.from_json(checked(dict, backbone, "backbone")),
        settings=settings,
        last_burst=last_burst,
        extra=content,
    )


def _check_depth(content: object) -> None:
    """Refuse what is nested so deeply that it can be read, but not copied or written."""
    waiting = [(content, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise ValueError("it is nested too deeply")
        if isinstance(value, (dict, list)):
            inner = value.values() if isinstance(value, dict) else value
            waiting += ((item, depth + 1) for item in inner)


def _classes(items: list[Any]) -> tuple[ClassEntry, ...]:
    if len(items) > _MAX_CLASSES:
        raise ValueError(f"it has {len(items):,} classes, at most {_MAX_CLASSES:,} are read")
    entries: list[ClassEntry] = []
    names: list[str] = []
    for item in items:
        fields = checked(dict, item, "a class")
        name = checked(str, fields.pop("name", None), "a class's name")
        if clean_class_name(name, names, is_stored=True) != name:
            raise ValueError(f"the class name {name!r} is not in its stored form")
        names.append(name)
        source = fields.pop("renamed_from", None)
        fields.pop("key", None)  # follows from the order; it is there for other readers
        old = None if source is None else checked(str, source, "renamed_from")
        if old is not None and clean_class_name(old, is_stored=True) != old:
            raise ValueError(f"renamed_from {source!r} is not in its stored form")
        colour = colour_from_hex(checked(str, fields.pop("colour", None), "a class's colour"))
        entries.append(ClassEntry(name, colour, source, fields))
    return tuple(entries)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no finite number")
    return number


def _tuples_as_lists(value: object) -> object:
    if isinstance(value, dict):
        return {key: _tuples_as_lists(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tuples_as_lists(item) for item in value]
    return value
