"""What anybody may write to a broker becomes a table that nothing can steer, or is left out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_classifier.commands.fleet_devices import HEADER, Device, Fleet
from edge_classifier.device.console import one_line
from edge_classifier.device.outputs.device_report import MOST_BYTES

MODEL = "3f2a9c01" * 8
REPORT = {
    "report": 1,
    "name": "mugs",
    "bundle": "mugs-bundle",
    "model": MODEL,
    "format": "float32",
    "version": "0.1.0",
    "host": "pi",
    "health": "ok",
    "time": "2026-11-28T03:00:00Z",
    "uptime_s": 90_061,
    "frames": 1200,
    "dropped": 3,
    "answers": {"mug": 1000, "unknown": 200},
}


def report(**changed: Any) -> bytes:
    return json.dumps(REPORT | changed).encode()


def heard(fleet: Fleet, device: str, online: str = "online", **changed: Any) -> Device:
    fleet.heard(f"{device}/availability", online.encode())
    found = fleet.heard(f"{device}/device", report(**changed))
    assert found is not None
    return found


def test_a_device_is_a_row_and_a_line() -> None:
    device = heard(Fleet(), "hall/pi 1")
    assert dict(zip(HEADER, device.row, strict=True)) == {
        "device": "hall/pi 1",
        "health": "ok",
        "bundle": "mugs-bundle",
        "model": "3f2a9c01",
        "version": "0.1.0",
        "frames": "1200",
        "dropped": "3",
        "up": "1 d 1 h",
        "answers": "mug 1000, unknown 200",
    }
    told = json.loads(device.json())
    assert {**told, "report": 1} == {**REPORT, "device": "hall/pi 1", "online": True}


def test_who_is_gone_is_offline_and_keeps_what_it_told() -> None:
    fleet = Fleet()
    heard(fleet, "hall")
    gone = fleet.heard("hall/availability", b"offline")
    assert gone is not None
    assert (gone.state, gone.frames) == ("offline", 1200)
    assert fleet.heard("hall/availability", b"offline") is None  # nothing new
    fleet.heard("hall/availability", b"online")
    assert [device.state for device in fleet.devices] == ["ok"]
    fleet.lose_touch()
    assert [device.state for device in fleet.devices] == ["offline"]


def test_those_come_first_that_need_to_be_looked_after_and_models_are_counted() -> None:
    fleet = Fleet()
    for number in range(7):
        heard(fleet, f"d{number}", model=f"{number % 6:08}" * 8)
    heard(fleet, "a", "offline")
    heard(fleet, "b", health="camera 0 is lost")
    heard(fleet, "c", health="paused")
    assert [device.device for device in fleet.devices][:4] == ["b", "a", "c", "d0"]
    assert fleet.summary == (
        "10 devices: ok 7, offline 1, in trouble 1, paused 1. Models: 3f2a9c01 3, 00000000 2, "
        "00000001 1, 00000002 1, 00000003 1, others 2."
    )


@pytest.mark.parametrize(
    "payload",
    [
        *(b"online", b"\xff\x00", b"{", b"[]", b"1", b"null", b"[" * 60_000, b'{"report": 2}'),
        *(b'{"frames": 1}', b"9" * 5000, b'{"report": true}' * 2, report(name="x" * MOST_BYTES)),
    ],
)
def test_what_is_no_report_is_counted_and_left_out(payload: bytes) -> None:
    fleet = Fleet()
    assert fleet.heard("stranger/device", payload) is None
    assert fleet.devices == []
    assert fleet.summary == "Left out as no report of a device: 1."


def test_other_values_than_those_of_a_device_are_as_if_they_were_not_there() -> None:
    device = heard(
        Fleet(),
        "x",
        bundle=["x"],
        frames=-1,
        dropped=1e9,
        uptime_s=True,
        version=None,
        answers={"mug": "many", "cup": 10**40},
    )
    assert (device.bundle, device.frames, device.dropped, device.uptime_s) == ("", 0, 0, 0)
    assert (device.version, device.answers) == ("", {"mug": 0, "cup": 0})


def test_no_text_steers_a_terminal_or_fills_it() -> None:
    device = heard(
        Fleet(),
        "\x1b[2J\u202ex",
        health="\x07\n" + "y" * 999,
        version="\ud800",
        answers={f"\x1b]0;{n}{'z' * 999}": n for n in range(55)},
    )
    assert device.device == r"\x1b[2J\u202ex"
    for cell in device.row:
        assert cell.isprintable()
        assert cell.encode()
        assert len(cell) < 500
    assert len(device.answers) == 50


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ),
    st.sampled_from([*REPORT]),
    st.text(),
)
def test_whatever_is_said_is_a_row_or_nothing(value: Any, name: str, device: str) -> None:
    fleet = Fleet()
    fleet.heard(f"{device}/device", report(**{name: value}))
    for found in fleet.devices:
        assert all(one_line(cell) == cell for cell in found.row)
        json.loads(found.json())


def test_a_removed_device_is_gone_and_other_programs_topics_are_none() -> None:
    fleet = Fleet()
    heard(fleet, "hall")
    assert fleet.heard("hall/device", b"") is None
    for topic in ("zigbee/availability", "device", "/device", f"{'x' * 300}/device", "a/state"):
        assert fleet.heard(topic, report() if topic != "zigbee/availability" else b"{}") is None
    assert fleet.devices == []
    assert fleet.summary == ""


def test_no_more_devices_are_kept_than_there_may_be() -> None:
    fleet = Fleet(most=3)
    for number in range(100):
        fleet.heard(f"d{number}/availability", b"online")
        fleet.heard(f"d{number}/device", report())
    fleet.heard("d1/device", report(frames=7))  # which is known
    assert [device.frames for device in fleet.devices] == [1200, 7, 1200]
    assert "More than 3 devices; name a prefix to see others." in fleet.summary
    assert len(fleet._online) == 6
