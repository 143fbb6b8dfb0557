"""Visitors of the page that are no browser, and may behave as none would."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from edge_classifier.page.display import Page

PATIENCE_S = 20.0


def page_on_free_port(**options: Any) -> Page:
    """Serve a page on this machine."""
    return Page("127.0.0.1:0", **options)


def version_of(page: Page) -> str:
    """Find out of which version a page's files are."""
    body = get(page, "/")[2].decode()
    return body.partition('data-version="')[2].partition('"')[0]


def get(
    page: Page, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask for something; returns status, headers by their small names, and the body."""
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def wait_until(so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < deadline_s, "it never came to be so"
        time.sleep(0.01)


class Guest:
    """Somebody who has the page open, and says what the page's script would.

    Args:
        visitor: Who it is, as a tab remembers it; somebody new if not given.
        hello: What is said first, in place of what is right.
    """

    def __init__(self, page: Page, visitor: str = "", *, hello: object = None) -> None:
        self.visitor = visitor or secrets.token_hex(16)
        origin = f"http://127.0.0.1:{page.port}"
        address = f"ws://127.0.0.1:{page.port}/session"
        self._stack = ExitStack()
        self.socket: ClientConnection = self._stack.enter_context(
            connect(address, origin=Origin(origin), max_size=None)
        )
        right = {"type": "hello", "visitor": self.visitor, "version": version_of(page)}
        self.say(right if hello is None else hello)

    def say(self, message: object) -> None:
        """Send something."""
        self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def hear(self) -> dict[str, Any]:
        """Return the next words that come, without answering; pictures are left out."""
        while True:
            heard = self.socket.recv(timeout=PATIENCE_S)
            if isinstance(heard, str):
                words: dict[str, Any] = json.loads(heard)
                return words

    def see(self, so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read what comes, as a page does, until something is so in the words; returns those."""
        while True:
            words = self.hear()
            self.say({"type": "shown"})
            if so(words):
                return words

    def picture(self) -> bytes:
        """Return the next picture that comes, having said that all before it was shown."""
        while True:
            heard = self.socket.recv(timeout=PATIENCE_S)
            if isinstance(heard, bytes):
                self.say({"type": "shown"})
                return heard
            if not json.loads(heard)["picture"]:
                self.say({"type": "shown"})

    def close(self) -> None:
        """Go away."""
        self._stack.close()
