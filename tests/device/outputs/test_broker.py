"""Addresses and passwords of brokers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from edge_classifier.device.errors import InvalidOptionError, InvalidValueError
from edge_classifier.device.outputs.broker import Broker

if TYPE_CHECKING:
    from pathlib import Path


def test_an_address_is_read() -> None:
    assert Broker.parse("mqtt://broker.local") == Broker("broker.local", 1883)
    assert Broker.parse("mqtts://p%40i@[::1]:1/a/b%20c/", "x") == Broker(
        "::1", 1, "a/b c", "p@i", "x", tls=True
    )


def test_a_password_comes_from_a_file_before_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("pass word \n", encoding="utf-8")
    assert Broker.parse("mqtt://pi@b", "other", file).password == "pass word "  # noqa: S105 - of no broker
    assert "pass word" not in repr(Broker.parse("mqtt://pi@b", None, file))
    assert Broker.parse("mqtt://b", "other").password == ""  # it is for whoever is named
    with pytest.raises(InvalidValueError, match="No such file"):
        Broker.parse("mqtt://pi@b", None, tmp_path / "nowhere")
    with pytest.raises(InvalidOptionError, match="needs its user"):
        Broker.parse("mqtt://b", None, file)


@pytest.mark.parametrize(
    "address",
    [
        *("", "broker", "http://b", "mqtt://", "mqtt://b:0", "mqtt://b:x", "mqtt://b:99999"),
        *("mqtt://[b", "mqtt://b/a+", "mqtt://b/%23", "mqtt://b/$SYS", "mqtt://b/a//b"),
        *("mqtt://b/a#b", "mqtt://b/%00", "mqtt://b?x", f"mqtt://b/{'x' * 201}"),
    ],
)
def test_what_can_be_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidOptionError, match="expected mqtt"):
        Broker.parse(address)


def test_a_password_on_the_command_line_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidOptionError, match="CLASSIFY_MQTT_PASSWORD") as caught:
        Broker.parse("mqtt://pi:secret@b")
    assert "secret" not in str(caught.value)


def test_a_certificate_without_tls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match="mqtts://"):
        Broker.parse("mqtt://b", ca=tmp_path / "ca.pem")
