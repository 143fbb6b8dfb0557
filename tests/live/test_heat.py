"""Y, the heat map: learned on the worker when it is asked for, and anew after each training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.fakes import FakeBackbone, ManualExecutor
from support.live_session import RUNNING, LiveSession, settle, teach_two

from edge_classifier.live.display import Press

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.values import Features


def test_what_is_unlike_its_class_is_hot_until_y_is_pressed_again(live: LiveSession) -> None:
    live.hold("1", thing=1)
    assert live.wait(0.5).heat is None
    assert live.type("y").message is not None
    assert live.message == "heat map: red where the picture is unlike its class"
    heat = live.wait(0.5).heat
    assert heat is not None
    assert heat.max() == 0.0
    live.thing = 50
    heat = live.wait(1.0).heat
    assert heat is not None
    assert heat.max() == 1.0
    live.type("y")
    assert live.wait(0.5).heat is None


def test_nothing_is_hot_where_another_part_of_the_picture_was_looked_at(live: LiveSession) -> None:
    live.hold("1", thing=1)
    live.type("y")
    assert live.wait(0.5).heat is not None
    live.type("r", "-")
    assert live.session.step(None, Press("enter"), RUNNING).heat is None
    assert live.frame().heat is not None


def test_it_is_learned_on_the_worker_while_the_picture_goes_on(store: ProjectStore) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    teach_two(live, executor)
    settle(live, executor)
    live.type("y")
    live.frame()
    assert live.view.activity.text == "learning what places look like"
    assert live.session.busy
    assert live.wait(0.5).heat is None
    assert live.label is not None
    settle(live, executor)
    assert live.frame().heat is not None
    assert not live.session.busy


def test_it_is_learned_anew_when_samples_have_changed_and_gives_way_to_training(
    store: ProjectStore,
) -> None:
    executor = ManualExecutor()
    live = LiveSession(store, executor)
    teach_two(live, executor)
    live.type("y")
    settle(live, executor)
    live.hold("3", thing=3)
    live.frame()
    assert live.view.activity.text != "learning what places look like"
    settle(live, executor)
    live.thing = 3
    live.wait(1.0)
    settle(live, executor)
    assert live.label == "class 3"
    heat = live.frame().heat
    assert heat is not None
    assert heat.max() == 0.0


def test_without_heat_no_feature_map_is_computed(store: ProjectStore) -> None:
    class Counting(FakeBackbone):
        maps = 0

        def extract_spatial(
            self, images: Sequence[Image]
        ) -> tuple[Features, npt.NDArray[np.float32]]:
            self.maps += len(images)
            return super().extract_spatial(images)

    backbone = Counting()
    live = LiveSession(store, backbone=backbone)
    live.hold("1", thing=1)
    live.wait(1.0)
    live.type("y", "y")
    before = backbone.maps
    live.wait(1.0)
    assert backbone.maps == before
