"""What is asked of the runner while it runs: to rest, to adapt."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from support import exported_project
from support.answers import wait_until
from support.exported_project import CLASSES

from edge_classifier.device.adaptation import ENOUGH
from edge_classifier.device.adapter import Adapter
from edge_classifier.device.adapter_on_demand import AdapterOnDemand
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.frame import Frame
from edge_classifier.device.incoming import unpaused, waiting
from edge_classifier.device.npz import npz_bytes, read_arrays
from edge_classifier.device.outputs.base import Output
from edge_classifier.device.requests import ADAPT, PAUSED, Requests


class Told(Output):
    """Keeps what is wrong."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self.going_on = True

    def wait(self, trouble: str) -> bool:
        self.troubles.append(trouble)
        return self.going_on


def frame(number: int) -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), number, 0.0, name="camera 0")


def test_frames_that_come_in_a_pause_are_left_out_and_outputs_told() -> None:
    requests, told = Requests(), Told()
    frames = unpaused(map(frame, range(10)), requests, [told])
    assert next(frames).index == 0
    requests.paused = True
    told.going_on = False
    assert next(frames, None) is None  # an output has asked for the end
    assert told.troubles == [PAUSED]
    told.going_on = True
    frames = unpaused(map(frame, range(10)), requests, [told])
    assert next(frames, None) is None
    assert told.troubles == [PAUSED] * 11


def test_a_pause_is_told_also_while_no_frame_comes_and_a_trouble_before_it() -> None:
    requests, told = Requests(), Told()
    assert waiting("", requests, [told])
    requests.paused = True
    assert waiting("", requests, [told])
    assert waiting("it is gone", requests, [told])
    assert told.troubles == ["", PAUSED, "it is gone"]


def shown(classifier: Classifier, adapting: AdapterOnDemand, count: int) -> bool:
    """Show each class in the evening; returns whether answers are adapted in the end."""
    said = [
        adapting.update(classifier.predict(exported_project.in_the_evening(c, 200 + n)))
        for n in range(count)
        for c in range(len(CLASSES))
    ]
    return said[-1].adapted


def teach_otherwise(bundle: Path) -> None:
    """Let what a bundle was taught be another file."""
    path = bundle / "spec.json"
    spec = json.loads(path.read_bytes())
    content = npz_bytes({**read_arrays((bundle / "taught.npz").read_bytes()), "more": np.zeros(1)})
    (bundle / "taught.npz").write_bytes(content)
    spec["taught"]["sha256"] = hashlib.sha256(content).hexdigest()
    path.write_text(json.dumps(spec), encoding="utf-8")


def test_it_adapts_when_it_is_asked_to_and_anew_when_it_is_asked_again(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier, requests = Classifier(Bundle.open(copy)), Requests()
    with closing(AdapterOnDemand(classifier, None, requests, follows=False)) as adapting:
        assert not shown(classifier, adapting, ENOUGH)
        assert not adapting.adapts
        for _ in range(2):
            requests.ask(ADAPT)
            wait_until(lambda: shown(classifier, adapting, 1) is False and adapting.adapts)
            wait_until(lambda: shown(classifier, adapting, 2 * ENOUGH))
    assert capsys.readouterr().err.count("adapting, as was asked for") == 2
    assert (copy / "adaptation-state.npz").exists()


def test_what_follows_already_is_said_to(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    classifier, requests = Classifier(Bundle.open(copy)), Requests()
    adapter = Adapter(classifier, "follow", background=False)
    with closing(AdapterOnDemand(classifier, adapter, requests, follows=True)) as adapting:
        requests.ask(ADAPT)
        shown(classifier, adapting, 1)
        assert adapting.adapts
    assert capsys.readouterr().err.startswith("it adapts by itself already (--adapt follow).\n")


def test_a_bundle_that_cannot_be_adapted_says_so_and_goes_on(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classifier, requests = Classifier(Bundle.open(copy)), Requests()
    (copy / "taught.npz").unlink()
    with closing(AdapterOnDemand(classifier, None, requests, follows=False)) as adapting:
        requests.ask(ADAPT)
        wait_until(lambda: (shown(classifier, adapting, 1), adapting._coming is None)[1])
        assert not adapting.adapts
    (line,) = capsys.readouterr().err.splitlines()
    assert "taught.npz" in line


@pytest.mark.parametrize("same", [True, False])
def test_what_was_seen_stays_where_the_model_was_exchanged_for_one_that_was_taught_the_same(
    copy: Path, capsys: pytest.CaptureFixture[str], *, same: bool
) -> None:
    classifier, requests = Classifier(Bundle.open(copy)), Requests()
    adapter = Adapter(classifier, "once", background=True)
    with closing(AdapterOnDemand(classifier, adapter, requests, follows=False)) as adapting:
        wait_until(lambda: shown(classifier, adapting, 2 * ENOUGH))
        wait_until((copy / "adaptation-state.npz").exists)
        (copy / "adaptation-state.npz").unlink()  # as where another folder has taken its place
        if not same:
            teach_otherwise(copy)
        classifier = Classifier(Bundle.open(copy))
        adapting.exchanged(classifier)
        wait_until(lambda: (shown(classifier, adapting, 1), adapting.adapts)[1])
        assert shown(classifier, adapting, 1) is same
    assert capsys.readouterr().err.count("adapted to ") == 1 + same


def test_one_that_was_asked_for_is_made_for_the_model_that_answers_by_then(copy: Path) -> None:
    classifier, requests = Classifier(Bundle.open(copy)), Requests()
    with closing(AdapterOnDemand(classifier, None, requests, follows=False)) as adapting:
        requests.ask(ADAPT)
        shown(classifier, adapting, 1)
        classifier = Classifier(Bundle.open(copy))
        adapting.exchanged(classifier)
        wait_until(lambda: shown(classifier, adapting, 2 * ENOUGH))


def test_what_adapts_nothing_adapts_nothing_after_the_exchange(copy: Path) -> None:
    classifier = Classifier(Bundle.open(copy))
    with closing(AdapterOnDemand(classifier, None, Requests(), follows=False)) as adapting:
        adapting.exchanged(classifier)
        shown(classifier, adapting, 1)
        assert not adapting.adapts
