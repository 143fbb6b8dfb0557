"""A session that is adapted: it is taken back, kept, reopened, trained and exported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.adapting_session import familiar, frames_on_disk, messages, opened, show
from support.fakes import FakeBackbone
from support.live_session import LiveSession, load_fake, scene

from edge_classifier.features.strangers import Strangers
from edge_classifier.learning.adaptation_file import NAME, FileAdaptationStore
from edge_classifier.learning.model import Model
from edge_classifier.learning.project_backbone import LoadedBackbone
from edge_classifier.live.view import Level
from edge_classifier.project.store import ProjectStore, Snapshot
from edge_classifier.protocols import Backbone, Cancelled, Progress
from edge_classifier.values import FeatureSet, Sample


def test_undo_takes_it_back_then_goes_on_with_bursts_and_z_puts_it_back(
    live: LiveSession, store: ProjectStore
) -> None:
    before = familiar(live, 1)
    live.type("a")
    show(live, 1, 2)
    after = familiar(live, 1)
    assert after > before
    live.type("u")
    live.wait(0.1)
    assert "taken back" in live.message
    assert frames_on_disk(store) is None
    assert familiar(live, 1) == pytest.approx(before, abs=1e-5)
    live.type("z")
    live.wait(0.1)
    assert familiar(live, 1) == pytest.approx(after, abs=1e-5)
    assert frames_on_disk(store) is not None
    live.type("u", "u")
    live.wait(0.2)
    assert live.message.startswith(("undone", "trained"))
    assert live.counts[1] == 0


def test_an_undo_that_fails_took_nothing_back_and_the_next_tries_again(
    live: LiveSession, store: ProjectStore
) -> None:
    live.type("a")
    show(live, 1, 2)
    counts, adapted = live.counts, familiar(live, 1)
    kept = store.model_folder / NAME
    kept.unlink()
    kept.mkdir()
    for _ in range(2):
        live.type("u")
        live.wait(0.2)
        assert NAME in live.session.problem
        assert live.counts == counts
        assert familiar(live, 1) == pytest.approx(adapted, abs=1e-5)
    kept.rmdir()
    live.type("u")
    live.wait(0.2)
    assert "taken back" in live.message
    assert live.counts == counts


def test_undo_takes_the_newest_thing_first(live: LiveSession, store: ProjectStore) -> None:
    live.type("a")
    show(live, 1, 2)
    live.light = 0
    counts = live.counts
    live.hold("1", thing=1, seconds=0.9)
    assert live.counts[0] > counts[0]
    live.type("u")
    live.wait(0.2)
    assert live.counts == counts
    assert frames_on_disk(store) is not None
    live.type("u")
    live.wait(0.2)
    assert live.counts == counts
    assert frames_on_disk(store) is None


def test_adapting_again_begins_anew_and_undo_gives_the_one_before(
    live: LiveSession, store: ProjectStore
) -> None:
    live.type("a")
    show(live, 1, 2)
    first = frames_on_disk(store)
    assert first is not None
    live.type("a")
    show(live, 1, 2, light=range(-60, -30, 2))
    second = frames_on_disk(store)
    assert second is not None
    assert second.tobytes() != first.tobytes()
    live.type("u")
    live.wait(0.1)
    assert "as it was before" in live.message
    back = frames_on_disk(store)
    assert back is not None
    assert back.tobytes() == first.tobytes()


def test_it_survives_training_and_reopening(
    live: LiveSession, store: ProjectStore, strangers: Strangers
) -> None:
    before = familiar(live, 1)
    live.type("a")
    show(live, 1, 2)
    live.type("t")
    live.wait(0.5)
    after = familiar(live, 1)
    assert live.view.activity.text.startswith("adapted")
    assert after > before
    live.close()
    with ProjectStore.open(store.path) as again:
        reopened = opened(again, strangers)
        assert familiar(reopened, 1) == pytest.approx(after, abs=1e-5)
        assert reopened.view.activity.text.startswith("adapted")
        reopened.close()


def test_damaged_frames_are_told_of_and_it_answers_as_taught(
    live: LiveSession, store: ProjectStore, strangers: Strangers
) -> None:
    live.close()
    (store.model_folder / NAME).write_bytes(b"no archive")
    with ProjectStore.open(store.path) as again:
        reopened = opened(again, strangers)
        assert f"{NAME} is damaged" in messages(reopened)
        assert "adapt it again" in reopened.message
        assert reopened.view.message is not None
        assert reopened.view.message.level is Level.WARNING
        assert reopened.view.activity.text.startswith("trained")
        reopened.close()


def test_frames_that_no_longer_fit_are_told_of_and_it_answers_as_taught(
    live: LiveSession, store: ProjectStore
) -> None:
    live.type("a")
    show(live, 1, 2)
    live.light = 0
    live.hold("3", thing=3)
    for key in ("up", "up", "x", "y"):  # the mug goes: only one class of the frames is left
        live.type(key)
    live.wait(1.0)
    assert live.message.startswith("not adapted any more: ")
    assert live.view.activity.text.startswith("trained")
    assert frames_on_disk(store) is not None  # U may bring the class back


def test_a_renamed_class_is_taken_back_under_its_new_name(live: LiveSession) -> None:
    live.type("a")
    show(live, 1, 2)
    current = live.session.learner.current
    before = current.taught
    assert before is not None
    current.rename_class("phone", "telephone")
    taught = current.taught
    assert taught is not None
    assert taught.class_names == tuple(
        "telephone" if name == "phone" else name for name in before.class_names
    )


def test_a_class_that_comes_or_goes_leaves_what_was_taught_unadapted(live: LiveSession) -> None:
    live.type("a")
    show(live, 1, 2)
    adapted = live.session.learner.model
    assert adapted is not None
    assert adapted.unadapted is not None
    taught = adapted.unadapted.model
    rows = live.backbone.extract([scene(3), scene(4)])
    third = FeatureSet(rows, np.array([0, 0]), np.array(["b1", "b1"]), ("third",))
    more, more_taught = adapted.extended(third), taught.extended(third)
    fewer, fewer_taught = more.without("phone"), more_taught.without("phone")
    assert fewer is not None
    assert fewer_taught is not None
    for changed, expected in ((more, more_taught), (fewer, fewer_taught)):
        assert changed.unadapted is not None
        assert changed.unadapted.model.class_names == changed.class_names
        np.testing.assert_array_equal(
            changed.unadapted.model.head.scores(rows), expected.head.scores(rows)
        )
        assert np.abs(changed.head.scores(rows) - expected.head.scores(rows)).max() > 0


def test_steps_of_unknown_work_on_an_adapted_model(live: LiveSession) -> None:
    live.type("a")
    show(live, 1, 2)
    model = live.session.learner.model
    assert model is not None
    assert model.unknown is not None
    threshold = model.unknown.threshold
    live.type("]")
    stricter = live.session.learner.model
    assert stricter is not None
    assert stricter.unknown is not None
    assert stricter.unadapted is not None
    assert stricter.unknown.threshold == pytest.approx(threshold + model.unknown.step)


def test_a_project_that_is_read_only_adapts_for_the_session_and_says_so(
    live: LiveSession, store: ProjectStore, strangers: Strangers
) -> None:
    live.close()
    with ProjectStore.open(store.path, read_only=True) as project:

        def load(_progress: Progress, _cancelled: Cancelled) -> LoadedBackbone:
            loaded = load_fake(project, FakeBackbone())
            kept = FileAdaptationStore(
                project.model_folder, FakeBackbone().info.key, writable=False
            )
            return replace(loaded, strangers=strangers, adaptation=kept)

        reading = LiveSession(project, load=load)
        before = familiar(reading, 1)
        reading.type("a")
        show(reading, 1, 2)
        assert "not kept: the project is read-only" in reading.message
        assert familiar(reading, 1) > before
        reading.close()
    assert not (store.model_folder / NAME).exists()


def test_an_export_is_of_the_adapted_model(
    store: ProjectStore, strangers: Strangers, tmp_path: Path
) -> None:
    exported: list[Model] = []

    def export(model: Model, _b: Backbone, _s: Snapshot, _p: Progress, _c: Cancelled) -> Path:
        exported.append(model)
        return tmp_path / "bundle"

    def load(_progress: Progress, _cancelled: Cancelled) -> LoadedBackbone:
        return replace(load_fake(store, FakeBackbone()), strangers=strangers)

    live = LiveSession(store, load=load, export=export)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("a")
    show(live, 1, 2)
    live.type("e")
    live.wait(0.2)
    (model,) = exported
    assert model.unadapted is not None


def test_frames_of_one_network_are_not_taken_for_those_of_another(
    store: ProjectStore, tmp_path: Path
) -> None:
    backbones = [FakeBackbone()]

    def load(_progress: Progress, _cancelled: Cancelled) -> LoadedBackbone:
        strangers = Strangers(backbones[-1], tmp_path / "strangers")
        return replace(load_fake(store, backbones[-1]), strangers=strangers)

    def fine_tune(_samples: tuple[Sample, ...], _p: Progress, _c: Cancelled) -> str:
        backbones.append(FakeBackbone(96))
        return "fine-tuned"

    live = LiveSession(store, load=load, fine_tune=fine_tune)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("a")
    show(live, 1, 2)
    live.type("a")
    show(live, 1)
    live.type("f")
    assert "not adapted any more: the network is another one; A adapts anew" in messages(live, 1.0)
    assert live.session.learner.backbone is backbones[-1]
    show(live, 1, 2)
    assert live.view.activity.text.startswith("trained")
    live.type("u")
    live.wait(0.2)
    assert live.message.startswith("The pictures that it was adapted to went with their network")
    live.type("u")
    live.wait(0.2)
    assert live.counts[1] == 0


def test_where_it_is_adapted_nothing_is_suggested(live: LiveSession) -> None:
    live.type("a")
    show(live, 1)
    show(live, 2)
    assert live.view.activity.text.startswith("adapted")
    for _ in range(3):
        show(live, 1)
        show(live, 2)
    assert "A adapts to it" not in live.view.hint
