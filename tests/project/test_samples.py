"""Noting a moment costs the same however many samples there are, and what was noted stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_classifier.project.samples import NO_SAMPLES, ClassSamples, Samples
from edge_classifier.values import Sample


def sample(class_name: str, number: int, burst: int = 1) -> Sample:
    return Sample(class_name, f"b{burst:07d}", Path(f"{class_name}-{number}.jpg"), f"{number:064x}")


MUGS = [sample("mug", number, burst=1 + number // 3) for number in range(7)]


def test_what_was_noted_stays_as_it_was_while_samples_are_added() -> None:
    moments = [NO_SAMPLES]
    for each in MUGS:
        moments.append(moments[-1].with_next(each))
    assert [list(moment) for moment in moments] == [MUGS[:n] for n in range(8)]
    assert [moment.burst_count for moment in moments] == [0, 1, 1, 1, 2, 2, 2, 3]
    assert list(NO_SAMPLES) == []


def test_two_ways_to_go_on_from_one_moment_do_not_meet() -> None:
    before = ClassSamples(MUGS[:3])
    one, other = before.with_next(MUGS[3]), before.with_next(MUGS[4])
    assert list(one) == MUGS[:4]
    assert list(other) == [*MUGS[:3], MUGS[4]]


def test_what_was_added_since_is_told_without_going_through_what_was_there() -> None:
    before = Samples({"mug": ClassSamples(MUGS[:3]), "leaf": NO_SAMPLES})
    more = before.of_class["mug"].with_next(MUGS[3])
    leaf = sample("leaf", 1)
    after = Samples({"mug": more, "leaf": ClassSamples([leaf])})
    assert list(after.added_since(before)) == [MUGS[3], leaf]
    assert list(before.added_since(after)) == []


def test_a_sample_that_went_away_and_came_back_was_added_since() -> None:
    before = Samples.of(MUGS)
    back = replace(MUGS[2])
    after = Samples.of([*MUGS[:2], back, *MUGS[3:]])
    assert [each is back for each in after.added_since(before)] == [True]


def test_moments_are_equal_where_their_samples_are_whatever_classes_are_empty() -> None:
    assert Samples.of(MUGS) == Samples({"leaf": NO_SAMPLES, "mug": ClassSamples(list(MUGS))})
    assert Samples.of(MUGS) != Samples.of(MUGS[1:])
    assert Samples.of(MUGS) != Samples.of([*MUGS[:-1], sample("mug", 99)])
    assert Samples.of(MUGS) != MUGS
    assert ClassSamples(MUGS) != MUGS


@given(st.lists(st.sampled_from("abc"), max_size=12), st.slices(12))
def test_samples_are_a_sequence_by_class(names: list[str], rows: slice) -> None:
    given_samples = [sample(name, number) for number, name in enumerate(names)]
    samples: Sequence[Sample] = Samples.of(given_samples)
    order = {name: number for number, name in enumerate(dict.fromkeys(names))}
    expected = sorted(given_samples, key=lambda each: order[each.class_name])
    assert list(samples) == expected
    assert len(samples) == len(expected)
    assert [samples[n] for n in range(-len(expected), len(expected))] == expected * 2
    assert samples[rows] == expected[rows]
    with pytest.raises(IndexError):
        samples[len(expected)]
