"""An address that is told of each new label."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
    build_opener,
)

from ..console import shortened
from ..errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPResponse

_MOST_READ: Final = 1 << 16
_LONGEST: Final = 2000
_NAME_SERVERS_S: Final = 1.0
"""For how long an exchange that was broken off is waited for."""


class Webhook:
    """Posts each change to an address, as a JSON object.

    Args:
        url: Of http or https; what it redirects to is not followed.
        deadline_s: Seconds for the whole exchange, from looking up the name to the last byte.

    Raises:
        InvalidOptionError: if that is no such address.
    """

    name = "--webhook"
    retries = False

    def __init__(self, url: str, *, deadline_s: float = 10.0) -> None:
        _check(url)
        self._url = url
        self._deadline_s = deadline_s
        self._exchange: _Exchange | None = None

    def tell(self, change: dict[str, Any]) -> str:
        """Post it; returns what went wrong."""
        before = self._exchange
        if before is not None and before.is_alive():
            return "the last exchange still looks for its address; some changes are not told."
        exchange = self._exchange = _Exchange(self._url, change, self._deadline_s)
        exchange.start()
        exchange.join(self._deadline_s)
        if exchange.is_alive():
            exchange.break_off()
            return f"not done within {self._deadline_s:g} s."
        return exchange.trouble

    def stop(self) -> None:
        """Break off what is under way."""
        if self._exchange is not None:
            self._exchange.break_off()


class _Exchange(threading.Thread):
    """One request and its answer, in a thread, so that it can be given up at any point.

    A timeout of a socket is for a step, and who sends a byte now and then has as many as he likes.
    """

    def __init__(self, url: str, change: dict[str, Any], timeout_s: float) -> None:
        super().__init__(name="webhook", daemon=True)
        self.trouble = ""
        body, headers = json.dumps(change).encode(), {"Content-Type": "application/json"}
        self._request = Request(url, data=body, headers=headers)  # noqa: S310 - http or https, as was checked
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._given_up = False
        self._line: socket.socket | None = None

    def run(self) -> None:
        """Do it."""
        # A step may take longer than the whole: whoever waits gives up first, and says so.
        timeout_s = 2 * self._timeout_s
        try:
            with _opener(self._connect).open(self._request, timeout=timeout_s) as response:
                response.read(_MOST_READ)
        except HTTPError as error:
            self.trouble = shortened(str(error))
            error.close()
        except (OSError, ValueError, HTTPException) as error:
            self.trouble = shortened(str(error) or type(error).__name__)
        with self._lock:
            if self._line is not None:
                self._line.close()

    def break_off(self) -> None:
        """End it, wherever it is, as far as it has a connection."""
        with self._lock:
            self._given_up = True
            self._hang_up()
        self.join(_NAME_SERVERS_S)

    def _connect(self, *arguments: Any, **more: Any) -> socket.socket:  # noqa: ANN401 - as they come
        connected = socket.create_connection(*arguments, **more)
        with self._lock:
            # A second handle: TLS takes the first one away from where it can be got at.
            self._line = connected.dup()
            if self._given_up:
                self._hang_up()
        return connected

    def _hang_up(self) -> None:
        if self._line is not None:
            with contextlib.suppress(OSError):  # it has just ended
                self._line.shutdown(socket.SHUT_RDWR)


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: where to is for the user to say."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""


def _opener(connect: Callable[..., socket.socket]) -> OpenerDirector:
    """Make what opens addresses, also through the system's proxies, on such connections."""

    def by(kind: type[HTTPConnection]) -> Any:  # noqa: ANN401 - a class, as urllib sees it
        def make(*arguments: Any, **more: Any) -> HTTPConnection:  # noqa: ANN401 - as they come
            connection = kind(*arguments, **more)
            connection._create_connection = connect  # type: ignore[attr-defined]  # noqa: SLF001 - http.client has no other way
            return connection

        return make

    class Http(HTTPHandler):
        def http_open(self, request: Request) -> HTTPResponse:
            return self.do_open(by(HTTPConnection), request)

    class Https(HTTPSHandler):
        def https_open(self, request: Request) -> HTTPResponse:
            return self.do_open(by(HTTPSConnection), request)

    return build_opener(Http, Https, _Stay)


def _check(url: str) -> None:
    """Refuse, without repeating it, what is no address; it may hold a secret.

    Raises:
        InvalidOptionError: saying what it has to be.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or not re.fullmatch(r"[!-~]+", url) or len(url) > _LONGEST:
        raise InvalidOptionError(
            "--webhook: expected an http or https address of plain characters (others as %XX), "
            "like https://example.org/hook."
        )
    if parts.username is not None:
        raise InvalidOptionError(
            "--webhook: user and password cannot be in the address; most receivers take a secret "
            "path or query instead."
        )
