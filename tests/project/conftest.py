from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "project"


@pytest.fixture
def store(path: Path) -> Iterator[ProjectStore]:
    """A project of two classes without samples."""
    with ProjectStore.create(path, ["mug", "phone"]) as made:
        yield made
