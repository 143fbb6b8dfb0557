"""The first start: pictures of nothing in particular are looked at before training."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from support.fakes import FakeBackbone, ManualExecutor
from support.live_session import LiveSession, load_fake, settle

from edge_classifier.device.preprocessing import Image
from edge_classifier.features.strangers import Strangers
from edge_classifier.learning.project_backbone import LoadedBackbone
from edge_classifier.live.jobs import start_worker
from edge_classifier.project.store import ProjectStore
from edge_classifier.protocols import Cancelled, Progress
from edge_classifier.values import Features


def test_the_first_start_says_that_it_looks_at_strangers_and_trains_after_that(
    store: ProjectStore, tmp_path: Path
) -> None:
    backbone = FakeBackbone()

    def load(_progress: Progress, _cancelled: Cancelled) -> LoadedBackbone:
        return replace(load_fake(store, backbone), strangers=Strangers(backbone, tmp_path))

    executor = ManualExecutor()
    live = LiveSession(store, executor, load=load)
    executor.run_next()  # the backbone is loaded
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    assert live.view.activity.text == "learning what is unknown"
    settle(live, executor)
    assert live.view.activity.text.startswith("trained")


def test_closing_does_not_wait_for_strangers(store: ProjectStore, tmp_path: Path) -> None:
    looking = threading.Event()

    class Slow(FakeBackbone):
        """Takes so long for a picture that all strangers take a minute."""

        def extract(self, images: Sequence[Image]) -> Features:
            looking.set()
            time.sleep(0.2)
            return super().extract(images)

    backbone = Slow()

    def load(_progress: Progress, _cancelled: Cancelled) -> LoadedBackbone:
        return replace(load_fake(store, backbone), strangers=Strangers(backbone, tmp_path))

    worker = start_worker()
    live = LiveSession(store, worker, load=load)
    while not looking.wait(0.02):
        live.session.step(None, None)
    started = time.monotonic()
    live.close()
    worker.shutdown()
    assert time.monotonic() - started < 5.0
