"""The process that runs a target on inputs; it may hang or die, and is told from outside.

Run as `python -m fuzzing.worker JSON`. On file descriptor `events` it writes a line before and
after each input: `begin N`, and `end N accepted|refused CPU_MS PEAK_MB` or
`finding N CPU_MS PEAK_MB JSON`.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any, Final

from edge_classifier.errors import EdgeClassifierError
from fuzzing.sandbox import Watch, peak_bytes, reset_peak, snapshot
from fuzzing.target import CPU_LIMIT_MS, MEMORY_LIMIT_MB, Target, make_target

_ADDRESS_SPACE: Final = 6 << 30  # guards the machine; what is counted is resident memory


def make_input(target: Target, seed: int, number: int) -> bytes:
    """Make an input again from its number."""
    return target.make(random.Random(f"{target.name}:{seed}:{number}"))  # noqa: S311 - not a secret


def main() -> int:
    """Run inputs until the last; see the module's docstring."""
    job: dict[str, Any] = json.loads(sys.argv[1])
    home = Path(job["sandbox"])
    arena, outside = home / "arena", home / "outside"
    for folder in (arena, outside, home / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    (outside / "precious.txt").write_text("to be kept", encoding="utf-8")
    os.chdir(arena)
    tempfile.tempdir = str(home / "tmp")
    target = make_target(job["target"], Path(job["seeds"]), arena)
    if not target.heavy:
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, resource.RLIM_INFINITY))
    before = snapshot(outside)
    watch = Watch(arena, home / "tmp")
    for number in range(job["first"], job["last"]):
        data = make_input(target, job["seed"], number)
        (home / "current.bin").write_bytes(data)  # kept by whoever watches, if this dies of it
        _tell(job["events"], f"begin {number}")
        verdict, problem, cpu_ms, peak_mb = _run(target, data, watch)
        if not problem and snapshot(outside) != before:
            problem = "wrote outside of the project"
        if problem:
            (home / f"{number}.bin").write_bytes(data)
            _tell(
                job["events"], f"finding {number} {cpu_ms:.0f} {peak_mb:.0f} {json.dumps(problem)}"
            )
        else:
            _tell(job["events"], f"end {number} {verdict} {cpu_ms:.2f} {peak_mb:.0f}")
    return 0


def _run(target: Target, data: bytes, watch: Watch) -> tuple[str, str, float, float]:
    """Run one input; returns the verdict, what is wrong, milliseconds of CPU, megabytes."""
    reset_peak()
    started = time.process_time()
    verdict, problem = "accepted", ""
    watch.active = not target.starts_programs
    try:
        target.run(data)
    except EdgeClassifierError as error:
        verdict = "refused"
        if not str(error).strip():
            problem = "an error without a word"
    except BaseException:  # noqa: BLE001 - what is looked for
        problem = traceback.format_exc()
    finally:
        watch.active = False
    cpu_ms = (time.process_time() - started) * 1000
    peak_mb = peak_bytes() / (1 << 20)
    if watch.offences:
        problem = "forbidden: " + "; ".join(watch.offences)
        watch.offences.clear()
    if not problem and cpu_ms > CPU_LIMIT_MS:
        problem = f"took {cpu_ms:.0f} ms of processor time"
    if not problem and peak_mb > MEMORY_LIMIT_MB:
        problem = f"took {peak_mb:.0f} MB of memory"
    return verdict, problem, cpu_ms, peak_mb


def _tell(descriptor: int, line: str) -> None:
    os.write(descriptor, (line + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
