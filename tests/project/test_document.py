from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_classifier.device.preprocessing import Preprocessing
from edge_classifier.errors import InvalidValueError, ProjectError, ProjectFormatError
from edge_classifier.project.document import (
    ProjectDocument,
    check_settings,
    read_document,
    write_document,
)
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from pathlib import Path

INFO = BackboneInfo("v1-0.25", (7, 7, 256), "spatial", "ab" * 32, Preprocessing(224))


def content(**changes: Any) -> dict[str, Any]:
    return {
        "format": "edge-classifier project",
        "version": 1,
        "classes": [
            {"name": "mug", "key": "1", "colour": "#56b4e9"},
            {"name": "phone", "key": "2", "colour": "#e69f00"},
        ],
        "backbone": None,
        "settings": {},
        **changes,
    }


def backbone(**changes: Any) -> dict[str, Any]:
    return {
        "name": "v1-0.25",
        "feature_shape": [7, 7, 256],
        "feature_kind": "pooled",
        "weights_sha256": "00",
        "preprocessing": {"input_size": 224, "resize": "mipmap", "low": -1, "high": 1.0},
        **changes,
    }


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    document = ProjectDocument(
        backbone=replace(INFO, feature_kind="pooled", root_offset=0.03),
        settings={"head": {"kind": "dense", "units": [100]}},
        last_burst=7,
    )
    document = document.with_class("杯子").with_class("background").renamed("杯子", "mug", "杯子")
    write_document(tmp_path / "p.json", document)
    assert read_document(tmp_path / "p.json") == document


def test_a_person_can_read_order_names_keys_and_colours_off_the_file(tmp_path: Path) -> None:
    document = ProjectDocument().with_class("tasse à café").with_class("background")
    write_document(tmp_path / "p.json", document.with_class("phone"))
    text = (tmp_path / "p.json").read_text(encoding="utf-8")
    assert "tasse à café" in text
    assert [(c["name"], c["key"], c["colour"]) for c in json.loads(text)["classes"]] == [
        ("tasse à café", "1", "#56b4e9"),
        ("background", "B", "#b0a18f"),
        ("phone", "2", "#e69f00"),
    ]


def test_fields_of_other_programs_are_kept_also_in_classes(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    known = content(note={"by": "someone"})
    known["classes"][0]["icon"] = "cup"
    path.write_text(json.dumps(known))
    write_document(path, read_document(path).with_class("third"))
    written = json.loads(path.read_text())
    assert written["note"] == {"by": "someone"}
    assert written["classes"][0]["icon"] == "cup"
    assert len(written["classes"]) == 3


def test_half_a_surrogate_pair_in_a_setting_does_not_keep_the_file_from_being_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "p.json"
    write_document(path, ProjectDocument(settings={"note": "\ud800"}))
    assert read_document(path).settings == {"note": "\ud800"}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (b"", "damaged"),
        (b"{", "line 1"),
        (b"\xff\xfe", "utf-8"),
        (b"[]", "content is list"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "damaged"),
        ({"format": "something else"}, "its format"),
        ({"version": "1"}, "version is str"),
        ({"version": True}, "version is bool"),
        ({"version": 0}, "version is 0"),
        ({"classes": {}}, "classes is dict"),
        ({"classes": ["mug"]}, "a class is str"),
        ({"classes": [{"name": "../../x", "colour": "#000000"}]}, "path"),
        ({"classes": [{"name": " mug", "colour": "#000000"}]}, "stored form"),
        ({"classes": [{"name": "a", "colour": "#000000"}] * 2}, "already"),
        ({"classes": [{"name": "a", "colour": "red"}]}, "colour"),
        ({"classes": [{"name": "a", "colour": "#000000", "renamed_from": "../b"}]}, "path"),
        ({"settings": []}, "settings is list"),
        ({"settings": {"x": float("inf")}}, "finite"),
        ({"last_burst": -1}, "last_burst"),
        ({"last_burst": 10**12}, "last_burst"),
        ({"backbone": "v1"}, "backbone is str"),
        ({"backbone": backbone(feature_shape=[7, 7])}, "feature_shape"),
        ({"backbone": backbone(feature_shape=[7, 7, 0])}, "positive"),
        ({"backbone": backbone(feature_shape=[7, 7, 10**30])}, "feature_shape"),
        ({"backbone": backbone(feature_kind="flat")}, "feature_kind"),
        ({"backbone": backbone(preprocessing={"input_size": 224})}, "preprocessing"),
        ({"backbone": backbone(root_offset="0.03")}, "root_offset is str"),
        ({"backbone": backbone(root_offset=0)}, "root offset"),
        (
            {
                "backbone": backbone(
                    preprocessing={"input_size": 224, "resize": [], "low": 0, "high": 10**400}
                )
            },
            "damaged",
        ),
    ],
)
def test_a_damaged_file_is_refused_in_one_line_with_its_path(
    tmp_path: Path, damage: bytes | dict[str, Any], said: str
) -> None:
    path = tmp_path / "project.json"
    path.write_bytes(
        damage if isinstance(damage, bytes) else json.dumps(content(**damage)).encode()
    )
    with pytest.raises(ProjectFormatError, match=said) as caught:
        read_document(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert "move it away" in str(caught.value)


def test_a_file_of_a_newer_version_asks_for_an_update(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps(content(version=2, classes="of another kind")))
    with pytest.raises(ProjectFormatError, match=r"newer.*format 2.*update"):
        read_document(tmp_path / "p.json")


def test_a_file_that_is_not_there_is_a_project_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="Cannot read"):
        read_document(tmp_path / "p.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["version", "classes", "backbone", "settings", "last_burst", "x"]), JSON
    )
    | st.builds(lambda **fields: {"backbone": backbone(**fields)}, feature_shape=JSON, name=JSON)
    | st.builds(lambda fields: {"classes": [fields]}, st.dictionaries(st.text(max_size=5), JSON))
)
def test_no_content_whatever_fails_otherwise(tmp_path: Path, changes: dict[str, Any]) -> None:
    (tmp_path / "p.json").write_text(json.dumps(content(**changes)))
    try:
        document = read_document(tmp_path / "p.json")
    except ProjectFormatError:
        return
    write_document(tmp_path / "q.json", document)
    assert read_document(tmp_path / "q.json") == document


def test_a_removed_classes_colour_is_free_again_and_the_others_keep_theirs() -> None:
    document = ProjectDocument().with_class("a").with_class("b").with_class("c")
    colours = {entry.name: entry.colour for entry in document.classes}
    changed = document.without_class("a").with_class("d")
    assert {e.name: e.colour for e in changed.classes} == {
        "b": colours["b"],
        "c": colours["c"],
        "d": colours["a"],
    }


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), b"x", {1: "x"}, {"a": {1: "x"}}])
def test_settings_that_json_cannot_hold_are_refused(value: object) -> None:
    with pytest.raises(InvalidValueError, match=r"JSON|names are all texts"):
        check_settings({"x": value})


def test_settings_come_back_as_json_gives_them() -> None:
    assert check_settings({"x": (1, 2.5, None, True)}) == {"x": [1, 2.5, None, True]}
