from __future__ import annotations

import pytest
from support.disks import BLUE, GREEN, RED, pictures
from support.fakes import FakeBackbone

from edge_classifier import ImageClassifier


def test_progress_is_told_to_a_callback_up_to_the_whole() -> None:
    told: list[tuple[float, str | None]] = []

    def tell(done: float, what: str | None = None, /) -> None:
        told.append((done, what))

    images, labels = pictures(RED) + pictures(BLUE), ["red"] * 6 + ["blue"] * 6
    classifier = ImageClassifier(FakeBackbone()).fit(iter(images), labels, progress=tell)
    parts = [done for done, _ in told]
    assert parts == sorted(parts)
    assert parts[0] == 0.0
    assert parts[-1] == 1.0
    assert len(parts) > len(images)
    assert [what for _, what in told if what] == ["computing features", "training"]
    told.clear()
    classifier.partial_fit(pictures(GREEN, 2), ["green"] * 2, progress=tell)
    assert told[-1][0] == 1.0


@pytest.mark.parametrize("progress", [True, False])
def test_progress_is_shown_on_standard_error_if_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, progress: bool
) -> None:
    monkeypatch.setattr("edge_classifier.progress._LINE_AFTER_S", 0.0)
    images, labels = pictures(RED) + pictures(BLUE), ["red"] * 6 + ["blue"] * 6
    ImageClassifier(FakeBackbone()).fit(images, labels, progress=progress)
    assert ("computing features: " in capsys.readouterr().err) is progress


def test_progress_is_no_hyperparameter() -> None:
    assert "progress" not in ImageClassifier().get_params()
