"""Who is answered, who is not, and what no answer allows."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from support.visiting import Guest, get
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from edge_classifier.errors import InvalidOptionError
from edge_classifier.page.display import Page


@pytest.fixture
def page_for_all() -> Iterator[Page]:
    """Served to the whole network, with a token."""
    served = Page("0.0.0.0:0")
    yield served
    served.close()


def token_of(page: Page) -> str:
    return urlsplit(page.url).query.removeprefix("token=")


def cookie_of(page: Page) -> str:
    _, headers, _ = get(page, f"/?token={token_of(page)}")
    return headers["set-cookie"].partition(";")[0]


def refused(page: Page, **headers: str) -> bool:
    """Say whether a websocket is refused."""
    origin = headers.pop("Origin", "")
    try:
        with connect(
            f"ws://127.0.0.1:{page.port}/session",
            origin=Origin(origin) if origin else None,
            additional_headers=headers,
        ):
            return False
    except InvalidStatus as error:
        return error.response.status_code == 403


def test_at_this_machine_the_page_opens_without_a_token(page: Page) -> None:
    assert "token" not in page.url
    status, headers, body = get(page, "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"Edge Classifier" in body
    assert get(page, "/page.js")[1]["content-type"].startswith("text/javascript")


def test_beyond_this_machine_the_page_needs_its_token(page_for_all: Page) -> None:
    assert len(token_of(page_for_all)) >= 20
    for path in ("/", "/page.js", "/bundle.zip", "/?token=", "/?token=guess", "/none"):
        status, _, body = get(page_for_all, path)
        assert status == 403
        assert b"open the address that the terminal shows" in body
    assert refused(page_for_all, Origin=f"http://127.0.0.1:{page_for_all.port}")


def test_the_token_moves_from_the_address_into_a_cookie_that_scripts_and_sites_cannot_use(
    page_for_all: Page,
) -> None:
    status, headers, body = get(page_for_all, f"/?token={token_of(page_for_all)}")
    assert status == 200
    assert token_of(page_for_all).encode() not in body
    assert 'content="0;url=/"' in body.decode()
    kept = headers["set-cookie"].lower()
    assert "httponly" in kept
    assert "samesite=strict" in kept
    cookie = cookie_of(page_for_all)
    assert get(page_for_all, "/", Cookie=cookie)[0] == 200
    origin = f"http://127.0.0.1:{page_for_all.port}"
    assert not refused(page_for_all, Origin=origin, Cookie=cookie)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_a_name_that_another_site_gave_to_this_machine_is_not_answered(
    page: Page, page_for_all: Page, host: str
) -> None:
    cookie = cookie_of(page_for_all)
    assert get(page, "/", Host=host)[0] == 403
    assert get(page_for_all, "/", Host=host, Cookie=cookie)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "[::1]:1", "127.0.0.1"])
def test_this_machine_answers_to_its_own_names(page: Page, host: str) -> None:
    assert get(page, "/", Host=host)[0] == 200


def test_a_machine_in_the_network_answers_to_its_name_and_addresses(page_for_all: Page) -> None:
    cookie = cookie_of(page_for_all)
    for host in (socket.gethostname(), f"{socket.gethostname()}.local:8080", "192.168.1.7"):
        assert get(page_for_all, "/", Host=host, Cookie=cookie)[0] == 200


@pytest.mark.parametrize("origin", ["", "null", "http://evil.example", "https://127.0.0.1:{port}"])
def test_another_site_gets_no_websocket_and_adds_no_files(page: Page, origin: str) -> None:
    origin = origin.format(port=page.port)
    assert refused(page, Origin=origin)
    assert get(page, "/dropped", method="POST", body=b"x", Origin=origin)[0] == 403


def test_every_answer_forbids_what_the_page_does_not_need(page: Page) -> None:
    for path in ("/", "/style.css", "/nothing", "/bundle.zip"):
        headers = get(page, path)[1]
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/../pyproject.toml", "/%2e%2e/secret", "/files/page.js", "/page.js/", "//page.js", "/."],
)
def test_nothing_but_the_pages_own_files_is_served(page: Page, path: str) -> None:
    status, _, body = get(page, path)
    assert status in (307, 404)
    assert len(body) < 100


def test_other_methods_are_refused(page: Page) -> None:
    assert get(page, "/", method="DELETE")[0] == 403


def test_who_does_not_teach_adds_nothing(page: Page) -> None:
    origin = f"http://127.0.0.1:{page.port}"
    Guest(page)
    status, _, body = get(page, "/dropped?visitor=x", method="POST", body=b"x", Origin=origin)
    assert (status, body) == (403, b"Only who teaches can add pictures.")


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("mugs", "--browser mugs: expected HOST:PORT, like 127.0.0.1:8080."),
        ("127.0.0.1:99999", "expected HOST:PORT"),
        ("no.such.name.invalid:8080", "name an address of this machine"),
        ("192.0.2.1:8080", "name an address of this machine"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_in_one_line(address: str, line: str) -> None:
    with pytest.raises(InvalidOptionError, match=line) as told:
        Page(address)
    assert "\n" not in str(told.value)


def test_a_port_that_is_taken_is_told_with_what_to_do(page: Page) -> None:
    with pytest.raises(
        InvalidOptionError, match=rf"127.0.0.1:{page.port} cannot be used .*; choose"
    ):
        Page(f"127.0.0.1:{page.port}")
