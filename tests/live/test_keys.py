from __future__ import annotations

import pytest

from edge_classifier.errors import InvalidValueError
from edge_classifier.live.keys import HoldDetector, HoldTiming, KeyEvent, SpentKey


def test_the_first_event_is_a_press() -> None:
    assert HoldDetector().event(5.0) is KeyEvent.PRESSED


def test_events_at_the_repeat_rate_show_that_the_key_stayed_down() -> None:
    detector = HoldDetector()
    detector.event(0.0)
    detector.event(0.66)
    assert detector.event(0.70) is KeyEvent.REPEATED


def test_an_event_after_the_long_first_gap_may_be_a_second_tap() -> None:
    detector = HoldDetector()
    detector.event(0.0)
    assert detector.event(0.66) is KeyEvent.PRESSED


def test_a_key_is_not_released_during_the_gap_before_its_first_repeat() -> None:
    detector = HoldDetector()
    detector.event(0.0)
    assert not detector.released(0.75)
    assert detector.down


def test_silence_longer_than_the_first_gap_is_a_release() -> None:
    detector = HoldDetector()
    detector.event(0.0)
    assert detector.released(0.81)
    assert not detector.down


def test_once_a_key_repeats_a_release_is_noticed_sooner() -> None:
    detector = HoldDetector()
    for now_s in (0.0, 0.66, 0.70):
        detector.event(now_s)
    assert not detector.released(0.85)
    assert detector.released(0.95)


def test_a_released_key_starts_anew_with_its_next_event() -> None:
    detector = HoldDetector()
    for now_s in (0.0, 0.66, 0.70):
        detector.event(now_s)
    assert detector.released(2.0)
    assert detector.event(2.05) is KeyEvent.PRESSED
    assert not detector.released(2.80)


@pytest.mark.parametrize(("initial", "repeat"), [(0.1, 0.2), (0.8, 0.0), (-1.0, -2.0)])
def test_impossible_timing_is_refused(initial: float, repeat: float) -> None:
    with pytest.raises(InvalidValueError, match="repeat gap"):
        HoldTiming(initial, repeat)


def test_the_repeats_of_a_key_that_has_done_its_work_are_swallowed_until_it_is_let_go() -> None:
    spent = SpentKey(HoldTiming())
    spent.spend("2", 0.0)
    held = [0.66 + n * 0.04 for n in range(50)]
    assert all(spent.swallows("2", at) for at in held)
    assert not spent.swallows("2", held[-1] + 0.3)


def test_another_key_is_not_swallowed_and_ends_the_swallowing() -> None:
    spent = SpentKey(HoldTiming())
    spent.spend("2", 0.0)
    assert not spent.swallows("1", 0.1)
    assert not spent.swallows("2", 0.2)
