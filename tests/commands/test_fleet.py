"""Many devices watched by a real Mosquitto."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.answers import LABELS, tell, wait_until
from support.broker import PASSWORD, Listener, MosquittoBroker

from edge_classifier.commands.cli import main
from edge_classifier.commands.fleet import _screen
from edge_classifier.commands.fleet_watch import FleetWatch
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.outputs.broker import Broker
from edge_classifier.device.outputs.device_report import DeviceReport
from edge_classifier.device.outputs.each_frame import EachFrame
from edge_classifier.device.outputs.mqtt import Mqtt
from edge_classifier.device.requests import Requests
from edge_classifier.errors import BrokerError


class Runner:
    """What `classify.py --mqtt` is to a broker, answering what it is told to."""

    def __init__(self, classifier: Classifier, broker: Broker) -> None:
        self.requests = Requests()
        self._report = DeviceReport(classifier)
        mqtt = Mqtt(broker, "things", LABELS, self.requests, report=self._report)
        self._output = EachFrame([mqtt], frames=2)

    def show(self, label: str) -> None:
        tell(self._report, label)
        tell(self._output, label)

    def trouble(self, trouble: str) -> None:
        self._report.wait(trouble)
        self._output.wait(trouble)

    def close(self) -> None:
        self._output.close()


@pytest.fixture(scope="module")
def classifier(bundle: Path) -> Classifier:
    return Classifier(Bundle.open(bundle), "float32")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[MosquittoBroker]:
    broker = MosquittoBroker(tmp_path)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def runner(broker: MosquittoBroker, classifier: Classifier) -> Iterator[Callable[[str], Runner]]:
    made: list[Runner] = []

    def runner(prefix: str) -> Runner:
        made.append(Runner(classifier, Broker("127.0.0.1", broker.port, prefix)))
        return made[-1]

    yield runner
    for each in made:
        each.close()


Run = Callable[[str], Runner]


def once(
    broker: MosquittoBroker, capsys: pytest.CaptureFixture[str], prefix: str = ""
) -> list[str]:
    """Ask how the devices are; the answer is not a terminal's."""
    capsys.readouterr()
    assert main(["fleet", f"mqtt://127.0.0.1:{broker.port}{prefix}", "--once"]) == 0
    return capsys.readouterr().out.splitlines()


def states(lines: list[str]) -> dict[str, str]:
    told = map(json.loads, lines)
    return {d["device"]: d["health"] if d["online"] else "offline" for d in told}


def test_devices_tell_of_their_health_and_who_ends_is_offline(
    broker: MosquittoBroker, runner: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    hall, attic, shed = runner("house/hall"), runner("house/attic"), runner("shed")
    hall.show("mug")
    attic.show("mug")
    attic.trouble("camera 0 is lost")
    shed.show("mug")
    expected = {"house/hall": "ok", "house/attic": "camera 0 is lost"}
    wait_until(lambda: states(once(broker, capsys)) == {**expected, "shed": "ok"})
    shed.close()
    wait_until(lambda: states(once(broker, capsys)) == {**expected, "shed": "offline"})
    assert states(once(broker, capsys, "/house")) == expected
    assert states(once(broker, capsys, "/house/hall")) == {"house/hall": "ok"}


def test_a_change_is_a_line_at_once_and_ctrl_c_ends_it(
    broker: MosquittoBroker, runner: Run
) -> None:
    hall = runner("hall")
    hall.show("mug")
    listener = Listener(broker.port)
    wait_until(lambda: "hall/device" in listener.newest)
    url = f"mqtt://127.0.0.1:{broker.port}"
    words = [sys.executable, "-m", "edge_classifier", "fleet", url]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own words
    assert child.stdout is not None
    try:
        assert json.loads(child.stdout.readline())["health"] == "ok"
        listener.say("hall/pause", "ON")
        assert json.loads(child.stdout.readline())["health"] == "paused"
        if sys.platform != "win32":
            os.kill(child.pid, signal.SIGINT)
            assert child.wait(60) == 130
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        listener.close()


def test_a_table_shows_what_fits_and_counts_the_rest(broker: MosquittoBroker, runner: Run) -> None:
    for prefix in ("a", "b", "c"):
        runner(prefix).show("mug")
    with closing(FleetWatch(Broker("127.0.0.1", broker.port))) as watch:
        watch.begin()
        wait_until(lambda: [d.online for d in watch.fleet.devices] == [True] * 3)
        lines = _screen(watch, 2).splitlines()
    assert lines[0].split()[:4] == ["device", "health", "bundle", "model"]
    assert [line.split()[:2] for line in lines[1:3]] == [["a", "ok"], ["b", "ok"]]
    assert lines[3] == "… and 1 more; --once shows all."
    assert lines[5].startswith("3 devices: ok 3. Models: ")


def test_garbage_and_what_is_huge_are_left_out(
    broker: MosquittoBroker, runner: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    listener = Listener(broker.port)
    listener.say("x/device", "\x1b[2J{", retain=True)
    listener.say("y/device", '{"report": 1, "name": "' + "x" * 1_000_000, retain=True)
    wait_until(lambda: {"x/device", "y/device"} <= listener.newest.keys())  # the broker has them
    listener.close()
    runner("hall").show("mug")
    wait_until(lambda: states(once(broker, capsys)) == {"hall": "ok"})
    with closing(FleetWatch(Broker("127.0.0.1", broker.port))) as watch:
        watch.begin()
        wait_until(lambda: watch.fleet.strangers == 2)  # a long one comes when it does


def test_a_broker_that_comes_back_is_heard_again(broker: MosquittoBroker, runner: Run) -> None:
    runner("hall").show("mug")
    with closing(FleetWatch(Broker("127.0.0.1", broker.port))) as watch:
        watch.begin()
        wait_until(lambda: [d.state for d in watch.fleet.devices] == ["ok"])
        broker.kill()
        where = f"The broker at 127.0.0.1:{broker.port}"
        wait_until(
            lambda: watch.problem == f"{where} has gone; it is tried again until it is back."
        )
        watch.take()
        broker.start()
        wait_until(lambda: watch.problem == "" and [d.state for d in watch.take()] == ["ok"])


def test_no_device_is_said(broker: MosquittoBroker, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"mqtt://127.0.0.1:{broker.port}/hall"
    assert main(["fleet", url, "--once"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "edge-classifier: no device has told of itself there; one does with --mqtt.\n"
    )


def test_a_broker_that_is_away_silent_or_refuses_is_told_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        answers = rf"127\.0\.0\.1:{port} does not answer\."
        watch = FleetWatch(Broker("127.0.0.1", port), patience_s=0.1)
        with closing(watch), pytest.raises(BrokerError, match=answers):
            watch.begin()
    url = f"mqtt://127.0.0.1:{port}"
    assert main(["fleet", url, "--once"]) == 1
    assert capsys.readouterr().err == (
        f"edge-classifier: The broker at 127.0.0.1:{port} cannot be reached (Connection refused).\n"
    )
    broker = MosquittoBroker(tmp_path, user="pi")
    broker.start()
    try:
        monkeypatch.setenv("CLASSIFY_MQTT_PASSWORD", "wrong")
        url = f"mqtt://pi@127.0.0.1:{broker.port}"
        assert main(["fleet", url, "--once"]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert "refuses the connection (Not authorized); name the user in the address" in line
        assert "wrong" not in line
        monkeypatch.setenv("CLASSIFY_MQTT_PASSWORD", PASSWORD)
        assert main(["fleet", url, "--once"]) == 0
    finally:
        broker.kill()


def test_an_address_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fleet", "broker.local"]) == 2
    assert capsys.readouterr().err.startswith("edge-classifier: fleet: expected mqtt[s]://")
