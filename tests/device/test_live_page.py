"""Who may look at the live page of `classify.py --mjpeg`."""

from __future__ import annotations

import json
import selectors
import socket
import struct
import sys
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.reading import wait_until

from edge_classifier.device.errors import InvalidOptionError, InvalidValueError
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.outputs.page_server import PageServer
from edge_classifier.device.verdict import Prediction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.device.outputs.page_server import PageHandler

TOKEN = "correct horse & battery"  # noqa: S105 - a test's


@pytest.fixture(scope="module")
def page() -> Iterator[LivePage]:
    page = LivePage("127.0.0.1:0", TOKEN)
    yield shown(page)
    page.close()


def shown(page: LivePage) -> LivePage:
    answer = Prediction(("ball", "cup"), np.array([0.9, 0.1], np.float32))
    page.show(Frame(np.zeros((8, 8, 3), np.uint8), 0, 0.0, name="camera 0"), answer)
    return page


def get(page: LivePage, path: str, **headers: str) -> Any:
    request = urllib.request.Request(f"{page.url}{path}", headers=headers)  # noqa: S310 - our own server
    return urllib.request.urlopen(request, timeout=10)  # noqa: S310 - same


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "my-pi", "example.org"])  # noqa: S104 - what is refused
def test_what_others_can_reach_needs_a_token(host: str) -> None:
    with pytest.raises(InvalidValueError, match="add --token"):
        LivePage(f"{host}:0")


def test_the_page_can_be_had_by_ipv6() -> None:
    if not socket.has_ipv6:
        pytest.skip("this system has no IPv6")
    page = shown(LivePage("[::1]:0"))
    try:
        assert page.url.startswith("http://[::1]:")
        assert json.load(get(page, "answer"))["label"] == "ball"
    finally:
        page.close()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.7", "[192.0.2.7]", "a..b"])
def test_an_address_of_no_machine_or_another_one_is_told_as_such(host: str) -> None:
    with pytest.raises(InvalidValueError, match=r"cannot be used \(.*\); name an address of this"):
        LivePage(f"{host}:0", TOKEN)


def test_a_port_that_is_taken_is_told_as_such(page: LivePage) -> None:
    taken = page.url.split("/")[2]
    with pytest.raises(InvalidValueError, match="choose another port"):
        LivePage(taken, TOKEN)


@pytest.mark.parametrize("token", ["", "short", "with\nbreak", "long" * 200])
def test_a_token_that_can_be_guessed_or_sent_by_nobody_is_refused(token: str) -> None:
    with pytest.raises(InvalidValueError, match="8 to 500 characters"):
        LivePage("127.0.0.1:0", token)


@pytest.mark.parametrize("path", ["", "answer", "stream", "?token=wrong", "answer?token="])
def test_without_the_token_nothing_is_shown(page: LivePage, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403: This page needs its token"):
        get(page, path)


@pytest.mark.parametrize("query", ["&".join(["a=b"] * 99), "token=%ff", "token=wrong&token=wrong"])
def test_odd_queries_are_refused_like_any_other(page: LivePage, query: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        get(page, f"answer?{query}")


def test_with_the_token_the_page_its_picture_and_the_answer_are_shown(page: LivePage) -> None:
    query = "?token=correct%20horse%20%26%20battery"
    with get(page, query) as response:
        assert f"<img src='/stream{query}'" in response.read().decode()
        assert response.headers["Referrer-Policy"] == "no-referrer"
    with get(page, f"answer{query}") as response:
        assert b'"label": "ball"' in response.read()
    with get(page, f"stream{query}") as response:
        assert response.readline() == b"--frame\r\n"
    with get(page, "answer", Authorization=f"Bearer {TOKEN}") as response:
        assert b'"label": "ball"' in response.read()


def test_a_page_from_elsewhere_cannot_give_its_own_name_this_machines_address() -> None:
    """DNS rebinding: the browser sends the name that it was told, and that is not ours."""
    page = shown(LivePage("127.0.0.1:0"))
    try:
        for host in ("127.0.0.1", "localhost:8080", "LOCALHOST", "[::1]:80"):
            get(page, "answer", Host=host).close()
        for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.1"):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                get(page, "answer", Host=host)
    finally:
        page.close()


@pytest.fixture(scope="module")
def open_page() -> Iterator[LivePage]:
    """One for this machine, without a token."""
    page = LivePage("127.0.0.1:0")
    yield shown(page)
    page.close()


# Other sites


@pytest.mark.parametrize("path", ["", "answer", "stream", "nowhere"])
def test_no_other_site_can_show_or_read_what_it_gets(open_page: LivePage, path: str) -> None:
    """Not even errors; of this machine's own address a browser sends no Sec-Fetch headers."""
    try:
        with get(open_page, path) as response:
            headers = response.headers
    except urllib.error.HTTPError as error:
        headers = error.headers
        error.close()
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(
    ("path", "destination"),
    [("stream", "image"), ("answer", "empty"), ("", "iframe"), ("stream", "document")],
)
def test_what_another_site_asks_for_is_refused(
    open_page: LivePage, site: str, path: str, destination: str
) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": destination}
    with pytest.raises(urllib.error.HTTPError, match="403: Another site"):
        get(open_page, path, **headers)


@pytest.mark.parametrize(
    ("path", "site", "destination"),
    [("", "none", "document"), ("stream", "same-origin", "image"), ("", "cross-site", "document")],
    ids=["typed", "its own picture", "a link from elsewhere"],
)
def test_what_the_page_and_its_user_ask_for_is_given(
    open_page: LivePage, path: str, site: str, destination: str
) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": destination}
    with get(open_page, path, **headers) as response:
        assert response.status == 200


# Those who do not behave


def connected(page: LivePage) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(page.url.split(":")[2].rstrip("/"))), 10)


def reset(connection: socket.socket) -> None:
    """End a connection as a client does that is gone: with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize(
    "asked",
    [
        *(b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n\r\n"),
        *(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\0" * 100_000, b"\r\n\r\n"),
        *(b"POST / HTTP/1.1\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/\xb2.1\r\n\r\n"),
        *(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"GET //[ HTTP/1.1\r\n\r\n"),
        b"GET / HTTP/1.1\r\nHost: \xff\r\nAuthorization: \xff\r\n\r\n",
    ],
    ids=lambda asked: repr(asked[:30]),
)
def test_a_client_that_goes_at_any_moment_leaves_no_line_in_the_log(
    open_page: LivePage, asked: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    for hang_up in (reset, socket.socket.close):
        connection = connected(open_page)
        connection.sendall(asked)
        time.sleep(0.02)
        hang_up(connection)
    with get(open_page, "answer") as response:
        assert response.status == 200
    time.sleep(0.05)
    assert capfd.readouterr().err == ""


@pytest.fixture
def server() -> Iterator[PageServer]:
    """A server that gives up early, and answers with a line."""

    def serve(request: PageHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
        if request.path == "/much":
            request.wfile.write(bytes(100_000_000))

    server = PageServer(("127.0.0.1", 0), serve, ask_s=0.5, send_s=0.5)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(10)


def connect(server: PageServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.server_port), 10)


def serving() -> int:
    """Count the threads that serve connections."""
    return sum("process_request_thread" in thread.name for thread in threading.enumerate())


def was_hung_up_on(connection: socket.socket, part: bytes, pause_s: float = 0.0) -> bool:
    """Send a part many times, as far as it is taken."""
    try:
        for _ in range(2000):
            connection.sendall(part)
            time.sleep(pause_s)
    except OSError:
        return True
    return False


def test_who_asks_a_byte_now_and_then_is_hung_up_on(server: PageServer) -> None:
    with connect(server) as connection:
        assert was_hung_up_on(connection, b"x", pause_s=0.05)


def test_who_asks_more_than_anybody_has_to_is_hung_up_on(server: PageServer) -> None:
    with connect(server) as connection:
        assert was_hung_up_on(connection, b"GET / HTTP/1.1\r\na: " + b"b" * 4000)


def test_who_takes_a_byte_now_and_then_is_hung_up_on(server: PageServer) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET /much HTTP/1.0\r\n\r\n")
        began_s = time.monotonic()
        while connection.recv(1) and serving():
            time.sleep(0.05)
            assert time.monotonic() - began_s < 10


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere this machine has one address only")
def test_a_crowd_that_says_nothing_takes_nothing_from_the_picture(open_page: LivePage) -> None:
    open_page._server.ask_s = 600.0  # who waited for them would wait longer than this test
    port = int(open_page.url.split(":")[2].rstrip("/"))
    crowd = [
        socket.create_connection(("127.0.0.1", port), 10, source_address=(f"127.0.1.{n % 20}", 0))
        for n in range(1, 201)
    ]
    wait_until(lambda: hung_up_on(crowd) == 168)
    wait_until(lambda: serving() == 32)
    shows = threading.Thread(target=lambda: [shown(open_page) for _ in range(100)], daemon=True)
    shows.start()
    shows.join(60)
    assert not shows.is_alive()
    for one in crowd:
        reset(one)
    wait_until(lambda: serving() == 0)
    with get(open_page, "answer") as response:
        assert response.status == 200


def hung_up_on(crowd: list[socket.socket]) -> int:
    """Count those who have been; nobody sends them anything."""
    with selectors.DefaultSelector() as selector:
        for one in crowd:
            selector.register(one, selectors.EVENT_READ)
        return len(selector.select(0))


def test_one_address_alone_cannot_keep_threads_for_itself(server: PageServer) -> None:
    server.ask_s = 600.0
    crowd = [connect(server) for _ in range(60)]
    wait_until(lambda: hung_up_on(crowd) == 44)
    wait_until(lambda: serving() == 16)
    for one in crowd:
        reset(one)


def test_those_who_said_nothing_in_time_make_room(server: PageServer) -> None:
    crowd = [connect(server) for _ in range(60)]
    wait_until(lambda: hung_up_on(crowd) == 60)
    wait_until(lambda: is_answered(server))
    for one in crowd:
        one.close()


def is_answered(server: PageServer) -> bool:
    with connect(server) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.recv(100).startswith(b"HTTP/1.0 200")
        except ConnectionError:
            return False


def test_a_viewer_who_has_gone_makes_room_while_no_picture_comes(open_page: LivePage) -> None:
    viewers = [get(open_page, "stream") for _ in range(8)]
    for viewer in viewers:
        assert viewer.readline() == b"--frame\r\n"
    with pytest.raises(urllib.error.HTTPError, match="503"):
        get(open_page, "stream")
    for viewer in viewers:
        viewer.close()
    wait_until(lambda: can_look_on(open_page))


def can_look_on(page: LivePage) -> bool:
    try:
        get(page, "stream").close()
    except urllib.error.HTTPError as error:
        error.close()
        return False
    return True


@pytest.mark.parametrize(
    "address",
    [
        *("", ":", "127.0.0.1:", "127.0.0.1:²", "127.0.0.1:-1", "127.0.0.1:65536"),
        *("127.0.0.1:" + "9" * 5000, "127.0.0.1:nan", "127.0.0.1: 80", "127.0.0.1:8_0"),
    ],
    ids=lambda address: address[:20],
)
def test_an_address_that_can_be_none_is_refused(address: str) -> None:
    with pytest.raises(InvalidOptionError, match="expected HOST:PORT") as caught:
        LivePage(address, TOKEN)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("host", ["192.0.2.1", "a" * 300, "a..b", "[::1", "\0", "\udcff"])
def test_an_address_that_is_not_this_machines_is_told(host: str) -> None:
    with pytest.raises(InvalidValueError, match="cannot be used"):
        LivePage(f"{host}:0", TOKEN)
