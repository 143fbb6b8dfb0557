"""What instruments ask for by Open Sound Control."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any, Final

from ..console import say, shortened
from ..errors import InvalidValueError
from ..requests import ADAPT, RECORD, STOP, TRAIN
from .addresses import cannot_be_used, host_and_port
from .courier import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..requests import Requests

_LARGEST: Final = 65_535
"""Bytes of a datagram."""

_LOOK_S: Final = 0.2
"""So often it is looked whether to hear more."""


class OscListener:
    """Hears `/record N`, `/stop`, `/train` and `/adapt`; anything else is said once.

    Bundles are done at once, whatever time they name. python-osc only reads the packets: its server
    sleeps until that time, compares patterns for as long as it takes, and prints a traceback of
    what is broken.

    Args:
        address: `HOST:PORT`; without a host only this machine is heard.

    Raises:
        InvalidOptionError: if that is no address.
        InvalidValueError: if it cannot be used now, or python-osc is not installed.
    """

    name = "--osc-listen"

    def __init__(self, address: str, requests: Requests) -> None:
        host, port = host_and_port(self.name, address)
        with needed(self.name, "python-osc"):
            from pythonosc.osc_packet import OscPacket  # noqa: PLC0415 - an optional library
        self._packet: Callable[[bytes], Any] = OscPacket
        self._requests = requests
        self._said = self._closed = False
        try:
            family, *_, place = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_DGRAM)[
                0
            ]
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            try:
                self._socket.bind(place)
            except OSError:
                self._socket.close()
                raise
        except (OSError, UnicodeError) as error:
            raise InvalidValueError(cannot_be_used(self.name, address, error)) from error
        self._socket.settimeout(_LOOK_S)
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hear no more; may be called twice."""
        self._closed = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._closed:
            try:
                data = self._socket.recv(_LARGEST)
            except OSError:  # nothing came; or Windows tells that nobody heard an answer
                continue
            for address, values in self._messages(data):
                self._hear(address, values)

    def _messages(self, data: bytes) -> Iterator[tuple[str, list[Any]]]:
        try:
            found = [timed.message for timed in self._packet(data).messages]
        except Exception:  # noqa: BLE001 - a stranger's bytes; a parser fails in many ways
            found = []
        return ((message.address, message.params) for message in found)

    def _hear(self, address: str, values: list[Any]) -> None:
        what = address.removeprefix("/")
        if what in (STOP, TRAIN, ADAPT):
            self._requests.ask(what)
        elif what == RECORD and len(values) == 1 and _is_whole(values[0]):
            self._requests.ask(RECORD, int(values[0]))
        elif not self._said:
            self._said = True
            told = " ".join([address, *map(str, values)])
            say(
                f"--osc-listen: expected /record N, /stop, /train or /adapt, received "
                f"{shortened(told, 80)!r}."
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, (int, float)) and value % 1 == 0
