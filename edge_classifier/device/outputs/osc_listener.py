"""What instruments ask for by Open Sound Control."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from ..console import say, shortened
from ..errors import InvalidValueError
from ..requests import ADAPT, RECORD, STOP, TRAIN
from .addresses import host_and_port
from .courier import needed

if TYPE_CHECKING:
    from ..requests import Requests


class OscListener:
    """Hears `/record N`, `/stop`, `/train` and `/adapt`; anything else is said once.

    Args:
        address: `HOST:PORT`; without a host only this machine is heard.

    Raises:
        InvalidOptionError: if that is no address.
        InvalidValueError: if it cannot be used now, or python-osc is not installed.
    """

    name = "--osc-listen"

    def __init__(self, address: str, requests: Requests) -> None:
        place = host_and_port(self.name, address)
        with needed(self.name, "python-osc"):
            from pythonosc.dispatcher import Dispatcher  # noqa: PLC0415 - an optional library
            from pythonosc.osc_server import BlockingOSCUDPServer  # noqa: PLC0415 - same
        self._requests = requests
        self._said = False
        heard = Dispatcher()
        heard.map("/record", self._record)
        for what in (STOP, TRAIN, ADAPT):
            heard.map(f"/{what}", lambda _, *__, what=what: requests.ask(what))
        heard.set_default_handler(self._not_known)
        try:
            self._server = BlockingOSCUDPServer(place, heard)
        except OSError as error:
            reason = error.strerror or error
            raise InvalidValueError(
                f"--osc-listen {shortened(address)} cannot be used ({reason}); choose another port."
            ) from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, name=self.name, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Hear no more; may be called twice."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _record(self, address: str, *values: Any) -> None:  # noqa: ANN401 - what others send
        if len(values) == 1 and isinstance(values[0], (int, float)) and values[0] % 1 == 0:
            self._requests.ask(RECORD, int(values[0]))
        else:
            self._not_known(address, *values)

    def _not_known(self, address: str, *values: Any) -> None:  # noqa: ANN401 - what others send
        if not self._said:
            self._said = True
            told = " ".join([address, *map(str, values)])
            say(
                f"--osc-listen: expected /record N, /stop, /train or /adapt, received "
                f"{shortened(told, 80)!r}."
            )
