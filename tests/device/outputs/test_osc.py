"""What an instrument hears, on a socket as instruments have."""

from __future__ import annotations

from typing import Any

import pytest
from support.answers import tell

from edge_classifier.device.errors import InvalidOptionError, InvalidValueError
from edge_classifier.device.outputs.each_frame import EachFrame
from edge_classifier.device.outputs.osc import Osc


def test_it_hears_wekinators_float_and_more(instrument: Any) -> None:
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
    instrument: Any,
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


def test_nobody_need_hear_it(instrument: Any, capsys: pytest.CaptureFixture[str]) -> None:
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
