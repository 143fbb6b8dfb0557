"""Several regions of one camera, and who is told of them."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from support.answers import LABELS, tell, wait_until
from support.broker import Listener, MosquittoBroker

from edge_classifier.device.errors import InvalidOptionError
from edge_classifier.device.outputs.broker import Broker
from edge_classifier.device.outputs.command import Command
from edge_classifier.device.outputs.csv_log import CsvLog
from edge_classifier.device.outputs.each_frame import EachFrame
from edge_classifier.device.outputs.gpio import Gpio
from edge_classifier.device.outputs.home_assistant import Topics, discovery
from edge_classifier.device.outputs.mqtt import Mqtt
from edge_classifier.device.outputs.on_change import OnChange
from edge_classifier.device.outputs.osc import Osc
from edge_classifier.device.outputs.serial_port import SerialPort
from edge_classifier.device.requests import Requests

if TYPE_CHECKING:
    from pathlib import Path

REGIONS = ("left", "right")
left, right = (partial(tell, region=region) for region in REGIONS)


def test_a_pin_is_of_a_region_or_of_any_of_them(pins: Any) -> None:
    asked = ["left:mug=17", "right:mug=22", "mug=27"]
    output = EachFrame([Gpio(asked, LABELS, REGIONS)], frames=1)

    def on() -> list[int]:
        return [n for n in (17, 22, 27) if pins.pin(n).state]

    left(output, "mug")
    wait_until(lambda: on() == [17, 27])
    right(output, "mug")
    wait_until(lambda: on() == [17, 22, 27])
    left(output, "phone")
    wait_until(lambda: on() == [22, 27])
    output.wait("camera 0 is lost")
    wait_until(lambda: on() == [])
    output.close()


@pytest.mark.parametrize("pin", ["up:mug=17", "left:cup=17", ":mug=17"])
def test_a_pin_of_a_region_or_label_that_there_is_not_is_refused(pin: str, pins: Any) -> None:
    del pins
    with pytest.raises(InvalidOptionError, match="has no label"):
        Gpio([pin], LABELS, REGIONS)


def test_an_instrument_hears_a_number_for_each_and_more_at_its_name(
    instrument: Any,
) -> None:
    output = EachFrame([Osc(instrument.address, REGIONS)], frames=1)
    left(output, "phone")
    assert instrument.hear(5) == [
        ("/wek/outputs", [2.0, 0.0]),
        ("/left/scores", [0.125, 0.75, 0.125]),
        ("/left/score", [0.75]),
        ("/left/familiar", [0.875]),
        ("/left/label", ["phone"]),
    ]
    right(output, "mug")
    assert instrument.hear(5)[0] == ("/wek/outputs", [2.0, 1.0])
    output.wait("camera 0 is lost")
    assert instrument.hear(3) == [
        ("/wek/outputs", [0.0, 0.0]),
        ("/left/label", [""]),
        ("/right/label", [""]),
    ]
    output.close()


def test_rows_and_commands_name_the_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSIFY_REGION", "of another one")
    script = tmp_path / "keep.py"
    script.write_text(
        "import os, sys\n"
        f"with open({str(tmp_path / 'kept')!r}, 'a') as file:\n"
        "    print(sys.argv[1], os.environ['CLASSIFY_REGION'], file=file)\n",
        encoding="utf-8",
    )
    command = Command(f"'{sys.executable}' '{script}' {{region}}", LABELS)
    output = OnChange([CsvLog(tmp_path / "log.csv", regions=True), command], frames=1)
    left(output, "mug")
    right(output, "mug")
    output.close()
    head, first, second = (tmp_path / "log.csv").read_text(encoding="utf-8").splitlines()
    assert head.endswith(",frame,region")
    assert (first.split(",")[-1], second.split(",")[-1]) == REGIONS
    assert (tmp_path / "kept").read_text(encoding="utf-8") == "left left\nright right\n"


def test_a_line_of_a_serial_port_begins_with_the_region() -> None:
    if sys.platform == "win32":
        pytest.skip("pseudo terminals")
    import pty  # noqa: PLC0415 - Windows has none
    import tty  # noqa: PLC0415 - likewise

    ends = pty.openpty()
    try:
        tty.setraw(ends[1])
        port = SerialPort(os.ttyname(ends[1]), boot_s=0.0)
        for change, line in (({"region": "left"}, b"left:mug\n"), ({}, b"mug\n")):
            assert port.tell({"label": "mug", **change}) == ""
            assert os.read(ends[0], 100) == line
        port.stop()
    finally:
        for end in ends:
            os.close(end)


def test_home_assistant_has_sensors_of_each_region() -> None:
    about = discovery(Topics("kitchen", "edge_classifier_1"), "things", LABELS, REGIONS)
    sensors = {key: s for key, s in about["components"].items() if s["platform"] == "sensor"}
    assert {sensor["name"] for sensor in sensors.values()} == {
        f"{region} {what}" for region in REGIONS for what in ("label", "score", "familiarity")
    }
    assert sensors["label_left"]["state_topic"] == "kitchen/left/state"
    assert sensors["label_left"]["value_template"] == "{{ value_json.label }}"
    entities = about["components"].values()
    assert len({entity["unique_id"] for entity in entities}) == len(entities) == 9


def test_a_label_that_another_model_cannot_say_counts_no_longer(tmp_path: Path, pins: Any) -> None:
    broker = MosquittoBroker(tmp_path)
    broker.start()
    mqtt = Mqtt(Broker("127.0.0.1", broker.port, "kitchen"), "things", LABELS, Requests(), REGIONS)
    output = EachFrame([mqtt, Gpio(["mug=17"], LABELS, REGIONS)], frames=2)
    listener = Listener(broker.port)
    topics = [f"kitchen/{region}/state" for region in REGIONS]

    def labels() -> list[Any]:
        states = [listener.newest.get(topic, "{}") for topic in topics]
        return [json.loads(state).get("label", "not told") for state in states]

    try:
        for show in (left, right) * 2:
            show(output, "mug")
        wait_until(lambda: labels() == ["mug", "mug"] and pins.pin(17).state)
        left(output, "cup", names=("cup", "can"))  # of the other region nothing is known yet
        wait_until(lambda: labels() == [None, None])
        right(output, "can", names=("cup", "can"))
        wait_until(lambda: not pins.pin(17).state)
        for show in (left, right):
            show(output, "can", names=("cup", "can"))
        wait_until(lambda: labels() == [None, "can"])
    finally:
        output.close()
        listener.close()
        broker.kill()


def test_a_broker_keeps_a_state_of_each_region(tmp_path: Path) -> None:
    broker = MosquittoBroker(tmp_path)
    broker.start()
    mqtt = Mqtt(Broker("127.0.0.1", broker.port, "kitchen"), "things", LABELS, Requests(), REGIONS)
    output, listener = EachFrame([mqtt], frames=1), Listener(broker.port)

    def labels() -> list[Any]:
        states = [listener.newest.get(f"kitchen/{region}/state", "{}") for region in REGIONS]
        return [json.loads(state).get("label", "not told") for state in states]

    try:
        left(output, "mug")
        right(output, "phone")
        wait_until(lambda: labels() == ["mug", "phone"])
        assert "label" not in json.loads(listener.newest["kitchen/state"])
        output.wait("camera 0 is lost")
        wait_until(lambda: labels() == [None, None])
        wait_until(lambda: json.loads(listener.newest["kitchen/state"])["camera"] == "ON")
    finally:
        output.close()
        listener.close()
        broker.kill()
