"""Lists in JSON, as labelling tools and data sets write them."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.picture_files import write_pictures

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers import LabelledPicture, Refusal, open_importer
from edge_classifier.project.importers.adding import add
from edge_classifier.project.importers.json_list import read_json_list

NAMES = ("a.jpg", "b.jpg", "c.jpg", "d.jpg")
KINDS = ("cat", "dog", "cat", "dog")
PAIRS = tuple(zip(NAMES, KINDS, strict=True))


def task(
    name: str, *choices: str, key: str = "choices", question: str = "animal"
) -> dict[str, Any]:
    """One picture as Label Studio writes it."""
    result = [
        {"from_name": question, "to_name": "image", "type": key, "value": {key: [choice]}}
        for choice in choices
    ]
    return {
        "id": 1,
        "data": {"image": f"/data/upload/1/51cf00ab-{name}"},
        "annotations": [{"result": result, "was_cancelled": False}],
        "file_upload": f"51cf00ab-{name}",
    }


def coco(boxes: list[tuple[int, int]]) -> dict[str, Any]:
    """A COCO list whose boxes are of these pictures and categories."""
    return {
        "images": [{"id": n, "file_name": name} for n, name in enumerate(NAMES)],
        "annotations": [
            {"id": n, "image_id": image, "category_id": category, "bbox": [0, 0, 1, 1]}
            for n, (image, category) in enumerate(boxes)
        ],
        "categories": [
            {"id": 0, "name": "animals", "supercategory": "none"},
            {"id": 1, "name": "cat", "supercategory": "animals"},
            {"id": 2, "name": "dog", "supercategory": "animals"},
        ],
    }


def via(name: str, attributes: dict[str, Any], regions: list[Any]) -> dict[str, Any]:
    return {"filename": name, "size": 100, "regions": regions, "file_attributes": attributes}


LISTS: dict[str, Any] = {
    "Label Studio": [task(name, kind) for name, kind in PAIRS],
    "Label Studio, boxes of one kind a picture": [
        task(name, kind, kind, key="rectanglelabels") for name, kind in PAIRS
    ],
    "Label Studio, small": [
        {"image": f"/data/upload/1/51cf00ab-{name}", "id": n, "choice": kind, "annotator": 1,
         "annotation_id": n, "created_at": f"2024-01-0{n + 1}T10:00:00Z", "lead_time": 1.5 + n}
        for n, (name, kind) in enumerate(PAIRS)
    ],
    "Edge Impulse": {
        "version": 1,
        "files": [
            {"path": f"training/{name}", "name": name[0], "category": "training",
             "label": {"type": "label", "label": kind}}
            for name, kind in PAIRS
        ],
    },
    "Edge Impulse, boxes": {
        "version": 1,
        "type": "bounding-box-labels",
        "boundingBoxes": {name: [{"label": kind, "x": 1}, {"label": kind, "x": 2}]
                          for name, kind in PAIRS},
    },
    "Datumaro": {
        "info": {},
        "categories": {"label": {"labels": [{"name": "cat", "parent": ""}, {"name": "dog"}]}},
        "items": [
            {"id": name[0], "image": {"path": name, "size": [16, 24]},
             "annotations": [{"type": "label", "label_id": int(kind == "dog")},
                             {"type": "bbox", "label_id": 0}]}
            for name, kind in PAIRS
        ],
    },
    "Datumaro, names only": {
        "categories": {"label": {"labels": [{"name": "cat"}, {"name": "dog"}]}},
        "items": [
            {"id": name[0], "annotations": [{"type": "label", "label_id": int(kind == "dog")}]}
            for name, kind in PAIRS
        ],
    },
    "COCO": coco([(0, 1), (1, 2), (1, 2), (2, 1), (3, 2)]),
    "VIA": {
        "_via_settings": {"ui": {}},
        "_via_img_metadata": {f"{name}100": via(name, {"kind": kind}, []) for name, kind in PAIRS},
        "_via_attributes": {"region": {}, "file": {"kind": {"type": "dropdown"}}},
    },
    "VIA, exported": {
        f"{name}100": via(name, {}, [{"shape_attributes": {"name": "rect", "x": n, "y": 2},
                                      "region_attributes": {"label": kind}}])
        for n, (name, kind) in enumerate(PAIRS)
    },
    "VIA, ticked": {f"{name}1": via(name, {"kind": {kind: True}}, []) for name, kind in PAIRS},
    "entries": [{"file_name": name, "label": kind} for name, kind in PAIRS],
    "entries under a key": {"version": "1.0", "data": [{"path": n, "class": k} for n, k in PAIRS]},
    "entries by split": {
        "train": [["x/" + name, int(kind == "dog"), kind] for name, kind in PAIRS],
    },
    "Create ML": [
        {"image": name, "annotations": [{"label": kind, "coordinates": {"x": 1, "y": 2}}]}
        for name, kind in PAIRS
    ],
    "nested": [{"image": {"name": name}, "answer": {"label": [kind]}} for name, kind in PAIRS],
    "label of each": dict(PAIRS),
    "entry of each": {name: {"label": kind, "by": "me"} for name, kind in PAIRS},
    "files of each label": {"cat": ["a.jpg", "c.jpg"], "dog": ["b.jpg", "d.jpg"]},
    "FiftyOne": {"classes": ["cat", "dog"], "labels": {n[0]: int(k == "dog") for n, k in PAIRS}},
}  # fmt: skip


def read(path: Path) -> tuple[dict[str, str], list[Refusal]]:
    items = list(open_importer(path))
    pictures = [item for item in items if isinstance(item, LabelledPicture)]
    found = {Path(item.source).name: item.class_name for item in pictures}
    return found, [item for item in items if isinstance(item, Refusal)]


def put(folder: Path, value: Any, name: str = "list.json") -> Path:
    write_pictures(folder, *(f"images/{name}" for name in NAMES))
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
    return folder


@pytest.mark.parametrize("value", LISTS.values(), ids=LISTS)
def test_the_list_of_a_labelling_tool_names_its_pictures(tmp_path: Path, value: Any) -> None:
    found, refused = read(put(tmp_path, value))
    assert found == dict(PAIRS)
    assert refused == []


@pytest.mark.parametrize("name", ["metadata.jsonl", "labels.ndjson", "output.manifest"])
def test_an_entry_a_line_is_a_list_too(tmp_path: Path, name: str) -> None:
    lines = [
        {"source-ref": f"s3://bucket/{n}", "kind": int(k == "dog"),
         "kind-metadata": {"class-name": k, "confidence": 0.95, "human-annotated": "yes"}}
        for n, k in PAIRS
    ]  # fmt: skip
    text = "\n".join(map(json.dumps, lines))
    assert read(put(tmp_path, text, name))[0] == dict(PAIRS)


def test_a_line_that_is_damaged_is_told_by_its_number(tmp_path: Path) -> None:
    lines = [json.dumps({"file_name": n, "label": k}) for n, k in PAIRS]
    found, refused = read(put(tmp_path, "\n".join([*lines[:3], lines[3][:-4]]), "metadata.jsonl"))
    assert sorted(found) == ["a.jpg", "b.jpg", "c.jpg"]
    assert [(r.source[-7:], r.reason) for r in refused] == [("entry 4", "it is not JSON")]


def test_the_splits_that_lists_say_are_kept(tmp_path: Path) -> None:
    value = {
        "train": [["a.jpg", 0, "cat"], ["b.jpg", 1, "dog"]],
        "val": [["c.jpg", 0, "cat"]],
        "test": [["d.jpg", 1, "dog"]],
    }
    items = list(open_importer(put(tmp_path, value)))
    assert [i.held_out for i in items if isinstance(i, LabelledPicture)] == [
        False,
        False,
        True,
        True,
    ]


def test_the_name_of_a_coco_list_says_its_split(tmp_path: Path) -> None:
    boxes = [(0, 1), (1, 2), (2, 1), (3, 2)]
    items = list(open_importer(put(tmp_path, coco(boxes), "instances_val2017.json")))
    assert [i.held_out for i in items if isinstance(i, LabelledPicture)] == [True] * 4


@pytest.mark.parametrize(
    "value",
    [
        coco([(0, 1), (0, 2), (1, 2), (2, 1), (3, 2)]),
        [task("a.jpg", "cat", "dog"), *(task(n, k) for n, k in PAIRS[1:])],
        [
            {**task("a.jpg", "cat"), "annotations": [*task("a.jpg", "cat")["annotations"],
                                                     *task("a.jpg", "dog")["annotations"]]},
            *(task(n, k) for n, k in PAIRS[1:]),
        ],
        [{"file": n, "label": ["cat", "dog"] if n == "a.jpg" else k} for n, k in PAIRS],
        '{"a.jpg": "cat", "a.jpg": "dog", "b.jpg": "dog", "c.jpg": "cat", "d.jpg": "dog"}',
    ],
    ids=["COCO", "Label Studio", "two people", "entries", "a key twice"],
)  # fmt: skip
def test_a_picture_of_several_labels_is_told_and_the_others_are_taken(
    tmp_path: Path, value: Any
) -> None:
    found, refused = read(put(tmp_path, value))
    assert found == dict(PAIRS[1:])
    assert [r.reason for r in refused] == ["it has several labels; a picture has one here"]
    assert refused[0].source.endswith("a.jpg (cat, dog)")


def test_what_nobody_labelled_is_told(tmp_path: Path) -> None:
    skipped = task("a.jpg", "cat")
    skipped["annotations"][0]["was_cancelled"] = True
    found, refused = read(put(tmp_path, [skipped, *(task(n, k) for n, k in PAIRS[1:])]))
    assert found == dict(PAIRS[1:])
    assert [r.reason for r in refused] == ["it has no label"]


def test_two_questions_about_a_picture_are_not_guessed_between(tmp_path: Path) -> None:
    value = [task(name, kind) for name, kind in PAIRS]
    for one, light in zip(value, ("day", "day", "night", "night"), strict=True):
        one["annotations"][0]["result"] += task("", light, question="light")["annotations"][0][
            "result"
        ]
    put(tmp_path, value)
    with pytest.raises(NotImportableError, match="which of its columns 'animal', 'light' names"):
        open_importer(tmp_path / "list.json")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 20_000 + "1" + "}" * 20_000,
        "[" + "{}," * 3_000_000 + "{}]",
        '[{"file": "a.jpg", "label": NaN}]',
        '[{"file": "a.jpg", "label": ' + "9" * 10_000 + "}]",
        '{"images": [1, null, {"file_name": 7}], "annotations": [3, {}], "categories": {}}',
        '{"items": [[]], "categories": {"label": {"labels": [{"name": 3}]}}}',
        '{"files": [{"path": 1, "label": null}]}',
        '{"boundingBoxes": {"a.jpg": {"label": "x"}}}',
        '[{"data": {"image": 1}, "annotations": [null, {"result": 3}]}]',
        "\x00\xff",
        "null",
        "[]",
    ],
)
def test_a_hostile_list_ends_in_a_line_or_a_refusal(tmp_path: Path, text: str) -> None:
    put(tmp_path, text)
    with suppress(NotImportableError):
        assert add(None, open_importer(tmp_path / "list.json"), dry_run=True).added_count == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.sampled_from(("a.jpg", "cat", "0")),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ("images", "annotations", "categories", "file_name", "id", "image_id", "category_id",
             "items", "label", "labels", "name", "files", "path", "data", "result", "value",
             "choices", "classes", "boundingBoxes", "train", "a.jpg")
        ),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(json_values)
def test_json_of_any_shape_is_rows_of_one_text_a_cell_or_no_list(value: Any) -> None:
    table = read_json_list("list.json", json.dumps(value).encode(), "list.json")
    if table is not None:
        assert all(isinstance(cell, str) for row in table.rows for cell in row)
        assert len(table.numbers) == len(table.rows)
