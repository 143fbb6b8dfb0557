from __future__ import annotations

import numpy as np
import pytest

from edge_classifier.device.frame import Frame
from edge_classifier.live.recording import TAP_S, BurstRecorder, CapturedFrame, Recorded
from edge_classifier.project.picture_file import encode_image, read_image
from edge_classifier.project.store import ProjectStore

FRAME_S = 1 / 30


class Hand:
    """Presses a key and lets frames pass, as a loop of 30 frames a second would."""

    def __init__(self, store: ProjectStore, *, samples_per_second: float = 30.0) -> None:
        self.store = store
        self.recorder = BurstRecorder(store, samples_per_second=samples_per_second)
        self.index = 0
        self.recorded: list[Recorded] = []

    @property
    def now_s(self) -> float:
        return self.index * FRAME_S

    def frame(self) -> None:
        frame = Frame(_picture(self.index), self.index, self.now_s)
        if self.recorder.wants(frame):
            captured = CapturedFrame(encode_image(frame.image), None)
            self.recorded += self.recorder.offer(frame, captured, self.now_s)
        self.index += 1

    def hold(self, class_name: str, seconds: float) -> None:
        """Press, let frames pass, let go."""
        self.recorder.press(class_name, self.now_s)
        self.wait(seconds)
        self.recorder.release()

    def wait(self, seconds: float) -> None:
        """Let frames pass."""
        end = self.now_s + seconds - FRAME_S / 2
        while self.now_s < end:
            self.frame()


def _picture(index: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """Carries its index: its brightness in the picture."""
    return np.full((48, 64, 3), index % 250, np.uint8)


@pytest.mark.parametrize("seconds", [0.0, FRAME_S, 0.1, 0.25])
def test_a_tap_is_one_sample(store: ProjectStore, seconds: float) -> None:
    hand = Hand(store)
    hand.hold("mug", seconds)
    hand.wait(1.0)
    assert [r.sample.class_name for r in hand.recorded] == ["mug"]
    assert len(store.samples()) == 1
    assert hand.recorder.class_name is None


def test_a_tap_is_on_disk_with_the_frame_it_was_pressed_on(store: ProjectStore) -> None:
    hand = Hand(store)
    hand.recorder.press("mug", hand.now_s)
    hand.frame()
    (recorded,) = hand.recorded
    assert recorded.sample.path.is_file()


def test_a_hold_is_one_burst_without_a_hole(store: ProjectStore) -> None:
    hand = Hand(store)
    hand.hold("mug", 2.0)
    samples = store.samples()
    brightness = [round(float(read_image(s.path).mean())) for s in samples]
    assert len({s.burst_id for s in samples}) == 1
    assert sorted(brightness) == list(range(60))


def test_a_hold_is_on_disk_as_it_goes_on(store: ProjectStore) -> None:
    hand = Hand(store)
    hand.recorder.press("mug", hand.now_s)
    hand.wait(TAP_S + FRAME_S)
    for _ in range(10):
        hand.frame()
        assert len(store.samples()) == hand.index


def test_no_frame_after_the_release_is_recorded(store: ProjectStore) -> None:
    hand = Hand(store)
    hand.hold("mug", 1.5)
    released_at = hand.index
    hand.wait(1.0)
    brightness = [round(float(read_image(s.path).mean())) for s in store.samples()]
    assert max(brightness) < released_at


def test_two_quick_taps_are_two_samples_and_no_more(store: ProjectStore) -> None:
    hand = Hand(store)
    for _ in range(2):
        hand.hold("mug", 0.1)
        hand.wait(0.1)
    assert len({s.burst_id for s in store.samples()}) == 2
    assert len(store.samples()) == 2


def test_another_press_ends_the_burst_and_begins_its_own(store: ProjectStore) -> None:
    hand = Hand(store)
    for name in ("mug", "phone"):
        hand.recorder.press(name, hand.now_s)
        hand.wait(1.0)
    bursts = {s.burst_id: s.class_name for s in store.samples()}
    assert sorted(bursts.values()) == ["mug", "phone"]


def test_a_second_hold_is_a_burst_of_its_own(store: ProjectStore) -> None:
    hand = Hand(store)
    for _ in range(2):
        hand.hold("mug", 1.0)
        hand.wait(FRAME_S)
    assert len({s.burst_id for s in store.samples()}) == 2


def test_a_fast_camera_is_not_recorded_faster_than_asked(store: ProjectStore) -> None:
    hand = Hand(store, samples_per_second=10.0)
    hand.hold("mug", 2.0)
    assert 15 <= len(store.samples()) <= 21


def test_a_hold_keeps_to_the_rate_that_was_asked_for_from_its_first_frame_on(
    store: ProjectStore,
) -> None:
    hand = Hand(store, samples_per_second=10.0)
    hand.wait(5 * FRAME_S)
    begin = hand.index
    hand.hold("mug", 1.0)
    pictures = [int(read_image(r.sample.path)[0, 0, 0]) - begin for r in hand.recorded]
    assert pictures == [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]


def test_nothing_is_wanted_while_nothing_is_pressed(store: ProjectStore) -> None:
    recorder = BurstRecorder(store)
    assert not recorder.wants(Frame(_picture(0), 0, 0.0))
