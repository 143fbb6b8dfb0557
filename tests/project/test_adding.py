from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from support.mounts import small_disk
from support.picture_files import picture_bytes, pillow_picture, write_pictures, write_zip
from support.sources import read_sources

from edge_classifier.errors import InvalidValueError, ProjectError
from edge_classifier.project.importers import Item, open_importer
from edge_classifier.project.importers.adding import ImportReport, add
from edge_classifier.project.picture_file import encode_image, read_image
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import EncodedImage, Sample


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    with ProjectStore.create(tmp_path / "project") as made:
        yield made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def add_path(store: ProjectStore, path: Path, class_name: str | None = None) -> ImportReport:
    return add(store, open_importer(path, class_name=class_name))


def reasons(report: ImportReport) -> dict[str, str]:
    return {Path(refusal.source).name: refusal.reason for refusal in report.refused}


def test_pictures_become_samples_in_the_order_people_count(store: ProjectStore, data: Path) -> None:
    write_pictures(data, *(f"class{n}/{n}.jpg" for n in range(1, 12)))
    report = add_path(store, data)
    assert report.added_count == 11
    assert store.class_names() == tuple(f"class{n}" for n in range(1, 12))


def test_a_jpeg_is_stored_as_it_is_and_other_kinds_without_loss(
    store: ProjectStore, data: Path
) -> None:
    write_pictures(data, "a/1.jpg", "a/2.png", "a/3.webp")
    add_path(store, data)
    stored = {Path(read_sources(store.path)[s.path.name]).name: s for s in store.samples()}
    for name in ("1.jpg", "2.png"):
        assert stored[name].path.read_bytes() == (data / "a" / name).read_bytes()
    webp = PillowImage.open(data / "a" / "3.webp").convert("RGB")
    assert stored["3.webp"].path.suffix == ".png"
    assert np.array_equal(read_image(stored["3.webp"].path)[..., ::-1], np.asarray(webp))


def test_adding_appends_and_never_replaces(store: ProjectStore, data: Path) -> None:
    write_pictures(data, "first/a/1.jpg", "first/b/1.jpg", "second/a/2.jpg", "second/c/1.jpg")
    add_path(store, data / "first")
    before = store.samples()
    report = add_path(store, data / "second")
    assert report.added == {"a": 1, "c": 1}
    assert set(before) < set(store.samples())
    assert store.class_names() == ("a", "b", "c")


def test_the_same_pixels_are_counted_and_not_added_twice(store: ProjectStore, data: Path) -> None:
    (data / "a").mkdir()
    picture = pillow_picture(1)
    picture.save(data / "a" / "1.png")
    picture.save(data / "a" / "2.bmp")
    picture.save(data / "a" / "3.png", compress_level=1)
    picture.save(data / "a" / "4.tiff")
    report = add_path(store, data)
    assert (report.added_count, report.duplicates) == (1, 3)


def test_what_the_project_has_is_not_added_again_whatever_the_file(
    store: ProjectStore, data: Path
) -> None:
    store.add_class("mug")
    captured = encode_image(np.asarray(pillow_picture(1))[..., ::-1].copy())
    store.add_sample(captured, "mug", store.next_burst_id())
    (data / "mug").mkdir()
    (data / "mug" / "same.jpg").write_bytes(captured.data)
    PillowImage.fromarray(captured.image[..., ::-1]).save(data / "mug" / "same.png")
    (data / "mug" / "new.jpg").write_bytes(picture_bytes(2))
    for added, there in ((1, 2), (0, 3)):
        report = add_path(store, data)
        assert (report.added_count, report.duplicates) == (added, there)
    store.close()
    with ProjectStore.open(store.path) as again:
        assert add_path(again, data).duplicates == 3


def test_a_picture_turned_by_its_orientation_is_the_same_as_one_stored_upright(
    store: ProjectStore, data: Path
) -> None:
    (data / "a").mkdir()
    upright = pillow_picture(1, (40, 20))
    upright.save(data / "a" / "1.png")
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    upright.transpose(PillowImage.Transpose.ROTATE_90).save(data / "a" / "2.png", exif=exif)
    add_path(store, data / "a" / "1.png", "a")
    assert add_path(store, data / "a" / "2.png", "a").duplicates == 1


def test_a_picture_with_two_labels_is_refused_the_second_time(
    store: ProjectStore, data: Path
) -> None:
    for name in ("a", "b"):
        (data / name).mkdir()
        (data / name / f"{name}.jpg").write_bytes(picture_bytes(1))
    report = add_path(store, data)
    assert report.added == {"a": 1}
    assert reasons(report) == {"b.jpg": "the same picture is in the class 'a' already"}


def test_a_held_out_split_stays_held_out_and_is_never_in_both(
    store: ProjectStore, data: Path
) -> None:
    write_pictures(data, "train/a/1.jpg", "train/a/2.jpg", "validation/a/3.jpg")
    shutil.copy(data / "train/a/1.jpg", data / "validation/a/leak.jpg")
    report = add_path(store, data)
    assert (report.added, report.held_out, report.duplicates) == ({"a": 2}, {"a": 1}, 1)
    assert len(store.samples()) == 2
    assert [Path(read_sources(store.path)[s.path.name]).name for s in store.held_out()] == ["3.jpg"]


def test_photos_are_bursts_of_their_own_and_a_capture_is_one(
    store: ProjectStore, data: Path
) -> None:
    write_pictures(data, "dog/1.jpg", "dog/2.jpg")
    capture = {f"{n}.png": picture_bytes(n, "PNG") for n in range(5)}
    add_path(store, data)
    add_path(store, write_zip(data / "mug-samples.zip", capture))
    bursts = {s.path.name: (s.class_name, s.burst_id) for s in store.samples()}
    assert len({burst for name, burst in bursts.values() if name == "dog"}) == 2
    assert len({burst for name, burst in bursts.values() if name == "mug"}) == 1


def test_every_bad_file_is_named_with_its_reason_and_the_rest_goes_in(
    store: ProjectStore, data: Path
) -> None:
    write_pictures(data, "dog/good.jpg", "x" * 150 + "/1.jpg")
    dog = data / "dog"
    (dog / "empty.jpg").touch()
    (dog / "text.jpg").write_text("hello")
    (dog / "cut.jpg").write_bytes(picture_bytes(3, size=(200, 200))[:2000])
    buffer = io.BytesIO()
    PillowImage.new("1", (30_000, 30_000)).save(buffer, "PNG")
    (dog / "bomb.png").write_bytes(buffer.getvalue())
    (dog / "photo.heic").write_bytes(b"x")
    (dog / "clip.mp4").write_bytes(b"x")
    report = add_path(store, data)
    assert report.added == {"dog": 1}
    told = reasons(report)
    assert set(told) == {
        "empty.jpg", "text.jpg", "cut.jpg", "bomb.png", "photo.heic", "clip.mp4", "1.jpg",
    }  # fmt: skip
    assert "is empty" in told["empty.jpg"]
    assert "not a picture" in told["text.jpg"]
    assert "ends too early" in told["cut.jpg"]
    assert "30000 x 30000 pixels" in told["bomb.png"]
    assert "HEIC" in told["photo.heic"]
    assert "too long" in told["1.jpg"]
    assert all("\n" not in reason for reason in told.values())
    assert store.class_names() == ("dog",)


def test_class_names_that_differ_in_case_only_are_one_class_and_that_is_told(
    store: ProjectStore, data: Path
) -> None:
    store.add_class("Mug")
    write_pictures(data, "1.jpg", "2.jpg", "3.jpg")
    (data / "t.csv").write_text("file,label\n1.jpg,mug\n2.jpg, MUG \n3.jpg,phone\n")
    report = add_path(store, data / "t.csv")
    assert report.added == {"Mug": 2, "phone": 1}
    assert [note.split(":")[0] for note in report.notes] == [
        "'mug' goes into the class 'Mug'",
        "'MUG' goes into the class 'Mug'",
    ]


def test_pictures_labelled_unknown_go_into_a_class_that_is_not_taken_for_the_verdict(
    store: ProjectStore, data: Path
) -> None:
    write_pictures(data, "unknown/1.jpg", "Unknown/2.jpg", "mug/3.jpg")
    report = add_path(store, data)
    assert report.added == {"unknown-class": 2, "mug": 1}
    assert [note for note in report.notes if note.startswith("'unknown' goes into the class")]
    assert add_path(store, data).duplicates == 3
    assert store.class_names() == ("mug", "unknown-class")


@pytest.mark.parametrize("name", ["../../evil", "a/b", "con", "..", "x:y"])
def test_labels_that_look_like_paths_are_refused_and_nothing_is_written_outside(
    store: ProjectStore, data: Path, name: str
) -> None:
    write_pictures(data, "1.jpg")
    (data / "t.csv").write_text(f"file,label\n1.jpg,{name}\n")
    before = sorted(store.path.parent.rglob("*"))
    assert len(add_path(store, data / "t.csv").refused) == 1
    assert sorted(store.path.parent.rglob("*")) == before


def test_a_dry_run_reads_everything_and_changes_nothing(store: ProjectStore, data: Path) -> None:
    write_pictures(data, "a/1.jpg", "b/1.jpg")
    shutil.copy(data / "a/1.jpg", data / "a/2.jpg")
    (data / "a" / "bad.jpg").write_text("x")
    before = {p: p.stat().st_mtime_ns for p in store.path.rglob("*")}
    for project in (store, None):
        report = add(project, open_importer(data), dry_run=True)
        assert (report.added, report.duplicates) == ({"a": 1, "b": 1}, 1)
        assert len(report.refused) == 1
    assert {p: p.stat().st_mtime_ns for p in store.path.rglob("*")} == before


def test_without_a_project_only_a_dry_run_makes_sense(data: Path) -> None:
    write_pictures(data, "a/1.jpg")
    with pytest.raises(InvalidValueError):
        add(None, open_importer(data))


def test_cancelling_keeps_what_was_added_and_the_next_run_goes_on(
    store: ProjectStore, data: Path
) -> None:
    write_pictures(data, *(f"a/{n}.jpg" for n in range(6)))
    report = add(store, open_importer(data), cancelled=lambda: len(store.samples()) == 2)
    assert report.cancelled
    assert len(store.samples()) == report.added_count == 2
    report = add_path(store, data)
    assert (report.added_count, report.duplicates) == (4, 2)


def test_a_capture_that_was_cut_off_goes_on_as_the_same_burst(tmp_path: Path, data: Path) -> None:
    path = write_zip(
        data / "project.tm",
        {f"mug-!-{n}.png": picture_bytes(n, "PNG") for n in range(6)},
    )
    with ProjectStore.create(tmp_path / "cut") as store:
        add(store, open_importer(path), cancelled=lambda: len(store.samples()) == 2)
    with ProjectStore.open(tmp_path / "cut") as store:
        report = add_path(store, path)
        assert (report.added_count, report.duplicates) == (4, 2)
        assert len({s.burst_id for s in store.samples()}) == 1
        assert len({s.path for s in store.samples()}) == 6


def test_ctrl_c_in_the_midst_keeps_what_was_added(store: ProjectStore, data: Path) -> None:
    write_pictures(data, *(f"a/{n}.jpg" for n in range(10)))

    def interrupted() -> Iterator[Item]:
        yield from open_importer(data)
        raise KeyboardInterrupt

    report = add(store, interrupted())
    assert report.cancelled
    assert 0 < report.added_count == len(store.samples()) < 10


def test_progress_never_runs_back_and_ends_below_one(store: ProjectStore, data: Path) -> None:
    write_pictures(data, *(f"a/{n}.jpg" for n in range(5)))
    told: list[float] = []
    importer = open_importer(data)
    add(store, importer, total=importer.count, progress=lambda done, _=None: told.append(done))
    assert told == sorted(told)
    assert told == [0.0, 0.2, 0.4, 0.6, 0.8]


class FullDisk(ProjectStore):
    """A project on a disk that fills up after two samples."""

    def add_sample(
        self, encoded: EncodedImage, class_name: str, burst_id: str, *, held_out: bool = False
    ) -> Sample:
        if len(self.samples()) == 2:
            raise ProjectError("Cannot write it: the disk is full; free some space and try again.")
        return super().add_sample(encoded, class_name, burst_id, held_out=held_out)


def test_a_full_disk_ends_it_with_the_reason_and_keeps_what_was_added(
    tmp_path: Path, data: Path
) -> None:
    write_pictures(data, *(f"a/{n}.jpg" for n in range(5)))
    with FullDisk.create(tmp_path / "full") as store:
        report = add_path(store, data)
        assert "the disk is full" in report.stopped
        assert report.added_count == 2
    with ProjectStore.open(tmp_path / "full") as again:
        assert add_path(again, data).added_count == 3


def test_a_disk_that_is_really_full_leaves_no_half_file(tmp_path: Path, data: Path) -> None:
    (data / "a").mkdir()
    for number in range(30):
        picture = picture_bytes(number, "PNG", size=(60, 40))
        (data / "a" / f"{number}.png").write_bytes(picture)
    with (
        small_disk(tmp_path / "disk", 64) as disk,
        ProjectStore.create(disk / "project") as store,
    ):
        report = add_path(store, data)
        assert "disk is full" in report.stopped
        assert 0 < report.added_count < 30
        assert len(store.samples()) >= report.added_count
        assert all(read_image(s.path).shape == (40, 60, 3) for s in store.samples())


def test_a_file_that_may_not_be_read_is_refused(store: ProjectStore, data: Path) -> None:
    write_pictures(data, "a/1.jpg", "a/2.jpg")
    (data / "a" / "1.jpg").chmod(0)
    if os.access(data / "a" / "1.jpg", os.R_OK):
        pytest.skip("root may read everything")
    report = add_path(store, data)
    assert report.added_count == 1
    assert "permission denied" in reasons(report)["1.jpg"]


def test_what_is_odd_of_pictures_that_were_taken_is_told_once(
    store: ProjectStore, tmp_path: Path
) -> None:
    (tmp_path / "cut" / "dog").mkdir(parents=True)
    for number in range(3):
        data = picture_bytes(number, "JPEG", size=(160, 120))
        (tmp_path / "cut" / "dog" / f"{number}.jpg").write_bytes(data[:-2])
    report = add_path(store, tmp_path / "cut")
    assert report.added["dog"] == 3
    (note,) = report.notes
    assert "0.jpg and 2 more: its end is missing (0% of its pixels)" in note
