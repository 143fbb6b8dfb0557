"""The web server of the live page: few connections, none that takes long to ask."""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from ..console import say

if TYPE_CHECKING:
    from collections.abc import Callable

_ASK_S: Final = 10.0
"""For how long somebody may take to say what is wanted, from the first byte to the last."""

_SEND_S: Final = 20.0
"""For how long somebody may take to receive a picture, from its first byte to its last."""

_MOST_CONNECTIONS: Final = 32
_MOST_BY_ONE: Final = 16
"""Of them by one address, so that nobody alone keeps the others out."""

_LONGEST_REQUEST: Final = 1 << 14

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class PageHandler(BaseHTTPRequestHandler):
    """One connection, which asks for one thing."""

    server: PageServer
    server_version = "classify"
    sys_version = ""

    def handle(self) -> None:
        """Read what is wanted, within bounds of time and size, and answer."""
        asked = self._asked()
        if asked:
            self.connection.settimeout(self.server.send_s)
            self.rfile = io.BufferedReader(io.BytesIO(asked))
            self.handle_one_request()

    def do_GET(self) -> None:
        """Answer."""
        self.server.serve(self)

    def end_headers(self) -> None:
        """Let no other page make use of any answer, errors included."""
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the terminal for our own lines."""

    def _asked(self) -> bytes:
        """Read until the empty line that ends a request; nothing if that does not come in time."""
        asked = b""
        deadline_s = time.monotonic() + self.server.ask_s
        while b"\r\n\r\n" not in asked and b"\n\n" not in asked:
            remaining_s = deadline_s - time.monotonic()
            if remaining_s <= 0 or len(asked) > _LONGEST_REQUEST:
                return b""
            self.connection.settimeout(remaining_s)
            part = self.connection.recv(4096)
            if not part:
                return b""
            asked += part
        return asked


class PageServer(ThreadingHTTPServer):
    """Hands requests to `serve`, each in a thread; whoever comes when it is full is hung up on.

    Raises:
        OSError: if the address cannot be used.
    """

    daemon_threads = True
    request_queue_size = _MOST_CONNECTIONS

    def __init__(
        self,
        address: tuple[str, int],
        serve: Callable[[PageHandler], None],
        *,
        ask_s: float = _ASK_S,
        send_s: float = _SEND_S,
    ) -> None:
        self.serve = serve
        self.ask_s, self.send_s = ask_s, send_s
        self._lock = threading.Lock()
        self._connections: Counter[str] = Counter()
        self._told: set[str] = set()
        host, port = address
        if host[:1] + host[-1:] == "[]":  # as an address of IPv6 is written before a port
            host, self.address_family = host[1:-1], socket.AF_INET6
        super().__init__((host, port), PageHandler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as inherited
        """Begin a thread for a connection, if there may be one more."""
        who = str(client_address[0])
        with self._lock:
            full = (
                self._connections.total() >= _MOST_CONNECTIONS
                or self._connections[who] >= _MOST_BY_ONE
            )
            if not full:
                self._connections[who] += 1
        if full:
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._leave(who)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as inherited
        """Serve a connection, in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._leave(str(client_address[0]))

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - as inherited
        """Say nothing of who has gone; anybody on the network could fill the log with it."""
        error = sys.exc_info()[1]
        kind = type(error).__name__
        if not isinstance(error, OSError) and kind not in self._told:
            self._told.add(kind)
            say(f"Live page: {kind}: {error}")

    def _leave(self, who: str) -> None:
        with self._lock:
            self._connections[who] -= 1
            if not self._connections[who]:
                del self._connections[who]
