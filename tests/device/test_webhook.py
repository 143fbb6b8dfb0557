"""The address that is told of a new label, and what it can be or do wrong."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from edge_classifier.device.errors import InvalidOptionError
from edge_classifier.device.outputs.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHANGE = {"label": "växt 🌱", "score": 0.75, "previous": None}
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver:
    """A server that does with each connection what it is given to do."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.asked: queue.Queue[bytes] = queue.Queue()
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/hook"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(20)
                    self.asked.put(self._read(connection))
                    self._answer(connection)

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        asked = b""
        while not asked.endswith(b"}"):
            part = connection.recv(4096)
            if not part:
                break
            asked += part
        return asked

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join(10)


@pytest.fixture
def receiver() -> Iterator[Callable[[Callable[[socket.socket], None]], Receiver]]:
    made: list[Receiver] = []

    def make(answer: Callable[[socket.socket], None]) -> Receiver:
        made.append(Receiver(answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


Made = Any  # what `receiver` is: a function that makes one


def test_a_change_is_posted_as_json(receiver: Made) -> None:
    server = receiver(lambda connection: connection.sendall(NO_CONTENT))
    assert Webhook(server.url).tell(CHANGE) == ""
    head, _, body = server.asked.get(timeout=10).partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"Content-Type: application/json" in head
    assert json.loads(body) == CHANGE


def trickle(begin: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    """Answer a byte now and then, which each time begins a socket's timeout anew."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(begin)
        for _ in range(200):
            connection.sendall(drop)
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b"x"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status", "headers", "body", "continue"],
)
def test_a_slow_answer_is_given_up_in_time_and_its_connection_with_it(
    receiver: Made, begin: bytes, drop: bytes
) -> None:
    server = receiver(trickle(begin, drop))
    webhook = Webhook(server.url, deadline_s=0.4)
    began_s = time.monotonic()
    assert webhook.tell(CHANGE) == "not done within 0.4 s."
    assert time.monotonic() - began_s < 2
    assert "webhook" not in {thread.name for thread in threading.enumerate()}
    assert webhook.tell(CHANGE) == "not done within 0.4 s."  # and not "still at the last one"


def test_a_slow_handshake_of_tls_is_given_up_in_time(receiver: Made) -> None:
    # A record of 9,999 bytes, of which one comes now and then.
    server = receiver(trickle(b"\x16\x03\x03\x27\x0f", b"\x02"))
    server._read = lambda _connection: b""
    webhook = Webhook(server.url.replace("http:", "https:"), deadline_s=0.4)
    began_s = time.monotonic()
    assert webhook.tell(CHANGE) == "not done within 0.4 s."
    assert time.monotonic() - began_s < 2
    assert "webhook" not in {thread.name for thread in threading.enumerate()}


def test_who_takes_nothing_is_given_up_in_time() -> None:
    """A connection that the system has made, but nobody has accepted."""
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
        webhook = Webhook(f"http://127.0.0.1:{server.getsockname()[1]}/", deadline_s=0.3)
        assert webhook.tell(CHANGE | {"label": "x" * 10_000_000}) == "not done within 0.3 s."


def test_an_exchange_can_be_broken_off_by_whoever_closes(receiver: Made) -> None:
    server = receiver(lambda _connection: time.sleep(1))
    webhook = Webhook(server.url, deadline_s=30)
    telling = threading.Thread(target=webhook.tell, args=(CHANGE,))
    telling.start()
    server.asked.get(timeout=10)
    webhook.stop()
    telling.join(5)
    assert not telling.is_alive()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 T", "308 P"])
def test_no_redirect_is_followed(receiver: Made, status: str) -> None:
    elsewhere = receiver(lambda connection: connection.sendall(NO_CONTENT))
    answer = f"HTTP/1.1 {status}\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode()
    server = receiver(lambda connection: connection.sendall(answer))
    assert status[:3] in Webhook(server.url).tell(CHANGE)
    assert elsewhere.asked.empty()


@pytest.mark.parametrize(
    "answer", [b"", b"no HTTP at all\r\n\r\n", b"HTTP/1.1 500 Oh\r\n\r\n", b"\xff" * 100_000]
)
def test_an_answer_that_is_none_is_told(receiver: Made, answer: bytes) -> None:
    server = receiver(lambda connection: connection.sendall(answer))
    said = Webhook(server.url).tell(CHANGE)
    assert 0 < len(said) < 400


def test_nobody_there_is_told() -> None:
    assert "refused" in Webhook("http://127.0.0.1:9/").tell(CHANGE)


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "ftp://x", "file:///etc/passwd", "http:", "http://", "https:///x", "http://["),
        *("http://[x]/", "http://x:port/", "http://x:99999/", "http://x:0/", "http://x:²/"),
        *("http://x/a b", "http://x/\n", "http://x/é", "http://é/", "http://x/" + "a" * 5000),
    ],
)
def test_what_is_no_address_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(InvalidOptionError, match="expected an http or https address"):
        Webhook(url)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidOptionError, match="cannot be in the address") as caught:
        Webhook("https://me:secret@example.org/")
    assert "secret" not in str(caught.value).replace("take a secret", "")


@pytest.mark.parametrize("url", ["http://a..b/", "http://" + "a" * 300 + "/", "http://%00/"])
def test_an_address_that_nobody_can_have_is_told(url: str) -> None:
    assert Webhook(url).tell(CHANGE) != ""
