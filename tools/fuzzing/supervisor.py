"""Keeps a worker busy with one target: restarts it when it dies or hangs, counts, keeps inputs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import edge_classifier

if sys.platform == "win32":
    raise ImportError("Windows has no /proc.")

CPU_LIMIT_S: Final = 5.0
_WALL_LIMIT_S: Final = 300.0  # where others need the processors, 5 s of them take so long
_START_LIMIT_S: Final = 180.0
_MOST_FINDINGS: Final = 40
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PATHS: Final = (
    str(Path(__file__).resolve().parents[1]),
    str(Path(edge_classifier.__file__).resolve().parents[1]),
)


@dataclass(slots=True)
class Outcome:
    """What came of one target.

    Attributes:
        target: Its name.
        inputs: How many were run.
        accepted: How many were taken.
        refused: How many were refused with a line for the user.
        worst_ms: The longest, in milliseconds of processor time.
        peak_mb: The most resident memory of the worker, in megabytes.
        findings: What went wrong, by what it is: the number of the first such input, how many.
        seconds: How long all of it took.
        cpu_ms: Processor time of all inputs.
    """

    target: str
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    worst_ms: float = 0.0
    peak_mb: float = 0.0
    findings: dict[str, tuple[int, int]] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """What to run.

    Attributes:
        target: Name of the target.
        seed: Of all chance.
        first: Number of the first input.
        inputs: How many.
        seconds: No longer than this, or `None`.
        seeds: The honest files.
        out: Where failing inputs and the sandbox go.
    """

    target: str
    seed: int
    first: int
    inputs: int
    seconds: float | None
    seeds: Path
    out: Path


def run_target(job: Job) -> Outcome:
    """Run all inputs of a target, with as many workers one after the other as that takes."""
    outcome = Outcome(job.target)
    started = time.monotonic()
    deadline = started + job.seconds if job.seconds else float("inf")
    number, last = job.first, job.first + job.inputs
    while number < last and time.monotonic() < deadline and len(outcome.findings) < _MOST_FINDINGS:
        number = _Watched(job, outcome, number, last, deadline).run()
    outcome.seconds = time.monotonic() - started
    return outcome


class _Watched:
    """One worker process."""

    def __init__(self, job: Job, outcome: Outcome, first: int, last: int, deadline: float) -> None:
        self._job = job
        self._outcome = outcome
        self._deadline = deadline
        self._current: int | None = None
        self._next = first
        sandbox = self._sandbox = job.out / "sandbox" / job.target
        shutil.rmtree(sandbox, ignore_errors=True)
        sandbox.mkdir(parents=True)
        readable, writable = os.pipe()
        about = {"target": job.target, "seed": job.seed, "first": first, "last": last}
        about |= {"seeds": str(job.seeds), "sandbox": str(sandbox), "events": writable}
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(_PATHS),
            "HOME": str(sandbox),
            "XDG_CACHE_HOME": str(sandbox / "tmp"),
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONFAULTHANDLER": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._log = job.out / f"{job.target}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "fuzzing.worker", json.dumps(about)],
                pass_fds=(writable,),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        os.close(writable)
        self._events = readable

    def run(self) -> int:
        """Watch it until it ends; returns the number of the next input."""
        try:
            ended = self._watch()
        finally:
            if self._process.poll() is None and self._current is not None:
                self._process.kill()
            status = self._process.wait()
            os.close(self._events)
        if ended and status != 0:
            if self._current is None:
                raise RuntimeError(f"{self._job.target} does not start, see {self._log}")
            self._find(self._current, f"the process died with status {status}", 0.0, 0.0)
            self._next = self._current + 1
        return self._next

    def _watch(self) -> bool:
        """Take what it tells; returns whether it ended by itself."""
        rest, begun_s, cpu_s = "", time.monotonic(), 0.0
        while time.monotonic() < self._deadline:
            if select.select([self._events], [], [], 0.5)[0]:
                data = os.read(self._events, 1 << 16)
                if not data:
                    return True
                *lines, rest = (rest + data.decode()).split("\n")
                for line in lines:
                    self._take(line)
                begun_s, cpu_s = time.monotonic(), self._cpu_s()
            waited_s = time.monotonic() - begun_s
            if self._current is None and waited_s > _START_LIMIT_S:
                self._process.kill()
                raise RuntimeError(f"{self._job.target} does not start, see {self._log}")
            busy = self._cpu_s() - cpu_s > 2 * CPU_LIMIT_S
            if self._current is not None and (waited_s > _WALL_LIMIT_S or busy):
                self._find(self._current, "hangs", 0.0, 0.0)
                self._next = self._current + 1
                return False
        return False

    def _take(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if kind == "begin":
            self._current = int(rest)
            return
        number, rest = rest.split(" ", 1)
        self._next = int(number) + 1
        if kind == "end":
            verdict, cpu_ms, peak_mb = rest.split()
            self._count(verdict, float(cpu_ms), float(peak_mb))
        else:
            cpu_ms, peak_mb, problem = rest.split(" ", 2)
            self._find(int(number), json.loads(problem), float(cpu_ms), float(peak_mb))

    def _count(self, verdict: str, cpu_ms: float, peak_mb: float) -> None:
        outcome = self._outcome
        outcome.inputs += 1
        outcome.accepted += verdict == "accepted"
        outcome.refused += verdict == "refused"
        outcome.cpu_ms += cpu_ms
        outcome.worst_ms = max(outcome.worst_ms, cpu_ms)
        outcome.peak_mb = max(outcome.peak_mb, peak_mb)

    def _find(self, number: int, problem: str, cpu_ms: float, peak_mb: float) -> None:
        self._count("finding", cpu_ms, peak_mb)
        key = signature(problem)
        first, count = self._outcome.findings.get(key, (number, 0))
        self._outcome.findings[key] = (first, count + 1)
        if count == 0:
            name = f"{self._job.target}-{self._job.seed}-{number}"
            folder = self._job.out / "findings"
            folder.mkdir(exist_ok=True)
            (folder / f"{name}.txt").write_text(problem + "\n", encoding="utf-8", errors="replace")
            told = self._sandbox / f"{number}.bin"  # else it died, and had no time to say so
            with contextlib.suppress(OSError):
                source = told if told.exists() else self._sandbox / "current.bin"
                shutil.copyfile(source, folder / f"{name}.bin")

    def _cpu_s(self) -> float:
        try:
            text = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii")
        except OSError:
            return 0.0
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


def signature(problem: str) -> str:
    """Shorten a problem to what is the same for all inputs that have it."""
    lines = [line.strip() for line in problem.strip().splitlines()]
    frames = [line for line in lines if line.startswith('File "') and "fuzzing" not in line]
    last = re.sub(r"0x[0-9a-f]+|[0-9]+|'[^']*'", "…", lines[-1])[:120] if lines else "?"
    where = ""
    ours = [f for f in frames if "edge_classifier" in f] or frames
    if ours:
        match = re.match(r'File "(.*)", line (\d+), in (\S+)', ours[-1])
        where = f"{Path(match[1]).name}:{match[2]} {match[3]}: " if match else ""
    return where + last


def as_row(outcome: Outcome) -> dict[str, Any]:
    """Make a row of the table."""
    return {
        "target": outcome.target,
        "inputs": outcome.inputs,
        "accepted": outcome.accepted,
        "refused": outcome.refused,
        "mean ms": round(outcome.cpu_ms / max(1, outcome.inputs), 1),
        "worst ms": round(outcome.worst_ms),
        "peak MB": round(outcome.peak_mb),
        "findings": sum(count for _, count in outcome.findings.values()),
        "s": round(outcome.seconds),
    }
