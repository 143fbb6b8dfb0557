"""A broker that is told of each answer: a real Mosquitto, which comes late, dies and comes back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.answers import LABELS, Said, tell, wait_until
from support.broker import PASSWORD, Listener, MosquittoBroker, free_port
from support.live_stream import Stream
from support.small_bundle import write_bundle

from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.errors import InvalidValueError
from edge_classifier.device.outputs.broker import Broker
from edge_classifier.device.outputs.each_frame import EachFrame
from edge_classifier.device.outputs.mqtt import Mqtt
from edge_classifier.device.requests import ADAPT, PAUSED, Requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Connect = Callable[..., tuple[Mqtt, EachFrame]]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[MosquittoBroker]:
    broker = MosquittoBroker(tmp_path)
    yield broker
    broker.kill()


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
def connect(requests: Requests) -> Iterator[Connect]:
    made: list[EachFrame] = []

    def connect(broker: Broker, **more: Any) -> tuple[Mqtt, EachFrame]:
        mqtt = Mqtt(broker, "things", LABELS, requests, **more)
        made.append(EachFrame([mqtt], frames=2))
        return mqtt, made[-1]

    yield connect
    for output in made:
        output.close()


@pytest.fixture
def listen() -> Iterator[Callable[[MosquittoBroker], Listener]]:
    made: list[Listener] = []

    def listen(broker: MosquittoBroker) -> Listener:
        made.append(Listener(broker.port))
        return made[-1]

    yield listen
    for listener in made:
        listener.close()


Listen = Any  # what `listen` is: a function that makes a listener


def at(broker: MosquittoBroker) -> Broker:
    return Broker("127.0.0.1", broker.port, "kitchen")


def label(listener: Listener) -> Any:
    return json.loads(listener.newest.get("kitchen/state", "{}")).get("label")


def show(output: EachFrame, name: str) -> None:
    tell(output, name)
    tell(output, name)


def test_one_retained_message_describes_all_and_the_state_is_retained(
    broker: MosquittoBroker, connect: Connect, listen: Listen
) -> None:
    broker.start()
    mqtt, output = connect(at(broker))
    show(output, "växt 🌱")
    before = listen(broker)
    wait_until(lambda: label(before) == "växt 🌱")
    after = listen(broker)  # gets only what is retained
    wait_until(lambda: len(after.newest) == 3)
    assert after.newest["kitchen/availability"] == "online"
    assert json.loads(after.newest[mqtt.topics.discovery])["components"]["label"]["options"] == [
        *LABELS
    ]
    state = json.loads(after.newest["kitchen/state"])
    assert state["camera"] == state["paused"] == "OFF"
    assert (state["score"], state["familiar"], state["trouble"]) == (0.75, 0.875, "")
    output.close()
    wait_until(lambda: after.newest["kitchen/availability"] == "offline")


def test_a_camera_in_trouble_is_told_and_has_no_label(
    broker: MosquittoBroker, connect: Connect, listen: Listen
) -> None:
    broker.start()
    _, output = connect(at(broker))
    listener = listen(broker)
    show(output, "mug")
    wait_until(lambda: label(listener) == "mug")
    output.wait("camera 0 is lost")
    wait_until(lambda: json.loads(listener.newest["kitchen/state"])["camera"] == "ON")
    state = json.loads(listener.newest["kitchen/state"])
    assert (state["label"], state["trouble"]) == (None, "camera 0 is lost")
    output.wait(PAUSED)  # which is no trouble
    wait_until(lambda: json.loads(listener.newest["kitchen/state"])["camera"] == "OFF")
    show(output, "phone")
    wait_until(lambda: label(listener) == "phone")


def test_scores_are_told_once_a_second_and_labels_at_once(
    broker: MosquittoBroker, connect: Connect, listen: Listen
) -> None:
    broker.start()
    now_s = [0.0]
    _, output = connect(at(broker), clock=lambda: now_s[0])
    listener = listen(broker)
    show(output, "mug")
    wait_until(lambda: label(listener) == "mug")
    for number in range(10):
        tell(output, "mug", 0.5 + number / 100)
    show(output, "phone")
    wait_until(lambda: label(listener) == "phone")
    now_s[0] = 1.0
    tell(output, "phone", 0.625)
    wait_until(lambda: json.loads(listener.newest["kitchen/state"])["score"] == 0.625)
    scores = [json.loads(s)["score"] for t, s in listener.heard.queue if t == "kitchen/state"]
    assert scores[-3:] == [0.75, 0.75, 0.625]


def test_a_broker_that_comes_later_and_one_that_was_killed_are_told_anew(
    broker: MosquittoBroker, connect: Connect, listen: Listen, capsys: pytest.CaptureFixture[str]
) -> None:
    _, output = connect(at(broker))
    said = Said(capsys)
    show(output, "mug")
    wait_until(lambda: said.lines)
    broker.start()
    listener = listen(broker)
    wait_until(lambda: label(listener) == "mug")
    broker.kill()
    wait_until(lambda: len(said.lines) > 2)
    show(output, "phone")
    broker.start()  # knows nothing any more
    listener = listen(broker)
    wait_until(lambda: label(listener) == "phone" and len(listener.newest) == 3)
    wait_until(lambda: said.lines[-1] == "--mqtt: connected.")
    where = f"--mqtt: the broker at 127.0.0.1:{broker.port}"
    away = f"{where} cannot be reached (Connection refused); it is tried again until it can."
    gone = f"{where} has gone; it is tried again until it is back."
    again = [line for line in said.lines[2:] if line != away]
    assert said.lines[:2] == [away, "--mqtt: connected."]
    assert again == [gone, "--mqtt: connected."]
    assert said.lines[2:].count(away) <= 1


def test_all_is_told_anew_when_home_assistant_has_started(
    broker: MosquittoBroker, connect: Connect, listen: Listen
) -> None:
    broker.start()
    mqtt, output = connect(at(broker))
    listener = listen(broker)
    show(output, "mug")
    wait_until(lambda: label(listener) == "mug")
    listener.newest.clear()
    listener.say("homeassistant/status", "offline")
    listener.say("homeassistant/status", "online")
    wait_until(lambda: len(listener.newest) == 4)
    assert mqtt.topics.discovery in listener.newest
    assert label(listener) == "mug"


def test_another_model_s_classes_are_told(
    broker: MosquittoBroker, connect: Connect, listen: Listen
) -> None:
    broker.start()
    mqtt, output = connect(at(broker))
    listener = listen(broker)
    for _ in range(2):
        tell(output, "cup", names=("cup", "mug"))
    wait_until(lambda: label(listener) == "cup")
    label_entity = json.loads(listener.newest[mqtt.topics.discovery])["components"]["label"]
    assert label_entity["options"] == ["cup", "mug", "unknown"]


def test_all_is_told_anew_when_the_model_was_exchanged(
    broker: MosquittoBroker, connect: Connect, listen: Listen, tmp_path: Path
) -> None:
    broker.start()
    mqtt, output = connect(at(broker))
    listener = listen(broker)
    show(output, "mug")
    wait_until(lambda: label(listener) == "mug")
    listener.newest.clear()
    output.exchanged(Classifier(Bundle.open(write_bundle(tmp_path / "bundle"))))
    show(output, "mug")
    wait_until(lambda: {mqtt.topics.discovery, mqtt.topics.state} <= set(listener.newest))
    assert label(listener) == "mug"


def test_another_model_is_told_at_once_where_it_is_paused(
    broker: MosquittoBroker, connect: Connect, listen: Listen, tmp_path: Path
) -> None:
    broker.start()
    mqtt, output = connect(at(broker))
    listener = listen(broker)
    show(output, "mug")
    wait_until(lambda: label(listener) == "mug")
    output.wait(PAUSED)
    wait_until(lambda: label(listener) is None)
    listener.newest.clear()
    output.exchanged(Classifier(Bundle.open(write_bundle(tmp_path / "bundle"))))
    wait_until(lambda: {mqtt.topics.discovery, mqtt.topics.state} <= set(listener.newest))
    assert label(listener) is None


def test_who_dies_is_offline(broker: MosquittoBroker, listen: Listen) -> None:
    broker.start()
    listener = listen(broker)
    program = (
        "import sys, time\n"
        "from edge_classifier.device.outputs.broker import Broker\n"
        "from edge_classifier.device.outputs.mqtt import Mqtt\n"
        "from edge_classifier.device.requests import Requests\n"
        "Mqtt(Broker('127.0.0.1', int(sys.argv[1]), 'kitchen'), 'x', ('a', 'b'), Requests())\n"
        "time.sleep(600)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(broker.port)])  # noqa: S603 - our own words
    wait_until(lambda: listener.newest.get("kitchen/availability") == "online")
    child.kill()
    child.wait()
    wait_until(lambda: listener.newest["kitchen/availability"] == "offline")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
def test_classify_py_is_paused_and_goes_on_by_a_broker(
    bundle: Path, broker: MosquittoBroker, listen: Listen, tmp_path: Path
) -> None:
    broker.start()
    listener = listen(broker)
    stream = Stream()
    words = [sys.executable, "-I", str(bundle / "classify.py"), f"{stream.url}", "--no-window"]
    more = ["--quiet", "--hold", "2", "--mqtt", f"mqtt://127.0.0.1:{broker.port}/kitchen"]
    child = subprocess.Popen([*words, *more, "--csv", str(tmp_path / "log.csv")])  # noqa: S603 - our own words
    try:
        wait_until(lambda: label(listener) is not None)
        device = json.loads(listener.newest["kitchen/device"])
        assert (device["bundle"], device["health"]) == (bundle.name, "ok")
        listener.say("kitchen/pause", "ON")
        wait_until(lambda: label(listener) is None)
        assert json.loads(listener.newest["kitchen/state"])["paused"] == "ON"
        assert json.loads(listener.newest["kitchen/device"])["health"] == "paused"
        listener.say("kitchen/pause", "OFF")
        wait_until(lambda: label(listener) is not None)
        child.terminate()
        assert child.wait(60) == 0
        wait_until(lambda: listener.newest["kitchen/availability"] == "offline")
    finally:
        child.kill()
        child.wait()
        stream.close()
    assert (tmp_path / "log.csv").read_text(encoding="utf-8").startswith("time,label,score,")


# Who may


def test_a_wrong_password_is_said_once_and_the_right_one_is_let_in(
    tmp_path: Path, connect: Connect, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = MosquittoBroker(tmp_path, user="pi")
    broker.start()
    said = Said(capsys)
    try:
        _, output = connect(Broker("127.0.0.1", broker.port, "kitchen", "pi", "wrong"))
        show(output, "mug")
        wait_until(lambda: said.lines)
        before_s = time.monotonic()
        mqtt, _ = connect(Broker("127.0.0.1", broker.port, "hall", "pi", PASSWORD))
        wait_until(lambda: mqtt._connected)
        wait_until(lambda: time.monotonic() > before_s + 1.5)  # the first was tried again meanwhile
        (line,) = said.lines
        assert line.startswith(
            f"--mqtt: the broker at 127.0.0.1:{broker.port} refuses the connection (Not authorized)"
        )
        assert "wrong" not in line
    finally:
        broker.kill()


# paho leaves it to Python to close a socket whose certificate was not believed
@pytest.mark.filterwarnings("ignore:.*ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_tls_believes_whom_it_is_told_to_believe(
    tmp_path: Path, connect: Connect, capsys: pytest.CaptureFixture[str]
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    certificate, key = tmp_path / "broker.pem", tmp_path / "broker.key"
    subprocess.run(  # noqa: S603 - our own words
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    broker = MosquittoBroker(tmp_path, certificate=(certificate, key))
    broker.start()
    said = Said(capsys)
    address = f"mqtts://127.0.0.1:{broker.port}/kitchen"
    try:
        mqtt, _ = connect(Broker.parse(address, ca=certificate))
        wait_until(lambda: mqtt._connected)
        assert said.lines == []
        connect(Broker.parse(address))
        wait_until(lambda: said.lines)
        assert "certificate verify failed" in said.lines[0]
    finally:
        broker.kill()


def test_a_certificate_that_is_none_is_told(tmp_path: Path, requests: Requests) -> None:
    with pytest.raises(InvalidValueError, match=r"--mqtt-ca .*nowhere: "):
        Mqtt(Broker("127.0.0.1", 1, tls=True, ca=tmp_path / "nowhere"), "x", LABELS, requests)


# What others ask for


def test_pause_and_adapt_are_handed_on_and_what_is_neither_is_said_once(
    broker: MosquittoBroker,
    connect: Connect,
    listen: Listen,
    requests: Requests,
    capsys: pytest.CaptureFixture[str],
) -> None:
    broker.start()
    listener = listen(broker)
    listener.say("kitchen/adapt", "PRESS", retain=True)  # would be pressed at each start
    mqtt, _ = connect(at(broker))
    said = Said(capsys)
    wait_until(lambda: said.lines)
    assert requests.take() == []
    for _ in range(3):
        listener.say("kitchen/pause", "off\x1b[2J")
    listener.say("kitchen/pause", "ON")
    wait_until(lambda: requests.paused)
    wait_until(lambda: json.loads(listener.newest["kitchen/state"])["paused"] == "ON")
    listener.say("kitchen/adapt", "PRESS")
    wait_until(lambda: requests.take() == [(ADAPT, 0)])
    listener.say("kitchen/pause", "OFF")
    wait_until(lambda: not requests.paused)
    where = f"--mqtt: the broker at 127.0.0.1:{broker.port}"
    assert said.lines == [
        f"{where} sent a retained one to kitchen/adapt; expected PRESS, not retained.",
        rf"{where} sent 'off\x1b[2J' to kitchen/pause; expected ON or OFF, not retained.",
    ]
    assert mqtt._connected


def test_the_same_prefix_is_the_same_device_and_another_one_another(requests: Requests) -> None:
    port = free_port()
    identities = []
    for prefix in ("kitchen", "kitchen", "hall", ""):
        mqtt = Mqtt(Broker("127.0.0.1", port, prefix), "things", LABELS, requests)
        identities.append(mqtt.topics.identity)
        mqtt.stop()
    assert len(set(identities)) == 3
    assert identities[0] == identities[1]
