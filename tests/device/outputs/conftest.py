"""Pins without hardware, and who hears messages as an instrument does."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory
from pythonosc.osc_message import OscMessage

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pins() -> Iterator[Any]:
    """The pins of a Pi."""
    before = gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory = factory = MockFactory()
    yield factory
    factory.reset()
    gpiozero.Device.pin_factory = before


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
