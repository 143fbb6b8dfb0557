"""What a user starts and the worker does: copies and exports."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import networks
from support.fakes import ManualExecutor
from support.live_session import LiveSession, teach_two

from edge_classifier.errors import ExportError
from edge_classifier.features.carried import carried_extractor
from edge_classifier.features.catalogue import official
from edge_classifier.learning.model import Model
from edge_classifier.live.display import Press
from edge_classifier.live.view import Level
from edge_classifier.project.store import ProjectStore, Snapshot
from edge_classifier.protocols import Backbone, Cancelled, Progress


def test_the_threshold_that_was_moved_outlives_training_closing_and_goes_into_the_export(
    store: ProjectStore, tmp_path: Path
) -> None:
    exported: list[Model] = []

    def export(model: Model, _b: Backbone, _s: Snapshot, _p: Progress, _c: Cancelled) -> Path:
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

    def export(_m: Model, _b: Backbone, project: Snapshot, _p: Progress, _c: Cancelled) -> Path:
        exported.append(len(project.samples))
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


def test_a_copy_is_saved_where_the_user_says(live: LiveSession, tmp_path: Path) -> None:
    live.hold("1", thing=1)
    target = tmp_path / "copy"
    live.type("s", *["backspace"] * 60, *str(target), "enter")
    live.frame()
    with ProjectStore.open(target) as copy:
        assert len(copy.samples()) == live.counts[0]


@pytest.mark.parametrize("name", ["", " ", ".", "~nobody-of-this-name/copy"])
def test_a_copy_needs_a_folder_of_its_own(
    live: LiveSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    empty = tmp_path / "here"
    empty.mkdir()
    monkeypatch.chdir(empty)
    live.type("s", *["backspace"] * 60, *name, "enter")
    assert live.view.prompt is not None
    assert live.view.prompt.error == "that is no new folder: name one for the copy"


def test_it_says_where_a_copy_is(
    live: LiveSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    live.type("s", *["backspace"] * 60, *"copy", "enter")
    live.frame()
    assert live.message == f"saved a copy in {tmp_path / 'copy'}"


def test_a_copy_carries_the_compiled_network_of_an_official_backbone(
    store: ProjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    info = official("v1-0.25").info("pooled", "ab" * 32)
    networks.keep_compiled(b"a network", info.name, info.weights_sha256)
    store.set_backbone(info)
    live = LiveSession(store)
    target = tmp_path / "copy"
    live.type("s", *["backspace"] * 60, *str(target), "enter")
    live.frame()
    carried = carried_extractor(target, info)
    assert carried is not None
    assert carried.read_bytes() == b"a network"


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


def test_what_takes_long_says_what_it_is_for_how_long_it_takes_and_how_it_is_stopped(
    store: ProjectStore, tmp_path: Path
) -> None:
    hints: list[str] = []

    def export(_m: Model, _b: Backbone, _s: Snapshot, progress: Progress, _c: Cancelled) -> Path:
        for done in (0.0, 0.25):
            progress(done)
            hints.append(live.wait(10.0).hint)
        return tmp_path / "bundle"

    executor = ManualExecutor()
    live = LiveSession(store, executor, export=export)
    teach_two(live, executor)
    live.type("e")
    executor.run_all()
    live.frame()
    purpose = "makes a folder for the Raspberry Pi, and checks it"
    assert hints == [
        f"{purpose} · takes seconds · Esc stops it",
        f"{purpose} · about 60 seconds left · Esc stops it",
    ]
    assert purpose not in live.view.hint, "it is done"


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
    def fail(_m: Model, _b: Backbone, _s: Snapshot, _p: Progress, _c: Cancelled) -> Path:
        raise ExportError("the disk is full")

    live = LiveSession(store, export=fail)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.type("e")
    view = live.frame()
    assert view.message is not None
    assert view.message.text == "the disk is full"
    live.hold("1", thing=1)
    assert live.label == "mug"


def test_what_was_said_of_the_last_export_is_gone_when_the_next_one_begins(
    store: ProjectStore, tmp_path: Path
) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor, export=lambda _m, _b, _s, _p, _c: tmp_path / "bundle")
    teach_two(live, executor)
    executor.run_all()
    live.type("e", "escape")
    live.frame()
    assert live.message == "Stopped: exporting."
    live.type("e")
    assert live.view.activity.text == "exporting"
    assert live.message == ""


def test_exporting_before_training_says_what_is_missing(store: ProjectStore) -> None:
    live = LiveSession(store, export=lambda _m, _b, _s, _p, _c: Path("never"))
    view = live.type("e")
    assert view.message is not None
    assert "record a class first" in view.message.text


def test_an_export_waits_for_the_training_of_the_last_burst(
    store: ProjectStore, tmp_path: Path
) -> None:
    exported: list[Model] = []

    def export(model: Model, _b: Backbone, _s: Snapshot, _p: Progress, _c: Cancelled) -> Path:
        exported.append(model)
        return tmp_path / "bundle"

    live = LiveSession(store, export=export)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.thing = 3
    live.frame(Press("3"))
    live.type("e")
    live.let_go("3")
    live.wait(1.5)
    assert not live.session.learner.stale
    assert exported == [live.session.learner.model]


@pytest.mark.parametrize("learning", [False, True])
def test_a_second_export_is_told_what_is_under_way_and_does_not_wait_for_it(
    store: ProjectStore, tmp_path: Path, *, learning: bool
) -> None:
    exported: list[Path] = []

    def export(_m: Model, _b: Backbone, _s: Snapshot, _p: Progress, _c: Cancelled) -> Path:
        exported.append(tmp_path / "bundle")
        return exported[-1]

    executor = ManualExecutor()
    live = LiveSession(store, executor, export=export)
    teach_two(live, executor)
    executor.run_all()
    live.type("e")
    if learning:
        live.hold("1", thing=1)
    live.type("e")
    view = live.frame()
    assert view.message is not None
    assert view.message.text == "not yet: exporting is under way; Esc stops it"
    executor.run_all()
    live.wait(1.5)
    executor.run_all()
    assert exported == [tmp_path / "bundle"]


def test_escape_takes_back_an_export_that_waits(store: ProjectStore, tmp_path: Path) -> None:
    live = LiveSession(store, export=lambda _m, _b, _s, _p, _c: tmp_path / "bundle")
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.frame(Press("1"))
    live.type("e", "escape")
    live.let_go("1")
    said = [live.frame().message for _ in range(60)]
    assert not [m for m in said if m and m.text.startswith("exported")]


def test_work_that_fails_aside_does_not_end_a_burst(store: ProjectStore) -> None:
    def fail(_m: Model, _b: Backbone, _s: Snapshot, _p: Progress, _c: Cancelled) -> Path:
        raise ExportError("the disk is full")

    executor = ManualExecutor()
    live = LiveSession(store, executor, export=fail)
    teach_two(live, executor)
    live.frame(Press("e"))
    live.frame(Press("1"))
    executor.run_all()
    view = live.frame()
    assert view.message is not None
    assert view.message.text == "the disk is full"
    assert view.activity.recording
