"""R: the part of the picture that is looked at."""

from __future__ import annotations

import numpy as np
import pytest
from support.live_session import FRAME_S, RUNNING, LiveSession, scene

from edge_classifier.device.frame import Frame
from edge_classifier.device.framing import Framing, Region
from edge_classifier.live.display import Drag, Press, Release
from edge_classifier.live.framing import OTHER_SHAPE, RECORD_AGAIN
from edge_classifier.live.session import SessionSettings
from edge_classifier.live.view import Mode
from edge_classifier.project.framing import stored_framing
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore

LEFT = Drag(0.0, 0.0, 0.5, 1.0)


def choose(live: LiveSession, drag: Drag = LEFT) -> None:
    """Choose a region by dragging."""
    live.type("r")
    live.view = live.session.step(None, drag, RUNNING)
    live.type("enter")


def halves(live: LiveSession, left: int, right: int, event: Press | Release | None = None) -> None:
    """Show two things beside each other."""
    live.clock.advance(FRAME_S)
    live.index += 1
    image = np.hstack([scene(left, live.index), scene(right, live.index)])
    frame = Frame(image, live.index, live.clock(), 1.0)
    live.view = live.session.step(frame, event, RUNNING)


def test_what_was_dragged_over_is_outlined_at_once_and_kept_by_enter(
    live: LiveSession, store: ProjectStore
) -> None:
    live.frame()
    live.type("r")
    assert live.view.mode is Mode.FRAMING
    assert [button.press for button in live.view.buttons] == ["enter", "w", "escape"]
    assert "drag" in live.view.hint
    view = live.session.step(None, Drag(0.75, 0.9, 0.25, 0.1), RUNNING)
    assert view.region == Region(0.25, 0.1, 0.75, 0.9)
    assert stored_framing(store.settings) == Framing()
    view = live.type("enter")
    assert view.mode is Mode.LIVE
    assert live.view.region == Region(0.25, 0.1, 0.75, 0.9)
    assert stored_framing(store.settings) == Framing(live.view.region, aspect=1.3333)
    assert live.message == "it looks at this part of the picture only"


def test_escape_leaves_it_as_it_was(live: LiveSession, store: ProjectStore) -> None:
    live.frame()
    live.type("r")
    live.session.step(None, LEFT, RUNNING)
    live.type("escape")
    assert live.view.region is None
    assert "framing" not in store.settings


def test_a_click_is_no_region(live: LiveSession) -> None:
    live.frame()
    choose(live)
    live.type("r")
    live.session.step(None, Drag(0.3, 0.3, 0.301, 0.301), RUNNING)
    live.type("enter")
    assert live.view.region == Region(0.0, 0.0, 0.5, 1.0)


def test_keys_move_and_size_it_within_the_picture(live: LiveSession) -> None:
    live.frame()
    live.type("r", *"-" * 40)
    small = live.view.region
    assert small == Region(0.48, 0.48, 0.52, 0.52)
    live.type("left", "left", "up")
    assert live.view.region == Region(0.44, 0.46, 0.48, 0.5)
    for _ in range(60):
        live.type("right", "down")
    assert live.view.region == Region(0.96, 0.96, 1.0, 1.0)
    live.type("+")
    assert live.view.region == Region(0.94, 0.94, 1.0, 1.0)
    live.type("w")
    assert live.view.region == Region()
    live.type("enter")
    assert live.view.region is None


def test_arrows_move_it_as_it_is_seen_where_the_picture_is_mirrored(store: ProjectStore) -> None:
    live = LiveSession(store, settings=SessionSettings(mirrored=True))
    live.frame()
    live.type("r", *"-" * 10, "left", "up")
    assert live.view.region == Region(0.22, 0.18, 0.82, 0.78)
    live.type("right", "right")
    assert live.view.region == Region(0.18, 0.18, 0.78, 0.78)


def test_only_the_region_is_recorded_and_told_apart(live: LiveSession, store: ProjectStore) -> None:
    halves(live, 1, 9)
    choose(live)
    for key, thing in (("1", 1), ("2", 2)):
        halves(live, thing, 9, Press(key))
        for _ in range(15):
            halves(live, thing, 9)
        halves(live, thing, 9, Release(key))
    sizes = {read_image(sample.path).shape for sample in store.samples()}
    assert sizes == {(120, 160, 3)}, "a sample is what was looked at"
    for left, right, label in ((1, 2, "mug"), (2, 1, "phone")):
        for _ in range(30):
            halves(live, left, right)
        assert live.label == label, "and what is beside it tells nothing"
    assert live.view.image is not None
    assert live.view.image.shape == (120, 320, 3), "all is shown all the same"


def test_another_region_is_another_answer_at_once_and_has_to_be_taught(live: LiveSession) -> None:
    for key, thing in (("1", 1), ("2", 2)):
        live.hold(key, thing)
    live.thing = 1
    live.wait(1.0)
    before = live.session.prediction
    choose(live)
    assert live.message == RECORD_AGAIN
    assert live.session.prediction is not None
    assert before is not None
    assert live.session.prediction.similarity != before.similarity


def test_undo_takes_the_region_back_and_z_puts_it_back(
    live: LiveSession, store: ProjectStore
) -> None:
    live.frame()
    choose(live)
    live.type("u")
    assert live.view.region is None
    assert stored_framing(store.settings) == Framing()
    live.type("z")
    assert live.view.region == Region(0.0, 0.0, 0.5, 1.0)


def test_a_frame_that_was_prepared_before_is_prepared_anew(store: ProjectStore) -> None:
    """The reader's thread has made it of the whole picture, and then the region is another."""
    live = LiveSession(store, settings=SessionSettings(smoothing_s=0.0))
    for key, thing in (("1", 1), ("2", 2)):
        live.hold(key, thing)
    both = np.hstack([scene(1), scene(2)])
    late = Frame(both, live.index + 1, live.clock(), prepared=live.session.shrink(both))
    live.clock.advance(FRAME_S)
    halves(live, 1, 2)
    choose(live)
    live.session.step(late, None, RUNNING)
    anew = live.session.prediction
    live.session.step(Frame(both, late.index, live.clock()), None, RUNNING)
    assert live.session.prediction is not None
    assert anew is not None
    assert live.session.prediction.similarity == anew.similarity


def test_there_is_nothing_to_choose_before_the_first_picture(live: LiveSession) -> None:
    live.session.step(None, Press("r"), RUNNING)
    assert live.session.view().mode is Mode.LIVE


def test_the_project_knows_its_region_when_it_is_opened_again(store: ProjectStore) -> None:
    live = LiveSession(store)
    live.frame()
    choose(live)
    live.close()
    again = LiveSession(ProjectStore.open(store.path))
    again.frame()
    assert again.view.region == Region(0.0, 0.0, 0.5, 1.0)
    assert again.message != OTHER_SHAPE


def test_a_camera_of_another_shape_is_told_once(store: ProjectStore) -> None:
    store.update_settings(framing=Framing(Region(0.0, 0.0, 0.5, 1.0), aspect=1.7778).as_json())
    live = LiveSession(store)
    live.frame()
    assert live.message == OTHER_SHAPE
    live.wait(10.0)
    assert not live.message


def test_one_that_gets_another_shape_meanwhile_is_told_too(live: LiveSession) -> None:
    """A phone is turned; or another camera takes the place of the one that was unplugged."""
    live.frame()
    choose(live)
    live.wait(10.0)
    assert not live.message
    halves(live, 0, 0)
    assert live.message == OTHER_SHAPE


def test_the_same_region_is_taken_for_another_shape(store: ProjectStore) -> None:
    left = Region(0.0, 0.0, 0.5, 1.0)
    store.update_settings(framing=Framing(left, aspect=1.7778).as_json())
    live = LiveSession(store)
    live.frame()
    live.type("r", "enter")
    assert stored_framing(store.settings) == Framing(left, aspect=1.3333)


@pytest.mark.parametrize("drag", [Drag(-1.0, 0.0, 2.0, 1.0), Drag(float("nan"), 0, 1, 1)])
def test_a_display_that_drags_beyond_the_picture_chooses_nothing(
    live: LiveSession, drag: Drag
) -> None:
    live.frame()
    live.type("r")
    live.session.step(None, drag, RUNNING)
    assert live.view.mode is Mode.FRAMING
    live.type("escape")
    assert live.view.region is None
