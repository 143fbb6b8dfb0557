"""The web server of page and service: few connections, none that takes long to ask."""

from __future__ import annotations

import io
import json
import re
import socket
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from ..console import one_line, say
from ..errors import EdgeClassifierError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_ASK_S: Final = 10.0
"""For how long somebody may take to say what is wanted, from the first byte to the last."""

_SEND_S: Final = 20.0
"""For how long somebody may take to receive a picture, from its first byte to its last."""

_BODY_S: Final = 30.0
"""For how long somebody may take to send a picture."""

_LINGER_S: Final = 2.0
"""For how long what nobody reads is taken from somebody who sends it still."""

_ROOM_BYTES: Final = 64 * 1024 * 1024
"""Of all bodies together."""

_LONGEST_PHRASE: Final = 200

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


class RefusedError(EdgeClassifierError):
    """A request that is not answered as was asked; the status is HTTP's."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Route:
    """What answers a path, by which method; `GET` is also `HEAD`.

    `answer` may raise `RefusedError`.
    """

    method: str
    answer: Callable[[PageHandler], None]


class PageHandler(BaseHTTPRequestHandler):
    """One connection, which asks for one thing."""

    server: PageServer
    server_version = "classify"
    sys_version = ""

    def handle(self) -> None:
        """Read what is wanted, within bounds of time and size, and answer."""
        asked = self._asked()
        if not asked:
            return
        self._sends_still, self._answers = True, False
        self.connection.settimeout(self.server.send_s)
        self.rfile = io.BufferedReader(io.BytesIO(asked))
        self.raw_requestline = self.rfile.readline()
        if self.parse_request():  # or it has said what is wrong
            says_so = {"content-length", "transfer-encoding"} & {n.lower() for n in self.headers}
            self._sends_still = bool(says_so) or self.command not in ("GET", "HEAD")
            try:
                self.server.serve(self)
            except RefusedError as refused:
                self._refuse(refused)
            except Exception as error:
                if not (self._answers or isinstance(error, OSError)):
                    self._refuse(RefusedError(500, "Something went wrong; the log says what."))
                raise
        if self._sends_still:
            self._linger()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Say what is wrong, as JSON; called by the standard library too."""
        self._refuse(RefusedError(code, message or explain or HTTPStatus(code).phrase))

    def respond(
        self, kind: str, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with a body of some content type."""
        self.send_response(status)
        self._finish(kind, body, headers or {})

    def respond_json(self, content: object) -> None:
        """Answer with JSON."""
        self.respond("application/json", _as_json(content))

    @contextmanager
    def body(self, most_bytes: int) -> Iterator[bytes]:
        """Read what was sent along; all bodies together, until the blocks end, are bounded.

        Raises:
            RefusedError: if it is too large, comes by half or too slowly, or does not say how
                long it is.
        """
        length = self.headers.get("Content-Length", "")
        if not length or "Transfer-Encoding" in self.headers:
            raise RefusedError(411, "The request does not say how long it is (Content-Length).")
        # Digits are counted before they are read: Python refuses thousands of them.
        if not re.fullmatch(r"[0-9]{1,18}", length):
            raise RefusedError(400, "The Content-Length is no number of bytes.")
        if int(length) > most_bytes:
            raise RefusedError(413, f"Expected at most {most_bytes:,} bytes.")
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        parts: list[bytes] = []
        try:
            for part in self._parts(int(length)):
                parts.append(part)
                if not self.server.take_room(len(part)):
                    raise RefusedError(
                        503, "Too many pictures are sent at once.", {"Retry-After": "1"}
                    )
            self._sends_still = False
            self.connection.settimeout(self.server.send_s)
            yield b"".join(parts)
        finally:
            self.server.take_room(-sum(map(len, parts)))

    def end_headers(self) -> None:
        """Let no other page make use of any answer, errors included."""
        self._answers = True
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the terminal for our own lines."""

    def _refuse(self, refused: RefusedError) -> None:
        text = one_line(str(refused))
        plain = text.isascii() and len(text) <= _LONGEST_PHRASE
        self.send_response(refused.status, text if plain else None)
        self._finish("application/json", _as_json({"error": text}), refused.headers)

    def _finish(self, kind: str, body: bytes, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _parts(self, length: int) -> Iterator[bytes]:
        """Read a body piece by piece."""
        part = self.rfile.read()[:length]
        deadline_s = time.monotonic() + self.server.body_s
        left = length - len(part)
        yield part
        while left:
            try:
                part = self._received(deadline_s, min(left, 1 << 16))
            except TimeoutError:
                raise RefusedError(408, "The body took too long to come.") from None
            if not part:
                raise RefusedError(400, f"The body ended after {length - left} of {length} bytes.")
            left -= len(part)
            yield part

    def _received(self, deadline_s: float, most_bytes: int) -> bytes:
        """Receive what comes next, nothing at the end; `TimeoutError` when it is late."""
        remaining_s = deadline_s - time.monotonic()
        if remaining_s <= 0:
            raise TimeoutError
        self.connection.settimeout(remaining_s)
        part: bytes = self.connection.recv(most_bytes)
        return part

    def _linger(self) -> None:
        """Take what is sent still: closing on it would take the answer away from who sends."""
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            deadline_s = time.monotonic() + self.server.linger_s
            while self._received(deadline_s, 1 << 16):
                pass

    def _asked(self) -> bytes:
        """Read until the empty line that ends a request; nothing if that does not come in time."""
        asked = b""
        deadline_s = time.monotonic() + self.server.ask_s
        while b"\r\n\r\n" not in asked and b"\n\n" not in asked:
            part = self._received(deadline_s, 4096)
            if not part or len(asked) > _LONGEST_REQUEST:
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
        body_s: float = _BODY_S,
        linger_s: float = _LINGER_S,
        room_bytes: int = _ROOM_BYTES,
    ) -> None:
        self.serve = serve
        self.ask_s, self.send_s, self.body_s, self.linger_s = ask_s, send_s, body_s, linger_s
        self._room_bytes = room_bytes
        self._lock = threading.Lock()
        self._connections: Counter[str] = Counter()
        self._told: set[str] = set()
        host, port = address
        if host[:1] + host[-1:] == "[]":  # as an address of IPv6 is written before a port
            host, self.address_family = host[1:-1], socket.AF_INET6
        super().__init__((host, port), PageHandler)

    def take_room(self, size: int) -> bool:
        """Count bytes of a body, negative when they are let go; says whether there is room."""
        with self._lock:
            self._room_bytes -= size
            return self._room_bytes >= 0

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


def _as_json(content: object) -> bytes:
    """Write a line; whatever a file's name is, it can be sent."""
    return f"{json.dumps(content, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace")
