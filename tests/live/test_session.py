from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.fakes import FakeBackbone, ManualExecutor
from support.live_session import LiveSession, teach_two

from edge_classifier.device.preprocessing import Image
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.errors import ProjectError, WeightsNotFoundError
from edge_classifier.learning.project_backbone import LoadedBackbone
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.live.display import Press
from edge_classifier.live.session import SessionSettings
from edge_classifier.live.view import Level
from edge_classifier.project.classes import PALETTE
from edge_classifier.project.store import ProjectStore
from edge_classifier.protocols import Cancelled, Progress
from edge_classifier.values import EncodedImage, Features, Sample

# Recording


def test_holding_a_key_records_its_class_as_one_burst(live: LiveSession) -> None:
    live.hold("2", thing=2)
    assert live.counts[0] == 0
    assert live.counts[1] >= 15
    assert len({s.burst_id for s in live.store.samples()}) == 1


def test_a_tap_records_one_picture(live: LiveSession) -> None:
    live.tap("1")
    assert live.counts == [1, 0]


def test_the_picture_says_what_is_being_recorded(live: LiveSession) -> None:
    view = live.frame(Press("1"))
    assert view.activity.text == "recording mug"
    assert view.activity.recording
    assert [card.recording for card in view.cards] == [True, False]


def test_a_sample_is_on_disk_when_the_picture_counts_it(live: LiveSession) -> None:
    live.frame(Press("1"))
    assert live.counts == [1, 0]
    with ProjectStore.open(live.store.path, read_only=True) as other:
        assert len(other.samples()) == 1


def test_the_next_free_digit_makes_a_class(live: LiveSession) -> None:
    live.hold("3", thing=3)
    assert [card.name for card in live.view.cards] == ["mug", "phone", "class 3"]
    assert live.counts[2] > 1


def test_a_digit_further_on_says_how_to_make_a_class(live: LiveSession) -> None:
    view = live.tap("7")
    assert view.message is not None
    assert "N names a new one" in view.message.text
    assert sum(live.counts) == 0


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
    assert live.counts[1] > 1


def test_more_than_nine_classes_can_be_recorded(tmp_path: Path) -> None:
    names = [f"thing {n}" for n in range(12)]
    live = LiveSession(ProjectStore.create(tmp_path / "many", names))
    live.type("up")
    live.hold(" ", thing=11)
    assert live.view.cards[11].count > 1
    assert live.view.cards[11].key is None


def test_nothing_is_recorded_while_the_camera_is_gone(live: LiveSession) -> None:
    lost = SourceState(SourceStatus.LOST, "camera 0 is gone; waiting for it to come back")
    view = live.session.step(None, Press("1"), lost)
    assert view.message is not None
    assert view.message.text == lost.text
    assert sum(card.count for card in view.cards) == 0


def test_losing_the_camera_ends_a_burst_and_keeps_its_samples(live: LiveSession) -> None:
    live.frame(Press("1"))
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
        assert live.label == name
        assert live.view.banner is not None
        assert live.view.banner.confidence is not None
        assert live.view.banner.confidence > 0.8


def test_what_was_never_shown_is_unknown(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.thing = 50
    live.wait(1.0)
    assert live.label == "unknown"
    assert live.view.banner is not None
    assert live.view.banner.confidence is None


def test_answers_come_before_any_training(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    executor.run_all()  # loads the backbone; training is never run
    live.tap("1")
    live.thing = 2
    live.tap("2")
    assert live.label == "phone"
    live.thing = 0
    live.wait(1.0)
    assert live.label == "mug"


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
    assert live.label == "mug"
    live.thing = 3
    live.wait(1.0)
    assert live.label == "class 3"


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
    assert min(live.counts) > 10
    assert live.view.activity.text == "loading the network"
    while executor.pending:
        executor.run_all()
        live.wait(1.0)
    assert live.view.activity.text.startswith("trained")
    live.thing = 1
    live.wait(1.0)
    assert live.label == "mug"


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
    assert live.label == "class 3"


def test_the_dense_head_of_the_article_works_as_well(store: ProjectStore) -> None:
    head = HeadSettings(kind="dense", learning_rate=1e-2)
    live = LiveSession(store, settings=SessionSettings(head=head))
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.thing = 1
    live.wait(1.0)
    assert live.label == "mug"


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
    assert live.counts[0] > 10
    assert live.view.activity.text.startswith("no network")


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
    assert live.label == "class 3"


# Coming back


def test_reopening_brings_back_samples_and_predictions(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    before = live.counts
    live.close()
    with ProjectStore.open(live.store.path) as store:
        again = LiveSession(store)
        again.thing = 2
        again.wait(1.0)
        assert again.counts == before
        assert again.label == "phone"
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


def test_the_picture_says_how_good_the_model_is(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.wait(1.0)
    assert live.view.quality == "needs a second round: mug, phone"
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.wait(1.0)
    assert re.fullmatch(r"\d+ % right, ± \d+, on 4 held-out rounds", live.view.quality)


def test_a_disk_that_cannot_be_written_is_said_in_the_picture(live: LiveSession) -> None:
    folder = live.store.path / "samples" / "mug"
    folder.parent.mkdir(exist_ok=True)
    if folder.exists():
        folder.rmdir()
    folder.write_text("in the way")  # works for root as well, unlike permissions
    view = live.frame(Press("1"))
    assert view.message is not None
    assert view.message.level is Level.ERROR
    assert live.counts == [0, 0]
    assert not live.frame().activity.recording


def test_messages_go_away_by_themselves(live: LiveSession) -> None:
    assert live.type("t").message is not None
    assert live.wait(6.0).message is None


def test_messages_are_seen_after_the_video_has_ended(live: LiveSession) -> None:
    ended = SourceState(SourceStatus.ENDED, "the video has ended")
    view = live.session.step(None, Press("t"), ended)
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
    assert live.counts == [3, 0]


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
