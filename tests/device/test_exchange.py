"""A bundle that takes the place of one that runs."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import pytest
from support.classifiers import SIZE
from support.fakes import FakeClock
from support.live_stream import Stream
from support.runners import Runner
from support.served import Served
from support.small_bundle import NAMES, plain, write_bundle

from edge_classifier.device import cli, runner
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.bundle_watch import BundleWatch
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.exchange import Exchange
from edge_classifier.device.frame import Frame
from edge_classifier.device.framing import Framing, Region
from edge_classifier.device.looking import Looks, framing_of
from edge_classifier.device.option_types import OneLineParser
from edge_classifier.export.bundle import new_bundle

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

LONG_S = 60.0
"""Longer than anything that is waited for."""


def parsed(*arguments: str) -> argparse.Namespace:
    parser = OneLineParser()
    cli.add_arguments(parser)
    return parser.parse_args(arguments)


class Watched:
    """A folder whose watch looks when it is told to, and the classifier that answers."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        options = parsed(*arguments)
        self.folder, self.clock = folder, FakeClock()
        first = Classifier(Bundle.open(folder))
        self.watch = BundleWatch(first.bundle, runner.maker(options, first), clock=self.clock)
        self.exchange = Exchange(first, self.watch, clock=self.clock)

    def look(self, times: int = 4) -> tuple[str, ...]:
        """Look so often; returns the classes that are answered then."""
        for _ in range(times):
            self.watch.look()
            self.clock.advance(0.25)
        self.exchange.take()
        return self.exchange.current.bundle.class_names

    def look_for_long(self) -> tuple[str, ...]:
        self.look()
        self.clock.advance(LONG_S)
        return self.look()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "bundle")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "new", ("dawn", "noon"))


def exported_over(target: Path, content: Path) -> None:
    """Do what `export` does at its end."""
    with new_bundle(target) as folder:
        shutil.copytree(content, folder, dirs_exist_ok=True)


def files_of(folder: Path) -> list[Path]:
    return [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]


def test_what_runs_is_not_exchanged_for_itself(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = Watched(folder)
    first = watched.exchange.current
    watched.look_for_long()
    exported_over(folder, shutil.copytree(folder, tmp_path / "the same"))
    (folder / "my-own-log.csv").write_text("", encoding="utf-8")
    watched.look_for_long()
    assert watched.exchange.current is first
    assert not capsys.readouterr().err


def test_a_bundle_exported_over_it_is_taken_up_with_its_classes_and_size(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = Watched(folder)
    assert watched.look() == NAMES
    exported_over(folder, write_bundle(tmp_path / "new", ("dawn", "noon"), size=2 * SIZE))
    assert watched.look() == ("dawn", "noon")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("a new model answers from now on, ")
    assert line.endswith(": dawn, noon.")
    exported_over(folder, write_bundle(tmp_path / "newer"))
    assert watched.look() == NAMES


@pytest.mark.parametrize("backwards", [False, True])
def test_one_copied_over_it_file_by_file_is_taken_up_once_it_is_whole(
    folder: Path, new: Path, capsys: pytest.CaptureFixture[str], *, backwards: bool
) -> None:
    watched = Watched(folder)
    watched.look()
    for file in sorted(files_of(new), reverse=backwards):
        assert watched.look() == NAMES
        content = (new / file).read_bytes()
        (folder / file).write_bytes(content[: len(content) // 2])
        assert watched.look() == NAMES
        (folder / file).write_bytes(content)
    assert watched.look() == ("dawn", "noon")
    assert len(capsys.readouterr().err.splitlines()) == 1


def cut(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[:-20])

    return damage


def spec(**changes: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "spec.json"
        path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}), encoding="utf-8")

    return damage


def other_answers(folder: Path) -> None:
    path = folder / "spec.json"
    content = json.loads(path.read_bytes())
    content["references"][0]["scores"]["float32"].reverse()
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut("model-float32.tflite"), "truncated, damaged or was replaced"),
        (cut("spec.json"), "is damaged"),
        (cut("reference/0.png"), "is missing or damaged"),
        (lambda folder: (folder / "labels.txt").unlink(), "is no whole bundle"),
        (shutil.rmtree, "is no whole bundle"),
        (spec(version=2), "has version 2"),
        (spec(preprocessing={"input_size": 16}), "expected a model of 16 px"),
        (spec(references=[]), "has no reference frames"),
        (spec(models={}), "is damaged"),
        (spec(made_with="a tool"), "is damaged"),
        (other_answers, "does not answer here as where it was exported"),
    ],
)
def test_a_bad_one_is_refused_in_one_line_said_once_and_the_old_one_goes_on(
    folder: Path,
    new: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], None],
    reason: str,
) -> None:
    watched = Watched(folder)
    watched.look()
    exported_over(folder, new)
    damage(folder)
    for _ in range(3):
        assert watched.look_for_long() == NAMES
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert line.endswith("The one before goes on.")
    if not folder.exists():
        folder.mkdir()
    for file in files_of(new):  # as who copies it again
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes((new / file).read_bytes())
    assert watched.look() == ("dawn", "noon")


@pytest.mark.parametrize(
    ("arguments", "names", "reason"),
    [
        (("--gpio", "red=17"), ("dawn", "noon"), "this model has no label 'red'; it has dawn"),
        (("--on-change", "say {label}"), ("at dawn", "noon"), "is no plain word"),
        (("--format", "int8"), ("dawn", "noon"), "has no int8 model"),
        (("--heat",), ("dawn", "noon"), "has nothing to make heat maps with"),
        (("--adapt", "once"), ("dawn", "noon"), "cannot be adapted"),
        (("--keep-unsure", "unsure"), ("dawn", "noon"), "needs features"),
    ],
)
def test_one_that_the_command_line_would_refuse_is_refused_now(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    names: tuple[str, ...],
    reason: str,
) -> None:
    watched = Watched(folder, *arguments)
    watched.look()
    exported_over(folder, write_bundle(tmp_path / "new", names))
    assert watched.look_for_long() == NAMES
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line


def test_the_one_that_runs_put_back_is_in_order_again(
    folder: Path, new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = shutil.copytree(folder, tmp_path / "before")
    watched = Watched(folder)
    cut("model-float32.tflite")(new)
    exported_over(folder, new)
    watched.look_for_long()
    assert len(capsys.readouterr().err.splitlines()) == 1
    exported_over(folder, before)
    assert watched.look_for_long() == NAMES
    assert not capsys.readouterr().err


def test_what_was_prepared_for_the_old_one_is_not_shown_to_the_new_one(
    folder: Path, tmp_path: Path
) -> None:
    watched = Watched(folder)
    exchange, clock = watched.exchange, watched.clock
    captured = Frame(plain(1), 0, clock(), prepared=exchange.current.prepare(plain(1)))
    assert exchange.prepared(captured) is captured.prepared
    exported_over(folder, write_bundle(tmp_path / "new", ("dawn", "noon"), size=2 * SIZE))
    watched.look()
    assert exchange.prepared(captured) is None
    clock.advance(1.0)
    later = replace(captured, timestamp_s=clock(), prepared=exchange.current.prepare(plain(1)))
    assert exchange.prepared(later) is later.prepared


def test_it_is_exchanged_between_two_frames_and_who_follows_is_told_first(
    folder: Path, new: Path
) -> None:
    watched = Watched(folder)
    told: list[Classifier] = []
    watched.exchange.follow(told.append)

    def frames() -> Iterator[Frame]:
        for index in range(4):
            if index == 2:
                exported_over(folder, new)
                for _ in range(4):
                    watched.watch.look()
            yield Frame(plain(0), index, 0.0)

    seen = [
        (frame.index, watched.exchange.current.bundle.class_names[0], len(told))
        for frame in watched.exchange.between(frames())
    ]
    assert seen == [(0, "red", 0), (1, "red", 0), (2, "dawn", 1), (3, "dawn", 1)]
    assert told == [watched.exchange.current]


def test_what_is_prepared_before_all_know_of_it_is_prepared_anew(folder: Path, new: Path) -> None:
    """The reader's thread cuts out the region of before until who follows has told it another."""
    watched = Watched(folder)
    captured: list[Frame] = []

    def another_region(classifier: Classifier) -> None:
        watched.clock.advance(0.001)
        prepared = classifier.prepare(plain(1))
        captured.append(Frame(plain(1), 0, watched.clock(), prepared=prepared))

    watched.exchange.follow(another_region)
    exported_over(folder, new)
    watched.look()
    assert watched.exchange.prepared(captured[0]) is None


@pytest.mark.parametrize(("turned", "seen"), [(False, [0, 1, 2]), (True, [2])])
def test_frames_that_were_turned_as_before_are_left_out(
    folder: Path, new: Path, *, turned: bool, seen: list[int]
) -> None:
    watched = Watched(folder)
    waiting = [Frame(plain(0), index, watched.clock()) for index in range(2)]
    exported_over(folder, new)
    watched.look()
    watched.clock.advance(0.01)
    waiting.append(Frame(plain(0), 2, watched.clock()))
    given = watched.exchange.between(iter(waiting), lambda: turned)
    assert [frame.index for frame in given] == seen


def test_another_framing_is_taken_up_with_the_model_and_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = parsed()
    looks = Looks(
        Bundle.open(folder),
        lambda kept, before: framing_of(options, kept, before, "camera 0", live=True),
    )
    for number, (framing, turned, said) in enumerate(
        [
            (Framing(rotate=180), True, "turned by 180 degrees, looked at whole"),
            (Framing(Region(0.0, 0.0, 0.5, 1.0), flip=True), True, "flipped, looked at in 0,0,0.5"),
            (Framing(flip=True), False, "flipped, looked at whole"),
            (Framing(flip=True), False, ""),
            (Framing(), True, "camera 0 is looked at whole"),
        ]
    ):
        bundle = write_bundle(tmp_path / str(number), framing=framing.as_json())
        looks.exchanged(Classifier(Bundle.open(bundle)))
        assert (looks.framing, looks.turned) == (framing, turned)
        told = capsys.readouterr().err
        assert said in told
        assert bool(said) == bool(told)
        assert [look.region for look in looks.all] == [framing.region]


def test_a_service_answers_by_it_and_names_it(folder: Path, new: Path) -> None:
    watched = Watched(folder)
    served = Served(watched.exchange.current, with_camera=False)
    watched.exchange.follow(served.service.exchanged)
    red = cv2.imencode(".png", plain(0))[1].tobytes()
    with closing(served.page):
        assert served.send(red)["class_name"] == "red"
        exported_over(folder, new)
        watched.look()
        sha256 = watched.exchange.current.sha256
        assert served.send(red)["class_name"] == "dawn"
        assert served.ask("GET", "/healthz")[2] == {"status": "ok", "model": sha256}
        metrics = served.ask("GET", "/metrics")[1]
    assert f'sha256="{sha256}"' in metrics
    assert 'classify_answers_total{source="sent",label="red"} 1' in metrics
    assert 'classify_answers_total{source="camera",label="noon"} 0' in metrics


def renamed(bundle: Path, target: Path, before: str, after: str) -> Path:
    """Copy a bundle, and call one of its classes by another name."""
    shutil.copytree(bundle, target)
    for name in ("spec.json", "labels.txt"):
        path = target / name
        path.write_bytes(path.read_bytes().replace(before.encode(), after.encode()))
    return target


@pytest.mark.skipif(sys.platform == "win32", reason="a signal ends a process at once there")
@pytest.mark.slow
def test_a_process_goes_on_with_the_new_one_whatever_becomes_of_its_own_program(
    copy: Path, tmp_path: Path
) -> None:
    new = renamed(copy, tmp_path / "new", "stripes", "zebra")
    (new / "edge_device" / "exchange.py").write_text("no Python", encoding="utf-8")
    with closing(Stream()) as stream:
        log = ("--csv", "log.csv", "--hold", "1")
        running = Runner(copy, stream.url, *log, "--adapt", "follow", cwd=copy)
        running.answer_until((copy / "log.csv").exists)
        exported_over(copy, new)
        running.answer_until(lambda: "zebra" in (copy / "log.csv").read_text(encoding="utf-8"))
        status, told = running.stop(signal.SIGTERM)
    assert status == 0
    assert len([line for line in told if line.startswith("a new model answers")]) == 1
    assert "the program in this bundle is another one, too: start it again to use that." in told
    frames = [answer["frame"] for answer in running.answers]
    assert all(one < other for one, other in pairwise(frames))
    names = ["zebra" in answer["scores"] for answer in running.answers]
    assert names == sorted(names)
