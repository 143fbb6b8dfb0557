"""Kills the program at random moments and looks at what is left.

    python tools endurance.torture [--kills 300] [--seed 1] [--keep FOLDER]
                                   [--operations capture undo …]
    python tools endurance.torture --disk-full

The real program (session, store, worker, caches, export child; a scripted camera and a script at
the keys) is killed with SIGKILL, its whole process group, while it starts, captures, undoes and
redoes, renames and removes classes, trains, computes features, saves a copy, exports or adds
pictures. Some of the kills come by the clock, some at the n-th change of the file system, some just
after the end. After each the project is opened again: every sample that the picture had counted
must be there, unless the user had removed it, and nothing half-written may be taken for whole. One
project lives through many kills. With `--disk-full` it works on a disk of 24 MB (Linux, needs root)
that fills up while pictures are captured, and nobody is killed before all was tried. Exit code: 0
nothing was found, 1 something was.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from endurance import sources
from endurance.checks import Examiner
from endurance.disks import small_disk
from endurance.journal import Acknowledged, Order
from endurance.nursery import Nursery
from endurance.script import OPERATIONS

IMPORT: Final = "import"
ALL: Final = (*OPERATIONS, IMPORT)
TURNS: Final = (*(operation for operation in ALL if operation != "export"), *ALL)
"""An export takes as long as twenty of the others: every second turn has one."""

KILLS_PER_PROJECT: Final = 60
_PATIENCE_S: Final = 900.0
_SECONDS: Final = {
    "start": 0.7,
    "capture": 1.2,
    "undo": 0.15,
    "restore": 0.15,
    "rename": 0.1,
    "remove": 0.15,
    "train": 1.0,
    "save": 0.15,
    "features": 1.5,
    "export": 60.0,
    "import": 0.5,
}
"""How long an operation takes, to begin with: each machine finds out for itself."""

_CALLS: Final = {
    "start": 2,
    "capture": 20,
    "undo": 8,
    "restore": 6,
    "rename": 5,
    "remove": 9,
    "train": 8,
    "save": 40,
    "features": 3,
    "export": 23,
    "import": 150,
}
"""How often it changes the file system, likewise."""
_DISK_KILOBYTES: Final = 24 * 1024
_BY_CALL: Final = 0.45
_AT_THE_END: Final = 0.15
_HALF: Final = 0.5
_REPORTED_EVERY: Final = 20


@dataclass
class Tally:
    """What was hit, and what was found.

    Attributes:
        under_way: Kills by the operation that was under way.
        after: Kills at which nothing was under way, by the operation that was meant.
        by_call: How many kills came at a change of the file system.
        findings: What was wrong.
    """

    under_way: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    by_call: int = 0
    findings: list[str] = field(default_factory=list)


class Torturer:
    """Lets victims work on a project and kills them.

    Args:
        folder: An empty one, for projects, copies, bundles and sources.
        seed: Decides on everything but the machine's own timing.
        fresh_after: How many kills a project lives through.
    """

    def __init__(self, folder: Path, seed: int, fresh_after: int = KILLS_PER_PROJECT) -> None:
        self.tally = Tally()
        self.examiner = Examiner(seed)
        self._folder = folder
        self._temporary = folder / "temporary"
        self._temporary.mkdir(parents=True)
        self._chance = random.Random(seed)  # noqa: S311 - moments of kills
        self._seed = seed
        self._fresh_after = fresh_after
        self._kills = 0
        self._seconds = dict(_SECONDS)
        self._calls = dict(_CALLS)
        self._project = folder
        self._known: dict[str, str] = {}
        self._log = folder / "victims.log"
        self._nursery = Nursery(self._temporary, self._log)

    def close(self) -> None:
        """End."""
        self._nursery.close()

    def kill_once(self, operation: str) -> None:
        """Let a victim begin an operation, kill it, and look at what is left."""
        if self._kills % self._fresh_after == 0:
            self._project = self._folder / f"{self._kills:04d}" / "project"
            self._project.parent.mkdir()
            self._known = {}
        self._kills += 1
        if operation == "features":
            shutil.rmtree(self._project / "cache", ignore_errors=True)
        seen = self._run_victim(operation)
        if seen.under_way:
            self.tally.under_way[seen.under_way] += 1
        else:
            self.tally.after[operation] += 1
        where = f"kill {self._kills} ({seen.under_way or f'after {operation}'})"
        problems = list(seen.problems)
        if sys.platform == "win32" or seen.status != -signal.SIGKILL:
            problems.append(f"it ended by itself with {seen.status}, see {self._log}")
        self._known, found = self.examiner.examine(self._project, seen)
        self._note(where, problems + found)
        for leftover in self._temporary.iterdir():
            shutil.rmtree(leftover, ignore_errors=True)
        if operation == IMPORT and self._chance.random() < _HALF:
            self._note(f"{where}, added again", self._add_again())

    def _note(self, where: str, problems: list[str]) -> None:
        for problem in problems:
            self.tally.findings.append(f"{where}: {problem}")
            print(f"{where}: {problem}", flush=True)

    def _run_victim(self, operation: str) -> Acknowledged:
        """Run one victim to its end.

        Returns:
            What the picture had acknowledged when it died.
        """
        calls, seconds = self._calls.get(operation), self._seconds[operation]
        moment = self._chance.random()
        at_call = self._chance.randint(1, calls) if calls and moment < _BY_CALL else None
        order = Order(
            project=str(self._project),
            journal=str(self._folder / f"journal-{self._kills}.jsonl"),
            operation=operation,
            seed=self._seed * 100_000 + self._kills,
            at_call=at_call,
            sources=(str(self._make_source()),) if operation == IMPORT else (),
        )
        victim = self._nursery.begin(order, Acknowledged(dict(self._known)))
        try:
            if not victim.wait_for("begin", operation, _PATIENCE_S) and not victim.dead:
                victim.seen.problems.append(f"{operation} never began")
            if at_call is not None:
                self.tally.by_call += 1
                victim.wait_for("end", operation, _PATIENCE_S)
            elif moment > 1 - _AT_THE_END:
                victim.wait_for("end", operation, _PATIENCE_S)
            else:
                victim.wait_for("nothing", "", self._chance.uniform(0, 1.1 * seconds))
        finally:
            victim.kill()
        if victim.seen.last == operation:
            self._learn(operation, victim.seen)
        return victim.seen

    def _learn(self, operation: str, seen: Acknowledged) -> None:
        """Remember how long an operation takes, so that later kills fall into it."""
        self._seconds[operation] = (self._seconds[operation] + seen.seconds) / 2
        self._calls[operation] = max(self._calls.get(operation, 0), seen.calls)

    def _source_folder(self) -> Path:
        return self._folder / "sources" / str(self._kills)

    def _make_source(self) -> Path:
        kind = self._chance.choice(sources.KINDS)
        return sources.make_source(self._source_folder(), kind, self._seed * 100_000 + self._kills)

    def _add_again(self) -> list[str]:
        """Add the same again, to the end: each picture must then be there once."""
        folder = self._source_folder()
        new = sources.hashes_in(folder)
        before = self._known
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "edge_classifier", "add", str(self._project), str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        self._known, problems = self.examiner.examine(self._project, Acknowledged(dict(before)))
        if self._known.keys() != before.keys() | new:
            problems.append(f"{len(self._known.keys() ^ (before.keys() | new))} samples too many")
        if done.returncode:
            problems.append(f"add ended with {done.returncode}: {done.stderr}")
        return problems


def main() -> int:
    """Torture; see the module's docstring."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work here, and leave it there")
    parser.add_argument("--operations", nargs="+", choices=ALL, default=TURNS)
    parser.add_argument("--disk-full", action="store_true", help="fill a small disk instead")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with nobody left behind
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if options.disk_full:
            return fill_up(folder, options.seed)
        return torture(folder, options.kills, options.seed, options.operations)


def torture(folder: Path, kills: int, seed: int, operations: tuple[str, ...]) -> int:
    """Kill so often and report.

    Args:
        folder: An empty folder.
        kills: How often.
        seed: Decides on what is done and when it is cut off.
        operations: What victims are killed at, in turns.

    Returns:
        The exit code.
    """
    started = time.monotonic()
    torturer = Torturer(folder, seed)
    try:
        for number in range(kills):
            torturer.kill_once(operations[number % len(operations)])
            if (number + 1) % _REPORTED_EVERY == 0:
                print(f"{number + 1} kills, {time.monotonic() - started:.0f} s", flush=True)
    finally:
        torturer.close()
    report(torturer, kills, seed, time.monotonic() - started)
    return 1 if torturer.tally.findings else 0


def fill_up(folder: Path, seed: int) -> int:
    """Let the program work on a disk that fills up; returns the exit code."""
    examiner = Examiner(seed)
    nursery = Nursery(folder, folder / "victim.log")
    with small_disk(folder / "disk", _DISK_KILOBYTES) as disk:
        order = Order(str(disk / "project"), str(folder / "journal.jsonl"), "full", seed)
        victim = nursery.begin(order, Acknowledged())
        try:
            if not victim.wait_for("end", "full", _PATIENCE_S):
                victim.seen.problems.append("it came to no end")
        finally:
            victim.kill()
            nursery.close()
        found, problems = examiner.examine(disk / "project", victim.seen)
    problems += victim.seen.problems
    if not examiner.bundles_verified or not examiner.copies_opened:
        problems.append("no bundle or no copy was made in the end")
    print(f"{len(found)} samples on a disk that was full; {len(problems)} findings")
    for problem in problems:
        print(f"  {problem}")
    return 1 if problems else 0


def report(torturer: Torturer, kills: int, seed: int, seconds: float) -> None:
    """Print what was hit and what was found."""
    tally, examiner = torturer.tally, torturer.examiner
    print(f"\n{kills} kills, seed {seed}, {seconds:.0f} s")
    print(f"{'under way':12} {'kills':>5}   just after it")
    for operation in ALL:
        print(f"{operation:12} {tally.under_way[operation]:5}   {tally.after[operation]}")
    print(
        f"{sum(tally.under_way.values())} under way, {tally.by_call} at a change of the file system"
    )
    print(
        f"{examiner.features_checked} cached features recomputed, {examiner.copies_opened} copies "
        f"opened, {examiner.bundles_verified} bundles verified; left over: "
        + (", ".join(f"{n} {what}" for what, n in examiner.leftovers.items()) or "nothing")
    )
    print(f"{len(tally.findings)} findings")
    for finding in tally.findings:
        print(f"  {finding}")


if __name__ == "__main__":
    sys.exit(main())
