"""The names that class numbers stand for, from a file beside a list: `classes.txt`, `data.yaml`.

A name a line, in the order of the numbers, or with the number before it; what YOLO calls `names`;
a JSON object of either; or a table of numbers and names.
"""

from __future__ import annotations

import csv
import json
import re
from itertools import takewhile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from edge_classifier.errors import InvalidImageError
from edge_classifier.project.importers.csv_table import decoded
from edge_classifier.project.importers.label_table import plain_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.project.importers.tree import FileTree

_CALLED: Final = re.compile(
    r"(?:obj|coco|.*(?:class|label|categor|name|synset|species|breed|sign|dict|map|data).*)\Z",
    re.IGNORECASE,
)
_SUFFIXES: Final = frozenset({".txt", ".names", ".yaml", ".yml", ".json", ".csv", ".tsv"})
_MOST_BYTES: Final = 1 << 20
_MOST_FILES: Final = 40
_NUMBERED: Final = re.compile(r"([0-9]{1,6})\s*[:.,;\t ]\s*(\S.*)")
_YAML_NAMES: Final = re.compile(r"^names[ \t]*:", re.MULTILINE)
_YAML_ENTRY: Final = re.compile(r"(?:-|([0-9]{1,6})\s*:)\s*(\S.*)")
_LONGEST_NAME: Final = 500


def class_names_beside(
    tree: FileTree, folders: set[str], numbers: set[str], apart_from: set[str]
) -> tuple[dict[str, str], str]:
    """Find the names of class numbers in a file in `folders`, or at the top of the tree.

    Returns:
        The names by number, and the file that says so; or none, and why, or nothing.
    """
    found: dict[str, dict[str, str]] = {}
    candidates = [
        path
        for path in tree.paths
        if path not in apart_from
        and PurePosixPath(path).suffix.lower() in _SUFFIXES
        and _CALLED.match(PurePosixPath(path).stem)
        and str(PurePosixPath(path).parent) in {*folders, "."}
    ]
    for path in candidates[:_MOST_FILES]:
        try:
            data = tree.read(path)
        except InvalidImageError:
            continue
        if len(data) <= _MOST_BYTES and (names := _names(path, decoded(data)[0], numbers)):
            found[path] = names
    if not found:
        return {}, ""
    if any(names != next(iter(found.values())) for names in found.values()):
        return {}, f"{' and '.join(list(found)[:3])} name the class numbers differently"
    path = next(iter(found))
    return found[path], path


def _names(path: str, text: str, numbers: set[str]) -> dict[str, str] | None:
    """Read the names of these numbers, or `None` if they are not all named, each differently."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in {".yaml", ".yml"}:
        listed: dict[str, str] | list[str] = _of_yaml(text)
    elif suffix == ".json":
        listed = _of_json(text)
    elif suffix in {".csv", ".tsv"}:
        return _of_table(text, numbers)
    else:
        lines = [line.strip()[:_LONGEST_NAME] for line in text.splitlines() if line.strip()]
        numbered = [_NUMBERED.fullmatch(line) for line in lines]
        listed = lines
        if lines and all(numbered):
            listed = {str(int(match[1])): match[2] for match in numbered if match}
            if len(listed) < len(lines):
                return None
    if isinstance(listed, list):
        listed = _counted(listed, numbers)
    names = {number: listed.get(str(int(number)), "") for number in numbers}
    return names if all(names.values()) and len(set(names.values())) == len(names) else None


def _counted(names: Sequence[str], numbers: set[str]) -> dict[str, str]:
    """Count names from 0 or from 1, whichever the numbers do; unless both would do."""
    known = {int(number) for number in numbers}
    starts = [start for start in (0, 1) if known <= set(range(start, len(names) + start))]
    if len(starts) == 2:  # noqa: PLR2004 - the numbers 1 to n - 1 do not tell
        return {}
    return {str(number): name for start in starts for number, name in enumerate(names, start)}


def _of_yaml(text: str) -> dict[str, str] | list[str]:
    """Read `names` of a YOLO data set, in any of the three ways to write it."""
    key = _YAML_NAMES.search(text)
    value = text[key.end() :].lstrip(" \t") if key else ""
    if value.startswith(("[", "{")):
        inside = value[1:].partition("]" if value[0] == "[" else "}")[0]
        lines = [part if value[0] == "{" else f"- {part}" for part in inside.split(",")]
    else:
        rest = value.partition("\n")[2].splitlines()
        lines = list(takewhile(lambda line: not line or line[0] in " \t-#", rest))
    stripped = [line.strip()[:_LONGEST_NAME] for line in lines]
    entries = [match for line in stripped if (match := _YAML_ENTRY.fullmatch(line))]
    names = [match[2].partition(" #")[0].strip().strip("'\"") for match in entries]
    if entries and all(match[1] for match in entries):
        return {str(int(match[1])): name for match, name in zip(entries, names, strict=True)}
    return names


def _of_json(text: str) -> dict[str, str] | list[str]:
    try:
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return []
    if isinstance(value, list):
        return [name for name in value if isinstance(name, str)]
    if not isinstance(value, dict):
        return []
    pairs = {str(key): name for key, name in value.items() if isinstance(name, str)}
    if pairs and all(_is_number(key) for key in pairs):
        return {str(int(key)): name for key, name in pairs.items()}
    if pairs and all(_is_number(name) for name in pairs.values()):
        return {str(int(number)): name for name, number in pairs.items()}
    return []


def _of_table(text: str, numbers: set[str]) -> dict[str, str] | None:
    """Find a column that holds each of the numbers once, and one of as many names."""
    for separator in ",;\t|":
        try:
            reader = csv.reader(text.splitlines(), delimiter=separator, skipinitialspace=True)
            rows = [[plain_number(cell.strip()) for cell in row] for row in reader if any(row)]
        except csv.Error:
            continue
        width = min(map(len, rows), default=0)
        columns = [[row[n] for row in rows] for n in range(min(width, 20))]
        for ids in columns:
            whole = [n for n, cell in enumerate(ids) if _is_number(cell)]
            if len(whole) < len(ids) - 1 or not numbers <= {str(int(ids[n])) for n in whole}:
                continue
            for values in columns:
                names = {str(int(ids[n])): values[n] for n in whole}
                texts = set(names.values())
                if len(names) == len(whole) == len(texts) and not any(map(_is_number, texts)):
                    return {number: names[str(int(number))] for number in numbers}
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6  # noqa: PLR2004 - of classes
