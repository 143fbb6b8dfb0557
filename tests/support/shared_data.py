"""Where the real pictures and weights lie that are not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def shared_folder(*parts: str) -> Path:
    """Return a path under the shared folder, or skip the test where it is absent."""
    shared = Path(os.environ.get("EDGE_CLASSIFIER_SHARED", ROOT / ".." / "shared"))
    path = shared.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} of the shared data is absent (EDGE_CLASSIFIER_SHARED)")
    return path
