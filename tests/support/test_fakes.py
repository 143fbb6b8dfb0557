from __future__ import annotations

import ast
import itertools
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

import support.fakes
from edge_classifier.errors import CameraLostError, InvalidImageError, InvalidValueError
from edge_classifier.live.display import Press, Release
from edge_classifier.live.view import Activity, Gallery, Mode, View
from support.fakes import (
    FakeBackbone,
    FakeClock,
    FakeDisplay,
    FakeSource,
    ImmediateExecutor,
    ManualExecutor,
    MisbehavingCamera,
    Misbehaviour,
)

if TYPE_CHECKING:
    from edge_classifier.device.frame import Clock, FrameSource
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.sources.video_source import VideoCapture
    from edge_classifier.live.display import Display
    from edge_classifier.protocols import Backbone, Executor

BLACK = np.zeros((48, 64, 3), np.uint8)
VIEW = View(BLACK, False, Mode.LIVE, "", (), None, Activity(""), None, "")  # noqa: FBT003 - as the fields come


def scene(colour: tuple[int, int, int], rng: np.random.Generator) -> Image:
    """Draw a coloured square somewhere in a noisy picture."""
    image = rng.integers(0, 60, (48, 64, 3), np.uint8)
    top, left = rng.integers(0, 20, 2)
    image[top : top + 24, left + 8 : left + 32] = colour
    return image


def test_every_fake_fits_its_protocol() -> None:
    source: FrameSource = FakeSource([])
    display: Display = FakeDisplay()
    backbone: Backbone = FakeBackbone()
    clock: Clock = FakeClock()
    executors: list[Executor] = [ImmediateExecutor(), ManualExecutor()]
    assert all((source, display, backbone, clock, executors))


def test_the_fakes_do_not_need_pytest() -> None:
    tree = ast.parse(Path(support.fakes.__file__).read_text(encoding="utf-8"))
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for name in node.names
    } | {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    assert "pytest" not in imported


# FakeClock


def test_a_fake_clock_moves_only_when_told_to() -> None:
    clock = FakeClock(5.0)
    assert clock() == clock() == 5.0
    clock.advance(1.5)
    assert clock() == 6.5


def test_a_fake_clock_does_not_run_backwards() -> None:
    with pytest.raises(InvalidValueError, match="received -1"):
        FakeClock().advance(-1)


# FakeSource


def test_a_fake_source_moves_the_clock_by_its_rate() -> None:
    clock = FakeClock(10.0)
    times = [frame.timestamp_s for frame in FakeSource([BLACK] * 3, fps=10, clock=clock)]
    assert times == pytest.approx([10.1, 10.2, 10.3])
    assert clock() == pytest.approx(10.3)


def test_a_fake_source_fails_after_as_many_frames_as_told() -> None:
    frames = iter(FakeSource(itertools.repeat(BLACK), fails_after=2))
    assert [next(frames).index, next(frames).index] == [0, 1]
    with pytest.raises(CameraLostError):
        next(frames)


def test_a_fake_source_without_a_rate_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="received 0"):
        FakeSource([], fps=0)


def test_a_fake_source_refuses_what_is_not_an_image() -> None:
    with pytest.raises(InvalidImageError):
        list(FakeSource([np.zeros((4, 4), np.uint8)]))


# MisbehavingCamera


def noisy(seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(1, 255, (8, 12, 3), np.uint8)


def misbehaving(*images: Image) -> MisbehavingCamera:
    return MisbehavingCamera(images or (noisy(),), wait=lambda _seconds: None)


@pytest.fixture(params=["real", "misbehaving"])
def capture(request: pytest.FixtureRequest, tmp_path: Path) -> VideoCapture:
    if request.param == "misbehaving":
        return misbehaving().open_capture(0, cv2.CAP_ANY)
    path = tmp_path / "video.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (12, 8))
    for seed in range(5):
        writer.write(noisy(seed))
    writer.release()
    return cv2.VideoCapture(str(path))


def test_an_opening_of_it_does_what_a_real_capture_does(capture: VideoCapture) -> None:
    assert capture.isOpened()
    assert capture.get(cv2.CAP_PROP_FPS) == 30.0
    ok, picture = capture.read()
    again = capture.read()[1]
    assert ok
    assert (picture.shape, picture.dtype) == ((8, 12, 3), np.uint8)
    assert not np.shares_memory(picture, again)
    capture.release()
    assert not capture.isOpened()
    assert capture.read() == (False, None)
    capture.release()


@pytest.mark.parametrize("how", [h for h in Misbehaviour if h is not Misbehaviour.STALL])
def test_a_camera_misbehaves_until_it_is_told_to_behave(how: Misbehaviour) -> None:
    camera = misbehaving()
    capture = camera.open_capture()
    camera.misbehave(how)
    try:
        ok, picture = capture.read()
    except OSError:
        assert how is Misbehaviour.RAISE
    else:
        same = ok and np.array_equal(picture, noisy())
        assert not (same and picture.dtype == np.uint8)
    camera.behave()
    np.testing.assert_array_equal(capture.read()[1], noisy())


def test_a_read_that_has_stalled_comes_back_when_the_camera_behaves() -> None:
    camera = misbehaving()
    capture = camera.open_capture()
    camera.misbehave(Misbehaviour.STALL)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(capture.read)
        assert not wait([reading], 0.02).done
        assert camera.stalling
        camera.behave()
        assert reading.result(10)[0]
    assert not camera.stalling


def test_a_camera_that_is_gone_cannot_be_opened_and_can_again_when_it_is_back() -> None:
    camera = misbehaving()
    camera.misbehave(Misbehaviour.GONE)
    assert not camera.open_capture().isOpened()
    camera.behave()
    assert camera.open_capture().isOpened()
    assert camera.opened == 2


def test_a_camera_may_show_something_else_from_now_on() -> None:
    camera = misbehaving()
    camera.show(noisy(1)[:4])
    assert camera.open_capture().read()[1].shape == (4, 12, 3)


def test_a_camera_without_pictures_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="received none"):
        MisbehavingCamera([])


# FakeDisplay


def test_a_fake_display_presses_its_keys_and_is_then_closed_by_its_user() -> None:
    display = FakeDisplay(["1", None, "escape"])
    heard = []
    for _ in range(4):
        display.show(VIEW)
        heard.append(display.events())
    assert heard == [
        [Press("1", "1"), Release("1")], [], [Press("escape"), Release("escape")],
        [Press("close"), Release("close")],
    ]  # fmt: skip


def test_a_fake_display_tells_once_what_there_is_room_for_of_a_gallery() -> None:
    display = FakeDisplay(itertools.repeat(None))
    heard = []
    for view in (VIEW, replace(VIEW, gallery=Gallery("mug", "", "")), VIEW):
        display.show(view)
        heard.append(display.events())
    assert heard == [[], [FakeDisplay.ROOM], []]


def test_a_fake_display_keeps_the_newest_views() -> None:
    display = FakeDisplay(itertools.repeat(None), keep=2)
    views = [replace(VIEW, title=str(number)) for number in range(3)]
    for view in views:
        display.show(view)
    assert display.views == tuple(views[1:])
    assert display.shown == 3


def test_a_fake_display_that_was_closed_shows_nothing_more() -> None:
    display = FakeDisplay(["a", "b"])
    display.close()
    display.close()
    display.show(VIEW)
    assert display.views == ()
    assert display.events()[0] == Press("close")


# Executors


@pytest.mark.parametrize("kind", ["real", "immediate", "manual"])
def test_every_executor_gives_results_and_errors_through_futures(kind: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        manual = ManualExecutor()
        executors: dict[str, Executor] = {
            "real": pool,
            "immediate": ImmediateExecutor(),
            "manual": manual,
        }
        executor = executors[kind]
        good, bad = executor.submit(lambda: 6 * 7), executor.submit(lambda: 1 // 0)
        manual.run_all()
        assert good.result(10) == 42
        with pytest.raises(ZeroDivisionError):
            bad.result(10)


def test_a_manual_executor_does_nothing_until_told_and_then_the_oldest_first() -> None:
    done: list[str] = []
    executor = ManualExecutor()
    first = executor.submit(lambda: done.append("first"))
    executor.submit(lambda: done.append("second"))
    assert (done, first.done(), executor.pending) == ([], False, 2)
    assert executor.run_next()
    assert (done, first.done(), executor.pending) == (["first"], True, 1)


def test_a_manual_executor_skips_what_was_cancelled() -> None:
    done: list[str] = []
    executor = ManualExecutor()
    assert executor.submit(lambda: done.append("cancelled")).cancel()
    executor.submit(lambda: done.append("kept"))
    assert executor.run_next()
    assert not executor.run_next()
    assert done == ["kept"]


def test_a_manual_executor_also_runs_what_work_submits() -> None:
    executor = ManualExecutor()
    inner: list[Future[str]] = []
    executor.submit(lambda: inner.append(executor.submit(lambda: "inner")))
    assert executor.run_all() == 2
    assert inner[0].result(0) == "inner"


# FakeBackbone


def test_fake_features_are_the_same_for_the_same_picture_and_differ_for_others() -> None:
    rng = np.random.default_rng(1)
    red, blue = scene((0, 0, 255), rng), scene((255, 0, 0), rng)
    features = FakeBackbone(16).extract([red, blue, red])
    assert features.shape == (3, 16)
    assert features.dtype == np.float32
    assert features.min() >= 0
    np.testing.assert_array_equal(features[0], features[2])
    assert not np.allclose(features[0], features[1])
    np.testing.assert_array_equal(FakeBackbone(16).extract([blue])[0], features[1])


def test_fake_features_tell_classes_of_unseen_pictures_apart() -> None:
    rng = np.random.default_rng(2)
    colours = [(0, 0, 255), (0, 255, 0), (255, 0, 0)]
    backbone = FakeBackbone()
    means = np.stack(
        [backbone.extract([scene(c, rng) for _ in range(10)]).mean(0) for c in colours]
    )
    right = 0
    for class_id, colour in enumerate(colours):
        unseen = backbone.extract([scene(colour, rng) for _ in range(20)])
        distances = np.linalg.norm(unseen[:, None] - means, axis=2)
        right += int((distances.argmin(axis=1) == class_id).sum())
    assert right >= 57  # of 60


def test_a_fake_backbone_counts_what_it_was_asked_for() -> None:
    backbone = FakeBackbone(8)
    assert backbone.extract([]).shape == (0, 8)
    backbone.extract([BLACK, BLACK])
    assert backbone.extracted == 2


def test_a_fake_backbone_may_pretend_to_be_any_other() -> None:
    info = FakeBackbone(24).info
    backbone = FakeBackbone(info=info)
    assert backbone.info is info
    assert backbone.extract([BLACK]).shape == (1, 24)


def test_a_fake_backbone_refuses_what_is_not_an_image() -> None:
    with pytest.raises(InvalidImageError):
        FakeBackbone().extract([np.zeros((4, 4), np.uint8)])
