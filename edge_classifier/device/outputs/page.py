"""A page with the live picture."""

from __future__ import annotations

import contextlib
import hmac
import select
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote

import cv2

from ..console import say, shortened
from ..errors import InvalidOptionError, InvalidValueError
from ..framing import WHOLE
from ..looking import answers_of
from .addresses import cannot_be_used, host_and_port, is_this_machine
from .base import Output
from .json_lines import as_record
from .page_server import PageHandler, PageServer, RefusedError, Route
from .window import annotated, annotated_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..frame import Frame
    from ..framing import Region
    from ..looking import Look
    from ..verdict import Prediction

    _Answers = tuple[tuple[Region, Prediction], ...]

_SHORTEST_TOKEN: Final = 8
_LONGEST_TOKEN: Final = 500
_MOST_VIEWERS: Final = 8
_LOOK_S: Final = 1.0
"""So often it is looked whether a viewer is still there, while no frame comes."""


class LivePage(Output):
    """A small page with the live picture: MJPEG at `/stream`, the newest prediction at `/answer`.

    What others on the network can reach needs a token: `/?token=…`, or `Authorization: Bearer …`.
    Without a token only this machine is answered, under a name of its own: a page from elsewhere
    cannot make a browser here read the picture by giving its name this machine's address. With or
    without one, no page from elsewhere can show the picture as its own.

    `address` is `HOST:PORT`, where `127.0.0.1` can be seen on this machine only; `token`, if any,
    is what everybody who looks on has to know. `option` asks for it, and `routes` are answered
    beside the page's own, or in their place, to whoever may look.

    Raises:
        InvalidOptionError: if the address or the token can be none, or a token is asked for.
        InvalidValueError: if the address cannot be used now.
    """

    _PAGE = (
        "<!doctype html><meta charset=utf-8><title>classify</title>"
        "<body style='margin:0;background:#111'><img src='/stream{query}' alt='live picture'"
        " style='width:100%;height:100vh;object-fit:contain'>"
    )

    def __init__(
        self,
        address: str,
        token: str | None = None,
        *,
        option: str = "--mjpeg",
        routes: Mapping[str, Route] | None = None,
    ) -> None:
        host, port = host_and_port(option, address)
        if token is None and not is_this_machine(host):
            raise InvalidOptionError(
                f"{option} {shortened(address)} can be seen by others on the network: add --token "
                "WORD, which they have to know, or use 127.0.0.1."
            )
        if token is not None and (
            not _SHORTEST_TOKEN <= len(token) <= _LONGEST_TOKEN or not token.isprintable()
        ):
            raise InvalidOptionError(
                f"--token: expected {_SHORTEST_TOKEN} to {_LONGEST_TOKEN} characters; "
                "`python -c 'import secrets; print(secrets.token_urlsafe())'` makes one."
            )
        self._token = token
        self._routes = {
            "/": Route("GET", self._show_page),
            "/answer": Route("GET", self._show_answer),
            "/stream": Route("GET", self._show_stream),
            **(routes or {}),
        }
        self._viewers = threading.BoundedSemaphore(_MOST_VIEWERS)
        try:
            self._server = PageServer((host, port), self.serve)
        except (OSError, TypeError, ValueError) as error:  # the last two of a name that is none
            raise InvalidValueError(cannot_be_used(option, address, error)) from error
        self._changed = threading.Condition()
        self._newest: tuple[Frame, _Answers | str] | None = None
        self._closed = False
        threading.Thread(target=self._server.serve_forever, name="page", daemon=True).start()
        self.url = f"http://{host}:{self._server.server_port}/"
        say(f"{'Live page' if routes is None else 'Service'}: {self.url}")

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Make a frame the newest; it is encoded only if somebody looks on."""
        return self._take(frame, ((WHOLE, prediction),))

    def show_all(self, frame: Frame, looks: Sequence[Look]) -> bool:
        """Make a frame the newest, with what is said of each part of it."""
        return self._take(frame, answers_of(looks))

    def _take(self, frame: Frame, answers: _Answers) -> bool:
        with self._changed:
            self._newest = (frame, answers)
            self._changed.notify_all()
        return True

    def wait(self, trouble: str) -> bool:
        """Take the prediction away while something is wrong, and say what."""
        newest = self._newest
        if newest is not None and trouble and newest[1] != trouble:
            with self._changed:
                self._newest = (newest[0], trouble)
                self._changed.notify_all()
        return True

    def close(self) -> None:
        """Stop serving."""
        if not self._closed:
            with self._changed:
                self._closed = True
                self._changed.notify_all()
            self._server.shutdown()
            self._server.server_close()

    def serve(self, request: PageHandler) -> None:
        """Answer one request.

        Raises:
            RefusedError: if it cannot be answered.
        """
        path = request.path.partition("?")[0]
        if not _is_from_here(request, path):
            raise RefusedError(403, "Another site cannot show this page")
        if not self._may_look(request):
            raise RefusedError(403, "This page needs its token, as in /?token=WORD")
        route = self._routes.get(path)
        if route is None:
            raise RefusedError(404, f"There is no such thing; there is {', '.join(self._routes)}.")
        if ("GET" if request.command == "HEAD" else request.command) != route.method:
            raise RefusedError(405, f"{path} takes {route.method}.", {"Allow": route.method})
        route.answer(request)

    def _show_page(self, request: PageHandler) -> None:
        query = f"?token={quote(self._token, safe='')}" if self._token else ""
        request.respond("text/html", self._PAGE.format(query=query).encode())

    def _show_answer(self, request: PageHandler) -> None:
        newest = self._newest
        if newest is None or isinstance(newest[1], str):
            request.respond_json(None)
        else:
            records = [
                as_record(replace(newest[0], region=region.name), answer)
                for region, answer in newest[1]
            ]
            request.respond_json(records[0] if len(records) == 1 else records)

    def _show_stream(self, request: PageHandler) -> None:
        if not self._viewers.acquire(blocking=False):
            raise RefusedError(503, "Too many are looking on")
        try:
            self._stream(request)
        finally:
            self._viewers.release()

    def _may_look(self, request: PageHandler) -> bool:
        """Say whether a request knows the token, or comes from this machine."""
        if self._token is None:
            host = request.headers.get("Host", "")
            return is_this_machine(host.rpartition(":")[0] or host)
        try:
            query = parse_qs(request.path.partition("?")[2], max_num_fields=10)
        except ValueError:
            return False
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = query.get("token", [bearer])[0]
        # A comparison that took as long as the part that is right would tell that part.
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

    def _stream(self, request: PageHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        if request.command == "HEAD":
            return
        shown: tuple[Frame, _Answers | str] | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._newest is not shown, _LOOK_S)  # noqa: B023 - waited for here
                newest = self._newest
            if self._closed or newest is None or _has_gone(request):
                return
            if newest is shown:
                continue
            shown = newest
            image, said = shown[0].image, shown[1]
            drawn = (
                annotated(image, said) if isinstance(said, str) else annotated_parts(image, said)
            )
            data = cv2.imencode(".jpg", drawn)[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            request.wfile.write(head.encode() + data + b"\r\n")


def _is_from_here(request: PageHandler, path: str) -> bool:
    """Say whether a browser asks for this page itself, and not for a page of another site.

    Browsers say it of this machine and of https; for others there is the header that forbids them
    to show what they get (`page_server`). A link from elsewhere to the page itself is in order.
    """
    site, destination = (request.headers.get(f"Sec-Fetch-{n}") for n in ("Site", "Dest"))
    return site in (None, "same-origin", "none") or (path == "/" and destination == "document")


def _has_gone(request: PageHandler) -> bool:
    """Say whether a viewer has hung up; one says nothing more after what was asked."""
    connection: Any = request.connection
    with contextlib.suppress(OSError, ValueError):
        return bool(select.select([connection], [], [], 0)[0]) and not connection.recv(4096)
    return True
