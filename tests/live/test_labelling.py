"""Pictures without labels: grouped, answered for, taken back, and asked about again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn

import cv2
import pytest
from support.fakes import ImmediateExecutor, ManualExecutor
from support.live_session import LiveSession, scene
from support.mounts import read_only

from edge_classifier.commands.unlabelled import Pictures, Source
from edge_classifier.device.framing import Framing, Region
from edge_classifier.errors import ProjectError
from edge_classifier.features.dataset import Dataset
from edge_classifier.live.display import Press, Room
from edge_classifier.live.view import Gallery
from edge_classifier.project.picture_file import encode_file
from edge_classifier.project.sample_files import recording_of
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.learning.alike import Unlabelled
    from edge_classifier.protocols import Backbone, Cancelled, Executor, Progress

THINGS, EACH = 3, 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pictures of each of three things, in no order."""
    folder = tmp_path / "in"
    folder.mkdir()
    for n in range(THINGS * EACH):
        name = f"{(7 * n) % 18:02d}-{n % THINGS}.jpg"
        cv2.imwrite(str(folder / name), scene(n % THINGS + 1, n), [cv2.IMWRITE_JPEG_QUALITY, 95])
    return folder


def labelling(store: ProjectStore, folder: Path, executor: Executor | None = None) -> LiveSession:
    live = LiveSession(store, executor=executor or ImmediateExecutor())
    live.session.label(Source(Pictures([folder]), store))
    return steps(live)


def steps(live: LiveSession, count: int = 12) -> LiveSession:
    """Let some time pass; there is no camera."""
    for _ in range(count):
        live.clock.advance(0.1)
        live.view = live.session.step(None, None)
    return live


def press(live: LiveSession, *keys: str) -> None:
    for key in keys:
        live.view = live.session.step(None, Press(key, key if len(key) == 1 else ""))
        steps(live)


def gallery(live: LiveSession) -> Gallery:
    assert live.view.gallery is not None
    return live.view.gallery


def groups(live: LiveSession) -> list[str]:
    return [row.heading for row in gallery(live).rows if row.heading]


def chosen(live: LiveSession) -> set[str]:
    """What the chosen pictures show."""
    shown = (p for row in gallery(live).rows for p in row.pictures)
    return {picture.id[-5] for picture in shown if picture.chosen}


def of_class(store: ProjectStore, class_name: str) -> int:
    return Dataset.of(store).count(class_name)


def test_the_cameras_region_is_not_drawn_into_pictures_that_were_cut_out_already(
    store: ProjectStore, folder: Path
) -> None:
    store.update_settings(framing=Framing(Region(0.0, 0.0, 0.5, 1.0)).as_json())
    live = labelling(store, folder)
    assert live.view.image is not None
    assert live.view.region is None


def test_like_ones_are_one_group_and_a_key_answers_for_all_of_it(
    store: ProjectStore, folder: Path
) -> None:
    live = labelling(store, folder)
    assert gallery(live).title == "18 pictures to name"
    assert groups(live) == ["6 pictures"] * 3
    assert len(chosen(live)) == 1
    press(live, "1")
    assert gallery(live).title == "12 pictures to name"
    assert groups(live) == ["6 pictures"] * 2  # of a single class it cannot tell what is unknown
    assert [of_class(store, name) for name in store.class_names()] == [6, 0]
    assert len({s.burst_id for s in store.samples()}) == 1
    assert len(list(folder.iterdir())) == 18
    press(live, "2")
    assert not live.session.learner.stale
    assert live.session.learner.model is not None


def test_enter_takes_what_the_model_says_or_else_asks_for_a_name(
    store: ProjectStore, folder: Path
) -> None:
    live = labelling(store, folder)
    press(live, "enter")
    assert live.view.prompt is not None
    assert live.view.prompt.title == "What is this?"
    press(live, "escape")
    assert len(chosen(live)) == 1
    press(live, "n", *"glass", "enter")
    assert of_class(store, "glass") == 6
    press(live, "1")
    taught = set(store.samples())
    live = labelling(again(live), with_more(folder))
    assert len([heading for heading in groups(live) if heading.startswith("looks like ")]) == 2
    for _ in range(3):
        press(live, "enter")
        if live.view.prompt is not None:  # it is of neither
            press(live, "escape", "tab")
    added = [s for s in live.store.samples() if s not in taught]
    notes = (live.store.path / "sources.jsonl").read_text("utf-8")
    sources = {record["sample"]: record["source"] for record in map(json.loads, notes.splitlines())}
    things = {s.class_name: sources[s.path.name][-5] for s in taught}
    assert added
    assert all(sources[s.path.name][-5] == things[s.class_name] for s in added)


def test_enter_takes_only_what_was_shown_before(store: ProjectStore, folder: Path) -> None:
    live = labelling(store, with_more(folder))
    press(live, "right", "1", "tab", "right")
    live.view = live.session.step(None, Press("2", "2"))  # it learns them while Enter is pressed
    said, shown = [], ""
    for _ in range(60):
        if live.message.startswith("11 pictures show"):
            break
        shown = gallery(live).detail
        live.view = live.session.step(None, Press("enter", ""))
        said.append(live.message)
        if live.view.prompt is not None:  # nothing is known of them yet
            live.view = live.session.step(None, Press("escape", ""))
        live.clock.advance(0.05)
    assert said[-1] == "11 pictures show phone; U takes it back"
    assert shown == "looks like phone"
    assert "it looks like phone now; Enter again takes that" in said


def test_what_enter_would_call_it_is_said_of_one_picture_too_and_out_of_sight(
    store: ProjectStore, folder: Path
) -> None:
    live = labelling(store, with_more(folder))
    press(live, "right", "1", "tab", "right", "2")
    whole = gallery(live).detail
    assert whole == "looks like phone"
    live.view = live.session.step(None, Room(1, 1))
    for _ in range(13):
        live.view = live.session.step(None, Press("scrolldown", ""))
    assert not chosen(live)
    assert gallery(live).detail == whole
    press(live, "right")
    name, place = gallery(live).detail.split(" · ")
    assert place.endswith(" of 34")
    assert name.startswith(("looks like ", "unknown"))


def again(live: LiveSession) -> ProjectStore:
    """Close it, and open the project once more."""
    path = live.store.path
    live.close()
    return ProjectStore.open(path)


def with_more(folder: Path) -> Path:
    """Add other pictures of the same three things."""
    for n in range(THINGS * EACH):
        image = cv2.convertScaleAbs(scene(n % THINGS + 1, n), alpha=0.97, beta=n / 9)
        cv2.imwrite(str(folder / f"{50 + (7 * n) % 18}-{n % THINGS}.jpg"), image)
    return folder


def test_one_picture_can_be_picked_out_and_another_class_has_it(
    store: ProjectStore, folder: Path
) -> None:
    live = labelling(store, folder)
    press(live, "right", "2")
    assert of_class(store, "phone") == 1
    assert gallery(live).title == "17 pictures to name"
    press(live, "m", "1")
    assert of_class(store, "mug") == 5


def test_what_is_left_out_is_not_asked_about_again_and_no_file_is_gone(
    store: ProjectStore, folder: Path
) -> None:
    live = labelling(store, folder)
    press(live, "x", "x", "u")
    assert gallery(live).title == "12 pictures to name"
    press(live, "1", "escape")
    assert live.session.done
    assert (store.path / "trash").exists() is False
    live = labelling(again(live), folder)
    assert gallery(live).title == "6 pictures to name"
    assert len(list(folder.iterdir())) == 18


def test_u_takes_back_one_answer_after_the_other(store: ProjectStore, folder: Path) -> None:
    live = labelling(store, folder)
    before = [chosen(live), groups(live)]
    press(live, "1", "right", "2", "x", "u", "u", "u")
    assert [chosen(live), groups(live)] == before
    assert not store.samples()
    press(live, "u")
    assert live.message == "nothing was changed here; Esc closes the pictures"
    live = labelling(again(live), folder)
    assert gallery(live).title == "18 pictures to name"


def test_what_was_answered_is_stored_also_where_the_window_is_closed_at_once(
    store: ProjectStore, folder: Path
) -> None:
    executor = ManualExecutor()
    live = labelling(store, folder, executor)
    for _ in range(6):
        executor.run_all()
        steps(live)
    press(live, "1")
    assert of_class(store, "mug") == 0  # the files are still being read
    executor.run_all()
    live.close()
    with ProjectStore.open(store.path) as reopened:
        assert of_class(reopened, "mug") == 6


def test_where_nothing_can_be_stored_that_is_said_and_asked_again(
    store: ProjectStore, folder: Path
) -> None:
    live = labelling(store, folder)
    (store.path / "samples").mkdir(exist_ok=True)
    with read_only(store.path / "samples"):
        press(live, "1")
    assert "the disk is read-only" in live.session.problem
    assert gallery(live).title == "18 pictures to name"
    press(live, "1")
    assert of_class(store, "mug") == 6


def test_a_file_that_is_gone_or_there_twice_is_left_out(store: ProjectStore, folder: Path) -> None:
    first = min(folder.glob("*-0.jpg"))
    (folder / "copy-0.jpg").write_bytes(first.read_bytes())
    (folder / "none.jpg").write_bytes(b"")
    live = labelling(store, folder)
    assert gallery(live).detail == "1 cannot be read"
    gone = max(folder.glob("*-0.jpg"))
    assert gone.name == "copy-0.jpg"
    while "0" not in chosen(live):
        press(live, "tab")
    max(folder.glob("[0-9]*-0.jpg")).unlink()
    press(live, "1")
    assert of_class(store, "mug") == 5


def test_what_the_project_has_in_another_form_is_told_and_not_asked_about_again(
    store: ProjectStore, folder: Path
) -> None:
    for path in sorted(folder.glob("*-0.jpg")):
        cv2.imwrite(str(path.with_suffix(".bmp")), scene(1, int(path.name[:2])))
        path.unlink()
    bitmaps = sorted(folder.glob("*.bmp"))
    for path in bitmaps:
        store.add_sample(encode_file(path.read_bytes(), path.name), "mug", store.next_burst_id())
    live = labelling(store, folder)
    while "0" not in chosen(live):
        press(live, "tab")
    press(live, "2")
    assert live.message == f"{bitmaps[-1].name} is in the project already, as mug"
    assert of_class(store, "phone") == 0
    live = labelling(again(live), folder)
    assert gallery(live).title == "12 pictures to name"


def test_nothing_is_learned_of_a_recording_of_which_some_is_held_out(
    store: ProjectStore, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in sorted(folder.iterdir()):
        path.rename(folder / f"{path.stem[-1]}.mp4-{path.stem[:2]}.jpg")
    one = encode_file(max(folder.glob("1.mp4*")).read_bytes(), "")
    store.add_sample(one, "mug", store.next_burst_id(), held_out=True)
    live = labelling(store, folder)
    assert gallery(live).title == "12 pictures to name"
    assert "Left out: 5 pictures recorded with some that are held out." in capsys.readouterr().err


def test_what_cannot_be_stored_at_the_end_stops_no_other_answer(
    store: ProjectStore, folder: Path
) -> None:
    executor = ManualExecutor()
    live = labelling(store, folder, executor)
    for _ in range(6):
        executor.run_all()
        steps(live)
    press(live, "1", "2")
    executor.run_all()
    (store.path / "samples" / "mug").mkdir(parents=True)
    with read_only(store.path / "samples" / "mug"):
        live.close()
    assert "the disk is read-only" in live.session.problem
    with ProjectStore.open(store.path) as reopened:
        assert of_class(reopened, "phone") == 6


def test_pictures_of_the_project_itself_are_not_asked_about(
    store: ProjectStore, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live = labelling(store, folder)
    press(live, "1", "u", "2")
    assert list((store.path / "trash").rglob("*.jpg"))
    store = again(live)
    live = LiveSession(store)
    live.session.label(Source(Pictures([folder.parent]), store))
    steps(live)
    assert gallery(live).title == "12 pictures to name"
    assert "Left out: 12 pictures of the project itself." in capsys.readouterr().err


def test_what_was_recorded_together_is_held_out_together_whatever_it_shows(
    store: ProjectStore, folder: Path
) -> None:
    for n, path in enumerate(sorted(folder.iterdir())):
        path.rename(folder / f"clip.mp4-{n:03d}.jpg")
    live = labelling(store, folder)
    press(live, "1")
    live = labelling(again(live), folder)
    press(live, "2")
    samples = live.store.samples()
    assert {s.class_name for s in samples} == {"mug", "phone"}
    assert len({recording_of(s.burst_id) for s in samples}) == 1


def test_escape_ends_it_also_while_it_is_looking(store: ProjectStore, folder: Path) -> None:
    executor = ManualExecutor()
    live = labelling(store, folder, executor)
    executor.run_next()  # the backbone is there
    steps(live)
    assert gallery(live).progress == 0
    press(live, "escape")
    assert live.session.done


def test_a_window_that_is_closed_does_not_wait_until_all_is_looked_at(
    store: ProjectStore, folder: Path
) -> None:
    looked = []

    class Watched(Source):
        def find(self, backbone: Backbone, progress: Progress, cancelled: Cancelled) -> Unlabelled:
            looked.append(cancelled())
            return Source.find(self, backbone, progress, cancelled)

    executor = ManualExecutor()
    live = LiveSession(store, executor=executor)
    live.session.label(Watched(Pictures([folder]), store))
    executor.run_next()  # the backbone is there
    steps(live)
    live.close()
    executor.run_all()
    assert looked in ([], [True])


def test_what_goes_wrong_while_looking_is_shown(store: ProjectStore, folder: Path) -> None:
    class Broken(Source):
        def find(self, *_: object) -> NoReturn:
            raise ProjectError("The folder is gone.")

    live = LiveSession(store)
    live.session.label(Broken(Pictures([folder]), store))
    steps(live)
    assert gallery(live).title == "The folder is gone."
    assert gallery(live).progress is None
    press(live, "escape")
    assert live.session.done


def test_a_name_that_cannot_be_is_asked_for_again(store: ProjectStore, folder: Path) -> None:
    live = labelling(store, folder)
    press(live, "n", *"unknown", "enter")
    assert live.view.prompt is not None
    assert live.view.prompt.error
    assert not store.samples()
