from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from edge_classifier.errors import ProjectError
from edge_classifier.learning.adaptation_file import NAME, FileAdaptationStore

KEY = "a backbone's key"
ROWS = np.random.default_rng(0).uniform(0, 1, (5, 7)).astype(np.float32)


@pytest.fixture
def store(tmp_path: Path) -> FileAdaptationStore:
    store = FileAdaptationStore(tmp_path / "model", KEY)
    store.save(ROWS)
    return store


def loaded(store: FileAdaptationStore) -> np.ndarray:
    found = store.load()
    assert found is not None
    return found


def test_frames_survive_reopening_and_are_replaced(
    store: FileAdaptationStore, tmp_path: Path
) -> None:
    np.testing.assert_array_equal(loaded(FileAdaptationStore(tmp_path / "model", KEY)), ROWS)
    store.save(ROWS[:2])
    np.testing.assert_array_equal(loaded(store), ROWS[:2])
    assert [path.name for path in (tmp_path / "model").iterdir()] == [NAME]


def test_frames_of_another_backbone_count_as_none_without_a_warning(
    store: FileAdaptationStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    del store
    assert FileAdaptationStore(tmp_path / "model", "another").load() is None
    assert not caplog.records


def test_what_was_forgotten_is_gone_and_forgetting_says_whether_there_was_any(
    store: FileAdaptationStore,
) -> None:
    assert store.remove()
    assert store.load() is None
    assert not store.remove()


def test_nothing_is_written_where_nothing_may_be(
    store: FileAdaptationStore, tmp_path: Path
) -> None:
    reading = FileAdaptationStore(tmp_path / "model", KEY, writable=False)
    reading.save(ROWS[:1])
    reading.remove()
    np.testing.assert_array_equal(loaded(store), ROWS)


def test_a_file_cut_off_at_any_length_counts_as_none_and_is_told(
    store: FileAdaptationStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "model" / NAME
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        caplog.clear()
        assert store.load() is None
        assert "is damaged" in caplog.text
        assert "\n" not in caplog.messages[0]
    path.write_bytes(whole)
    np.testing.assert_array_equal(loaded(store), ROWS)


@pytest.mark.parametrize(
    "rows",
    [
        ROWS[0],
        ROWS[:0],
        ROWS.astype(np.float64),
        np.full((2, 7), np.nan, np.float32),
        np.full((2, 7), np.inf, np.float32),
        np.array([[None]]),
    ],
    ids=["a single row", "no row", "float64", "NaN", "infinite", "objects"],
)
def test_what_are_no_features_counts_as_none_and_is_told(
    store: FileAdaptationStore,
    tmp_path: Path,
    rows: np.ndarray,
    caplog: pytest.LogCaptureFixture,
) -> None:
    content = io.BytesIO()
    np.savez(content, backbone=np.frombuffer(KEY.encode(), np.uint8), features=rows)
    (tmp_path / "model" / NAME).write_bytes(content.getvalue())
    assert store.load() is None
    assert "the project answers unadapted" in caplog.text


def test_what_cannot_be_written_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("in the way", encoding="utf-8")
    with pytest.raises(ProjectError, match="model"):
        FileAdaptationStore(tmp_path / "model", KEY).save(ROWS)
