from __future__ import annotations

from pathlib import Path

import pytest
from support.live_session import LiveSession

from edge_classifier.project.store import ProjectStore


@pytest.fixture
def store(tmp_path: Path) -> ProjectStore:
    """A project of two classes without samples."""
    return ProjectStore.create(tmp_path / "project", ["mug", "phone"])


@pytest.fixture
def live(store: ProjectStore) -> LiveSession:
    return LiveSession(store)
