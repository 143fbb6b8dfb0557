"""Downloads from a real server on this machine, which does what servers do wrong."""

from __future__ import annotations

import base64
import hashlib
import io
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from edge_classifier.errors import CancelledError, DownloadError
from edge_classifier.features.download import download, reachable

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = bytes(range(256)) * 2000
MD5 = hashlib.md5(CONTENT, usedforsecurity=False)


class _Handler(BaseHTTPRequestHandler):
    """Serves `/good`, `/short`, `/stall` and nothing else."""

    release = threading.Event()

    def do_HEAD(self) -> None:
        if self.path != "/good":
            self.send_error(404)
            return
        self._send_headers()

    def do_GET(self) -> None:
        if self.path not in ("/good", "/short", "/stall"):
            self.send_error(404)
            return
        self._send_headers()
        if self.path == "/good":
            self.wfile.write(CONTENT)
        else:
            self.wfile.write(CONTENT[:70_000])
            self.wfile.flush()
        if self.path == "/stall":
            self.release.wait(20)

    def _send_headers(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.send_header("x-goog-hash", "crc32c=AAAAAA==")
        self.send_header("x-goog-hash", f"md5={base64.b64encode(MD5.digest()).decode()}")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as httpd:
        httpd.daemon_threads = True
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        _Handler.release.set()
        httpd.shutdown()
        thread.join()


@pytest.fixture
def silent() -> Iterator[str]:
    """An address where a connection is taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/good"


def _ignore(_size: int, _total: int | None) -> None: ...


def _never() -> bool:
    return False


def test_a_download_gives_the_whole_file_and_its_hashes(server: str) -> None:
    told: list[tuple[int, int | None]] = []
    file = io.BytesIO()
    receipt = download(f"{server}/good", file, progress=lambda *x: told.append(x), cancelled=_never)
    assert file.getvalue() == CONTENT
    assert receipt.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert receipt.md5 == receipt.server_md5 == MD5.hexdigest()
    assert receipt.size == len(CONTENT)
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert len(told) > 2


def test_a_file_that_ends_early_is_an_error(server: str) -> None:
    with pytest.raises(DownloadError, match=r"stopped"):
        download(f"{server}/short", io.BytesIO(), progress=_ignore, cancelled=_never)


def test_an_address_that_does_not_exist_is_an_error_with_its_number(server: str) -> None:
    with pytest.raises(DownloadError, match=r"answered 404"):
        download(f"{server}/gone", io.BytesIO(), progress=_ignore, cancelled=_never)


def test_a_server_that_falls_silent_is_given_up(server: str) -> None:
    began = time.monotonic()
    with pytest.raises(DownloadError, match=r"sent nothing|in time"):
        download(f"{server}/stall", io.BytesIO(), progress=_ignore, cancelled=_never, stall_s=0.4)
    assert time.monotonic() - began < 5


def test_a_stalled_download_can_be_cancelled_at_once(server: str) -> None:
    came = threading.Event()
    began = time.monotonic()
    with pytest.raises(CancelledError, match=r"cancelled"):
        download(
            f"{server}/stall",
            io.BytesIO(),
            progress=lambda _size, _total: came.set(),
            cancelled=came.is_set,
            stall_s=20,
        )
    assert time.monotonic() - began < 5


def test_an_answering_address_is_reachable(server: str) -> None:
    assert reachable(f"{server}/good")


def test_an_address_that_says_no_is_not_reachable(server: str) -> None:
    assert not reachable(f"{server}/gone")


def test_an_address_that_never_answers_is_given_up_in_time(silent: str) -> None:
    began = time.monotonic()
    assert not reachable(silent, within_s=0.3)
    assert time.monotonic() - began < 2


def test_nobody_waits_for_a_name_server_that_never_answers() -> None:
    release = threading.Event()

    def open_url(*_: object, **__: object) -> None:
        release.wait(20)  # as `getaddrinfo` blocks, which no time-out reaches

    began = time.monotonic()
    assert not reachable("http://weights.invalid/good", 0.3, open_url)
    assert time.monotonic() - began < 2
    release.set()


def test_nobody_waits_for_a_proxy_that_never_answers(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", silent.removesuffix("/good"))
    monkeypatch.setenv("no_proxy", "")
    began = time.monotonic()
    assert not reachable("http://weights.invalid/good", within_s=0.3)
    assert time.monotonic() - began < 2
