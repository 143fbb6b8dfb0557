"""Lists of files and labels in JSON, as labelling tools and data sets write them.

Known by their shape: Edge Impulse, Label Studio, Datumaro (CVAT) and COCO. Any other list is read
as a table: entries are rows, what is nested in them columns (`file_attributes.class`).
What is said of parts of a picture, such as boxes, is its label where all parts say the same.
"""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers.file_lookup import looks_like_picture
from edge_classifier.project.importers.label_table import (
    MAX_CELLS,
    MAX_ROWS,
    LabelTable,
    cell_of,
    flattened,
    plain_number,
    text_of,
)
from edge_classifier.project.importers.splits import held_out_by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

JSON_SUFFIXES: Final = frozenset({".json", ".jsonl", ".ndjson", ".manifest", ".labels"})
"""What a list in JSON may be called, in lower case."""

_MOST_OBJECTS: Final = 400_000
_MOST_VALUES: Final = 4_000_000
_MOST_COLUMNS: Final = 1000
_HEADER: Final = ["file", "label", "split"]

Rows = list[list[str]]


def read_json_list(path: str, data: bytes, source: str) -> LabelTable | None:
    """Read a list that is called `source`; `None` if it is JSON, and no list of files.

    Raises:
        NotImportableError: if it is no JSON, or too large.
    """
    objects = data.count(b"{") + data.count(b"[")
    if objects > _MOST_OBJECTS or data.count(b",") > _MOST_VALUES:
        raise NotImportableError(f"{source} lists more than can be read; split it into several.")
    try:
        text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotImportableError(f"{source} is not JSON: it is not UTF-8.") from error
    broken: list[tuple[int, str]] = []
    numbers: list[int] = []
    try:
        value = _loads(text)
    except (ValueError, RecursionError) as error:
        value = list(_lines(text, numbers, broken))
        if not value:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise NotImportableError(f"{source} is not JSON: {reason}.") from error
    description, rows = next(
        ((description, rows) for description, read in _KNOWN if (rows := read(value)) is not None),
        ("a JSON list", _any_list(value)),
    )
    if len(rows) <= 1:
        return None
    if len(rows) > MAX_ROWS or sum(map(len, rows)) > MAX_CELLS:
        raise NotImportableError(f"{source} lists more than can be read; split it into several.")
    counted = range(len(rows)) if len(numbers) != len(rows) - 1 else [0, *numbers]
    return LabelTable(path, description, rows, counted, "entry", broken=tuple(broken))


def _loads(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Read JSON; numbers stay text, which bounds them, and no key's value gets lost."""
    return json.loads(
        text, object_pairs_hook=_object, parse_int=str, parse_float=str, parse_constant=str
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a dict; of a key that is there twice, both values are kept."""
    found = dict(pairs)
    if len(found) < len(pairs):
        several: dict[str, list[Any]] = defaultdict(list)
        for key, value in pairs:
            if value not in several[key]:
                several[key].append(value)
        found |= {
            key: values
            for key, values in several.items()
            if len(values) > 1 and all(isinstance(value, str) for value in values)
        }
    return found


def _lines(text: str, numbers: list[int], broken: list[tuple[int, str]]) -> Iterator[Any]:
    """Read one JSON object a line, if that is what the first line is."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            value = _loads(line)
        except (ValueError, RecursionError):
            if not numbers:
                return
            broken.append((number, "it is not JSON"))
            continue
        numbers.append(number)
        yield value


def _edge_impulse(value: Any) -> Rows | None:  # noqa: ANN401 - JSON
    if not isinstance(value, dict):
        return None
    boxes = value.get("boundingBoxes")
    if isinstance(boxes, dict):
        return [
            _HEADER,
            *([text_of(f), cell_of(_each(b, "label")), ""] for f, b in boxes.items()),
        ]
    files = value.get("files")
    if not isinstance(files, list) or not all(
        isinstance(file, dict) and "path" in file and "label" in file for file in files
    ):
        return None
    rows = [_HEADER]
    for file in files:
        label = file["label"]
        if isinstance(label, dict):
            label = label.get("label") if label.get("type") == "label" else ""
        rows.append([text_of(file["path"]), text_of(label), text_of(file.get("category"))])
    return rows


def _label_studio(value: Any) -> Rows | None:  # noqa: ANN401 - JSON
    if not (
        isinstance(value, list)
        and value
        and all(
            isinstance(task, dict)
            and isinstance(task.get("data"), dict)
            and ("annotations" in task or "completions" in task)
            for task in value
        )
    ):
        return None
    tasks = [(_file_of_task(task["data"]), list(_results(task))) for task in value]
    kinds = {kind for _, results in tasks for _, kind, _ in results}
    asked = list(
        dict.fromkeys(
            name
            for _, results in tasks
            for name, kind, _ in results
            if kind == "choices" or "choices" not in kinds
        )
    )
    rows = [["file", *(["label"] if len(asked) <= 1 else asked)]]
    for file, results in tasks:
        answers = [[label for n, _, labels in results if n == name for label in labels]
                   for name in asked]  # fmt: skip
        rows.append([file, *map(cell_of, answers or [[]])])
    return rows


def _file_of_task(data: dict[str, Any]) -> str:
    values = [value for value in data.values() if isinstance(value, str)]
    named = data.get("image")
    if isinstance(named, str):
        return named
    return next(filter(looks_like_picture, values), values[0] if values else "")


def _results(task: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Give what was asked, the kind of the answer, and the answers."""
    annotations = task.get("annotations", task.get("completions"))
    for annotation in annotations if isinstance(annotations, list) else ():
        if not isinstance(annotation, dict) or annotation.get("was_cancelled") is True:
            continue
        results = annotation.get("result")
        for result in results if isinstance(results, list) else ():
            if isinstance(result, dict) and isinstance(result.get("value"), dict):
                for kind, labels in result["value"].items():
                    if kind == "choices" or kind.endswith("labels"):
                        given = [label for label in _list(labels) if isinstance(label, str)]
                        yield text_of(result.get("from_name")) or kind, kind, given


def _datumaro(value: Any) -> Rows | None:  # noqa: ANN401 - JSON
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        return None
    try:
        names = [text_of(label["name"]) for label in value["categories"]["label"]["labels"]]
    except (KeyError, TypeError):
        return None
    by_id = {str(number): name for number, name in enumerate(names)}
    rows = [_HEADER]
    for item in value["items"]:
        if not isinstance(item, dict):
            continue
        media = item.get("image") or item.get("media") or {}
        path = media.get("path") if isinstance(media, dict) else ""
        found = [a for a in _list(item.get("annotations")) if isinstance(a, dict)]
        whole = [a for a in found if a.get("type") == "label"] or found
        ids = [text_of(annotation.get("label_id")) for annotation in whole]
        labels = cell_of(by_id.get(number, number) for number in ids)
        rows.append([text_of(path) or text_of(item.get("id")), labels, text_of(item.get("subset"))])
    return rows


def _coco(value: Any) -> Rows | None:  # noqa: ANN401 - JSON
    if not isinstance(value, dict) or not isinstance(value.get("images"), list):
        return None
    annotations = value.get("annotations")
    if not isinstance(annotations, list) or not any(
        "file_name" in i for i in value["images"] if isinstance(i, dict)
    ):
        return None
    if annotations and not any("image_id" in a for a in annotations if isinstance(a, dict)):
        return None
    names = {
        _number(category.get("id")): text_of(category.get("name"))
        for category in _list(value.get("categories"))
        if isinstance(category, dict)
    }
    of_image: dict[str, list[str]] = defaultdict(list)
    for annotation in annotations:
        if isinstance(annotation, dict):
            number = _number(annotation.get("category_id"))
            of_image[_number(annotation.get("image_id"))].append(names.get(number, number))
    rows = [_HEADER]
    rows += (
        [text_of(image.get("file_name")), cell_of(of_image[_number(image.get("id"))]), ""]
        for image in value["images"]
        if isinstance(image, dict)
    )
    return rows


_KNOWN: Final[tuple[tuple[str, Callable[[Any], Rows | None]], ...]] = (
    ("a list of Edge Impulse", _edge_impulse),
    ("a list of Label Studio", _label_studio),
    ("a list of Datumaro", _datumaro),
    ("a COCO list", _coco),
)


def _any_list(value: Any) -> Rows:  # noqa: ANN401 - JSON
    """Read entries, or what maps files to labels or labels to files, as rows."""
    if isinstance(value, dict):
        value = value.get("_via_img_metadata", value)
    if isinstance(value, list):
        return _table((record, "") for record in value)
    if not isinstance(value, dict):
        return []
    lists = {key: entries for key, entries in value.items() if _are_records(entries)}
    if lists and all(held_out_by_name(key) is not None for key in lists):
        return _table((record, key) for key, records in lists.items() for record in records)
    if lists:
        return _table((record, "") for record in max(lists.values(), key=len))
    mapped = value.get("labels")
    names = [text_of(name) for name in _list(value.get("classes"))]
    return _mapped(mapped if isinstance(mapped, dict) else value, names)


def _mapped(mapped: dict[str, Any], names: list[str]) -> Rows:
    """Read what maps files to labels, or to entries, or labels to files; or numbers to `names`."""
    values = list(mapped.values())
    if all(isinstance(value, dict) for value in values):
        return _table(({"file": key, **record}, "") for key, record in mapped.items())
    files = [name for value in values for name in _list(value) if isinstance(name, str)]
    if len(files) >= 2 * len(values) and not any(map(looks_like_picture, mapped)):
        return [["file", "label"], *([f, key] for key in mapped for f in _texts(mapped[key]))]
    by_number = {str(number): name for number, name in enumerate(names)}
    return [
        ["file", "label"],
        *(
            [key, cell_of(by_number.get(label, label) for label in _texts(value))]
            for key, value in mapped.items()
        ),
    ]


def _are_records(value: Any) -> bool:  # noqa: ANN401 - JSON
    return (
        isinstance(value, list)
        and (
            all(isinstance(record, dict) for record in value)
            or all(isinstance(record, list) and len(record) > 1 for record in value)
        )
        and len(value) > 0
    )


def _table(records: Iterable[tuple[Any, str]]) -> Rows:
    """Make rows of entries; one column a name in any of them."""
    flat: list[tuple[dict[str, str], str]] = []
    names: dict[str, None] = {}
    for record, split in records:
        if isinstance(record, list):
            record = {f"value {number}": cell for number, cell in enumerate(record)}  # noqa: PLW2901 - one kind of entry
        cells = flattened(record) if isinstance(record, dict) else {}
        flat.append((cells, split))
        names.update(dict.fromkeys(islice(cells, _MOST_COLUMNS)))
        if len(names) > _MOST_COLUMNS or len(names) * len(flat) > MAX_CELLS:
            return []
    if not names:
        return []
    splits = ["split"] if any(split for _, split in flat) else []
    return [
        [*names, *splits],
        *([*(cells.get(name, "") for name in names), *([split] if splits else [])]
          for cells, split in flat),
    ]  # fmt: skip


def _each(entries: Any, key: str) -> list[str]:  # noqa: ANN401 - JSON
    return [text_of(entry.get(key)) for entry in _list(entries) if isinstance(entry, dict)]


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - JSON
    return [text_of(inner) for inner in (value if isinstance(value, list) else [value])]


def _number(value: Any) -> str:  # noqa: ANN401 - JSON
    return plain_number(text_of(value))
