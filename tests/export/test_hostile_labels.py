"""What strangers write into a bundle is never interpreted, and never leaves its place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_classifier.device.bundle import Bundle
from edge_classifier.device.console import say
from edge_classifier.device.errors import BundleError

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_said_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("\x1b[2Jgone\nsecond line \u202egpj.exe")
    assert capsys.readouterr().err == "\\x1b[2Jgone\\nsecond line \\u202egpj.exe\n"


SPEC = {
    "format": "edge-classifier bundle",
    "version": 1,
    "class_names": ["a", "b"],
    "preprocessing": {"input_size": 160, "resize": "mipmap", "low": -1.0, "high": 1.0},
    "unknown": {"threshold": 0.5, "neighbours": 3},
    "smoothing_s": 0.2,
    "models": {"float32": {"file": "model.tflite", "sha256": "0"}},
    "references": [{"file": "reference/0.png", "scores": {"float32": [0.5, 0.5]}}],
}


def write_bundle(folder: Path, spec: object, labels: str = "a\nb\n") -> Path:
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    (folder / "labels.txt").write_text(labels, encoding="utf-8")
    return folder


def test_an_honest_bundle_opens(tmp_path: Path) -> None:
    assert Bundle.open(write_bundle(tmp_path, SPEC)).class_names == ("a", "b")


@pytest.mark.parametrize(
    "changes",
    [
        {"class_names": ["a", "x\x00"]},
        {"class_names": ["a", "\ud800"]},
        {"class_names": ["a", "\x1b[2J"]},
        {"class_names": ["a", "a"]},
        {"class_names": ["a", ""]},
        {"class_names": ["a", 5]},
        {"class_names": "ab"},
        {"class_names": []},
        {"preprocessing": {**SPEC["preprocessing"], "input_size": 10**9}},  # type: ignore[dict-item]  # a literal above
        {"preprocessing": {**SPEC["preprocessing"], "input_size": 1.5}},  # type: ignore[dict-item]  # same
        {"preprocessing": {**SPEC["preprocessing"], "high": float("nan")}},  # type: ignore[dict-item]  # same
        {"preprocessing": {"input_size": 160, "mirror": True}},
        {"unknown": {"threshold": "0.5", "neighbours": 3}},
        {"unknown": {"threshold": float("inf"), "neighbours": 3}},
        {"unknown": {"threshold": 0.5, "neighbours": 0}},
        {"unknown": {"threshold": 0.5, "neighbours": 10**400}},
        {"smoothing_s": float("nan")},
        {"smoothing_s": True},
        {"models": {}},
        {"models": {"float99": {"file": "model.tflite", "sha256": "0"}}},
        {"models": {"float32": {"file": "../model.tflite", "sha256": "0"}}},
        {"models": {"float32": {"file": "/etc/passwd", "sha256": "0"}}},
        {"models": {"float32": {"file": "C:x", "sha256": "0"}}},
        {"models": {"float32": {"file": "..\\x", "sha256": "0"}}},
        {"models": {"float32": {"file": "model.tflite", "sha256": None}}},
        {"references": [{"file": "../../x.png", "scores": {"float32": [0.5, 0.5]}}]},
        {"references": [{"file": "reference/0.png", "scores": {}}]},
        {"references": [{"file": "reference/0.png", "scores": {"float32": "ab"}}]},
        {"references": [{"file": "reference/0.png", "scores": {"float32": ["a", 1]}}]},
        {"references": [5]},
        {"references": 5},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_bundle_that_says_what_cannot_be_is_refused_in_one_line(
    changes: dict[str, object], tmp_path: Path
) -> None:
    spec = {**SPEC, **changes}
    names = spec["class_names"]
    labels = "".join(f"{n}\n" for n in names) if isinstance(names, list) else ""
    write_bundle(tmp_path, spec, labels.encode("utf-8", "replace").decode())
    with pytest.raises(BundleError, match=r"spec\.json is damaged") as caught:
        Bundle.open(tmp_path)
    assert "\n" not in str(caught.value)


def test_deep_nesting_in_a_bundle_is_damage(tmp_path: Path) -> None:
    write_bundle(tmp_path, SPEC)
    (tmp_path / "spec.json").write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(BundleError, match="damaged"):
        Bundle.open(tmp_path)


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=8))
def test_nothing_in_the_place_of_any_field_ends_in_anything_but_a_line(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    folder = tmp_path_factory.mktemp("bundle")
    for key in SPEC:
        write_bundle(folder, {**SPEC, key: value})
        try:
            Bundle.open(folder)
        except BundleError as error:
            assert str(error)  # noqa: PT017 - whether it is raised depends on the value
