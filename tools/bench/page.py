"""What the page costs, and how late it is: one visitor on this machine, without a browser.

    python tools bench.page [--seconds 10]

Tells the time from the command to the first picture; the processor's share that one visitor takes
at 30 pictures a second of 640x480, beside that of the session alone; the time from a frame that is
sent by the browser's camera to its picture and label at the visitor; and the longest gap between
two pictures while 200 others hang and 10,000 requests make no sense.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import cv2
import numpy as np
from websockets.sync.client import connect
from websockets.typing import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

_FPS: Final = 30
_SIZE: Final = (480, 640)
_BITS: Final = 16
_BLOCK: Final = 32


def marked(number: int) -> npt.NDArray[np.uint8]:
    """Draw a picture that carries a number in blocks that JPEG leaves readable."""
    generator = np.random.default_rng(number % 7)
    coarse = generator.integers(40, 215, (12, 16, 3), dtype=np.uint8)
    picture = cv2.resize(coarse, _SIZE[::-1], interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    for bit in range(_BITS):
        value = 255 if number >> bit & 1 else 0
        picture[:_BLOCK, bit * _BLOCK : (bit + 1) * _BLOCK] = value
    return picture


def number_in(data: bytes) -> int:
    """Read the number of a picture."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        return -1
    centre = _BLOCK // 2
    return sum(
        1 << bit
        for bit in range(_BITS)
        if picture[centre, bit * _BLOCK + centre] > 127  # noqa: PLR2004 - grey
    )


class Visitor:
    """One who says that each picture was shown as soon as it has come."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self.url = urlsplit(url)
        page = self.get("/").partition(b'data-version="')[2].partition(b'"')[0].decode()
        self._socket = stack.enter_context(
            connect(
                f"ws://{self.url.netloc}/session",
                origin=Origin(url.rstrip("/")),
                compression=None,
            )
        )
        self.visitor = f"{random.getrandbits(128):032x}"
        self.say({"type": "hello", "visitor": self.visitor, "version": page})

    def get(self, path: str, method: str = "GET") -> bytes:
        """Ask for something."""
        connection = http.client.HTTPConnection(self.url.netloc, timeout=10)
        connection.request(method, path)
        return connection.getresponse().read()

    def say(self, message: dict[str, Any] | bytes) -> None:
        """Send something."""
        self._socket.send(message if isinstance(message, bytes) else json.dumps(message))

    def hold(self, name: str, seconds: float) -> None:
        """Hold a key."""
        self.say({"type": "press", "name": name})
        time.sleep(seconds)
        self.say({"type": "release", "name": name})

    def pictures(self, seconds: float) -> Iterator[tuple[float, bytes, dict[str, Any]]]:
        """Give pictures with the time of their arrival and the words that came before them."""
        until_s = time.monotonic() + seconds
        words: dict[str, Any] = {}
        while time.monotonic() < until_s:
            try:
                message = self._socket.recv(timeout=max(0.01, until_s - time.monotonic()))
            except TimeoutError:
                return
            if isinstance(message, str):
                words = json.loads(message)
                if words.get("picture"):
                    continue
            else:
                yield time.monotonic(), message, words
            self.say({"type": "shown"})


@contextmanager
def live(folder: Path, source: str) -> Iterator[tuple[subprocess.Popen[str], str, float]]:
    """Run the command; gives the process, the page's address and when the command was given."""
    command = [sys.executable, "-m", "edge_classifier", "live", str(folder / "project")]
    command += ["--browser", "127.0.0.1:0", "--backbone", "built-in", "--source", source]
    started_s = time.monotonic()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own interpreter
        assert process.stderr is not None  # noqa: S101 - as was asked for
        try:
            url = process.stderr.readline().split()[1]
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield process, url, started_s
        finally:
            process.terminate()


def cpu_s(process: subprocess.Popen[str]) -> float:
    """Return the seconds of processor time that a process has taken."""
    if sys.platform != "linux":
        raise SystemExit("What a process takes is read where Linux tells it.")
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return float(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def share(process: subprocess.Popen[str], seconds: float, visitor: Visitor | None) -> str:
    """Measure the processor's share, and how many pictures a second a visitor gets."""
    before, began_s, count = cpu_s(process), time.monotonic(), 0
    if visitor:
        count = sum(1 for _ in visitor.pictures(seconds))
    else:
        time.sleep(seconds)
    passed_s = time.monotonic() - began_s
    used = (cpu_s(process) - before) / passed_s
    return f"{used:.0%} of a core" + (f", {count / passed_s:.1f} pictures/s" if visitor else "")


def lateness(visitor: Visitor, seconds: float) -> str:
    """Send frames as a browser's camera does, and measure when each is seen with its label."""
    sent: dict[int, float] = {}
    frames = [cv2.imencode(".jpg", marked(n))[1].tobytes() for n in range(int(seconds * _FPS))]

    def film() -> None:
        begin_s = time.monotonic()
        for number, frame in enumerate(frames):
            time.sleep(max(0.0, begin_s + number / _FPS - time.monotonic()))
            sent[number] = time.monotonic()
            visitor.say(frame)

    def teach() -> None:
        time.sleep(2)  # until there is a live picture
        visitor.hold("1", 1.0)

    filming = threading.Thread(target=film)
    filming.start()
    threading.Thread(target=teach).start()
    late_ms = []
    for at_s, picture, words in visitor.pictures(seconds):
        number = number_in(picture)
        if number in sent and words.get("view", {}).get("banner"):
            late_ms.append((at_s - sent.pop(number)) * 1000)
    filming.join()
    late_ms.sort()
    p95 = late_ms[int(len(late_ms) * 0.95)]
    return f"median {statistics.median(late_ms):.1f} ms, p95 {p95:.1f} ms, of {len(late_ms)}"


def gap_under_attack(visitor: Visitor) -> str:
    """Let 200 hang and 10,000 ask nonsense; returns the longest gap between two pictures."""
    place = (visitor.url.hostname or "", visitor.url.port or 0)
    ended = threading.Event()

    def ask(count: int) -> None:
        generator = random.Random(count)  # noqa: S311 - nonsense
        for _ in range(count):
            path = "/" + "".join(chr(generator.randrange(33, 127)) for _ in range(40))
            with contextlib.suppress(OSError, http.client.HTTPException):
                visitor.get(path, generator.choice(["GET", "POST", "BREW"]))
        ended.set()

    with ExitStack() as stack:
        for _ in range(200):
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_connection(place))
        asker = threading.Thread(target=ask, args=(10_000,))
        asker.start()
        last_s, longest_s, count = time.monotonic(), 0.0, 0
        while not ended.is_set():
            for at_s, _, _ in visitor.pictures(1.0):
                longest_s, last_s, count = max(longest_s, at_s - last_s), at_s, count + 1
    return f"{longest_s * 1000:.0f} ms, over {count} pictures"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    seconds: float = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        film = folder / "film.avi"
        writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), _FPS, _SIZE[::-1])
        for number in range(int((3 * seconds + 60) * _FPS)):
            writer.write(marked(number))
        writer.release()
        with live(folder / "a", str(film)) as (process, url, started_s):
            visitor = Visitor(url, stack)
            at_s, _, _ = next(visitor.pictures(60))
            print(f"command to the first picture: {at_s - started_s:.2f} s")
            print(f"session with one visitor: {share(process, seconds, visitor)}")
            print(f"longest gap under attack: {gap_under_attack(visitor)}")
            kept = Path(f"/proc/{process.pid}/status").read_text().partition("VmHWM:")[2].split()[0]
            print(f"most memory: {int(kept) / 1024:.0f} MB")
        with live(folder / "b", str(film)) as (process, _, _):
            time.sleep(5)
            print(f"session with nobody: {share(process, seconds, None)}")
        with live(folder / "c", "browser") as (_, url, _):
            print(f"frame to label: {lateness(Visitor(url, stack), seconds + 5)}")


if __name__ == "__main__":
    main()
