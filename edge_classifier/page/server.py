"""Serves the page: its files, its websocket, what is dropped and downloaded; in its own thread."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import mimetypes
import socket
import threading
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge_classifier.device.console import say
from edge_classifier.device.outputs.addresses import cannot_be_used
from edge_classifier.errors import InvalidOptionError, InvalidValueError
from edge_classifier.page.access import Access
from edge_classifier.page.visitors import LARGEST_MESSAGE, Visitors

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from edge_classifier.page.additions import Additions
    from edge_classifier.page.camera import BrowserCamera

_MOST_CONNECTIONS: Final = 64
_MOST_BY_ONE: Final = 32
"""Of them by one address, so that nobody alone keeps the others out."""
_LARGEST_HEAD: Final = 1 << 14
_PING_S: Final = 10.0
_END_S: Final = 0.5
_JOIN_S: Final = 5.0


class PageServer:
    """Serves until `close`; what happens is told by `visitors`.

    Attributes:
        visitors: Who looks on; its attributes `heard` and `newest` may be used by any thread.
        additions: What adds what is dropped, once there is a project.
        port: Where it listens.
        bundle: The archive that can be downloaded, or `None`.
    """

    def __init__(
        self,
        listening: socket.socket,
        *,
        host: str,
        token: str | None,
        certificate: tuple[Path, Path] | None,
        camera: BrowserCamera | None,
        ask_s: float,
        language: str,
    ) -> None:
        self.port: int = listening.getsockname()[1]
        self.additions: Additions | None = None
        self.bundle: Path | None = None
        self._files = _read_files()
        version = hashlib.sha256(b"".join(body for body, _ in self._files.values())).hexdigest()
        self.version = version[:12]
        page, kind = self._files["index.html"]
        page = page.replace(b"VERSION", self.version.encode())
        self._files["index.html"] = page.replace(b"LANGUAGE", language.encode()), kind
        self.visitors = Visitors(self.version, camera)
        self._has_camera = camera is not None
        self._receiving = False
        self._told: set[str] = set()
        self._loop = _Loop(ask_s)
        self._loop.set_exception_handler(lambda _loop, what: self._tell(what.get("exception")))
        app = Starlette(
            routes=[
                WebSocketRoute("/session", self._session),
                Route("/dropped", self._drop, methods=["POST"]),
                Route("/bundle.zip", self._download, methods=["GET"]),
                Route("/", self._file, methods=["GET"]),
                Route("/{name}", self._file, methods=["GET"]),
            ]
        )
        guarded = Access(
            app, host=host, token=token, secure=certificate is not None, port=self.port
        )
        _quiet(self)
        self._server = uvicorn.Server(
            uvicorn.Config(
                guarded,
                loop="none",
                http=type("Connection", (_Connection,), {"ask_s": ask_s}),
                ws="websockets-sansio",
                ws_max_size=LARGEST_MESSAGE,
                ws_ping_interval=_PING_S,
                ws_ping_timeout=_PING_S,
                ws_per_message_deflate=False,
                h11_max_incomplete_event_size=_LARGEST_HEAD,
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
                ssl_certfile=certificate and str(certificate[0]),
                ssl_keyfile=certificate and str(certificate[1]),
            )
        )
        self._listening = listening
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Say that there is something new to see; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self.visitors.changed)
        except RuntimeError:  # it has ended
            return

    def close(self) -> None:
        """Stop serving; may be called twice."""
        if self.alive:
            with suppress(FutureTimeoutError):  # who hangs hears nothing of it
                asyncio.run_coroutine_threadsafe(self.visitors.end(), self._loop).result(_END_S)
        self._server.should_exit = True
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._server.serve(sockets=[self._listening]))
        except Exception as error:  # noqa: BLE001 - whatever ends it is told, and the session goes on
            self._tell(error)
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._listening.close()

    def _tell(self, error: BaseException | None) -> None:
        """Say once that something has failed that should not have."""
        kind = type(error).__name__
        if error is not None and kind not in self._told and not isinstance(error, OSError):
            self._told.add(kind)
            say(f"Page: {kind}: {str(error)[:200]}")

    async def _session(self, websocket: WebSocket) -> None:
        await self.visitors.visit(websocket)

    async def _file(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in self._files:
            return PlainTextResponse("There is no such page here.", 404)
        body, kind = self._files[name]
        return Response(body, media_type=kind)

    async def _download(self, _: Request) -> Response:
        bundle = self.bundle
        if bundle is None:
            return PlainTextResponse("Nothing was exported yet.", 404)
        return FileResponse(bundle, media_type="application/zip", filename=bundle.name)

    async def _drop(self, request: Request) -> Response:
        """Take what whoever teaches has dropped; how adding it goes on is shown in the picture."""
        asked, additions = request.query_params, self.additions
        if additions is None or not self.visitors.teaches(asked.get("visitor", "")):
            return PlainTextResponse("Only who teaches can add pictures.", 403)
        if self._receiving or additions.full:
            return PlainTextResponse("Not yet: what was dropped before is still being added.", 429)
        self._receiving = True
        try:
            drop = await additions.folder.receive(
                asked.get("name", "dropped"),
                request.stream(),
                class_name=asked.get("class") or None,
                many=asked.get("many") == "1",
            )
        except ClientDisconnect:
            return PlainTextResponse("", 400)
        except InvalidValueError as error:
            return PlainTextResponse(str(error), 400)
        except OSError as error:
            return PlainTextResponse(f"It cannot be kept here: {error.strerror}.", 507)
        finally:
            self._receiving = False
        additions.add(drop)
        return PlainTextResponse("", 202)


def listen(host: str, port: int, option: str) -> socket.socket:
    """Take an address, before anything else is begun.

    Raises:
        InvalidOptionError: if it is not known here, or taken.
    """
    try:
        name = host[1:-1] if host[:1] + host[-1:] == "[]" else host
        family, kind, number, _, place = socket.getaddrinfo(
            name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = _Listening(family, kind, number)
        try:
            if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen(_MOST_CONNECTIONS)
        except BaseException:
            listening.close()
            raise
    except (OSError, UnicodeError) as error:
        raise InvalidOptionError(cannot_be_used(option, f"{host}:{port}", error)) from error
    return listening


class _Listening(socket.socket):
    """Takes no more connections than can be served.

    Counted here, as those who never begin with https would not come to be a `_Connection`.
    """

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 - as a socket has it
        super().__init__(*args)
        self._taken: list[tuple[str, socket.socket]] = []

    def accept(self) -> tuple[socket.socket, Any]:
        taken, address = super().accept()
        self._taken = [(host, one) for host, one in self._taken if one.fileno() != -1]
        by_one = sum(host == address[0] for host, _ in self._taken)
        if len(self._taken) >= _MOST_CONNECTIONS or by_one >= _MOST_BY_ONE:
            taken.close()
            raise ConnectionAbortedError
        self._taken.append((address[0], taken))
        return taken, address


class _Loop(asyncio.SelectorEventLoop):
    """One that asks our socket for connections, on each system, and waits for nobody's https."""

    def __init__(self, ask_s: float) -> None:
        super().__init__()
        self._ask_s = ask_s

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:  # noqa: ANN401 - as the loop has it
        if options.get("ssl"):
            options["ssl_handshake_timeout"] = self._ask_s
        return await super().create_server(*args, **options)


class _Connection(H11Protocol):
    """A connection that is hung up on where nothing is asked in time."""

    ask_s: float

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.loop.call_later(self.ask_s, self._hang_up_if_silent)

    def _hang_up_if_silent(self) -> None:
        if self in self.connections and self.cycle is None:
            self.transport.abort()


class _OneLine(logging.Handler):
    """Says what went wrong in uvicorn in one line, once."""

    def __init__(self, server: PageServer) -> None:
        super().__init__(logging.ERROR)
        self._server = server

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._server._tell(error)  # noqa: SLF001 - a part of it


def _quiet(server: PageServer) -> None:
    """Keep the terminal for our own lines."""
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers = [_OneLine(server)]
        logger.propagate = False
        logger.setLevel(logging.ERROR)


def _read_files() -> dict[str, tuple[bytes, str]]:
    """Read the page's own files, all that is ever served of them."""
    kinds = {".js": "text/javascript", ".html": "text/html", ".css": "text/css"}
    return {
        entry.name: (
            entry.read_bytes(),
            kinds.get(f".{entry.name.rpartition('.')[2]}")
            or mimetypes.guess_type(entry.name)[0]
            or "application/octet-stream",
        )
        for entry in sorted(
            resources.files("edge_classifier.page").joinpath("files").iterdir(),
            key=lambda entry: entry.name,
        )
    }
