from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.fakes import ImmediateExecutor, ManualExecutor
from support.live_session import LiveSession

from edge_classifier.evaluation.suspects import Reason
from edge_classifier.features.dataset import Dataset
from edge_classifier.features.feature_table import FeatureTable
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.live.display import Press
from edge_classifier.live.evaluator import VALIDATION_S, Evaluator
from edge_classifier.project.picture_file import encode_image, read_image
from edge_classifier.project.samples import Samples
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import Sample


def taught(store: ProjectStore, executor: ImmediateExecutor | ManualExecutor) -> LiveSession:
    """Record two bursts of both classes."""
    live = LiveSession(store, executor)
    if isinstance(executor, ManualExecutor):
        executor.run_all()
    for _ in range(2):
        live.hold("1", thing=1)
        live.hold("2", thing=2)
    return live


def test_after_training_the_picture_is_told_how_good_it_is(store: ProjectStore) -> None:
    live = taught(store, ImmediateExecutor())
    live.wait(1.0)
    validation = live.session.learner.validation
    assert validation is not None
    assert validation.line().startswith("100 % right")
    assert validation.bursts == 4


def test_one_burst_a_class_needs_a_second_one(store: ProjectStore) -> None:
    live = LiveSession(store)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.wait(1.0)
    assert live.session.learner.validation is not None
    assert live.session.learner.validation.line() == "needs a second round: mug, phone"


def test_frames_that_were_added_one_by_one_are_a_recording_that_undo_takes_one_by_one(
    store: ProjectStore, tmp_path: Path
) -> None:
    recorded = LiveSession(store)
    recorded.hold("1", thing=1)
    recorded.hold("2", thing=2)
    recorded.close()
    frames = [(read_image(s.path), s.class_name) for s in store.samples()]
    with ProjectStore.create(tmp_path / "added", store.class_names()) as added:
        for image, class_name in frames:
            added.add_sample(encode_image(image), class_name, added.next_burst_id())
        live = LiveSession(added)
        said = [live.frame().message for _ in range(30)]
        pictures = f"{len(frames)} pictures that came one by one"
        line = f"trained on {len(frames)} pictures · 2 recordings among {pictures}"
        assert line in [message.text for message in said if message]
        live.wait(1.0)
        assert live.session.learner.validation is not None
        assert live.session.learner.validation.line() == "needs a second round: mug, phone"
        live.frame(Press("u"))
        assert len(added.samples()) == len(frames) - 1


def test_recordings_among_taps_are_not_called_added_and_are_told_of_when_they_change(
    store: ProjectStore,
) -> None:
    live = LiveSession(store)
    for thing in (1, 2):
        for _ in range(6):
            live.thing = thing
            live.tap(str(thing))
    live.frame(Press("t"))
    said = [live.frame().message for _ in range(30)]
    assert "trained on 12 pictures" in [message.text for message in said if message]
    live.close()
    with ProjectStore.open(store.path) as again:
        reopened = LiveSession(again)
        reopened.wait(1.0)
        reopened.frame(Press("t"))
        said = [reopened.frame().message for _ in range(30)]
        texts = [message.text for message in said if message]
        line = "trained on 12 pictures · 2 recordings among 12 pictures that came one by one"
        assert line in texts


def test_few_of_many_added_frames_are_validated_as_the_recordings_that_all_of_them_are(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(0)
    table, samples = FeatureTable(64), []
    for class_name in ("a", "b"):
        steps = random.normal(0, 0.1, (400, 64)).cumsum(axis=0) + 5 * random.random(64)
        for n, features in enumerate(steps.astype(np.float32)):
            sample = Sample(class_name, f"{class_name}{n}", tmp_path / str(n), f"{class_name}{n}")
            samples.append(sample)
            table.add(sample.image_sha256, features)
    evaluator = Evaluator(ImmediateExecutor())
    training_s = 40 * VALIDATION_S  # so that hardly any is affordable
    evaluator.trained(Dataset(("a", "b"), Samples.of(samples)), table, HeadSettings(), training_s)
    evaluator.poll()
    assert evaluator.validation is not None
    assert [one.bursts for one in evaluator.validation.classes] == [1, 1]


def test_a_new_sample_makes_what_was_validated_unknown_again(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = taught(store, executor)
    while executor.pending:
        executor.run_all()
        live.wait(0.5)
    assert live.session.learner.validation is not None
    live.frame(Press("1"))
    assert live.session.learner.validation is None


def test_validation_gives_way_to_the_next_training(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = taught(store, executor)
    while live.session.learner.evaluator.job is None:
        assert executor.run_next()  # saves, trains
        live.frame()
    assert not live.session.busy  # so that an export need not wait for it
    live.hold("1", thing=1)
    assert executor.pending == 1  # the training alone; the validation was taken back
    assert live.session.learner.evaluator.job is None


def table_of(dataset: Dataset, dim: int = 16) -> FeatureTable:
    """Make features of samples that lie around a place of their class."""
    table = FeatureTable(dim)
    generator = np.random.default_rng(0)
    for sample in dataset.samples:
        centre = np.eye(dim)[dataset.class_names.index(sample.class_name)]
        row = np.abs(centre + generator.normal(0, 0.1, dim))
        table.add(sample.image_sha256, row.astype(np.float32))
    return table


def many(per_class: int) -> Dataset:
    samples = [
        Sample(name, f"{name}{n // 10}", Path(f"{name}{n}.jpg"), f"{name}{n}")
        for name in ("mug", "phone")
        for n in range(per_class)
    ]
    return Dataset(("mug", "phone"), Samples.of(samples))


@pytest.mark.parametrize(
    ("training_s", "validated"), [(0.01, 400), (VALIDATION_S / 5 * 4, 100), (100.0, 40)]
)
def test_what_would_take_too_long_is_validated_on_fewer_samples(
    training_s: float, validated: int
) -> None:
    evaluator = Evaluator(ImmediateExecutor())
    dataset = many(200)
    evaluator.trained(dataset, table_of(dataset), HeadSettings(), training_s)
    evaluator.poll()
    assert evaluator.validation is not None
    assert sum(c.pictures for c in evaluator.validation.classes) == validated
    assert {c.bursts for c in evaluator.validation.classes} == {20}


def test_a_review_decodes_each_picture_once(store: ProjectStore) -> None:
    live = taught(store, ImmediateExecutor())
    live.wait(1.0)
    learner = live.session.learner
    learner.evaluator.request_suspects()
    live.wait(0.2)
    assert learner.evaluator.suspects == ()
    for sample in store.samples():
        sample.path.rename(sample.path.with_suffix(".away"))
    learner.evaluator.request_suspects()
    live.wait(0.2)
    assert learner.evaluator.suspects == ()


def test_a_review_finds_a_picture_that_is_blown_out(store: ProjectStore) -> None:
    live = taught(store, ImmediateExecutor())
    white = encode_image(np.full((120, 160, 3), 255, np.uint8))
    burst = store.samples()[0].burst_id
    added = store.add_sample(white, "mug", burst)
    live.close()
    with ProjectStore.open(store.path) as again:
        live = LiveSession(again)
        live.wait(1.0)
        live.session.learner.evaluator.request_suspects()
        live.wait(1.0)
        suspects = live.session.learner.evaluator.suspects
        assert suspects is not None
        found = [(s.sample.path.name, s.reason) for s in suspects]
        assert (added.path.name, Reason.TOO_BRIGHT) in found
