"""What an instrument hears, on a socket as instruments have."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from pythonosc.osc_message import OscMessage
from support.answers import tell

from edge_classifier.device.errors import InvalidOptionError, InvalidValueError
from edge_classifier.device.outputs.each_frame import EachFrame
from edge_classifier.device.outputs.osc import Osc

if TYPE_CHECKING:
    from collections.abc import Iterator


class Instrument:
    """Hears what is sent to its port."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(30)
        self.address = f"localhost:{self._socket.getsockname()[1]}"

    def hear(self, count: int) -> list[tuple[str, list[Any]]]:
        messages = [OscMessage(self._socket.recv(4096)) for _ in range(count)]
        return [(message.address, message.params) for message in messages]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def instrument() -> Iterator[Instrument]:
    instrument = Instrument()
    yield instrument
    instrument.close()


def test_it_hears_wekinators_float_and_more(instrument: Instrument) -> None:
    output = EachFrame([Osc(instrument.address)], frames=1)
    tell(output, "phone")
    assert instrument.hear(5) == [
        ("/wek/outputs", [2.0]),
        ("/scores", [0.125, 0.75, 0.125]),
        ("/score", [0.75]),
        ("/familiar", [0.875]),
        ("/label", ["phone"]),
    ]
    tell(output, "phone")
    assert "/label" not in dict(instrument.hear(4))
    tell(output, "växt 🌱")
    assert dict(instrument.hear(5))["/label"] == ["växt 🌱"]
    tell(output, "unknown")
    assert instrument.hear(5)[0] == ("/wek/outputs", [0.0])
    output.close()


def test_only_a_label_that_held_counts_and_none_while_the_camera_is_away(
    instrument: Instrument,
) -> None:
    output = EachFrame([Osc(instrument.address)], frames=2)
    tell(output, "mug")
    assert instrument.hear(4)[0] == ("/wek/outputs", [0.0])
    tell(output, "mug")
    assert instrument.hear(5)[0] == ("/wek/outputs", [1.0])
    output.wait("camera 0 is lost")
    output.wait("camera 0 is lost")
    assert instrument.hear(2) == [("/wek/outputs", [0.0]), ("/label", [""])]
    output.close()


def test_nobody_need_hear_it(capsys: pytest.CaptureFixture[str]) -> None:
    instrument = Instrument()
    instrument.close()
    output = EachFrame([Osc(instrument.address)], frames=1)
    for _ in range(10):
        tell(output, "mug")
    output.close()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("address", ["", "x", "127.0.0.1:0", "127.0.0.1:99999", "a:b"])
def test_what_can_be_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidOptionError, match="--osc"):
        Osc(address)


def test_a_host_that_there_is_not_is_told_in_a_line() -> None:
    with pytest.raises(InvalidValueError, match="name a host that is there"):
        Osc("no-such-host.invalid:9000")
