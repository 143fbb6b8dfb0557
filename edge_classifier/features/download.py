"""Fetch a file over HTTP, with deadlines that hold whatever the network does.

A name server or a proxy that never answers blocks a socket call for longer than any time-out
that can be set on it, and cannot be interrupted. So the transfer runs in a thread that nobody
has to wait for, and whoever asked for the file waits for what it sends, no longer than told.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from edge_classifier.errors import CancelledError, DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message
    from typing import BinaryIO

    from edge_classifier.protocols import Cancelled

ByteProgress: TypeAlias = "Callable[[int, int | None], None]"
"""Is told the bytes that have come, and how many there will be if the server says so."""

OpenUrl: TypeAlias = "Callable[..., Any]"
"""Opens a request within a time-out, as `urllib.request.urlopen` does."""

_Event: TypeAlias = "Message | bytes | Exception | None"
"""What the thread sends: the headers, then pieces, then `None`; or what went wrong."""

MAX_BYTES: Final = 256 * 1024 * 1024
"""More than any weights file has; what is larger is not fetched to the end."""

_PIECE: Final = 1 << 16
_POLL_S: Final = 0.1
_LONGEST_NUMBER: Final = 19


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came: its size in bytes and its hashes, hexadecimal.

    `server_md5` is what the storage server announced in its `x-goog-hash` header, if it did.
    """

    size: int
    sha256: str
    md5: str
    server_md5: str | None


def download(
    url: str,
    file: BinaryIO,
    *,
    progress: ByteProgress,
    cancelled: Cancelled,
    stall_s: float = 10.0,
    max_bytes: int = MAX_BYTES,
) -> Receipt:
    """Write what an address gives to a file; what that holds is incomplete unless this returns.

    `progress` is called after every piece, `cancelled` ten times a second. It is given up when
    nothing has come for `stall_s` seconds, or when it is larger than `max_bytes`.

    Raises:
        DownloadError: if the server cannot be reached, says no, stops before the end, leads
            from https to an unencrypted address, or sends too much.
        CancelledError: if asked to stop.
        OSError: if the file cannot be written.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    total: int | None = None
    server_md5: str | None = None
    size = 0
    for event in _events(url, cancelled, stall_s):
        if isinstance(event, bytes):
            file.write(event)
            sha256.update(event)
            md5.update(event)
            size += len(event)
            progress(size, total)
        else:
            total = _announced_size(event)
            server_md5 = _announced_md5(event)
        if max(size, total or 0) > max_bytes:
            raise DownloadError(f"{url} is larger than {max_bytes:,} bytes.")
    if total is not None and size != total:
        raise DownloadError(f"{url} stopped after {size} of {total} bytes; try again.")
    return Receipt(size, sha256.hexdigest(), md5.hexdigest(), server_md5)


def reachable(url: str, within_s: float = 3.0, open_url: OpenUrl | None = None) -> bool:
    """Say whether an address answers within some seconds; resolving its name counts.

    `open_url` may block for as long as it likes.
    """
    events, stop = _start(url, "HEAD", within_s, open_url)
    try:
        return not isinstance(events.get(timeout=within_s), Exception)
    except Empty:
        return False
    finally:
        stop.set()


def _events(url: str, cancelled: Cancelled, stall_s: float) -> Iterator[Message | bytes]:
    """Give the headers and then the pieces, until the end."""
    events, stop = _start(url, "GET", stall_s)
    last_s = time.monotonic()
    try:
        while True:
            if cancelled():
                raise CancelledError("The download was cancelled; nothing was kept.")
            try:
                event = events.get(timeout=min(_POLL_S, stall_s))
            except Empty:
                if time.monotonic() - last_s >= stall_s:
                    raise DownloadError(f"{url} sent nothing for {stall_s:g} s.") from None
                continue
            if event is None:
                return
            if isinstance(event, Exception):
                raise DownloadError(f"{url} could not be read: {event}.") from event
            last_s = time.monotonic()
            yield event
    finally:
        stop.set()


def _start(
    url: str, method: str, timeout_s: float, open_url: OpenUrl | None = None
) -> tuple[SimpleQueue[_Event], threading.Event]:
    """Start a transfer; its thread ends by itself soon after the event is set."""
    from edge_classifier.features import https  # noqa: PLC0415 - 12 ms, for who downloads

    events: SimpleQueue[_Event] = SimpleQueue()
    stop = threading.Event()

    def transfer() -> None:
        try:
            with (open_url or https.open_url)(
                https.request(url, method), timeout=timeout_s
            ) as response:
                events.put(response.headers)
                while not stop.is_set() and (piece := response.read(_PIECE)):
                    events.put(piece)
            events.put(None)
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits
            problem = DownloadError(https.reason(error))
            problem.__cause__ = error
            events.put(problem)

    threading.Thread(target=transfer, name="download", daemon=True).start()
    return events, stop


def _announced_size(headers: Message) -> int | None:
    length = headers.get("Content-Length", "")
    usual = length.isascii() and length.isdigit() and len(length) < _LONGEST_NUMBER
    return int(length) if usual else None


def _announced_md5(headers: Message) -> str | None:
    """Read the MD5 out of Google Cloud Storage's `x-goog-hash: crc32c=…, md5=…` headers."""
    for header in headers.get_all("x-goog-hash", []):
        for item in str(header).split(","):
            algorithm, _, value = item.strip().partition("=")
            if algorithm == "md5":
                try:
                    return base64.b64decode(value, validate=True).hex()
                except ValueError:
                    return None
    return None
