"""The window that adapts: opened on a project, and things shown to it in another light."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_classifier.features.strangers import Strangers
from edge_classifier.learning.adaptation_file import FileAdaptationStore
from edge_classifier.learning.project_backbone import LoadedBackbone
from edge_classifier.project.store import ProjectStore
from edge_classifier.protocols import Cancelled, Progress
from edge_classifier.values import Features
from support.fakes import FakeBackbone, ImmediateExecutor, ManualExecutor
from support.live_session import LiveSession, load_fake, scene, settle

EVENING = range(44, 74, 2)
"""What a lamp adds to the pictures, a little more with every move of the hand."""


def opened(
    store: ProjectStore, strangers: Strangers, executor: ManualExecutor | None = None
) -> LiveSession:
    """Open the window on a project."""

    def load(_progress: Progress, _cancelled: Cancelled) -> LoadedBackbone:
        return replace(load_fake(store, FakeBackbone()), strangers=strangers)

    return LiveSession(store, executor or ImmediateExecutor(), load=load)


def teach_by_hand(
    store: ProjectStore, strangers: Strangers, executor: ManualExecutor
) -> LiveSession:
    """Open the window, and record two classes with a worker that works when it is told to."""
    live = opened(store, strangers, executor)
    settle(live, executor)
    for key, thing in (("1", 1), ("2", 2)):
        live.hold(key, thing)
        settle(live, executor)
    return live


def show(live: LiveSession, *things: int, light: range = EVENING) -> None:
    """Hold things into the picture, one after the other, as they look in that light."""
    for thing in things:
        live.thing = thing
        for live.light in light:
            live.wait(0.15)


def familiar(live: LiveSession, thing: int, light: int = 60) -> float:
    """How familiar a thing is to what answers now, in that light."""
    model = live.session.learner.model
    assert model is not None
    picture = np.clip(scene(thing).astype(np.int16) + light, 0, 255).astype(np.uint8)
    similarity = model.predict(live.backbone.extract([picture]))[0].similarity
    assert similarity is not None
    return similarity


def frames_on_disk(store: ProjectStore) -> Features | None:
    return FileAdaptationStore(store.model_folder, FakeBackbone().info.key).load()


def messages(live: LiveSession, seconds: float = 0.5) -> str:
    """What is said in the frames that follow, one line each."""
    said = []
    until = live.clock() + seconds
    while live.clock() < until:
        live.frame()
        said.append(live.message)
    return "\n".join(dict.fromkeys(said))
