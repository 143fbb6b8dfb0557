"""Victims from the killer's side: ordered, followed through their journal, killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from endurance.journal import Tail

if TYPE_CHECKING:
    from endurance.journal import Acknowledged, Order

_POLL_S: Final = 0.0005
_TOOLS: Final = Path(__file__).resolve().parents[1]


class Victim:
    """A program at work.

    Args:
        pid: Its process and process group.
        journal: Where it tells.
        seen: What was acknowledged before it began; follows what it tells.
    """

    def __init__(self, pid: int, journal: Path, seen: Acknowledged) -> None:
        self.seen = seen
        self._pid = pid
        self._tail = Tail(journal)
        self._told: list[list[Any]] = []

    @property
    def dead(self) -> bool:
        """Whether its exit status is known."""
        return self.seen.status is not None

    def wait_for(self, kind: str, operation: str, seconds: float) -> bool:
        """Follow until it tells something or is dead; says whether it told it in that time."""
        until_s = time.monotonic() + seconds
        while True:
            self._read()
            if any(line[:2] == [kind, operation] for line in self._told):
                return True
            if self.dead or time.monotonic() >= until_s:
                return False
            time.sleep(_POLL_S)

    def signal(self, number: int) -> None:
        """Send its process group a signal, if it is not dead."""
        if sys.platform == "win32":
            raise NotImplementedError("Windows has no process groups.")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, number)

    def kill(self) -> None:
        """Kill its process group, if it is not dead, and follow to the last word."""
        if sys.platform == "win32":
            raise NotImplementedError("Windows has no process groups.")
        self.signal(signal.SIGKILL)
        while not self.dead:
            self._read()
            time.sleep(_POLL_S)

    def _read(self) -> None:
        for line in self._tail.lines():
            self.seen.take(line)
            self._told.append(line)


class Nursery:
    """Forks victims; see `endurance.victim`.

    Args:
        temporary: Where victims keep temporary files.
        log: Takes what they say on standard error.
    """

    def __init__(self, temporary: Path, log: Path) -> None:
        root = _TOOLS.parent
        paths = [str(_TOOLS), str(root), str(root / "tests"), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "TMPDIR": str(temporary),
        }
        with log.open("wb") as complaints:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "endurance.victim"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                env=environment,
            )

    def begin(self, order: Order, seen: Acknowledged) -> Victim:
        """Let a victim begin."""
        assert self._process.stdin is not None  # noqa: S101 - they are pipes
        assert self._process.stdout is not None  # noqa: S101 - same
        print(json.dumps(asdict(order)), file=self._process.stdin, flush=True)
        return Victim(int(self._process.stdout.readline()), Path(order.journal), seen)

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        assert self._process.stdout is not None  # noqa: S101 - same
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
