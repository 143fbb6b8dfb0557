"""V: pictures that look wrong are looked at, removed and put back, while the live one goes on."""

from __future__ import annotations

import pytest
from support.fakes import ManualExecutor
from support.live_session import LiveSession, gallery, pictures

from edge_classifier.evaluation.suspects import Reason, Suspect
from edge_classifier.features.dataset import Dataset
from edge_classifier.live.display import Press
from edge_classifier.live.view import Level, Mode
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import Sample


def teach(live: LiveSession, *, wrong: float = 0.0, bursts: int = 1) -> list[Sample]:
    """Record some bursts of each class; then phones as mugs, for so many seconds."""
    for _ in range(bursts):
        live.hold("1", thing=1, seconds=0.9)
        live.hold("2", thing=2, seconds=0.9)
    before = set(live.store.samples())
    if wrong:
        live.hold("1", thing=2, seconds=wrong)
    live.wait(1.0)
    return [sample for sample in live.store.samples() if sample not in before]


def doubt(live: LiveSession, samples: list[Sample]) -> None:
    """Let these samples be what the search for suspects has found."""
    found = tuple(
        Suspect(sample, Reason.MISLABELLED, f"looks like phone, not {n}", 0.9, "phone")
        for n, sample in enumerate(samples)
    )
    live.session.learner.evaluator.suspects = found


def chosen(live: LiveSession) -> list[int]:
    return [number for number, picture in enumerate(pictures(live)) if picture.chosen]


def test_pictures_of_another_class_are_found_and_shown_with_the_reason(
    store: ProjectStore,
) -> None:
    live = LiveSession(store)
    teach(live, wrong=0.9, bursts=3)
    live.type("v")
    live.wait(1.0)
    assert live.view.mode is Mode.REVIEWING
    assert gallery(live).title.startswith("1 of ")
    assert chosen(live) == [0]
    assert len(pictures(live)) == int(gallery(live).title.split()[2])
    assert all(each.text.startswith("looks like phone") for each in pictures(live))
    assert all(each.thumbnail is not None for each in pictures(live))
    assert live.view.banner is not None  # the live picture goes on


def test_x_moves_the_chosen_picture_to_the_trash_and_z_puts_it_back(store: ProjectStore) -> None:
    live = LiveSession(store)
    (wrong,) = teach(live, wrong=0.1)
    doubt(live, [wrong])
    before = store.samples()
    live.type("v")
    live.wait(1.0)
    live.type("x")
    assert wrong not in store.samples()
    assert len(store.samples()) == len(before) - 1
    assert [p.name for p in (store.path / "trash").rglob("*.jpg")] == [wrong.path.name]
    live.type("z")
    assert store.samples() == before
    assert [each.text for each in pictures(live)] == ["looks like phone, not 0"]


def test_many_are_removed_and_put_back_in_order(store: ProjectStore) -> None:
    live = LiveSession(store)
    doubt(live, teach(live, wrong=1.5))
    before = store.samples()
    live.type("v")
    live.wait(1.0)
    total = int(gallery(live).title.split()[2])
    assert total > 6
    shown = [each.text for each in pictures(live)]
    live.type(*"xxxxxx", *["x"] * (total - 6))
    assert len(store.samples()) == len(before) - total
    assert gallery(live).title == "nothing is left that looks wrong"
    assert chosen(live) == []
    live.type(*["z"] * total)
    assert store.samples() == before
    assert [each.text for each in pictures(live)] == shown


def test_the_arrows_choose_and_the_rows_follow(store: ProjectStore) -> None:
    live = LiveSession(store)
    doubt(live, teach(live, wrong=1.5))
    live.type("v")
    live.wait(1.0)
    total = int(gallery(live).title.split()[2])
    live.type(*["right"] * (total - 1))
    assert gallery(live).title.startswith(f"{total} of {total}")
    assert chosen(live) == [len(pictures(live)) - 1]
    live.type("right")
    assert gallery(live).title.startswith(f"1 of {total}")
    assert chosen(live) == [0]
    live.type("left")
    assert gallery(live).title.startswith(f"{total} of {total}")


@pytest.mark.parametrize("keys", [("2",), ("m", "2"), ("record:phone",)])
def test_a_mislabelled_picture_is_moved_to_its_class_and_taken_back(
    store: ProjectStore, keys: tuple[str, ...]
) -> None:
    live = LiveSession(store)
    (wrong,) = teach(live, wrong=0.1)
    doubt(live, [wrong])
    before = store.samples()
    live.type("v")
    live.wait(1.0)
    live.type(*keys)
    assert gallery(live).title == "nothing is left that looks wrong"
    assert [s.class_name for s in store.samples() if s.path.name == wrong.path.name] == ["phone"]
    live.type("z")
    assert store.samples() == before
    assert chosen(live) == [0]


@pytest.mark.parametrize("key", ["v", "V", "escape"])
def test_it_is_closed_and_what_is_left_is_trained_on(store: ProjectStore, key: str) -> None:
    live = LiveSession(store)
    doubt(live, teach(live, wrong=0.1))
    live.type("v")
    live.wait(1.0)
    live.type("x", key)
    assert live.view.mode is Mode.LIVE
    assert live.view.gallery is None
    live.wait(0.5)
    assert not live.session.learner.stale


def test_nothing_is_recorded_and_no_class_removed_while_it_is_open(
    store: ProjectStore,
) -> None:
    live = LiveSession(store)
    doubt(live, teach(live, wrong=0.1))
    live.type("v")
    live.wait(1.0)
    before = len(store.samples())
    live.type(" ", "n", "e", "u")
    live.hold("1", thing=1)  # which is where it is already
    live.wait(1.0)
    assert live.view.mode is Mode.REVIEWING
    assert len(store.samples()) == before


def test_u_puts_back_what_was_removed_there(store: ProjectStore) -> None:
    live = LiveSession(store)
    doubt(live, teach(live, wrong=0.1))
    before = store.samples()
    live.type("v")
    live.wait(1.0)
    live.type("x", "v", "u")
    assert store.samples() == before
    assert live.message == "put back 1 picture of mug"


def test_where_nothing_is_suspect_that_is_said(store: ProjectStore) -> None:
    live = LiveSession(store)
    teach(live, bursts=2)
    live.type("v")
    live.wait(1.0)
    assert live.view.gallery is None
    assert live.message == "nothing looks wrong"


def test_while_suspects_are_looked_for_that_is_shown_and_escape_stops_it(
    store: ProjectStore,
) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    for _ in range(3):
        executor.run_all()
        live.frame()
    live.hold("1", thing=1)
    executor.run_all()
    live.hold("2", thing=2)
    for _ in range(4):
        executor.run_all()
        live.frame()
    live.type("v")
    live.wait(1.0)
    assert gallery(live).progress is not None
    assert gallery(live).title == "looking for pictures that look wrong"
    live.type("escape")
    executor.run_all()
    live.wait(1.0)
    assert live.view.gallery is None
    assert live.session.learner.evaluator.suspects is None
    assert live.message != "nothing looks wrong"


def test_a_review_needs_more_than_a_picture(store: ProjectStore) -> None:
    live = LiveSession(store)
    live.thing = 1
    live.tap("1")
    live.type("v")
    assert live.view.mode is Mode.LIVE
    assert live.view.message is not None
    assert live.view.message.level is Level.WARNING
    assert "two classes" in live.view.message.text


def test_v_that_is_held_opens_it_once(store: ProjectStore) -> None:
    live = LiveSession(store)
    doubt(live, teach(live, wrong=0.1))
    live.hold("v", thing=1, seconds=2.0)
    assert live.view.mode is Mode.REVIEWING


def test_a_picture_that_was_removed_stays_so_when_the_program_is_killed(
    store: ProjectStore,
) -> None:
    live = LiveSession(store)
    (wrong,) = teach(live, wrong=0.1)
    doubt(live, [wrong])
    live.type("v")
    live.wait(1.0)
    live.type("x")
    with ProjectStore.open(store.path, read_only=True) as after:  # as one would after a kill
        assert wrong.path not in [sample.path for sample in after.samples()]
        assert (store.path / "trash" / "000001" / "mug" / wrong.path.name).is_file()


def hold_before_it_is_there(live: LiveSession, key: str, thing: int) -> None:
    """Hold a key before the empty scene, and only then show the thing."""
    live.thing = 0
    live.frame(Press(key))
    live.wait(0.9)
    live.thing = thing
    live.wait(2.1)
    live.let_go(key)
    live.wait(1.0)


def teach_too_early(live: LiveSession) -> int:
    """Record two classes so; returns how many pictures are of the empty scene."""
    for number, key in enumerate("12", start=1):
        hold_before_it_is_there(live, key, number)
    live.type("v")
    live.wait(1.0)
    return int(gallery(live).title.split()[2])


def test_frames_of_the_empty_scene_are_offered_and_until_then_left_out(
    store: ProjectStore,
) -> None:
    live = LiveSession(store)
    empty = teach_too_early(live)
    samples = len(store.samples())
    assert 4 <= empty < samples / 2
    assert {each.text for each in pictures(live)} == {"looks empty"}
    assert live.view.hint == (
        f"{empty} pictures of mug and phone look empty and are left out: V shows them"
    )
    live.thing = 0
    live.wait(1.0)
    assert live.label == "unknown"
    live.type(*["x"] * empty, "v")
    live.wait(1.0)
    assert len(store.samples()) == samples - empty
    assert live.view.hint.startswith('"unknown" is not reliable yet')


def test_k_keeps_a_picture_which_is_learned_from_and_not_asked_about_again(
    store: ProjectStore,
) -> None:
    live = LiveSession(store)
    empty = teach_too_early(live)
    before = store.samples()
    live.type(*["k"] * empty)
    assert gallery(live).title == "nothing is left that looks wrong"
    live.type("v")
    live.wait(1.0)
    assert store.samples() == before
    assert "look empty" not in live.view.hint
    live.thing = 0
    live.wait(1.0)
    assert live.label != "unknown"
    live.type("v")
    live.wait(1.0)
    assert live.message == "nothing looks wrong"
    live.close()
    with ProjectStore.open(store.path) as again:
        reopened = LiveSession(again)
        reopened.wait(1.0)
        assert not reopened.session.learner.stale
        assert "look empty" not in reopened.view.hint


def test_a_picture_that_is_in_the_trash_while_others_are_kept_is_still_kept_afterwards(
    store: ProjectStore,
) -> None:
    live = LiveSession(store)
    assert teach_too_early(live) > 1
    live.type("k")
    (first,) = live.session.dataset.reviewed
    same = [s for s in store.samples() if s.image_sha256 == first]  # of both classes
    removed = [
        store.remove_samples([s for s in same if s.class_name == name])
        for name in sorted({s.class_name for s in same})
    ]
    later = LiveSession(store)
    later.wait(1.0)
    later.type("v")
    later.wait(1.0)
    later.type("k")
    for together in removed:
        store.put_back(together)
    assert len(Dataset.of(store).reviewed) == 2
    later.type("z")
    assert Dataset.of(store).reviewed == {first}


def test_z_takes_back_what_was_kept_and_removed_in_turn(store: ProjectStore) -> None:
    live = LiveSession(store)
    empty = teach_too_early(live)
    before = store.samples()
    live.type("k", "x", "k", "z", "z", "z")
    assert gallery(live).title == f"1 of {empty} pictures that look wrong"
    assert store.samples() == before
    live.type("v")
    live.wait(1.0)
    assert live.view.hint.startswith(f"{empty} pictures of mug and phone look empty")


def test_a_picture_cannot_be_kept_in_a_project_that_cannot_be_written(
    store: ProjectStore,
) -> None:
    live = LiveSession(store)
    empty = teach_too_early(live)
    live.close()
    with ProjectStore.open(store.path, read_only=True) as reading:
        only = LiveSession(reading)
        only.wait(1.0)
        only.type("v")
        only.wait(1.0)
        only.type("k")
        assert only.view.message is not None
        assert only.view.message.level is Level.ERROR
        assert gallery(only).title == f"1 of {empty} pictures that look wrong"
