"""Held-out samples lie beside the others, are never among them, and follow their class."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.sources import read_sources

from edge_classifier.errors import ProjectError, ProjectFormatError
from edge_classifier.project.folder import SOURCES
from edge_classifier.project.picture_file import encode_file, encode_image, read_image
from edge_classifier.project.sources import note_source
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import EncodedImage, Sample


def picture(number: int) -> EncodedImage:
    rng = np.random.default_rng(number)
    return encode_image(rng.integers(0, 256, (12, 16, 3), np.uint8))


def add(store: ProjectStore, class_name: str, number: int, *, held_out: bool) -> Sample:
    burst_id = store.next_burst_id()
    return store.add_sample(picture(number), class_name, burst_id, held_out=held_out)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "project"
    with ProjectStore.create(made, ["mug", "phone"]) as store:
        add(store, "mug", 1, held_out=False)
        add(store, "mug", 2, held_out=True)
        add(store, "phone", 3, held_out=True)
    return made


def names(samples: tuple[Sample, ...]) -> list[str]:
    return [f"{s.path.parent.parent.name}/{s.class_name}/{s.path.name}" for s in samples]


def test_held_out_samples_are_never_among_the_samples_to_train_on(path: Path) -> None:
    with ProjectStore.open(path) as store:
        assert names(store.samples()) == ["samples/mug/b0000001-0000.jpg"]
        assert names(store.held_out()) == [
            "validation/mug/b0000002-0000.jpg",
            "validation/phone/b0000003-0000.jpg",
        ]
        assert np.array_equal(read_image(store.held_out()[0].path), picture(2).image)


def test_bursts_are_numbered_on_over_both(path: Path) -> None:
    with ProjectStore.open(path) as store:
        assert store.next_burst_id() == "b0000004"


def test_renaming_and_removing_a_class_take_its_held_out_samples_along(path: Path) -> None:
    with ProjectStore.open(path) as store:
        store.rename_class("mug", "cup")
        assert [s.class_name for s in (*store.samples(), *store.held_out())] == [
            "cup",
            "cup",
            "phone",
        ]
        assert all(s.path.exists() for s in store.held_out())
        store.remove_class("cup")
    with ProjectStore.open(path) as store:
        assert store.class_names() == ("phone",)
        assert store.samples() == ()
        assert [s.class_name for s in store.held_out()] == ["phone"]
    assert len(list((path / "trash").rglob("*.jpg"))) == 2


@pytest.mark.parametrize("moved", ["samples", "validation", None])
def test_a_renaming_that_was_killed_half_way_is_completed(path: Path, moved: str | None) -> None:
    document = json.loads((path / "project.json").read_text("utf-8"))
    document["classes"][0].update(name="cup", renamed_from="mug")
    (path / "project.json").write_text(json.dumps(document), "utf-8")
    if moved:
        (path / moved / "mug").rename(path / moved / "cup")
    with ProjectStore.open(path, read_only=True) as store:
        assert [s.class_name for s in store.held_out()] == ["cup", "phone"]
    for _ in range(2):
        with ProjectStore.open(path) as store:
            assert store.class_names() == ("cup", "phone")
            assert names(store.samples()) == ["samples/cup/b0000001-0000.jpg"]
            assert names(store.held_out())[0] == "validation/cup/b0000002-0000.jpg"
    assert "renamed_from" not in (path / "project.json").read_text("utf-8")


def test_a_class_that_cannot_be_moved_stays_whole(path: Path) -> None:
    with ProjectStore.open(path) as store:
        (path / "trash").write_text("in the way")
        with pytest.raises(ProjectError):
            store.remove_class("mug")
        assert store.class_names() == ("mug", "phone")
        (path / "validation" / "cup").mkdir()
        (path / "validation" / "cup" / "notes.txt").write_text("x")
        with pytest.raises(ProjectError, match="cup already; move it away"):
            store.rename_class("mug", "cup")
        assert all(s.path.exists() for s in (*store.samples(), *store.held_out()))


def test_a_lossless_sample_keeps_its_kind(path: Path) -> None:
    image = np.random.default_rng(1).integers(0, 256, (5, 7, 3), np.uint8)
    encoded = encode_file(cv2.imencode(".png", image)[1].tobytes(), "x")
    with ProjectStore.open(path) as store:
        sample = store.add_sample(encoded, "mug", store.next_burst_id())
        assert sample.path.name == "b0000004-0000.png"
    with ProjectStore.open(path) as store:
        assert store.samples()[-1].burst_id == "b0000004"
        assert np.array_equal(read_image(store.samples()[-1].path), image)


def test_a_link_in_the_place_of_the_held_out_samples_is_refused(path: Path, tmp_path: Path) -> None:
    (path / "validation").rename(tmp_path / "elsewhere")
    (path / "validation").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProjectFormatError, match="validation has to be a folder of its own"):
        ProjectStore.open(path)


def test_a_copy_of_the_project_has_its_held_out_samples(path: Path, tmp_path: Path) -> None:
    with ProjectStore.open(path) as store:
        store.save_as(tmp_path / "copy")
    with ProjectStore.open(tmp_path / "copy") as copy:
        assert len(copy.held_out()) == 2


def test_sources_are_told_by_the_name_of_the_sample_and_survive_a_crash(path: Path) -> None:
    assert read_sources(path) == {}
    with ProjectStore.open(path) as store:
        note_source(path, store.samples()[0], "été/杯子 1.jpg")
        note_source(path, store.held_out()[0], "bad \udcff\nname.jpg")
    with (path / SOURCES).open("a") as file:
        file.write('{"sample": "b00')
    assert read_sources(path) == {
        "b0000001-0000.jpg": "été/杯子 1.jpg",
        "b0000002-0000.jpg": "bad \udcff\nname.jpg",
    }


def test_sources_are_never_written_through_a_link(path: Path, tmp_path: Path) -> None:
    (path / SOURCES).symlink_to(tmp_path / "outside")
    with pytest.raises(ProjectError, match=SOURCES):
        ProjectStore.open(path)
    (path / SOURCES).unlink()
    with ProjectStore.open(path) as store:
        (path / SOURCES).symlink_to(tmp_path / "outside")
        with pytest.raises(ProjectError, match=SOURCES):
            note_source(path, store.samples()[0], "x")
    assert not (tmp_path / "outside").exists()
