"""A device that adapts: from what, when, and what becomes of it at the next start."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support import exported_project
from support.exported_project import CLASSES
from support.fakes import FakeClock
from support.mounts import read_only

from edge_classifier.device import adaptation_state
from edge_classifier.device.adaptation import ENOUGH
from edge_classifier.device.adapter import Adapter, Mode
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.frame_buffer import MAX_FRAMES
from edge_classifier.device.npz import npz_bytes
from edge_classifier.device.verdict import BACKGROUND, Prediction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_classifier.device.preprocessing import Image


def dim(class_id: int, number: int) -> Image:
    """A picture of a class in half the light, a little yellow."""
    image = exported_project.picture(class_id, number)
    return np.asarray(image * np.array([0.35, 0.5, 0.55]), np.uint8)


def stranger(number: int) -> Image:
    return np.random.default_rng(number).integers(0, 256, (240, 320, 3), dtype=np.uint8)


def adapter_of(
    bundle: Path, mode: Mode, *, background: bool = False, clock: FakeClock | None = None
) -> tuple[Classifier, Adapter]:
    classifier = Classifier(Bundle.open(bundle))
    return classifier, Adapter(classifier, mode, background=background, clock=clock or FakeClock())


def answers(classifier: Classifier, adapter: Adapter, images: Iterable[Image]) -> list[Prediction]:
    return [adapter.update(classifier.predict(image)) for image in images]


def familiar(said: Iterable[Prediction]) -> float:
    return float(
        np.mean([0.0 if answer.similarity is None else answer.similarity for answer in said])
    )


def mixed(count: int, classes: Iterable[int] = range(len(CLASSES))) -> list[Image]:
    return [dim(c, 200 + n) for n in range(count) for c in classes]


def test_following_begins_once_two_classes_were_seen(copy: Path) -> None:
    classifier, adapter = adapter_of(copy, "follow")
    with closing(adapter):
        one = answers(classifier, adapter, mixed(12, [0]))
        assert not any(answer.adapted for answer in one)
        two = answers(classifier, adapter, mixed(12, [1]))
        assert two[-1].adapted


def test_answers_are_those_of_the_bundle_until_then(copy: Path) -> None:
    classifier, adapter = adapter_of(copy, "follow")
    with closing(adapter):
        image = dim(0, 200)
        assert answers(classifier, adapter, [image])[0].similarity == (
            Classifier(Bundle.open(copy)).predict(image).similarity
        )


def test_frames_become_more_familiar_once_it_has_adapted(copy: Path) -> None:
    classifier, adapter = adapter_of(copy, "follow")
    asked = [dim(c, n) for c in range(len(CLASSES)) for n in range(300, 310)]
    before = [classifier.predict(image) for image in asked]
    with closing(adapter):
        answers(classifier, adapter, mixed(12))
        after = answers(classifier, adapter, asked)
    assert all(answer.adapted for answer in after)
    assert [a.class_id for a in after] == [n for n in range(len(CLASSES)) for _ in range(10)]
    assert familiar(after) > familiar(before) + 0.02


def test_once_waits_until_each_class_was_shown_and_says_what_is_missing(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = FakeClock()
    classifier, adapter = adapter_of(copy, "once", clock=clock)
    with closing(adapter):
        two = answers(classifier, adapter, mixed(2 * ENOUGH, [0, 1]))
        assert not any(answer.adapted for answer in two)
        clock.advance(60)
        third = answers(classifier, adapter, mixed(2 * ENOUGH, [2]))
        assert third[-1].adapted
    lines = capsys.readouterr().err.splitlines()
    assert f"adapting: {CLASSES[2]} 0 of {ENOUGH} frames so far" in lines[1]
    assert lines[-1].startswith("adapted to ")
    assert lines[-1].endswith("3 of 3 classes seen.")
    assert len(lines) == 3


def test_what_was_adapted_to_once_stays(copy: Path) -> None:
    classifier, adapter = adapter_of(copy, "once")
    with closing(adapter):
        answers(classifier, adapter, mixed(2 * ENOUGH))
        first = answers(classifier, adapter, [dim(0, 300)])[0]
        answers(classifier, adapter, [dim(c, n) // 2 for c in range(3) for n in range(400, 420)])
        assert answers(classifier, adapter, [dim(0, 300)])[0].similarity == first.similarity


@pytest.mark.parametrize("mode", ["once", "follow"])
def test_the_next_start_goes_on_where_the_last_one_ended(copy: Path, mode: Mode) -> None:
    classifier, adapter = adapter_of(copy, mode)
    with closing(adapter):
        answers(classifier, adapter, mixed(2 * ENOUGH))
    classifier, adapter = adapter_of(copy, mode)
    with closing(adapter):
        assert answers(classifier, adapter, [dim(0, 300)])[0].adapted


def test_half_of_what_once_needs_counts_at_the_next_start(copy: Path) -> None:
    classifier, adapter = adapter_of(copy, "once")
    with closing(adapter):
        answers(classifier, adapter, mixed(2 * ENOUGH, [0, 1]))
    classifier, adapter = adapter_of(copy, "once")
    with closing(adapter):
        assert answers(classifier, adapter, mixed(2 * ENOUGH, [2]))[-1].adapted


def test_strangers_move_nothing(copy: Path) -> None:
    classifier, adapter = adapter_of(copy, "follow")
    with closing(adapter):
        said = answers(classifier, adapter, [stranger(n) for n in range(30)])
        assert not any(answer.adapted for answer in said)
        answers(classifier, adapter, mixed(12))
        asked = [dim(c, 300) for c in range(3)]
        before = answers(classifier, adapter, asked)
        answers(classifier, adapter, [stranger(n) for n in range(100, 150)])
        after = answers(classifier, adapter, asked)
    assert [a.scores.tolist() for a in after] == [b.scores.tolist() for b in before]


def test_the_frames_that_are_kept_are_bounded(copy: Path) -> None:
    classifier, adapter = adapter_of(copy, "follow")
    with closing(adapter):
        answers(classifier, adapter, mixed(120))
    assert (copy / adaptation_state.NAME).stat().st_size < 1.1 * MAX_FRAMES * 512 * 4


def test_once_that_ends_before_it_has_adapted_says_what_was_missing(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier, adapter = adapter_of(copy, "once")
    answers(classifier, adapter, mixed(2 * ENOUGH, [0, 1]))
    adapter.close()
    adapter.close()
    assert capsys.readouterr().err.splitlines()[1:] == [
        f"not adapted: {CLASSES[2]} 0 of {ENOUGH} frames."
    ]


def test_following_that_never_began_says_what_it_saw(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier, adapter = adapter_of(copy, "follow")
    answers(classifier, adapter, mixed(2, [1]))
    adapter.close()
    (line,) = capsys.readouterr().err.splitlines()
    counts = f"{CLASSES[0]} 0, {CLASSES[1]} 2, {CLASSES[2]} 0"
    assert line.startswith(f"not adapted: {counts} frames; following begins with 5 each of 2 ")


def test_it_is_written_at_most_every_five_minutes_and_at_the_end(copy: Path) -> None:
    clock, path = FakeClock(), copy / adaptation_state.NAME
    classifier, adapter = adapter_of(copy, "follow", clock=clock)
    answers(classifier, adapter, mixed(4))
    first = path.read_bytes()
    clock.advance(299)
    answers(classifier, adapter, mixed(8))
    assert path.read_bytes() == first
    clock.advance(2)
    answers(classifier, adapter, mixed(9))
    second = path.read_bytes()
    assert second != first
    answers(classifier, adapter, mixed(12))
    assert path.read_bytes() == second
    adapter.close()
    assert path.read_bytes() != second


def test_a_state_that_is_cut_at_any_length_is_said_and_never_worse_than_none(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier, adapter = adapter_of(copy, "follow")
    with closing(adapter):
        answers(classifier, adapter, mixed(3))
    path = copy / adaptation_state.NAME
    whole = path.read_bytes()
    state = adaptation_state.AdaptationState(copy, _key_of(path))
    assert len(state.load(512, 3)) > 5
    capsys.readouterr()
    for length in [*range(0, len(whole), 61), *range(len(whole) - 200, len(whole))]:
        path.write_bytes(whole[:length])
        assert state.load(512, 3) == []
        (line,) = capsys.readouterr().err.splitlines()
        assert "is damaged" in line
        assert "adapting begins anew" in line


def test_a_state_whose_labels_are_of_another_rank_is_refused(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier, adapter = adapter_of(copy, "follow")
    with closing(adapter):
        answers(classifier, adapter, mixed(3))
    path = copy / adaptation_state.NAME
    arrays = dict(np.load(path))
    labels = arrays["labels"]
    for wrong in (labels[:, None], labels[0]):
        path.write_bytes(npz_bytes({**arrays, "labels": wrong}))
        capsys.readouterr()
        adapter_of(copy, "follow")
        (line,) = capsys.readouterr().err.splitlines()
        assert "is damaged" in line


def _key_of(path: Path) -> str:
    return str(np.load(path)["key"].tobytes().decode())


def test_a_state_with_any_wrong_byte_is_refused_or_means_the_same(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier, adapter = adapter_of(copy, "follow")
    with closing(adapter):
        answers(classifier, adapter, mixed(3))
    path = copy / adaptation_state.NAME
    whole = path.read_bytes()
    state = adaptation_state.AdaptationState(copy, _key_of(path))
    expected = state.load(512, 3)
    for place in range(0, len(whole), 37):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        capsys.readouterr()
        found = state.load(512, 3)
        if found:
            for (row, class_id), (right, right_id) in zip(found, expected, strict=True):
                np.testing.assert_array_equal(row, right)
                assert class_id == right_id
        else:
            assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("mode", ["once", "follow"])
def test_a_state_of_the_other_way_of_adapting_begins_anew(
    copy: Path, mode: Mode, capsys: pytest.CaptureFixture[str]
) -> None:
    other: Mode = "follow" if mode == "once" else "once"
    classifier, adapter = adapter_of(copy, other)
    with closing(adapter):
        answers(classifier, adapter, mixed(12))
    capsys.readouterr()
    classifier, adapter = adapter_of(copy, mode)
    with closing(adapter):
        assert not answers(classifier, adapter, [dim(0, 300)])[0].adapted
    assert "is of another bundle or way of adapting" in capsys.readouterr().err


def test_where_nothing_can_be_written_it_adapts_and_says_that_it_does_not_last(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with read_only(copy):
        classifier, adapter = adapter_of(copy, "follow")
        with closing(adapter):
            assert answers(classifier, adapter, mixed(12))[-1].adapted
    lines = [line for line in capsys.readouterr().err.splitlines() if "cannot be written" in line]
    assert len(lines) == 1
    assert not (copy / adaptation_state.NAME).exists()


def test_frames_go_on_while_another_thread_computes(copy: Path) -> None:
    classifier, adapter = adapter_of(copy, "follow", background=True)
    with closing(adapter):
        images = mixed(60)
        said = answers(classifier, adapter, images)
    assert said[-1].adapted
    classifier, adapter = adapter_of(copy, "follow")
    with closing(adapter):  # from what was kept
        again = answers(classifier, adapter, [images[-1]])[0]
    assert again.class_id == said[-1].class_id


def test_once_takes_the_empty_scene_though_it_stands_still(copy: Path) -> None:
    classifier = Classifier(Bundle.open(copy))
    classifier.bundle = replace(classifier.bundle, class_names=(*CLASSES[:2], BACKGROUND))
    with closing(Adapter(classifier, "once", background=False)) as adapter:
        answers(classifier, adapter, mixed(2 * ENOUGH, [0, 1]))
        still = dim(2, 205)
        assert not answers(classifier, adapter, [still] * (ENOUGH - 1))[-1].adapted
    with closing(Adapter(classifier, "once", background=False)) as again:  # the copies were kept
        assert answers(classifier, again, [still] * 2)[-1].adapted
