from __future__ import annotations

from pathlib import Path

import pytest

from support.once import copy_of_what_is_made_once


def test_workers_of_one_run_make_it_once_and_have_copies_of_their_own(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    made: list[Path] = []

    def make(path: Path) -> None:
        made.append(path)
        path.mkdir()
        (path / "file").write_text("costly")

    name = f"thing-{tmp_path_factory.mktemp('unique').name}-{tmp_path_factory.getbasetemp().name}"
    first, second = (copy_of_what_is_made_once(tmp_path_factory, name, make) for _ in range(2))
    assert len(made) == 1
    assert first != second
    assert (first / "file").read_text() == (second / "file").read_text() == "costly"


def test_alone_it_is_made_in_place(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    assert copy_of_what_is_made_once(tmp_path_factory, "alone", Path.mkdir).is_dir()
