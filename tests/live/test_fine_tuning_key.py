"""F: the backbone is fine-tuned aside, then all is learned anew with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from support.fakes import FakeBackbone, ManualExecutor
from support.live_session import LiveSession, load_fake, settle

from edge_classifier.errors import BackboneError, CancelledError
from edge_classifier.export.exporter import Export
from edge_classifier.learning.model import Model
from edge_classifier.learning.project_backbone import LoadedBackbone
from edge_classifier.live.display import Press
from edge_classifier.live.recording import TAP_S
from edge_classifier.live.view import Level
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore, Snapshot
from edge_classifier.protocols import Backbone, Cancelled, Progress
from edge_classifier.values import Sample


def session_with_tuning(
    store: ProjectStore, executor: ManualExecutor, export: Export | None = None
) -> LiveSession:
    """Make a session whose backbone has another number of features once it was tuned."""
    backbones = [FakeBackbone(64)]

    def load(_progress: Progress, _cancelled: Cancelled) -> LoadedBackbone:
        return replace(load_fake(store, backbones[-1]), has_seen_samples=len(backbones) > 1)

    def fine_tune(samples: tuple[Sample, ...], progress: Progress, cancelled: Cancelled) -> str:
        progress(0.5)
        if cancelled():
            raise CancelledError("Fine-tuning was cancelled; the backbone is as it was.")
        backbones.append(FakeBackbone(96))
        return f"fine-tuned on {len(samples)} samples"

    live = LiveSession(store, executor, load=load, fine_tune=fine_tune, export=export)
    executor.run_all()
    for key, thing in (("1", 1), ("2", 2)):
        live.hold(key, thing, seconds=0.9)
        settle(live, executor)
    return live


def test_what_was_learned_is_learned_anew_with_the_tuned_backbone(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = session_with_tuning(store, executor)
    assert live.view.quality.startswith("needs a second round")
    live.type("f")
    assert live.view.activity.text == "fine-tuning"
    live.thing = 1
    live.wait(1.0)
    assert live.label == "mug"  # the one before answers meanwhile
    settle(live, executor)
    backbone = live.session.learner.backbone
    assert backbone is not None
    assert backbone.info.name == "fake-96"
    assert not live.session.learner.stale
    assert "only others can tell how good it is" in live.view.quality
    for thing, name in ((1, "mug"), (2, "phone")):
        live.thing = thing
        live.wait(1.0)
        assert live.label == name


def test_what_is_recorded_while_the_tuned_backbone_is_loaded_is_learned_with_it(
    store: ProjectStore,
) -> None:
    executor = ManualExecutor()
    live = session_with_tuning(store, executor)
    live.type("f")
    executor.run_next()
    live.frame()
    live.hold("3", thing=3, seconds=0.9)
    settle(live, executor)
    live.thing = 3
    live.wait(1.0)
    assert live.label == "class 3"
    assert not live.session.learner.stale


def test_an_export_that_waits_is_of_the_tuned_backbone(store: ProjectStore, tmp_path: Path) -> None:
    exported: list[str] = []

    def export(_m: Model, backbone: Backbone, _s: Snapshot, _p: Progress, _c: Cancelled) -> Path:
        exported.append(backbone.info.name)
        return tmp_path / "bundle"

    executor = ManualExecutor()
    live = session_with_tuning(store, executor, export)
    settle(live, executor)
    live.type("t", "e", "f")
    executor.run_next()  # trains, which the export has waited for
    live.wait(0.2)
    settle(live, executor)
    settle(live, executor)
    assert exported == ["fake-96"]


def test_fine_tuning_is_stopped_by_escape_and_changes_nothing(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = session_with_tuning(store, executor)
    settle(live, executor)
    live.type("f", "escape")
    settle(live, executor)
    backbone = live.session.learner.backbone
    assert backbone is not None
    assert backbone.info.name == "fake-64"
    live.thing = 2
    live.wait(1.0)
    assert live.label == "phone"


def test_a_failure_is_said_and_the_backbone_before_goes_on(store: ProjectStore) -> None:
    def fail(_samples: tuple[Sample, ...], _p: Progress, _c: Cancelled) -> str:
        raise BackboneError("TensorFlow could not fine-tune it")

    live = LiveSession(store, fine_tune=fail)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("f")
    live.frame()
    assert live.view.message is not None
    assert live.view.message.level is Level.ERROR
    assert live.label == "phone"


def test_fine_tuning_needs_two_classes_and_where_it_is_impossible_that_is_said(
    store: ProjectStore,
) -> None:
    live = LiveSession(store)
    live.hold("1", thing=1)
    live.type("f")
    assert live.view.message is not None
    assert "two classes" in live.view.message.text
    live.hold("2", thing=2)
    live.type("f")
    assert live.view.message is not None
    assert live.view.message.text == "fine-tuning is not possible here"


def test_a_key_that_is_down_while_the_backbone_changes_goes_on_recording(
    store: ProjectStore,
) -> None:
    executor = ManualExecutor()
    live = session_with_tuning(store, executor)
    live.type("f")
    executor.run_next()
    live.thing = 3
    live.frame(Press("3"))
    live.wait(TAP_S / 2)
    executor.run_all()  # the tuned one is there, and those frames may still be a tap's
    live.wait(1.0)
    live.let_go("3")
    live.wait(0.5)
    settle(live, executor)
    assert live.session.problem == ""
    assert not live.session.learner.stale
    live.wait(1.0)
    assert live.label == "class 3"
    recorded = [s for s in store.samples() if s.class_name == "class 3"]
    assert len(recorded) > 10  # also the frames from before the change
    hashes, features = load_fake(store, FakeBackbone(96)).cache.load()
    of_hash = dict(zip(hashes, features, strict=True))
    for sample in recorded:
        expected = FakeBackbone(96).extract([read_image(sample.path)])[0]
        np.testing.assert_array_equal(of_hash[sample.image_sha256], expected)


def test_a_picture_that_stands_still_is_judged_with_the_new_backbone(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = session_with_tuning(store, executor)
    live.type("f")
    for _ in range(12):
        executor.run_all()
        live.view = live.session.step(None, None)
        live.clock.advance(0.2)
    backbone = live.session.learner.backbone
    assert backbone is not None
    assert backbone.info.name == "fake-96"
    assert live.label == "phone"
