"""Those who connect and say nothing, half of something, or more than is to be had."""

from __future__ import annotations

import select
import shutil
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from support.views import view
from support.visiting import Guest, get, page_on_free_port, wait_until

from edge_classifier.page.certificate import certificate_for


def test_many_who_hang_are_hung_up_on_and_who_was_there_before_goes_on_seeing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = page_on_free_port(ask_s=0.3)
    page.show(view())
    guest = Guest(page)
    with ExitStack() as stack:
        hanging = [
            stack.enter_context(socket.create_connection(("127.0.0.1", page.port)))
            for _ in range(200)
        ]
        for number, one in enumerate(hanging):
            one.settimeout(20)
            with suppress(ConnectionError):  # was hung up on already
                one.sendall([b"", b"GET / HTTP/1.1\r\n", b"\0\xff" * 9][number % 3])
        page.show(view(hint="still here"))
        guest.see(lambda words: words["view"]["hint"] == "still here")
        for one in hanging:
            with suppress(ConnectionError):
                while one.recv(4096):
                    pass
    wait_until(lambda: get(page, "/")[0] == 200)
    page.close()
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize(("ask_s", "gone"), [(60.0, 68), (0.3, 100)])
def test_those_who_never_begin_with_https_are_hung_up_on_at_once_if_many_and_in_time_if_few(
    tmp_path: Path, ask_s: float, gone: int
) -> None:
    page = page_on_free_port(certificate=certificate_for([], tmp_path), ask_s=ask_s)
    address = ("127.0.0.1", page.port)
    with ExitStack() as stack:
        hanging = [stack.enter_context(socket.create_connection(address)) for _ in range(100)]
        wait_until(lambda: len(select.select(hanging, [], [], 0)[0]) >= gone)
    page.close()
