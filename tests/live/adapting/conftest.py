from __future__ import annotations

import pytest
from support.adapting_session import opened
from support.fakes import FakeBackbone
from support.live_session import LiveSession

from edge_classifier.features.strangers import Strangers
from edge_classifier.project.store import ProjectStore


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Strangers:
    """What "unknown" is set by, computed once."""
    return Strangers(FakeBackbone(), tmp_path_factory.mktemp("strangers"))


@pytest.fixture
def live(store: ProjectStore, strangers: Strangers) -> LiveSession:
    """The window after two classes were recorded, in daylight."""
    live = opened(store, strangers)
    live.hold("1", thing=1)
    live.hold("2", thing=2)
    live.thing = 50  # which resembles neither
    live.wait(0.2)
    return live
