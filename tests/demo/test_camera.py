from __future__ import annotations

from itertools import islice, pairwise
from threading import Thread
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from edge_classifier.demo.camera import CYCLE, DemoCamera
from edge_classifier.demo.room import paint_room
from edge_classifier.demo.scene import TAUGHT, UNTAUGHT, DemoScene
from edge_classifier.device.preprocessing import check_image
from edge_classifier.errors import InvalidValueError
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.device.frame import FrameSource
    from edge_classifier.device.preprocessing import Image

FRAME_S = 1 / 30


class FakeTime:
    """A clock that moves only while somebody sleeps, or by `advance`."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept_s: list[float] = []

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds


@pytest.fixture(scope="module")
def scene() -> DemoScene:
    return DemoScene(seed=0)


def difference(a: Image, b: Image) -> float:
    """Mean difference of two pictures without their noise, in grey levels."""
    small_a, small_b = (
        cv2.resize(image, (80, 60), interpolation=cv2.INTER_AREA).astype(np.float64)
        for image in (a, b)
    )
    return float(np.abs(small_a - small_b).mean())


def until_settled(camera: DemoCamera, at_most: int = 150) -> Image:
    for frame in islice(camera, at_most):
        if camera.settled:
            return frame.image
    raise AssertionError(f"The camera did not settle within {at_most} frames.")


def test_at_least_three_objects_are_taught_and_another_one_never_is() -> None:
    assert len(set(TAUGHT)) >= 3
    assert UNTAUGHT not in TAUGHT
    assert BACKGROUND not in {*TAUGHT, UNTAUGHT}


@pytest.mark.parametrize("name", [*TAUGHT, UNTAUGHT, None])
def test_every_picture_is_a_valid_image_of_640_by_480(scene: DemoScene, name: str | None) -> None:
    image = scene.image(name, 1.0)
    check_image(image)
    assert image.shape == (480, 640, 3)
    assert image.std() > 15, "a picture with nothing in it"


def test_the_same_seed_gives_the_same_picture(scene: DemoScene) -> None:
    again = DemoScene(seed=0)
    for name in (TAUGHT[0], None):
        np.testing.assert_array_equal(scene.image(name, 3.1), again.image(name, 3.1))


def test_a_picture_does_not_depend_on_those_before_it(scene: DemoScene) -> None:
    first = scene.image(None, 2.0, take=1)
    scene.image(TAUGHT[1], 5.0)
    np.testing.assert_array_equal(first, scene.image(None, 2.0, take=1))


def test_another_seed_gives_another_room() -> None:
    assert difference(paint_room(0), paint_room(1)) > 3


@pytest.mark.parametrize("name", [TAUGHT[0], None])
def test_frames_that_follow_each_other_are_similar_but_never_equal(
    scene: DemoScene, name: str | None
) -> None:
    images = [scene.image(name, i * FRAME_S) for i in range(20)]
    steps = [difference(a, b) for a, b in pairwise(images)]
    assert max(steps) < 4
    assert all((a != b).any() for a, b in pairwise(images))


@pytest.mark.parametrize("name", [*TAUGHT, UNTAUGHT])
def test_two_takes_differ_far_more_than_two_frames_of_one(scene: DemoScene, name: str) -> None:
    first, next_one = scene.image(name, 1.0, take=0), scene.image(name, 1.0 + FRAME_S, take=0)
    other = scene.image(name, 1.0, take=1)
    assert difference(first, other) > 5 * difference(first, next_one)
    assert difference(first, other) > 10


def test_the_light_changes_within_a_take_and_between_takes(scene: DemoScene) -> None:
    within = [scene.image(None, t).mean() for t in range(0, 20, 2)]
    between = [scene.image(None, 0.0, take=take).mean() for take in range(6)]
    assert max(within) - min(within) > 8
    assert max(between) - min(between) > 15


def test_the_colour_of_the_light_changes(scene: DemoScene) -> None:
    warmth = [
        float(image[..., 2].mean() / image[..., 0].mean())
        for image in (scene.image(None, 0.0, take=take) for take in range(6))
    ]
    assert max(warmth) / min(warmth) > 1.1


def test_the_object_moves_and_changes_its_size(scene: DemoScene) -> None:
    states = [scene.state(t, 0) for t in np.arange(0, 20, 0.5)]
    assert max(s.x for s in states) - min(s.x for s in states) > 40
    assert max(s.scale for s in states) / min(s.scale for s in states) > 1.1


def test_the_picture_has_the_noise_of_a_sensor(scene: DemoScene) -> None:
    image = scene.image(None, 0.0).astype(np.float64)
    grain = image - cv2.GaussianBlur(image, (0, 0), 2)
    assert 0.5 < grain[100:300, 200:400].std() < 8


def test_the_objects_can_be_told_apart_in_a_take_not_seen_before(scene: DemoScene) -> None:
    names = (*TAUGHT, UNTAUGHT)
    seen = {name: _colours_of(scene, name, take=0) for name in names}
    for name in names:
        unseen = _colours_of(scene, name, take=1)
        overlap = {other: float(np.minimum(unseen, seen[other]).sum()) for other in names}
        assert max(overlap, key=lambda other: overlap[other]) == name, overlap


def _colours_of(scene: DemoScene, name: str, take: int) -> npt.NDArray[np.float64]:
    """Histogram of hue and saturation where the picture differs from the empty scene."""
    image, empty = scene.image(name, 1.0, take), scene.image(None, 1.0, take)
    there = (cv2.absdiff(image, empty).max(axis=2) > 40).astype(np.uint8)
    assert 0.05 < there.mean() < 0.6, "the object is too small or too large"
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    histogram = cv2.calcHist([hsv], [0, 1], there, [18, 4], [0, 180, 0, 256])
    return np.asarray(histogram / histogram.sum(), np.float64)


def test_an_object_that_does_not_exist_is_refused_with_those_that_do(scene: DemoScene) -> None:
    with pytest.raises(InvalidValueError, match=f"{TAUGHT[0]}.*'unicorn'"):
        scene.image("unicorn", 0.0)
    with pytest.raises(InvalidValueError, match="take"):
        scene.image(None, 0.0, take=-1)
    with pytest.raises(InvalidValueError, match="seed"):
        DemoScene(seed=-1)


def test_the_camera_says_what_it_is(scene: DemoScene) -> None:
    camera: FrameSource = DemoCamera(scene)
    assert camera.description == "demo camera, 640x480 at 30 fps"


def test_a_camera_without_a_frame_rate_is_refused(scene: DemoScene) -> None:
    with pytest.raises(InvalidValueError, match="above 0"):
        DemoCamera(scene, fps=0)


def test_frames_come_at_the_pace_of_a_camera(scene: DemoScene) -> None:
    time = FakeTime()
    frames = list(islice(DemoCamera(scene, clock=time.clock, sleep=time.sleep), 10))
    assert [frame.index for frame in frames] == list(range(10))
    gaps = np.diff([frame.timestamp_s for frame in frames])
    np.testing.assert_allclose(gaps, FRAME_S)


def test_after_a_slow_reader_the_frames_are_not_hurried(scene: DemoScene) -> None:
    time = FakeTime()
    frames = iter(DemoCamera(scene, clock=time.clock, sleep=time.sleep))
    next(frames)
    time.now_s += 5.0
    late = next(frames).timestamp_s
    following = [next(frames).timestamp_s for _ in range(3)]
    np.testing.assert_allclose(np.diff([late, *following]), FRAME_S)


def test_an_unpaced_camera_never_sleeps(scene: DemoScene) -> None:
    time = FakeTime()
    list(islice(DemoCamera(scene, paced=False, clock=time.clock, sleep=time.sleep), 5))
    assert not time.slept_s


def test_paced_or_not_the_pictures_are_the_same(scene: DemoScene) -> None:
    time = FakeTime()
    paced = DemoCamera(scene, clock=time.clock, sleep=time.sleep)
    for a, b in zip(islice(paced, 3), DemoCamera(scene, paced=False), strict=False):
        np.testing.assert_array_equal(a.image, b.image)


def test_closing_twice_ends_the_iteration_and_harms_nothing(scene: DemoScene) -> None:
    camera = DemoCamera(scene, paced=False)
    frames = iter(camera)
    next(frames)
    camera.close()
    camera.close()
    assert list(frames) == []
    assert list(camera) == []


def test_closing_while_the_camera_waits_for_its_next_frame_ends_it(scene: DemoScene) -> None:
    time = FakeTime()
    camera = DemoCamera(scene, clock=time.clock, sleep=lambda _: camera.close())
    assert len(list(islice(camera, 10))) < 10


def test_left_alone_it_holds_up_every_object_in_turn_with_an_empty_scene_between(
    scene: DemoScene,
) -> None:
    camera = DemoCamera(scene, fps=10, paced=False)
    seen: list[str | None] = []
    for _ in islice(camera, 300):
        if not seen or camera.showing != seen[-1]:
            seen.append(camera.showing)
        if len(seen) == 8:
            break
    assert seen == [None, CYCLE[0], None, CYCLE[1], None, CYCLE[2], None, CYCLE[3]]
    assert set(CYCLE) == {*TAUGHT, UNTAUGHT}


def test_what_is_presented_from_another_thread_is_soon_held_up_and_stays(scene: DemoScene) -> None:
    camera = DemoCamera(scene, fps=10, paced=False)
    thread = Thread(target=camera.present, args=(TAUGHT[1],))
    thread.start()
    thread.join()
    assert not camera.settled
    until_settled(camera)
    assert camera.showing == TAUGHT[1]
    for _ in islice(camera, 100):
        assert camera.showing == TAUGHT[1]
    camera.present(None)
    assert camera.showing is None
    until_settled(camera)
    assert camera.settled


def test_the_picture_that_settles_is_that_of_the_object_and_take_asked_for(
    scene: DemoScene,
) -> None:
    camera = DemoCamera(scene, paced=False)
    camera.present(TAUGHT[0], take=1)
    image = until_settled(camera)
    index = next(iter(camera)).index - 1
    np.testing.assert_array_equal(image, scene.image(TAUGHT[0], index * FRAME_S, take=1))


def test_a_take_is_the_same_however_long_the_one_before_has_lasted(scene: DemoScene) -> None:
    """So the demo says the same on a fast and on a slow computer."""
    takes = []
    for waited in (3, 40):
        camera = DemoCamera(scene, paced=False)
        for _ in islice(camera, waited):
            pass
        camera.present(TAUGHT[1], take=2)
        takes.append([until_settled(camera), *(frame.image for frame in islice(camera, 5))])
    np.testing.assert_array_equal(takes[0], takes[1])


def test_nothing_jumps_while_one_object_gives_way_to_another_take_of_another(
    scene: DemoScene,
) -> None:
    camera = DemoCamera(scene, paced=False)
    camera.present(TAUGHT[0])
    images = [until_settled(camera)]
    camera.present(TAUGHT[2], take=1)
    images += [frame.image for frame in islice(camera, 80)]
    assert camera.showing == TAUGHT[2]
    steps = [difference(a, b) for a, b in pairwise(images)]
    assert max(steps) < difference(images[0], images[-1])


def test_presenting_what_does_not_exist_is_refused_at_once(scene: DemoScene) -> None:
    with pytest.raises(InvalidValueError, match="unicorn"):
        DemoCamera(scene).present("unicorn")
