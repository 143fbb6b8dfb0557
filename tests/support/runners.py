"""A bundle's `classify.py` as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from pathlib import Path

TIMEOUT_S = 60


class Runner:
    """`classify.py` that runs, and has answered a few times."""

    def __init__(
        self, bundle: Path, *arguments: str | Path, answers: int = 5, cwd: Path | None = None
    ) -> None:
        no_screen = {k: v for k, v in os.environ.items() if "DISPLAY" not in k}
        self.process = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-I", str(bundle / "classify.py"), *map(str, arguments)],
            env=no_screen,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        assert self.process.stdout is not None
        self.answers: list[dict[str, Any]] = [
            json.loads(self.process.stdout.readline()) for _ in range(answers)
        ]

    def answer_until(self, done: Callable[[], bool]) -> None:
        """Take answers, which it would wait for somebody to take, until something is so."""
        assert self.process.stdout is not None
        while not done():
            self.answers.append(json.loads(self.process.stdout.readline()))

    def stop(self, *signals: signal.Signals, gap_s: float = 0.01) -> tuple[int, list[str]]:
        """Send signals; returns the exit status, and what was told on standard error."""
        for number in signals:
            self.process.send_signal(number)
            time.sleep(gap_s)
        _, told = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, told.splitlines()
