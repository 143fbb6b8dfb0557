from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.fakes import FakeBackbone, ManualExecutor
from support.live_session import LiveSession

from edge_classifier.device.preprocessing import Image
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.errors import ExportError, ProjectError, WeightsNotFoundError
from edge_classifier.learning.model import Model
from edge_classifier.learning.project_backbone import LoadedBackbone
from edge_classifier.learning.training import HeadSettings
from edge_classifier.live.controls import HELP
from edge_classifier.live.session import SessionSettings
from edge_classifier.live.view import Banner, Level, Mode
from edge_classifier.project.classes import PALETTE
from edge_classifier.project.store import ProjectStore
from edge_classifier.protocols import Backbone, Cancelled, Progress
from edge_classifier.values import EncodedImage, Features, Sample


@pytest.fixture
def store(tmp_path: Path) -> ProjectStore:
    return ProjectStore.create(tmp_path / "project", ["mug", "phone"])


@pytest.fixture
def live(store: ProjectStore) -> LiveSession:
    return LiveSession(store)


def counts(live: LiveSession) -> list[int]:
    return [card.count for card in live.view.cards]


def label(live: LiveSession) -> str | None:
    return live.view.banner.label if live.view.banner else None


def teach_two(live: LiveSession, executor: ManualExecutor) -> None:
    """Let the worker load the backbone, then record two classes, each trained at once."""
    executor.run_all()
    for key, thing in (("1", 1), ("2", 2)):
        live.hold(key, thing)
        executor.run_all()
        live.frame()


# Recording


def test_holding_a_key_records_its_class_as_one_burst(live: LiveSession) -> None:
    live.hold("2", thing=2)
    assert counts(live)[0] == 0
    assert counts(live)[1] >= 15
    assert len({s.burst_id for s in live.store.samples()}) == 1


def test_a_tap_records_one_picture(live: LiveSession) -> None:
    live.tap("1")
    assert counts(live) == [1, 0]


def test_the_picture_says_what_is_being_recorded(live: LiveSession) -> None:
    view = live.frame("1")
    assert view.activity.text == "recording mug"
    assert view.activity.recording
    assert [card.recording for card in view.cards] == [True, False]


def test_a_sample_is_on_disk_when_the_picture_counts_it(live: LiveSession) -> None:
    live.frame("1")
    assert counts(live) == [1, 0]
    with ProjectStore.open(live.store.path, read_only=True) as other:
        assert len(other.samples()) == 1


def test_the_next_free_digit_makes_a_class(live: LiveSession) -> None:
    live.hold("3", thing=3)
    assert [card.name for card in live.view.cards] == ["mug", "phone", "class 3"]
    assert counts(live)[2] > 1


def test_a_digit_further_on_says_how_to_make_a_class(live: LiveSession) -> None:
    view = live.tap("7")
    assert view.message is not None
    assert "N names a new one" in view.message.text
    assert sum(counts(live)) == 0


def test_b_records_the_background_which_takes_no_digit(live: LiveSession) -> None:
    live.hold("b", thing=9)
    live.hold("3", thing=3)
    keys = {card.name: card.key for card in live.view.cards}
    assert keys == {"mug": "1", "phone": "2", "background": "B", "class 3": "3"}


def test_the_background_has_a_grey_of_its_own_and_takes_no_colour_from_others(
    live: LiveSession,
) -> None:
    live.tap("b")
    live.tap("3")
    colours = {card.name: card.colour for card in live.view.cards}
    assert max(colours["background"]) - min(colours["background"]) < 40
    assert colours["class 3"] == PALETTE[2]


def test_space_records_the_class_selected_with_the_arrows(live: LiveSession) -> None:
    live.type("down", "down")
    assert [card.selected for card in live.view.cards] == [False, True]
    live.hold(" ", thing=2)
    assert counts(live)[1] > 1


def test_more_than_nine_classes_can_be_recorded(tmp_path: Path) -> None:
    names = [f"thing {n}" for n in range(12)]
    live = LiveSession(ProjectStore.create(tmp_path / "many", names))
    live.type("up")
    live.hold(" ", thing=11)
    assert live.view.cards[11].count > 1
    assert live.view.cards[11].key is None


def test_nothing_is_recorded_while_the_camera_is_gone(live: LiveSession) -> None:
    lost = SourceState(SourceStatus.LOST, "camera 0 is gone; waiting for it to come back")
    view = live.session.step(None, "1", lost)
    assert view.message is not None
    assert view.message.text == lost.text
    assert sum(card.count for card in view.cards) == 0


def test_losing_the_camera_ends_a_burst_and_keeps_its_samples(live: LiveSession) -> None:
    live.frame("1")
    lost = SourceState(SourceStatus.LOST, "camera 0 is gone")
    view = live.session.step(None, None, lost)
    assert not view.activity.recording
    assert view.cards[0].count == 1
    view = live.frame()
    assert view.message is None or view.message.text != lost.text


# Learning


def test_two_classes_are_told_apart_after_two_holds(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    for thing, name in ((1, "mug"), (2, "phone")):
        live.thing = thing
        live.wait(1.0)
        assert label(live) == name
        assert live.view.banner is not None
        assert live.view.banner.confidence is not None
        assert live.view.banner.confidence > 0.8


def test_what_was_never_shown_is_unknown(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.thing = 50
    live.wait(1.0)
    assert label(live) == "unknown"
    assert live.view.banner is not None
    assert live.view.banner.confidence is None


def test_one_class_alone_gives_no_verdict(live: LiveSession) -> None:
    live.hold("1", thing=1)
    assert live.view.banner is None
    assert live.view.cards[0].score is None
    assert live.view.hint.startswith("capture a second class")


def test_answers_come_before_any_training(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    executor.run_all()  # loads the backbone; training is never run
    live.tap("1")
    live.thing = 2
    live.tap("2")
    assert label(live) == "phone"
    live.thing = 0
    live.wait(1.0)
    assert label(live) == "mug"


def test_training_starts_by_itself_after_a_burst(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    executor.run_all()
    live.hold("1", thing=1)
    executor.run_all()
    live.hold("2", thing=2)
    assert live.view.activity.text == "training"
    executor.run_all()
    live.frame()
    assert live.view.activity.text.startswith("trained")


def test_scores_keep_coming_from_the_last_head_while_one_trains(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    executor.run_all()
    for key, thing in (("1", 1), ("2", 2)):
        live.hold(key, thing)
        executor.run_all()
    live.hold("3", thing=3)
    assert live.view.activity.text == "training"
    live.thing = 1
    live.wait(1.0)
    assert label(live) == "mug"
    live.thing = 3
    live.wait(1.0)
    assert label(live) == "class 3"


def test_new_samples_cancel_a_training_that_has_not_finished(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    executor.run_all()
    live.hold("1", thing=1)
    executor.run_all()
    live.hold("2", thing=2)
    live.hold("2", thing=2)
    assert executor.pending == 1  # the one that was cancelled is not waited for
    executor.run_all()
    live.frame()
    assert not live.session.learner.stale


def test_the_picture_can_be_captured_before_the_backbone_is_there(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    assert min(counts(live)) > 10
    assert live.view.activity.text == "loading the backbone"
    while executor.pending:
        executor.run_all()
        live.wait(1.0)
    assert live.view.activity.text.startswith("trained")
    live.thing = 1
    live.wait(1.0)
    assert label(live) == "mug"


def test_features_of_a_captured_frame_are_computed_once(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    # One picture a frame, whether it became a sample or not.
    assert live.backbone.extracted <= live.index


def test_what_is_being_recorded_is_not_called_unknown(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    teach_two(live, executor)
    live.hold("3", thing=3)
    assert label(live) == "class 3"


def test_the_dense_head_of_the_article_works_as_well(store: ProjectStore) -> None:
    head = HeadSettings(kind="dense", learning_rate=1e-2)
    live = LiveSession(store, settings=SessionSettings(head=head))
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.thing = 1
    live.wait(1.0)
    assert label(live) == "mug"


def test_a_backbone_that_cannot_be_had_is_said_and_captures_are_kept(
    store: ProjectStore,
) -> None:
    def fail(_progress: Progress, _cancelled: Cancelled) -> LoadedBackbone:
        raise WeightsNotFoundError("offline use needs --weights FILE")

    live = LiveSession(store, load=fail)
    view = live.frame()
    assert view.message is not None
    assert view.message.text == "offline use needs --weights FILE"
    live.hold("1", thing=1)
    assert counts(live)[0] > 10
    assert live.view.activity.text.startswith("no backbone")


def test_a_head_that_cannot_be_kept_is_said_and_used_all_the_same(store: ProjectStore) -> None:
    live = LiveSession(store)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    shutil.rmtree(store.model_folder)
    store.model_folder.write_text("in the way")  # works for root as well, unlike permissions
    live.hold("3", thing=3)
    assert live.view.message is not None
    assert live.view.message.level is Level.ERROR
    assert live.view.activity.text.startswith("trained")
    assert label(live) == "class 3"


def test_work_that_fails_aside_does_not_end_a_burst(store: ProjectStore) -> None:
    def fail(_m: Model, _b: Backbone, _s: tuple[Sample, ...], _p: Progress, _c: Cancelled) -> Path:
        raise ExportError("the disk is full")

    executor = ManualExecutor()
    live = LiveSession(store, executor, export=fail)
    teach_two(live, executor)
    live.frame("e")
    live.frame("1")
    executor.run_all()
    view = live.frame()
    assert view.message is not None
    assert view.message.text == "the disk is full"
    assert view.activity.recording


# Coming back


def test_reopening_brings_back_samples_and_predictions(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    before = counts(live)
    live.close()
    with ProjectStore.open(live.store.path) as store:
        again = LiveSession(store)
        again.thing = 2
        again.wait(1.0)
        assert counts(again) == before
        assert label(again) == "phone"
        assert again.backbone.extracted == again.index  # the live frames, and no sample


def test_pictures_added_by_hand_are_learned_when_the_project_is_opened(
    live: LiveSession,
) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.close()
    newest = live.store.samples()[-1].path
    (newest.parent / "by hand.jpg").write_bytes(newest.read_bytes() + b"\0")
    with ProjectStore.open(live.store.path) as store:
        again = LiveSession(store)
        again.wait(1.0)
        assert not again.session.learner.stale
        assert again.view.activity.text.startswith("trained")


# Undoing and removing


def test_undo_takes_back_the_last_burst_and_then_the_one_before(live: LiveSession) -> None:
    live.hold("1", thing=1)
    first = counts(live)
    live.hold("2", thing=2)
    live.type("u")
    assert counts(live) == first
    live.type("u")
    assert counts(live) == [0, 0]
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
    assert label(live) != "class 3"


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
    captured = counts(live)[0]
    live.type("x", "y")
    assert len(list((live.store.path / "trash").rglob("*.jpg"))) == captured


# Naming


def test_a_class_is_named_by_typing_in_the_window(live: LiveSession) -> None:
    live.type("n", *"tasse à café", "enter")
    assert live.view.cards[-1].name == "tasse à café"
    assert live.view.mode is Mode.LIVE
    live.hold("3", thing=3)
    assert live.view.cards[-1].count > 1


def test_letters_typed_into_a_name_trigger_nothing(live: LiveSession) -> None:
    live.type("n", *"quit bus", "enter")
    assert not live.view.done
    assert live.view.cards[-1].name == "quit bus"


@pytest.mark.parametrize("name", ["", "mug", "MUG", "../../x", "n" * 150])
def test_a_name_that_cannot_be_is_refused_in_the_window(live: LiveSession, name: str) -> None:
    live.type("n", *name, "enter")
    assert live.view.mode is Mode.TYPING
    assert live.view.prompt is not None
    assert live.view.prompt.error
    assert len(live.view.cards) == 2


def test_the_selected_class_can_be_renamed(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("up", "n", "tab", *["backspace"] * 3, *"cup", "enter")
    assert [card.name for card in live.view.cards] == ["cup", "phone"]
    live.thing = 1
    live.wait(1.0)
    assert label(live) == "cup"


# The rest of the keys


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
    assert label(live) == "unknown"
    live.type("]")
    assert live.view.message is not None
    assert live.view.message.text.startswith("at the end: unknown is 20 steps stricter")


def test_the_threshold_that_was_moved_outlives_training_closing_and_goes_into_the_export(
    store: ProjectStore, tmp_path: Path
) -> None:
    exported: list[Model] = []

    def export(
        model: Model, _b: Backbone, _s: tuple[Sample, ...], _p: Progress, _c: Cancelled
    ) -> Path:
        exported.append(model)
        return tmp_path / "bundle"

    live = LiveSession(store)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("]", "]")
    live.hold("3", thing=3)
    live.close()
    with ProjectStore.open(store.path) as again:
        reopened = LiveSession(again, export=export)
        reopened.wait(1.0)
        reopened.type("e")
        reopened.wait(0.5)
    (model,) = exported
    assert model.unknown is not None
    assert model.unknown.steps == 2
    assert model.unknown.threshold > model.unknown.measured_threshold


def test_an_export_has_the_samples_of_the_moment_at_which_it_began(
    store: ProjectStore, tmp_path: Path
) -> None:
    exported: list[int] = []

    def export(
        _m: Model, _b: Backbone, samples: tuple[Sample, ...], _p: Progress, _c: Cancelled
    ) -> Path:
        exported.append(len(samples))
        return tmp_path / "bundle"

    executor = ManualExecutor()
    live = LiveSession(store, executor, export=export)
    teach_two(live, executor)
    at_the_key = len(store.samples())
    live.type("e")
    live.hold("1", thing=1)
    executor.run_all()
    assert exported == [at_the_key]
    assert len(store.samples()) > at_the_key


def test_the_picture_says_how_good_the_model_is(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.wait(1.0)
    assert live.view.quality == "needs a second burst: mug, phone"
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.wait(1.0)
    assert re.fullmatch(r"validated \d+ % ± \d+ on 4 bursts", live.view.quality)


def test_saving_a_copy_is_shown_and_stopped_by_escape(store: ProjectStore, tmp_path: Path) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    teach_two(live, executor)
    executor.run_all()
    target = tmp_path / "copy"
    live.type("s", *["backspace"] * 60, *str(target), "enter")
    assert live.view.activity.text == f"saving to {target}"
    live.type("escape")
    executor.run_all()
    live.frame()
    assert not target.exists()
    assert live.view.message is not None
    assert live.view.message.level is Level.WARNING


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
    assert label(live) == "mug"


@pytest.mark.parametrize("key", ["q", "Q", "close"])
def test_quitting_and_closing_the_window_end_the_session(live: LiveSession, key: str) -> None:
    assert live.type(key).done


def test_training_needs_two_classes_and_says_so(live: LiveSession) -> None:
    view = live.type("t")
    assert view.message is not None
    assert view.message.level is Level.WARNING
    assert "two classes" in view.message.text


def test_a_copy_is_saved_where_the_user_says(live: LiveSession, tmp_path: Path) -> None:
    live.hold("1", thing=1)
    target = tmp_path / "copy"
    live.type("s", *["backspace"] * 60, *str(target), "enter")
    live.frame()
    with ProjectStore.open(target) as copy:
        assert len(copy.samples()) == counts(live)[0]


def test_a_copy_onto_something_else_is_refused_in_one_line(
    live: LiveSession, tmp_path: Path
) -> None:
    target = tmp_path / "taken"
    target.mkdir()
    (target / "thesis.txt").write_text("mine")
    live.type("s", *["backspace"] * 60, *str(target), "enter")
    view = live.frame()
    assert view.message is not None
    assert view.message.level is Level.ERROR
    assert str(target) in view.message.text


def test_exporting_tells_where_the_bundle_is(store: ProjectStore, tmp_path: Path) -> None:
    live = LiveSession(store, export=lambda _m, _b, _s, _p, _c: tmp_path / "bundle")
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("e")
    view = live.frame()
    assert view.message is not None
    assert view.message.text == f"exported to {tmp_path / 'bundle'}"


def test_what_was_still_being_exported_is_known_at_the_end(
    store: ProjectStore, tmp_path: Path
) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor, export=lambda _m, _b, _s, _p, _c: tmp_path / "bundle")
    teach_two(live, executor)
    live.type("e")
    assert live.session.unfinished == "exporting"
    executor.run_all()
    assert live.session.unfinished == ""


def test_a_failed_export_is_said_and_the_session_goes_on(store: ProjectStore) -> None:
    def fail(_m: Model, _b: Backbone, _s: tuple[Sample, ...], _p: Progress, _c: Cancelled) -> Path:
        raise ExportError("the disk is full")

    live = LiveSession(store, export=fail)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("e")
    view = live.frame()
    assert view.message is not None
    assert view.message.text == "the disk is full"
    live.hold("1", thing=1)
    assert label(live) == "mug"


def test_exporting_before_training_says_what_is_missing(store: ProjectStore) -> None:
    live = LiveSession(store, export=lambda _m, _b, _s, _p, _c: Path("never"))
    view = live.type("e")
    assert view.message is not None
    assert "capture two classes first" in view.message.text


def test_a_disk_that_cannot_be_written_is_said_in_the_picture(live: LiveSession) -> None:
    folder = live.store.path / "samples" / "mug"
    folder.parent.mkdir(exist_ok=True)
    if folder.exists():
        folder.rmdir()
    folder.write_text("in the way")  # works for root as well, unlike permissions
    view = live.frame("1")
    assert view.message is not None
    assert view.message.level is Level.ERROR
    assert counts(live) == [0, 0]
    assert not live.frame().activity.recording


def test_messages_go_away_by_themselves(live: LiveSession) -> None:
    assert live.type("t").message is not None
    assert live.wait(6.0).message is None


def test_messages_are_seen_after_the_video_has_ended(live: LiveSession) -> None:
    live.hold("1", thing=1)
    ended = SourceState(SourceStatus.ENDED, "the video has ended")
    view = live.session.step(None, "t", ended)
    assert view.message is not None
    assert "two classes" in view.message.text
    live.clock.advance(6.0)
    view = live.session.step(None, None, ended)
    assert view.message is not None
    assert view.message.text == ended.text


def test_the_loss_of_the_camera_is_said_whatever_was_said_before(live: LiveSession) -> None:
    live.type("t")
    lost = SourceState(SourceStatus.LOST, "camera 0 is gone")
    view = live.session.step(None, None, lost)
    assert view.message is not None
    assert view.message.text == lost.text


def test_samples_written_before_the_disk_was_full_are_counted(
    store: ProjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveSession(store)
    add = store.add_sample
    written: list[Sample] = []

    def add_some(encoded: EncodedImage, class_name: str, burst_id: str) -> Sample:
        if len(written) == 3:
            raise ProjectError("the disk is full")
        written.append(add(encoded, class_name, burst_id))
        return written[-1]

    monkeypatch.setattr(store, "add_sample", add_some)
    live.hold("1", thing=1)
    assert len(store.samples()) == 3
    assert counts(live) == [3, 0]


class SlowBackbone(FakeBackbone):
    """Takes 0.25 s for every tenth picture."""

    def extract(self, images: Sequence[Image]) -> Features:
        features = super().extract(images)
        if self.extracted % 10 == 0:
            self.pause()
        return features

    def pause(self) -> None:
        """Let time pass."""


def test_a_hold_stays_one_burst_when_frames_are_slow_now_and_then(store: ProjectStore) -> None:
    backbone = SlowBackbone()
    live = LiveSession(store, backbone=backbone)
    backbone.pause = lambda: live.clock.advance(0.25)  # type: ignore[method-assign]  # as slow as it pleases
    live.hold("1", thing=1, seconds=4.0)
    assert len({sample.burst_id for sample in store.samples()}) == 1


def test_an_export_waits_for_the_training_of_the_last_burst(
    store: ProjectStore, tmp_path: Path
) -> None:
    exported: list[Model] = []

    def export(
        model: Model, _b: Backbone, _s: tuple[Sample, ...], _p: Progress, _c: Cancelled
    ) -> Path:
        exported.append(model)
        return tmp_path / "bundle"

    live = LiveSession(store, export=export)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.thing = 3
    live.frame("3")
    live.type("e")
    live.wait(1.5)
    assert not live.session.learner.stale
    assert exported == [live.session.learner.model]


def test_escape_takes_back_an_export_that_waits(store: ProjectStore, tmp_path: Path) -> None:
    live = LiveSession(store, export=lambda _m, _b, _s, _p, _c: tmp_path / "bundle")
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("1", "e", "escape")
    said = [live.frame().message for _ in range(60)]
    assert not [m for m in said if m and m.text.startswith("exported")]


def test_a_class_removed_after_the_video_has_ended_is_no_longer_the_verdict(
    live: LiveSession,
) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.hold("3", thing=3)
    ended = SourceState(SourceStatus.ENDED, "the video has ended")
    assert label(live) == "class 3"
    for key in ("x", "y"):
        live.view = live.session.step(None, key, ended)
    assert label(live) in ("mug", "phone", "unknown")
    live.type("u", "u", "u")  # the removal, and two bursts
    live.view = live.session.step(None, None, ended)
    assert label(live) is None
