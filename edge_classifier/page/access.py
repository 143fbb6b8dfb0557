"""Who may see the page and teach from it, and what no page of another site may do with it."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from typing import TYPE_CHECKING, Final

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.websockets import WebSocketClose

from edge_classifier.device.outputs.addresses import is_this_machine

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS: Final = {
    "Cache-Control": "no-store",
    # One request a connection: whoever keeps one open without asking is hung up on.
    "Connection": "close",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_MOVED: Final = (
    "<!doctype html><meta charset=utf-8><title>Edge Classifier</title>"
    '<link rel=icon href="/icon.svg"><meta http-equiv=refresh content="0;url=/">'
    '<a href="/">Edge Classifier</a>'
)
"""Takes the token out of the address. Not a redirection: a strict cookie is not sent with one that
began at another site, such as a chat that the address was sent in."""
_METHODS: Final = ("GET", "HEAD", "POST")


class Access:
    """Decides who is answered; wraps the application.

    Without a token only this machine is, under a name of its own: a page from elsewhere cannot
    have a browser here reach us by giving its name this machine's address. With one, whoever
    has opened the address with the token, under an address or this machine's name.

    Args:
        host: Where the page is served.
        token: What visitors have to know, or `None`.
        secure: Whether it is served by https.
        port: Which may change with the socket; part of the cookie's name, as cookies know no ports.
    """

    def __init__(
        self, app: ASGIApp, *, host: str, token: str | None, secure: bool, port: int
    ) -> None:
        self._app = app
        self._token = token
        self._secure = secure
        self._cookie = f"edge-classifier-{port}"
        own = socket.gethostname().lower()
        self._names = {host.lower(), own, f"{own}.local"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say in one line why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        refusal = self._refusal(asked)
        given = asked.query_params.get("token")
        if scope["type"] == "websocket":
            if refusal or not self._knows_token(asked):
                await WebSocketClose(1008)(scope, receive, send)
            else:
                await self._app(scope, receive, send)
            return
        answer: ASGIApp = self._app
        if refusal:
            answer = PlainTextResponse(refusal, 403)
        elif self._token and given is not None and asked.url.path == "/":
            answer = self._taken(given)
        elif not self._knows_token(asked):
            answer = PlainTextResponse(
                "This page needs its token: open the address that the terminal shows.", 403
            )
        await answer(scope, receive, _with_headers(send))

    def _taken(self, given: str) -> Response:
        if not self._is_token(given):
            return PlainTextResponse(
                "This token is of another time: open the address that the terminal shows now.", 403
            )
        moved = HTMLResponse(_MOVED)
        moved.set_cookie(self._cookie, given, httponly=True, samesite="strict", secure=self._secure)
        return moved

    def _knows_token(self, asked: HTTPConnection) -> bool:
        return self._token is None or self._is_token(asked.cookies.get(self._cookie, ""))

    def _is_token(self, given: str) -> bool:
        # A comparison that took as long as the part that is right would tell that part.
        token = (self._token or "").encode()
        return hmac.compare_digest(given.encode("utf-8", "replace"), token)

    def _refusal(self, asked: HTTPConnection) -> str:
        """Say why nobody is answered who asks like that, or nothing."""
        host = asked.headers.get("host", "")
        if not self._is_our_name(_name_of(host)):
            return "This page is not known by that name: open the address that the terminal shows."
        method = asked.scope.get("method", "GET")
        if method not in _METHODS:
            return f"{method} is not understood here."
        if asked.scope["type"] == "websocket" or method == "POST":
            scheme = "https" if self._secure else "http"
            if asked.headers.get("origin", "").lower() != f"{scheme}://{host.lower()}":
                return "Another site cannot use this page."
        return ""

    def _is_our_name(self, name: str) -> bool:
        if self._token is None:
            return is_this_machine(name)
        if is_this_machine(name) or name.lower() in self._names:
            return True
        try:  # what is no name, nobody can give to another machine
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


def new_token() -> str:
    """Make what visitors from elsewhere have to know."""
    return secrets.token_urlsafe(16)


def _name_of(host: str) -> str:
    """Take the port off a `Host` header."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            more = [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return with_headers
