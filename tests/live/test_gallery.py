"""G: one's pictures are looked at, removed, moved to another class, and all that is taken back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.fakes import ManualExecutor
from support.live_session import LiveSession, gallery, pictures, scene

from edge_classifier.live.display import Press, Room
from edge_classifier.live.view import Level, Mode
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

ROUNDS = (5, 3)
"""Pictures of the mug's rounds."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A project with two rounds of mugs and one of phones."""
    path = tmp_path / "project"
    with ProjectStore.create(path, ["mug", "phone", "empty"]) as store:
        for name, thing, count in (("mug", 1, 5), ("mug", 1, 3), ("phone", 2, 4)):
            burst_id = store.next_burst_id()
            for index in range(count):
                store.add_sample(encode_image(scene(thing, index)), name, burst_id)
    return path


@pytest.fixture
def live(path: Path) -> LiveSession:
    live = LiveSession(ProjectStore.open(path))
    live.wait(0.5)
    return live


def chosen(live: LiveSession) -> list[str]:
    return [picture.id for picture in pictures(live) if picture.chosen]


def counts(live: LiveSession) -> dict[str, int]:
    return {card.name: card.count for card in live.view.cards}


def on_disk(live: LiveSession) -> dict[str, int]:
    folder = live.store.path / "samples"
    return {each.name: len(list(each.iterdir())) for each in folder.iterdir()}


def headings(live: LiveSession) -> list[str]:
    return [row.heading for row in gallery(live).rows if row.heading]


def test_it_shows_the_rounds_of_the_selected_class_the_newest_first(live: LiveSession) -> None:
    live.type("down", "g")
    live.frame()
    assert live.view.mode is Mode.LOOKING
    assert gallery(live).title == "mug: 8 pictures"
    first, second = headings(live)
    assert first.startswith("round 2 · 20")
    assert first.endswith(" · 3 pictures")
    assert second.startswith("round 1 · 20")
    assert second.endswith(" · 5 pictures")
    assert all(picture.thumbnail is not None for picture in pictures(live))
    assert chosen(live) == ["mug/b0000002-0000.jpg"]


def test_the_live_picture_goes_on_meanwhile(live: LiveSession) -> None:
    live.type("g")
    before = live.view.image
    live.thing = 2
    live.wait(1.0)
    assert live.view.image is not before
    assert live.label == "phone"


def test_of_no_class_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "new") as store:
        live = LiveSession(store)
        live.type("g")
        assert live.view.gallery is None
        assert live.message == "there are no pictures yet: hold 1 to record some"


def test_a_class_without_pictures_says_so_and_nothing_can_be_done_to_it(live: LiveSession) -> None:
    live.type("look:empty")
    assert gallery(live).title == "empty has no pictures yet"
    live.type("x", "m", "1", " ", "left", "up", "pagedown", "end", "scrolldown")
    assert counts(live) == {"mug": 8, "phone": 4, "empty": 0}
    assert live.view.prompt is None


def test_a_picture_is_removed_on_disk_at_once_and_taken_back(live: LiveSession) -> None:
    live.type("g", "right", "x")
    assert on_disk(live) == {"mug": 7, "phone": 4}
    assert live.message == "removed 1 picture of mug; U takes it back"
    assert chosen(live) == ["mug/b0000002-0002.jpg"]
    live.type("u")
    assert on_disk(live) == {"mug": 8, "phone": 4}
    assert chosen(live) == ["mug/b0000002-0001.jpg"]


@pytest.mark.parametrize("keys", [(" ",), ("round:mug/b0000002-0000.jpg",)])
def test_a_whole_round_is_removed_and_taken_back(live: LiveSession, keys: tuple[str, ...]) -> None:
    live.type("g", *keys)
    assert gallery(live).detail == "the whole round: 3 pictures"
    assert len(chosen(live)) == 3
    live.type("delete")
    assert counts(live)["mug"] == 5
    assert len(headings(live)) == 1
    live.type("u")
    assert counts(live)["mug"] == 8


def test_pressing_a_round_again_chooses_the_picture_alone(live: LiveSession) -> None:
    live.type("g", " ", " ")
    assert len(chosen(live)) == 1


@pytest.mark.parametrize(
    "keys", [("2",), ("record:phone",), ("rename:phone",), ("m", "2"), ("m", "down", " ")]
)
def test_a_picture_is_moved_by_key_and_by_card(live: LiveSession, keys: tuple[str, ...]) -> None:
    live.type("look:mug", *keys)
    assert on_disk(live) == {"mug": 7, "phone": 5}
    assert live.message == "moved 1 picture from mug to phone; U takes it back"
    assert gallery(live).title == "mug: 7 pictures"
    live.type("u")
    assert on_disk(live) == {"mug": 8, "phone": 4}
    assert live.message == "1 picture of phone went to mug"
    assert chosen(live) == ["mug/b0000002-0000.jpg"]


def test_a_moved_round_stays_one_also_when_the_project_is_opened_again(live: LiveSession) -> None:
    live.type("look:mug", " ", "2")
    assert {s.burst_id for s in live.store.samples() if s.class_name == "phone"} == {
        "b0000002",
        "b0000003",
    }
    live.close()
    with ProjectStore.open(live.store.path) as again:
        assert again.samples() == live.store.samples()


def test_a_moved_part_of_a_round_is_a_round_of_its_class(live: LiveSession) -> None:
    live.type("look:mug", "2", "2")
    moved = [s for s in live.store.samples() if s.class_name == "phone"][:2]
    assert [s.path.name for s in moved] == ["b0000002-0000.jpg", "b0000002-0001.jpg"]
    (burst_id,) = {s.burst_id for s in moved}
    assert burst_id not in {s.burst_id for s in live.store.samples() if s.class_name == "mug"}
    before = live.store.samples()
    live.close()
    with ProjectStore.open(live.store.path) as again:
        assert again.samples() == before


def test_everything_is_taken_back_in_turn_and_then_nothing_more(live: LiveSession) -> None:
    before = live.store.samples()
    live.type("look:mug", "x", "2", " ", "2", "u", "u", "u")
    assert live.store.samples() == before
    live.type("u", "u")
    assert live.store.samples() == before, "no round was undone"
    assert live.message == "nothing was changed here; Esc closes the pictures"


def test_u_and_z_go_on_with_moves_after_it_was_closed(live: LiveSession) -> None:
    live.type("look:mug", "2", "escape", "u")
    assert counts(live) == {"mug": 8, "phone": 4, "empty": 0}
    live.type("z")
    assert counts(live) == {"mug": 7, "phone": 5, "empty": 0}


def test_a_move_is_taken_back_though_the_class_was_renamed(live: LiveSession) -> None:
    live.type("look:mug", "2", "escape", "rename:mug", *"cup", "enter", "u")
    assert counts(live) == {"cup": 8, "phone": 4, "empty": 0}


def test_a_move_whose_pictures_are_gone_is_not_in_the_way(live: LiveSession) -> None:
    live.type("look:mug", "x", "2")
    (moved,) = (live.store.path / "samples" / "phone").glob("b0000002*")
    moved.unlink()
    live.type("u")
    assert "no longer in phone" in live.message
    live.type("u")
    assert counts(live)["mug"] == 7


def test_what_was_changed_is_learned_once_it_is_closed(live: LiveSession) -> None:
    live.type("look:mug", " ", "x")
    model = live.session.learner.model
    live.wait(0.5)
    assert live.session.learner.model is model
    live.type("escape")
    assert live.view.gallery is None
    live.wait(0.5)
    assert live.session.learner.model is not model
    assert not live.session.learner.stale


def test_nothing_is_recorded_while_it_is_open(live: LiveSession) -> None:
    before = counts(live)
    live.type("look:mug")
    live.hold(" ", thing=1)
    live.hold("1", thing=1)
    live.hold("record:mug", thing=1)
    assert counts(live) == before
    live.type("n")
    assert live.message == "Esc closes the pictures; that key is for the live picture"
    assert live.view.mode is Mode.LOOKING


def test_tab_and_a_card_show_another_class(live: LiveSession) -> None:
    live.type("look:mug", "tab")
    assert gallery(live).title == "phone: 4 pictures"
    assert [card.name for card in live.view.cards if card.selected] == ["phone"]
    live.type("tab", "tab")
    assert gallery(live).title == "mug: 8 pictures"
    live.type("look:phone")
    assert gallery(live).title == "phone: 4 pictures"
    live.type("look:nothing of that name")
    assert gallery(live).title == "phone: 4 pictures"


@pytest.mark.parametrize("key", ["g", "escape"])
def test_it_is_closed(live: LiveSession, key: str) -> None:
    live.type("g", key)
    assert live.view.mode is Mode.LIVE
    assert live.view.gallery is None


def test_a_picture_that_cannot_be_read_is_shown_as_such(live: LiveSession) -> None:
    gone, damaged = sorted((live.store.path / "samples" / "mug").iterdir())[:2]
    gone.unlink()
    damaged.write_bytes(b"no picture")
    live.type("look:mug", f"choose:mug/{gone.name}")
    live.frame()
    assert gallery(live).detail.startswith(f"Cannot read the picture {gone}")
    unreadable = [p.id for p in pictures(live) if p.problem]
    assert unreadable == [f"mug/{gone.name}", f"mug/{damaged.name}"]
    live.type("x", "x", "u", "u")
    assert min((live.store.path / "samples" / "mug").iterdir()) == damaged


def test_a_class_folder_that_was_deleted_meanwhile_takes_nothing_with_it(
    live: LiveSession,
) -> None:
    live.type("look:mug")
    shutil.rmtree(live.store.path / "samples" / "mug")
    live.type("2")
    assert live.view.message is not None
    assert live.view.message.level is Level.ERROR
    live.type("tab")
    assert gallery(live).title == "phone: 4 pictures"
    live.type("x", "u")
    assert counts(live)["phone"] == 4


def test_of_a_project_that_cannot_be_written_all_is_shown_and_nothing_changed(path: Path) -> None:
    with ProjectStore.open(path, read_only=True) as store:
        live = LiveSession(store)
        live.wait(0.5)
        for keys in (("x",), ("2",), ("m", "2", "escape")):
            live.type("look:mug", *keys)
            assert gallery(live).title == "mug: 8 pictures"
        live.type("x")
        assert live.view.message is not None
        assert live.view.message.level is Level.ERROR
        assert counts(live) == {"mug": 8, "phone": 4, "empty": 0}


def test_a_move_that_cannot_be_is_said_in_the_question(path: Path) -> None:
    with ProjectStore.open(path, read_only=True) as store:
        live = LiveSession(store)
        live.wait(0.5)
        live.type("look:mug", "m", "2")
        assert live.view.prompt is not None
        assert live.view.prompt.error is not None


def test_single_pictures_are_together_and_no_round(live: LiveSession) -> None:
    live.hold("1", thing=1, seconds=0.0)
    live.hold("1", thing=1, seconds=0.0)
    live.type("look:mug", " ")
    assert headings(live)[0] == "one by one: 2 pictures"
    assert len(chosen(live)) == 1


def test_pictures_that_were_added_are_no_round(path: Path) -> None:
    for number in range(3):
        data = encode_image(scene(1, number + 10)).data
        (path / "samples" / "mug" / f"holiday {number}.jpg").write_bytes(data)
    live = LiveSession(ProjectStore.open(path))
    live.wait(0.5)
    live.type("look:mug", "end", " ")
    assert headings(live)[-1] == "one by one: 3 pictures"
    assert chosen(live) == ["mug/holiday 2.jpg"]
    live.type("2")
    assert (path / "samples" / "phone" / "holiday 2.jpg").is_file()


def test_only_what_is_in_sight_and_a_little_more_is_read(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "project", ["mug"]) as store:
        burst_id = store.next_burst_id()
        picture = encode_image(scene(1))
        for _ in range(600):
            store.add_sample(picture, "mug", burst_id)
        executor = ManualExecutor()
        live = LiveSession(store, executor)
        live.type("look:mug")
        live.frame(Room(5, 4))
        live.frame()
        assert gallery(live).row_count == 120
        assert all(p.thumbnail is None for p in pictures(live)), "nothing waits for them"
        thumbnails = live.session._controls.thumbnails
        live.frame()
        while executor.pending:
            executor.run_next()
        live.frame()
        assert all(p.thumbnail is not None for p in pictures(live))
        assert len(thumbnails) <= 5 * 4 * 4
        live.type("end")
        while executor.pending:
            executor.run_next()
        live.frame()
        assert pictures(live)[-1].thumbnail is not None
        assert len(thumbnails) <= 5 * 4 * 4
        live.type("escape")
        assert len(thumbnails) == 0


def test_one_scrolls_without_choosing_another_picture(live: LiveSession) -> None:
    live.type("look:mug")
    live.frame(Room(2, 2))
    first = chosen(live)
    live.type("scrolldown", "scrolldown", "scrolldown", "scrolldown", "scrolldown", "scrolldown")
    assert gallery(live).first == gallery(live).row_count - 2 == 3
    assert chosen(live) == []
    live.type("scrollup", "scrollup", "scrollup", "scrollup", "scrollup")
    assert gallery(live).first == 0
    assert chosen(live) == first


def test_arrows_and_pages_go_through_the_rows_and_keep_the_chosen_in_sight(
    live: LiveSession,
) -> None:
    live.type("look:mug")
    live.frame(Room(2, 2))
    walked = []
    for key in ("right", "down", "down", "pagedown", "pageup", "up", "left", "left", "home"):
        live.type(key)
        (one,) = chosen(live)
        walked.append(one.removeprefix("mug/b000000").removesuffix(".jpg"))
    assert walked == [
        "2-0001", "2-0002", "1-0000", "1-0004", "1-0000", "2-0002", "2-0001", "2-0000", "2-0000",
    ]  # fmt: skip


def test_what_is_chosen_stays_so_in_another_room(live: LiveSession) -> None:
    live.type("look:mug", "end")
    before = chosen(live)
    for room in (Room(1, 1), Room(9, 9), Room(3, 2)):
        live.frame(room)
        assert chosen(live) == before


def test_a_key_that_is_held_removes_one_picture(live: LiveSession) -> None:
    live.type("look:mug")
    for _ in range(5):
        live.frame(Press("x", repeated=True))
    assert counts(live)["mug"] == 8


def test_a_press_on_what_is_gone_chooses_nothing_else(live: LiveSession) -> None:
    live.type("look:mug", "x")
    before = chosen(live)
    live.type("choose:mug/b0000002-0000.jpg")
    assert chosen(live) == before


def test_among_many_classes_any_can_be_moved_to(tmp_path: Path) -> None:
    names = [f"thing {n}" for n in range(200)]
    with ProjectStore.create(tmp_path / "project", names) as store:
        store.add_sample(encode_image(scene(1)), names[0], store.next_burst_id())
        live = LiveSession(store)
        live.type("look:thing 0", "m", *["pagedown"] * 20, "enter")
        assert live.message == "moved 1 picture from thing 0 to thing 199; U takes it back"
        assert [card.name for card in live.view.cards if card.selected] == ["thing 0"]
