from __future__ import annotations

import pytest

from edge_classifier.live.rates import RateMeter


def test_rates_are_means_over_the_last_half_second() -> None:
    meter = RateMeter(shown_every_s=0.5)
    for n in range(31):
        meter.add_frame(n / 60, capture_ms=3.0, inference_ms=2.0)
        if n % 2:
            meter.add_drawing(1.0)
    rates = meter.rates(0.5)
    assert rates.fps == pytest.approx(62, abs=2)
    assert (rates.capture_ms, rates.inference_ms, rates.drawing_ms) == (3.0, 2.0, 1.0)


def test_shown_figures_stand_still_long_enough_to_be_read() -> None:
    meter = RateMeter(shown_every_s=0.5)
    meter.add_frame(0.0, capture_ms=1, inference_ms=1)
    first = meter.rates(0.6)
    meter.add_frame(0.7, capture_ms=9, inference_ms=9)
    assert meter.rates(0.8) is first


def test_no_frames_for_a_while_is_no_frame_rate() -> None:
    meter = RateMeter(shown_every_s=0.5)
    meter.add_frame(0.0, capture_ms=1, inference_ms=1)
    meter.rates(1.0)
    assert meter.rates(2.0).fps == 0


def test_nothing_measured_shows_zeros() -> None:
    assert RateMeter().rates(5.0).fps == 0
