"""Runs a bundle's own runner for some minutes, and reads what its process takes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from endurance.readings import MOST_GROWTH, WARM_UP, file_count, resident_mb, thread_count

if TYPE_CHECKING:
    from pathlib import Path

DEVICE_CHILD: Final = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
from edge_device import cli, runner
open_once = runner.open_source_or_pictures
class Looped:
    live = False
    def __init__(self, spec, paced):
        self.spec, self.paced, self.closed = spec, paced, False
        self.source = open_once(spec, paced=paced)
        self.name, self.fps, self.description = self.source.name, self.source.fps, spec
    def __iter__(self):
        index = 0
        while not self.closed:
            for frame in self.source:
                yield replace(frame, index=index)
                index += 1
            self.source.close()
            self.source = open_once(self.spec, paced=self.paced)
    def close(self):
        self.closed = True
        self.source.close()
runner.open_source_or_pictures = Looped
sys.exit(cli.main(Path(sys.argv[1]), sys.argv[2:]))
"""


def soak_device(bundle: Path, video: Path, minutes: float) -> bool:
    """Run a bundle's own `classify.py` on a looping video, with all its outputs."""
    words = [str(bundle), str(video), "--no-window", "--mjpeg", "127.0.0.1:0"]
    child = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", DEVICE_CHILD, *words, "--on-change", "true", "--hold", "1"],
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None  # noqa: S101 - a pipe was asked for
    print("minute     lines    rss MB  threads  files")
    found: list[tuple[float, int, int]] = []
    lines, started_s, next_s = 0, time.monotonic(), time.monotonic()
    for _line in child.stdout:
        lines += 1
        now_s = time.monotonic()
        if now_s >= next_s:
            next_s += 10
            process = str(child.pid)
            found.append((resident_mb(process), thread_count(process), file_count(process)))
            minute = (now_s - started_s) / 60
            memory, threads, files = found[-1]
            print(f"{minute:6.1f} {lines:9,d} {memory:9.1f} {threads:8d} {files:6d}", flush=True)
        if now_s - started_s > minutes * 60:
            break
    child.terminate()
    child.stdout.close()
    child.wait()
    compared = found[max(1, int(len(found) * WARM_UP)) :]
    part = max(1, len(compared) // 5)
    rss = [statistics.median(f[0] for f in some) for some in (compared[:part], compared[-part:])]
    growth = rss[1] / rss[0] - 1
    flat = all(max(f[n] for f in found[-part:]) <= max(f[n] for f in found[:-part]) for n in (1, 2))
    print(
        f"{lines:,} answers; resident memory {rss[0]:.1f} -> {rss[1]:.1f} MB: {growth:+.2%}; "
        f"threads and open files {'do not grow' if flat else 'GROW'}"
    )
    return growth <= MOST_GROWTH and flat
