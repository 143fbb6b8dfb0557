"""Who looks on, who of them teaches, and what that one presses; all in the page's own thread."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from starlette.websockets import WebSocketDisconnect, WebSocketState

from edge_classifier.device.console import say
from edge_classifier.live.display import (
    CHOOSE,
    CHOOSE_ROUND,
    CLOSE,
    LOOK,
    RECORD,
    RENAME,
    SELECT,
    Drag,
    Press,
    Release,
    Room,
)
from edge_classifier.live.view import Mode
from edge_classifier.page.encoding import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.websockets import WebSocket

    from edge_classifier.live.display import Event
    from edge_classifier.live.view import View
    from edge_classifier.page.camera import BrowserCamera

MOST_VISITORS: Final = 16
LARGEST_MESSAGE: Final = 2 << 20
"""A picture of a visitor's camera; words are far shorter."""

_AHEAD: Final = 2
"""Pictures that are on their way to a visitor, who says when one is shown: whoever is slow gets
fewer, and none that is old."""
_LONGEST_TEXT: Final = 200
_MOST_PICTURES: Final = 20
"""Of a gallery, beside and below each other."""
_MESSAGES_S: Final = 200.0
"""A visitor may send so many a second, for long; a third of it is what fingers and cameras need."""
_MOST_HEARD: Final = 5000
"""Events that wait for the loop."""
_PATIENCE_S: Final = 10.0
_GONE_S: Final = 3.0
"""Who is silent for so long about pictures that were sent sees none of what is being recorded: a
laptop that was closed says no goodbye."""
_MOST_DOWN: Final = 20
"""Keys and buttons at once."""
_MOST_TOLD: Final = 20
_VISITOR_ID: Final = re.compile(r"[0-9a-f]{32}")

POLICY, FULL, REPLACED = 1008, 1013, 4000
"""Why a connection is closed: nonsense was sent, there are too many, the same visitor is back."""


class Visitor:
    """One who looks on."""

    def __init__(self, visitor_id: str, socket: WebSocket) -> None:
        self.id = visitor_id
        self.socket = socket
        self.wake = asyncio.Event()
        self.on_the_way = 0
        self.words = ""
        self.pictures: set[str] = set()
        self.picture = b""
        self.down: set[str] = set()
        self._allowed = _MESSAGES_S
        self._counted_s = time.monotonic()

    def may_send(self) -> bool:
        """Count a message; says whether there were not too many."""
        now_s = time.monotonic()
        more = (now_s - self._counted_s) * _MESSAGES_S
        self._allowed, self._counted_s = min(_MESSAGES_S, self._allowed + more), now_s
        self._allowed -= 1
        return self._allowed >= 0

    @property
    def seems_gone(self) -> bool:
        """Whether nothing was heard for long, though what was sent waits for an answer."""
        return self.on_the_way >= _AHEAD and time.monotonic() - self._counted_s > _GONE_S

    async def close(self, code: int, reason: str = "") -> None:
        """Hang up, if that was not done already."""
        if self.socket.application_state is WebSocketState.CONNECTED:
            try:
                await self.socket.close(code, reason)
            except (RuntimeError, OSError):  # it has gone meanwhile
                return


class Visitors:
    """All who look on.

    Attributes:
        heard: What was pressed and let go by whoever teaches, the oldest first; the loop takes it
            from there.
        newest: The newest view.
        on_camera: Is told, from the page's thread, that the teacher's camera is on, and whether
            its picture is one to be mirrored.
        download: The name of the bundle that can be downloaded, or empty.
    """

    def __init__(self, version: str, camera: BrowserCamera | None) -> None:
        self.heard: deque[Event] = deque()
        self.newest: View | None = None
        self.download = ""
        self._version = version
        self._camera = camera
        self._visitors: dict[str, Visitor] = {}
        self._teacher: Visitor | None = None
        self._encoder = Encoder()
        self._told: set[str] = set()
        self.on_camera: Callable[[bool], None] = lambda _mirrored: None

    def teaches(self, visitor_id: str) -> bool:
        """Say whether it is this visitor who teaches."""
        return self._teacher is not None and self._teacher.id == visitor_id

    def changed(self) -> None:
        """Wake all, as there is something new to see."""
        if self._teacher and self._teacher.seems_gone:
            self.let_go()
        for visitor in self._visitors.values():
            visitor.wake.set()

    async def visit(self, socket: WebSocket) -> None:
        """Serve one visitor from the first word to the last."""
        await socket.accept()
        visitor = await self._greeted(socket)
        if visitor is None:
            return
        sending = asyncio.create_task(self._send(visitor))
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                if not visitor.may_send() or not self._hear(visitor, message):
                    await visitor.close(POLICY, "what was sent is not understood here")
                    return
        except (WebSocketDisconnect, RuntimeError):  # gone between two words
            return
        finally:
            sending.cancel()
            self._leave(visitor)

    async def _greeted(self, socket: WebSocket) -> Visitor | None:
        """Wait for the first word, and take a visitor in."""
        try:
            first = await asyncio.wait_for(socket.receive(), _PATIENCE_S)
        except asyncio.TimeoutError:
            first = {"type": "websocket.receive"}
        hello = _object(first)
        visitor_id = hello.get("visitor")
        if first["type"] == "websocket.disconnect":
            return None
        visitor = Visitor(visitor_id if isinstance(visitor_id, str) else "", socket)
        if hello.get("type") != "hello" or not _VISITOR_ID.fullmatch(visitor.id):
            await visitor.close(POLICY, "what was sent is not understood here")
            return None
        if hello.get("version") != self._version:
            self._tell("a page of another version was told to load again")
            await socket.send_text(json.dumps({"type": "outdated"}))
            await visitor.close(POLICY, "a page of another version")
            return None
        before = self._visitors.pop(visitor.id, None)
        if before is None and len(self._visitors) >= MOST_VISITORS:
            self._tell(f"more than {MOST_VISITORS} look on; no more can")
            await socket.send_text(json.dumps({"type": "full"}))
            await visitor.close(FULL, "too many are looking on")
            return None
        self._visitors[visitor.id] = visitor
        if before is not None:
            if self._teacher is before:
                self._set_teacher(visitor)
            await before.close(REPLACED, "this page is open a second time")
        if self._teacher is None:
            self._set_teacher(visitor)
        self.changed()
        return visitor

    async def end(self) -> None:
        """Tell all that the session has ended, as far as they listen."""
        for visitor in list(self._visitors.values()):
            with suppress(WebSocketDisconnect, RuntimeError, OSError):
                await visitor.socket.send_text(json.dumps({"type": "quit"}))

    def let_go(self) -> None:
        """Let go all that is held."""
        if self._teacher:
            for name in sorted(self._teacher.down):
                self.heard.append(Release(name))
            self._teacher.down.clear()

    def _set_teacher(self, visitor: Visitor | None) -> None:
        if self._camera and self._teacher is not None:
            self._camera.leave()
        self.let_go()
        self._teacher = visitor
        self.changed()

    def _leave(self, visitor: Visitor) -> None:
        if self._visitors.get(visitor.id) is visitor:
            del self._visitors[visitor.id]
        if self._teacher is visitor:
            self._set_teacher(None)
        self.changed()

    def _tell(self, line: str) -> None:
        """Say something in the terminal, once: anybody could fill it."""
        if line not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(line)
            say(f"Page: {line}.")

    async def _send(self, visitor: Visitor) -> None:
        """Send what is new whenever the visitor is ready for it."""
        try:
            while True:
                await visitor.wake.wait()
                visitor.wake.clear()
                if visitor.on_the_way < _AHEAD and (news := self._news(visitor)):
                    visitor.on_the_way += 1
                    words, picture = news
                    await visitor.socket.send_text(words)
                    if picture:
                        await visitor.socket.send_bytes(picture)
        except (WebSocketDisconnect, RuntimeError, OSError):  # who listens will notice, too
            return

    def _news(self, visitor: Visitor) -> tuple[str, bytes] | None:
        """Return what a visitor does not know yet: words, and the live picture if it is new."""
        view = self.newest
        if view is None:
            return None
        words = self._encoder.words(view)
        picture = self._encoder.picture(view)
        new_picture = picture if picture is not visitor.picture else b""
        you = {
            "teaching": self._teacher is visitor,
            "taught": self._teacher is not None,
            "visitors": len(self._visitors),
            "download": self.download,
            "camera": self._camera is not None and self._teacher is visitor,
        }
        about = words + json.dumps(you)
        if about == visitor.words and not new_picture:
            return None
        shown = self._encoder.pictures
        new = {name: url for name, url in shown.items() if name not in visitor.pictures}
        visitor.words, visitor.picture, visitor.pictures = about, picture, set(shown)
        head = {"type": "view", "you": you, "pictures": new, "picture": bool(new_picture)}
        return f'{json.dumps(head)[:-1]}, "view": {words}}}', new_picture

    def _hear(self, visitor: Visitor, message: Any) -> bool:  # noqa: ANN401 - as ASGI has it
        """Take what a visitor has sent; says whether it was understood."""
        if message.get("bytes") is not None:
            if self._camera and self._teacher is visitor:
                self._camera.offer(message["bytes"])
            return True
        said = _object(message)
        kind, teaches = said.get("type"), self._teacher is visitor
        if kind == "shown":
            visitor.on_the_way = max(0, visitor.on_the_way - 1)
            visitor.wake.set()
        elif kind == "teach":
            self._take_over(visitor)
        elif kind == "camera":
            if self._camera and teaches:
                self._hear_of_camera(self._camera, said)
        elif kind in _PRESSED:
            events = _PRESSED[kind](visitor.down if teaches else set(), said, self.newest)
            if events is None or len(self.heard) > _MOST_HEARD:
                return False
            if teaches:
                self.heard.extend(events)
        else:
            return False
        return True

    def _take_over(self, visitor: Visitor) -> None:
        if self._teacher is not visitor:
            if self._teacher is not None:
                say("Page: another visitor teaches now.")
            self._set_teacher(visitor)

    def _hear_of_camera(self, camera: BrowserCamera, said: dict[str, Any]) -> None:
        problem = _text(said.get("problem"))
        if said.get("on") is True:
            self.on_camera(said.get("mirrored") is True)
        else:
            camera.leave()
        if problem and problem.isprintable():
            self._tell(problem.rstrip("."))


def _object(message: Any) -> dict[str, Any]:  # noqa: ANN401 - as ASGI has it
    """Read what was sent; empty where it is no JSON object."""
    text = message.get("text")
    if not text or len(text) > LARGEST_MESSAGE // 100:
        return {}
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _press(down: set[str], said: dict[str, Any], view: View | None) -> list[Event] | None:
    name, text = _text(said.get("name")), _text(said.get("text", ""))
    repeated = said.get("repeated") is True
    if not name or text is None or name == CLOSE:  # nobody closes the display itself
        return None
    if repeated != (name in down) or len(down) >= _MOST_DOWN or not _is_there(name, view):
        return []
    down.add(name)
    return [Press(name, text, repeated=repeated)]


def _release(down: set[str], said: dict[str, Any], _view: View | None) -> list[Event] | None:
    name = _text(said.get("name"))
    if name not in down:
        return [] if name else None
    down.remove(name)
    return [Release(name)]


def _answer(_down: set[str], said: dict[str, Any], view: View | None) -> list[Event] | None:
    """Replace what the open question has by a text that was edited in the page."""
    text = _text(said.get("text"))
    if text is None:
        return None
    if view is None or view.mode is not Mode.TYPING or view.prompt is None:
        return []
    names = ["end"] + ["backspace"] * len(view.prompt.text or "")
    presses = [*(Press(name) for name in names), Press("", text), Press("enter")]
    return [event for press in presses for event in (press, Release(press.name))]


def _room(_down: set[str], said: dict[str, Any], _view: View | None) -> list[Event] | None:
    """Take how many pictures of a gallery the page has room for."""
    columns, rows = said.get("columns"), said.get("rows")
    if not isinstance(columns, int) or not isinstance(rows, int):
        return None
    most = _MOST_PICTURES
    return [Room(min(max(columns, 1), most), min(max(rows, 1), most))]


def _drag(_down: set[str], said: dict[str, Any], view: View | None) -> list[Event] | None:
    """Take over what of the picture somebody has dragged."""
    begin, end = said.get("from"), said.get("to")
    if not isinstance(begin, list) or not isinstance(end, list) or not len(begin) == len(end) == 2:  # noqa: PLR2004 - across and down
        return None
    numbers = [*begin, *end]
    if not all(type(n) in (int, float) and 0 <= n <= 1 for n in numbers):
        return None
    return [Drag(*numbers)] if view is not None and view.mode is Mode.FRAMING else []


_PRESSED: Final[
    dict[str, Callable[[set[str], dict[str, Any], View | None], list[Event] | None]]
] = {"press": _press, "release": _release, "answer": _answer, "room": _room, "drag": _drag}


def _text(value: object) -> str | None:
    """Return a text of a length that is expected, and that can be written anywhere."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        return None
    return value.encode("utf-8", "replace").decode()


def _is_there(name: str, view: View | None) -> bool:
    """Say whether a part of what is shown, if it is one, is shown indeed; keys always are."""
    verb, colon, of = name.partition(":")
    if not colon or not verb:
        return True
    if view is not None and verb in (CHOOSE, CHOOSE_ROUND):
        rows = view.gallery.rows if view.gallery else ()
        return any(of == picture.id for row in rows for picture in row.pictures)
    cards = view.cards if view else ()
    return verb in (RECORD, RENAME, LOOK, SELECT) and any(card.name == of for card in cards)
