"""A session as in the window, with a real project on disk and scripted time, for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.device.frame import Frame
from edge_classifier.device.preprocessing import Image
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.export.exporter import Export
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.features.variants import Variation
from edge_classifier.learning.adaptation_file import FileAdaptationStore
from edge_classifier.learning.fine_tuning import FineTune
from edge_classifier.learning.model_file import FileModelStore
from edge_classifier.learning.project_backbone import LoadedBackbone
from edge_classifier.live.display import Press, Release
from edge_classifier.live.session import Session, SessionSettings
from support.fakes import FakeBackbone, FakeClock, ImmediateExecutor, ManualExecutor

if TYPE_CHECKING:
    from edge_classifier.live.display import Event
    from edge_classifier.live.view import Gallery, GalleryPicture, View
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Cancelled, Executor, Progress

FRAME_S = 1 / 30
RUNNING = SourceState(SourceStatus.RUNNING)

_open: list[LiveSession] = []


def close_all() -> None:
    """Close every session that a test has made."""
    while _open:
        _open.pop().close()


def scene(thing: int, index: int = 0) -> Image:
    """Make a picture of thing number so-and-so: its own colours and stripes, a little moved."""
    return np.array(_scene(thing, index % 7))


@cache
def _scene(thing: int, moved: int) -> Image:
    generator = np.random.default_rng(thing)
    base = generator.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return np.roll(base.repeat(20, axis=0).repeat(20, axis=1), moved, axis=1)


def load_varying(store: ProjectStore, backbone: FakeBackbone) -> LoadedBackbone:
    """Load what a real loader would, but for the network."""
    info = backbone.info
    varied = FileFeatureCache(store.cache_folder, f"{info.key} varied", info.feature_dim)
    variation = Variation(varied, info.feature_dim)
    return replace(load_fake(store, backbone), variation=variation)


def load_fake(store: ProjectStore, backbone: FakeBackbone) -> LoadedBackbone:
    """Load what a real loader would, but for the network; no sample is varied."""
    info = backbone.info
    cache = FileFeatureCache(store.cache_folder, info.key, info.feature_dim)
    return LoadedBackbone(
        backbone,
        cache,
        FileModelStore(store.model_folder),
        FileAdaptationStore(store.model_folder, backbone.info.key),
        "fake",
    )


@dataclass
class LiveSession:
    """Steps a session at 30 frames per second."""

    store: ProjectStore
    executor: Executor = field(default_factory=ImmediateExecutor)
    settings: SessionSettings | None = None
    export: Export | None = None
    fine_tune: FineTune | None = None
    backbone: FakeBackbone = field(default_factory=FakeBackbone)
    load: Callable[[Progress, Cancelled], LoadedBackbone] | None = None

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.index = 0
        self.thing = 0
        self.light = 0
        """What is added to the pictures: the lamp is another one."""
        self.session = Session(
            self.store,
            self.load or (lambda _p, _c: load_fake(self.store, self.backbone)),
            executor=self.executor,
            clock=self.clock,
            settings=self.settings,
            export=self.export,
            fine_tune=self.fine_tune,
        )
        self.view = self.session.step(None, None, RUNNING)
        _open.append(self)

    @property
    def label(self) -> str | None:
        """The verdict, or `None` where there is none."""
        return self.view.banner.label if self.view.banner else None

    @property
    def counts(self) -> list[int]:
        """Samples of each class, in the order of the cards."""
        return [card.count for card in self.view.cards]

    @property
    def message(self) -> str:
        """What the picture says has happened, or empty."""
        return self.view.message.text if self.view.message else ""

    def close(self) -> None:
        """Close session and project; may be called twice."""
        self.session.close()
        self.store.close()

    def frame(self, event: Event | None = None) -> View:
        """Let one frame pass."""
        image = scene(self.thing, self.index)
        if self.light:
            image = np.clip(image.astype(np.int16) + self.light, 0, 255).astype(np.uint8)
        self.view = self.session.step(Frame(image, self.index, self.clock()), event, RUNNING)
        self.index += 1
        self.clock.advance(FRAME_S)
        return self.view

    def wait(self, seconds: float) -> View:
        """Let frames pass."""
        for _ in range(round(seconds / FRAME_S)):
            self.frame()
        return self.view

    def hold(self, name: str, thing: int, seconds: float = 1.5) -> View:
        """Hold a key, or a part of what is shown, before a thing, and let it go."""
        self.thing = thing
        self.frame(Press(name))
        self.wait(seconds)
        self.let_go(name)
        return self.wait(0.5)

    def let_go(self, name: str) -> View:
        """Let go what was pressed."""
        self.view = self.session.step(None, Release(name), RUNNING)
        return self.view

    def tap(self, name: str) -> View:
        """Press something for a moment."""
        self.type(name)
        return self.wait(1.0)

    def type(self, *keys: str) -> View:
        """Press keys one after the other; one character is also typed."""
        for key in keys:
            text = key if len(key) == 1 else ""
            self.frame(Press(key.lower(), text))
            self.let_go(key.lower())
        return self.view


def settle(live: LiveSession, executor: ManualExecutor) -> None:
    """Let the worker do all there is to do."""
    for _ in range(8):
        executor.run_all()
        live.wait(0.2)


def teach_two(live: LiveSession, executor: ManualExecutor) -> None:
    """Let the worker load the backbone, then record two classes, each trained at once."""
    executor.run_all()
    for key, thing in (("1", 1), ("2", 2)):
        live.hold(key, thing)
        executor.run_all()
        live.frame()


def gallery(live: LiveSession) -> Gallery:
    """Return what is shown of the pictures that one looks at."""
    assert live.view.gallery is not None
    return live.view.gallery


def pictures(live: LiveSession) -> list[GalleryPicture]:
    """Return the gallery's pictures, row by row."""
    return [picture for row in gallery(live).rows for picture in row.pictures]
