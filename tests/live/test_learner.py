from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support.fakes import FakeBackbone, ManualExecutor
from support.live_session import RUNNING, LiveSession, load_varying

from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.errors import ProjectError
from edge_classifier.features.variants import VARIANTS
from edge_classifier.learning.head import DenseHead
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.live.display import Press
from edge_classifier.live.session import SessionSettings
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import Features, FeatureSet


def run_worker(live: LiveSession, executor: ManualExecutor) -> None:
    while executor.pending:
        executor.run_all()
        live.wait(1.0)


def test_a_class_renamed_while_features_are_computed_loses_no_sample(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    executor.run_next()  # loads the backbone
    live.frame()
    assert live.view.activity.text == "looking at the pictures"
    live.type("n", "tab", *["backspace"] * 5, *"tablet", "enter")
    run_worker(live, executor)
    live.thing = 2
    live.wait(1.0)
    assert live.view.banner is not None
    assert live.view.banner.label == "tablet"


def test_escape_stops_computing_features_and_training_and_t_goes_on(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    executor.run_next()  # loads the backbone
    live.frame()
    assert live.view.activity.text == "looking at the pictures"
    live.type("escape")
    assert live.view.message is not None
    assert live.view.message.text == "stopped: looking at the pictures; T goes on with it"
    live.wait(1.0)
    assert live.view.activity.text == f"{len(store.samples())} pictures saved"
    assert live.view.banner is None
    live.type("t")
    live.frame()
    run_worker(live, executor)
    assert live.view.activity.text.startswith("trained")
    live.type("t")
    live.frame()
    assert live.view.activity.text == "training"
    live.type("escape")
    assert live.view.message.text == "stopped: training; T goes on with it"
    run_worker(live, executor)
    live.thing = 2
    live.wait(1.0)
    assert live.view.banner is not None
    assert live.view.banner.label == "phone"


def test_a_class_removed_just_before_the_end_is_not_predicted_again(store: ProjectStore) -> None:
    live = LiveSession(store)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("x", "y")
    live.close()
    with ProjectStore.open(store.path) as again:
        live = LiveSession(again)
        live.thing = 2
        live.wait(1.0)
        assert live.session.learner.model is not None
        assert live.session.learner.model.class_names == ("mug",)
        assert live.label == "unknown"


def test_a_class_renamed_just_before_the_end_is_not_called_by_its_old_name(
    store: ProjectStore,
) -> None:
    live = LiveSession(store)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.close()
    with ProjectStore.open(store.path) as between:
        between.rename_class("phone", "tablet")
    executor = ManualExecutor()
    with ProjectStore.open(store.path) as again:
        live = LiveSession(again, executor)
        executor.run_next()  # loads the backbone; training has not run
        live.thing = 2
        live.wait(1.0)
        assert live.view.banner is not None
        assert live.view.banner.label == "tablet"


def test_trainings_that_wait_for_the_worker_hold_no_features(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    executor.run_all()
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.hold("2", thing=2)  # each of its samples cancels a training and asks for another
    gc.collect()
    assert not [thing for thing in gc.get_objects() if isinstance(thing, FeatureSet)]


def test_only_samples_that_could_be_read_are_said_to_be_trained_on(store: ProjectStore) -> None:
    live = LiveSession(store)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    readable = len(store.samples())
    live.close()
    (store.samples()[0].path.parent / "by hand.jpg").write_bytes(b"damaged")
    with ProjectStore.open(store.path) as again:
        live = LiveSession(again)
        assert len(again.samples()) == readable + 1
        said = [live.frame().message for _ in range(30)]
        expected = f"trained on {readable} pictures; 1 picture cannot be read: mug/by hand.jpg"
        assert expected in [m.text for m in said if m]


def test_another_head_that_is_asked_for_is_trained_at_once(store: ProjectStore) -> None:
    live = LiveSession(store)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.close()
    with ProjectStore.open(store.path) as again:
        dense = HeadSettings(kind="dense", learning_rate=1e-2)
        live = LiveSession(again, settings=SessionSettings(head=dense))
        live.wait(1.0)
        assert live.session.learner.model is not None
        assert isinstance(live.session.learner.model.head, DenseHead)
        assert not live.session.learner.stale


@pytest.mark.parametrize("key", ["n", "x"])
def test_a_burst_that_a_question_ends_is_trained_on(store: ProjectStore, key: str) -> None:
    live = LiveSession(store)
    live.hold("1", thing=1)
    live.thing = 2
    live.frame(Press("2"))
    live.type(key, "escape")
    live.wait(1.0)
    assert not live.session.learner.stale


def test_a_burst_that_the_end_of_the_video_ends_is_trained_on(store: ProjectStore) -> None:
    live = LiveSession(store)
    live.hold("1", thing=1)
    live.thing = 2
    live.frame(Press("2"))
    ended = SourceState(SourceStatus.ENDED, "the video has ended")
    for _ in range(3):
        live.session.step(None, None, ended)
    assert not live.session.learner.stale
    live.session.step(None, None, RUNNING)


def test_a_session_is_busy_from_the_press_of_a_key_to_the_end_of_training(
    store: ProjectStore,
) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    executor.run_all()
    live.hold("1", thing=1)
    executor.run_all()
    live.frame()
    assert not live.session.busy
    live.thing = 2
    live.frame(Press("2"))
    for _ in range(60):
        assert live.session.busy
        live.frame()
    live.let_go("2")
    assert live.session.busy
    live.frame()
    executor.run_all()
    live.frame()
    assert not live.session.busy


def test_a_class_without_pictures_makes_nothing_stale(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    executor.run_all()
    live.hold("1", thing=1)
    executor.run_all()
    live.hold("2", thing=2)
    live.type("+", *"cup", "enter")  # while a training waits for the worker
    executor.run_all()
    live.frame()
    assert not live.session.learner.stale
    executor.run_all()  # validates
    live.type("+", *"tee", "enter")
    assert not live.session.learner.stale
    assert executor.pending == 0
    assert [card.name for card in live.view.cards] == ["mug", "phone", "cup", "tee"]


def test_how_strict_unknown_is_holds_at_once_after_training_and_the_next_day(
    store: ProjectStore,
) -> None:
    def threshold(live: LiveSession) -> float:
        model = live.session.learner.model
        assert model is not None
        assert model.unknown is not None
        assert model.unknown.steps == 3
        assert model.unknown.threshold > model.unknown.measured_threshold
        return model.unknown.threshold

    live = LiveSession(store)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.session.learner.current.adjust_unknown(3)
    threshold(live)
    live.hold("2", thing=3)
    after_training = threshold(live)
    live.close()
    with ProjectStore.open(store.path) as again:
        live = LiveSession(again)
        live.wait(1.0)
        assert live.session.learner.current.unknown_steps == 3
        assert threshold(live) == after_training


def varying(store: ProjectStore, executor: ManualExecutor) -> LiveSession:
    backbone = FakeBackbone()
    return LiveSession(
        store, executor, backbone=backbone, load=lambda _p, _c: load_varying(store, backbone)
    )


def run_until(live: LiveSession, executor: ManualExecutor, text: str) -> None:
    """Let the worker do one thing after the other until the activity line says so."""
    for _ in range(30):
        if live.view.activity.text == text:
            return
        executor.run_next()
        live.frame()
    pytest.fail(f"at last: {live.view.activity.text}")


def test_pictures_are_varied_once_the_first_training_is_done_and_learned_from(
    store: ProjectStore,
) -> None:
    executor = ManualExecutor()
    live = varying(store, executor)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    pictures = {s.image_sha256 for s in store.samples()}
    run_until(live, executor, "varying the pictures")
    first = live.session.learner.model
    assert first is not None
    before = live.backbone.extracted
    assert executor.run_next()  # varies
    live.frame()
    assert live.view.activity.text == "training"
    assert live.backbone.extracted == before + VARIANTS * len(pictures) + 1  # the frame
    run_worker(live, executor)
    second = live.session.learner.model
    assert second is not None
    assert not np.array_equal(first.head.weights, second.head.weights)
    live.wait(1.0)
    assert not live.session.learner.busy


def test_varying_gives_way_to_a_new_burst_and_goes_on_after_it(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = varying(store, executor)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    run_until(live, executor, "varying the pictures")
    live.hold("1", thing=1)
    assert live.view.activity.text == "training"
    run_worker(live, executor)
    variation = live.session.learner._loaded.variation  # type: ignore[union-attr]
    assert variation is not None
    assert variation.missing(store.samples()) == ()


def test_varying_that_is_stopped_leaves_a_model_whose_quality_is_known(
    store: ProjectStore,
) -> None:
    executor = ManualExecutor()
    live = varying(store, executor)
    for thing in (1, 2, 1, 2):
        live.hold(str(thing), thing=thing)
    run_until(live, executor, "varying the pictures")
    live.type("escape")
    assert live.view.message is not None
    assert live.view.message.text == "stopped: varying the pictures; T goes on with it"
    live.wait(0.2)
    run_worker(live, executor)
    assert live.session.learner.validation is not None


def test_a_project_that_is_opened_again_is_varied_no_second_time(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = varying(store, executor)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    run_worker(live, executor)
    live.close()
    with ProjectStore.open(store.path) as again:
        live = varying(again, executor)
        run_worker(live, executor)
        assert live.backbone.extracted <= live.index  # the frames, and nothing else


def test_pictures_that_cannot_be_read_are_told_once(store: ProjectStore) -> None:
    live = LiveSession(store)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    folder = store.samples()[0].path.parent
    live.close()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (folder / name).write_bytes(b"damaged" + name.encode())
    with ProjectStore.open(store.path) as again:
        live = LiveSession(again)
        said = [live.frame().message for _ in range(30)]
        texts = {m.text for m in said if m}
        assert any("3 pictures cannot be read (first: mug/a.jpg)" in text for text in texts)
        live.wait(10.0)
        live.hold("1", thing=3)
        later = {m.text for m in (live.frame().message for _ in range(30)) if m}
        assert not any("cannot be read" in text for text in later)


class FullDisk(ProjectStore):
    """A project on a disk that takes no more once everything has to be on it."""

    full = True

    def sync(self) -> None:
        if self.full:
            raise ProjectError("The disk is full; nothing was saved.")


def test_what_cannot_be_saved_before_there_is_anything_to_train_is_said(tmp_path: Path) -> None:
    ProjectStore.create(tmp_path / "p", ["mug", "phone"]).close()
    store = FullDisk.open(tmp_path / "p")
    live = LiveSession(store)
    live.hold("1", thing=1)
    live.wait(0.5)
    store.full = False
    assert live.view.message is not None
    assert live.view.message.text == "The disk is full; nothing was saved."


def test_many_samples_are_imprinted_from_a_part_of_them(
    store: ProjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    executor.run_all()
    live.frame()
    table = live.session.learner._features.table
    assert table is not None
    taken: list[int] = []
    take = table.take

    def counting(shas: Sequence[str]) -> Features:
        taken.append(len(shas))
        return take(shas)

    monkeypatch.setattr(table, "take", counting)
    for _ in range(8):
        live.hold("1", thing=1, seconds=1.5)
        executor.run_all()
    taken.clear()  # what was trained on, which is all
    live.hold("2", thing=2)
    assert live.session.dataset.count("mug") > 2 * 64
    assert taken
    assert max(taken) <= 2 * 64
