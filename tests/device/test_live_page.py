"""Who may look at the live page of `classify.py --mjpeg`."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_classifier.device.errors import InvalidValueError
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.verdict import Prediction

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "correct horse & battery"  # noqa: S105 - a test's


@pytest.fixture
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


@pytest.mark.parametrize("token", ["", "short", "with\nbreak"])
def test_a_token_that_can_be_guessed_or_sent_by_nobody_is_refused(token: str) -> None:
    with pytest.raises(InvalidValueError, match="8 characters"):
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
