"""What the keys do that record nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.fakes import ManualExecutor
from support.live_session import LiveSession, settle, teach_two

from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.learning.model import Model
from edge_classifier.live.buttons import BUTTONS
from edge_classifier.live.controls import HELP, KEYS
from edge_classifier.live.display import RECORD, Press, target
from edge_classifier.live.view import Banner, Level, Mode
from edge_classifier.project.store import ProjectStore, Snapshot
from edge_classifier.protocols import Backbone, Cancelled, Progress


def test_undo_takes_back_the_last_burst_and_then_the_one_before(live: LiveSession) -> None:
    live.hold("1", thing=1)
    first = live.counts
    live.hold("2", thing=2)
    live.type("u")
    assert live.counts == first
    assert live.message.endswith("pictures of phone; Z puts them back")
    live.type("u")
    assert live.counts == [0, 0]
    view = live.type("u")
    assert view.message is not None
    assert view.message.text == "nothing to undo"


def test_an_undone_class_is_no_longer_predicted(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.hold("3", thing=3)
    live.type("u")
    live.thing = 3
    live.wait(1.0)
    assert live.label != "class 3"


def test_a_class_is_removed_only_after_yes(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.type("x")
    assert live.view.mode is Mode.CONFIRMING
    assert live.view.prompt is not None
    assert live.view.prompt.title.startswith("Remove mug with its")
    live.type("n")
    assert [card.name for card in live.view.cards] == ["mug", "phone"]
    live.type("x", "y")
    assert [card.name for card in live.view.cards] == ["phone"]


def test_training_does_not_hide_what_was_just_answered(live: LiveSession) -> None:
    for key, thing in (("1", 1), ("2", 2), ("3", 3)):
        live.hold(key, thing)
    live.type("x", "y")
    view = live.frame()
    assert view.message is not None
    assert "trash folder" in view.message.text


def test_removed_pictures_are_still_in_the_trash(live: LiveSession) -> None:
    live.hold("1", thing=1)
    captured = live.counts[0]
    live.type("x", "y")
    assert len(list((live.store.path / "trash").rglob("*.jpg"))) == captured


def test_a_class_is_named_by_typing_in_the_window(live: LiveSession) -> None:
    live.type("+", *"tasse à café", "enter")
    assert live.view.cards[-1].name == "tasse à café"
    assert live.view.mode is Mode.LIVE
    live.hold("3", thing=3)
    assert live.view.cards[-1].count > 1


def test_letters_typed_into_a_name_trigger_nothing(live: LiveSession) -> None:
    live.type("+", *"quit bus", "enter")
    assert not live.view.done
    assert live.view.cards[-1].name == "quit bus"


@pytest.mark.parametrize("name", ["", "mug", "MUG", "../../x", "n" * 150])
def test_a_name_that_cannot_be_is_refused_in_the_window(live: LiveSession, name: str) -> None:
    live.type("+", *name, "enter")
    assert live.view.mode is Mode.TYPING
    assert live.view.prompt is not None
    assert live.view.prompt.error
    assert len(live.view.cards) == 2


def test_the_selected_class_can_be_renamed(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("up", "n", *"cup", "enter")
    assert [card.name for card in live.view.cards] == ["cup", "phone"]
    live.thing = 1
    live.wait(1.0)
    assert live.label == "cup"


def familiar_thing(live: LiveSession) -> Banner:
    live.thing = 1
    live.wait(1.0)
    assert live.view.banner is not None
    return live.view.banner


def test_the_picture_shows_how_familiar_it_is_and_what_is_unknown(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    known = familiar_thing(live)
    live.thing = 50
    live.wait(1.0)
    strange = live.view.banner
    assert strange is not None
    assert known.similarity is not None
    assert strange.similarity is not None
    assert known.threshold == strange.threshold is not None
    assert strange.similarity < strange.threshold < known.similarity


def test_brackets_move_the_threshold_of_unknown_at_once(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    before = familiar_thing(live).threshold
    live.type("]")
    assert live.view.message is not None
    assert live.view.message.text.startswith("unknown is 1 step stricter than measured")
    stricter = live.frame().banner
    live.type("[", "[")
    lenient = live.frame().banner
    assert stricter is not None
    assert lenient is not None
    assert stricter.threshold is not None
    assert lenient.threshold is not None
    assert before is not None
    assert lenient.threshold < before < stricter.threshold
    live.type("]")
    assert live.frame().banner is not None
    assert familiar_thing(live).threshold == pytest.approx(before)


def test_what_is_familiar_becomes_unknown_when_that_is_made_strict_enough(
    live: LiveSession,
) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    assert familiar_thing(live).label == "mug"
    live.type(*["]"] * 20)
    assert live.frame().banner is not None
    assert live.label == "unknown"
    live.type("]")
    assert live.view.message is not None
    assert live.view.message.text.startswith("at the end: unknown is 20 steps stricter")


def test_pause_stops_predicting_and_resume_goes_on(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    extracted = live.backbone.extracted
    live.type("p")
    live.wait(0.5)
    assert live.view.paused
    assert live.view.banner is None
    assert live.backbone.extracted == extracted
    live.type("p")
    assert live.frame().banner is not None


def test_help_shows_every_key_and_goes_away_again(live: LiveSession) -> None:
    assert live.type("h").help_lines == HELP
    assert live.type("escape").help_lines == ()


def test_the_steady_label_can_be_switched_off(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("m")
    live.thing = 1
    live.frame()
    assert live.label == "mug"


@pytest.mark.parametrize("key", ["q", "Q", "close"])
def test_quitting_and_closing_the_window_end_the_session(live: LiveSession, key: str) -> None:
    assert live.type(key).done


@pytest.mark.parametrize("key", ["t", "y"])
def test_what_needs_something_learned_says_what_is_missing(live: LiveSession, key: str) -> None:
    view = live.type(key)
    assert view.message is not None
    assert view.message.level is Level.WARNING
    assert view.message.text.endswith("needs 5 pictures of a class, or two classes")


def test_a_class_removed_after_the_video_has_ended_is_no_longer_the_verdict(
    live: LiveSession,
) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.hold("3", thing=3)
    ended = SourceState(SourceStatus.ENDED, "the video has ended")
    assert live.label == "class 3"
    for key in ("x", "y"):
        live.view = live.session.step(None, Press(key), ended)
    assert live.label in ("mug", "phone", "unknown")
    for _ in range(3):  # the removal, and two bursts
        live.view = live.session.step(None, Press("u"), ended)
    live.view = live.session.step(None, None, ended)
    assert live.label is None


def test_every_key_of_the_list_does_something_and_none_does_two_things() -> None:
    keys = [key for row in KEYS for key in row.actions]
    assert all(row.actions for row in KEYS)
    assert len(keys) == len(set(keys))
    assert tuple((keys, meaning) for keys, meaning, _ in HELP) == tuple(
        (row.keys, row.meaning) for row in KEYS
    )
    assert {press for *_, press in HELP} - {""} <= set(keys)


def test_every_key_of_the_list_can_be_pressed_before_anything_was_captured(
    live: LiveSession,
) -> None:
    for row in KEYS:
        for key in row.actions:
            live.type(key, "escape")
    assert live.view.mode is Mode.LIVE
    assert live.session.problem == ""


def test_quitting_while_something_is_being_made_asks_first(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor, export=lambda _m, _b, _s, _p, _c: store.path)
    teach_two(live, executor)
    settle(live, executor)
    live.type("e", "q")
    assert not live.view.done
    assert live.view.prompt is not None
    assert live.view.prompt.title == "exporting is not finished. Quit all the same?"
    live.type("n")
    assert live.view.prompt is None
    live.type("q", "y")
    assert live.view.done


def test_the_question_names_what_was_asked_for_and_goes_once_that_is_done(
    store: ProjectStore,
) -> None:
    titles: list[str] = []

    def export(_m: Model, _b: Backbone, _s: Snapshot, progress: Progress, _c: Cancelled) -> Path:
        progress(0.5, "reading pictures")
        live.type("q")
        assert live.view.prompt is not None
        titles.append(live.view.prompt.title)
        return Path("bundle")

    executor = ManualExecutor()
    live = LiveSession(store, executor, export=export)
    teach_two(live, executor)
    settle(live, executor)
    live.type("e")
    executor.run_all()
    live.frame()
    assert titles == ["exporting is not finished. Quit all the same?"]
    assert live.view.prompt is None
    assert live.message == "exported to bundle"
    assert not live.view.done


def test_an_export_that_waits_is_asked_about_and_taken_back_before_all_else(
    store: ProjectStore,
) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor, export=lambda _m, _b, _s, _p, _c: store.path)
    teach_two(live, executor)
    settle(live, executor)
    live.type("a")
    live.hold("1", thing=1)
    live.type("e", "q")
    assert live.view.prompt is not None
    assert live.view.prompt.title == "exporting is not finished. Quit all the same?"
    live.type("n", "escape")
    assert live.session.unfinished == ""
    assert live.view.activity.recording, "it goes on collecting what to adapt to"


def test_closing_the_window_never_asks(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor, export=lambda _m, _b, _s, _p, _c: store.path)
    teach_two(live, executor)
    settle(live, executor)
    live.type("e")
    assert live.type("close").done


def test_a_key_that_does_nothing_says_where_the_list_of_keys_is(live: LiveSession) -> None:
    live.type("j")
    assert live.message == "H shows what the keys do"


def test_what_is_chosen_in_the_list_of_keys_hides_it(live: LiveSession) -> None:
    live.type("h", "+")
    assert live.view.help_lines == ()
    assert live.view.mode is Mode.TYPING


def test_a_card_beside_the_list_of_keys_hides_it(live: LiveSession) -> None:
    live.type("h")
    live.hold(target(RECORD, "mug"), thing=1)
    assert live.view.help_lines == ()
    assert live.counts[0] > 1


@pytest.mark.parametrize("key", ["h", "f1", "?"])
def test_help_is_on_the_keys_where_people_look_for_it(live: LiveSession, key: str) -> None:
    assert live.type(key).help_lines == HELP


def test_a_card_is_held_to_record_and_its_name_tapped_to_rename(live: LiveSession) -> None:
    live.hold("record:phone", thing=2)
    assert live.counts[1] > 10
    live.type("rename:mug", *"cup", "enter")
    assert [card.name for card in live.view.cards] == ["cup", "phone"]


def test_a_class_that_was_just_recorded_is_the_one_that_is_named(live: LiveSession) -> None:
    live.hold("3", thing=3)
    live.type("n", *"cup", "enter")
    assert [card.name for card in live.view.cards] == ["mug", "phone", "cup"]


def test_without_a_class_n_names_the_first(tmp_path: Path) -> None:
    with ProjectStore.create(tmp_path / "empty") as store:
        live = LiveSession(store)
        live.type("n", *"cup", "enter")
        assert [card.name for card in live.view.cards] == ["cup"]


def test_where_the_time_goes_is_shown_when_asked_for(live: LiveSession) -> None:
    assert live.view.rates is None
    assert live.type("i").rates is not None
    assert live.type("i").rates is None


def test_long_steps_through_many_classes_end_at_the_last(live: LiveSession) -> None:
    for n in range(20):
        live.type("+", *f"thing {n}", "enter")
    live.type("up")  # from the newest
    live.type(*["pageup"] * 5)
    assert [card.selected for card in live.view.cards].index(True) == 0
    live.type("pagedown", "pagedown", "pagedown")
    assert live.view.cards[-1].selected


def test_every_button_does_what_a_key_does(live: LiveSession) -> None:
    keys = {key for row in KEYS for key in row.actions}
    assert {button.press for button in BUTTONS} <= keys
    assert live.view.buttons == BUTTONS


def test_two_hundred_classes_are_gone_through_and_the_last_is_recorded(tmp_path: Path) -> None:
    names = [f"thing {number}" for number in range(200)]
    with ProjectStore.create(tmp_path / "many", names) as store:
        live = LiveSession(store)
        live.type("up")  # from nothing to the last
        live.tap(" ")
        assert [sample.class_name for sample in store.samples()] == ["thing 199"]
        assert len(live.view.cards) == 200
        live.close()
