"""Captures while what it writes to, or the time, gives way; counts what is lost.

    python tools endurance.hazards [--captures 150] [--only HAZARD ...]

The hazards: a disk that turns read-only, one that is full and has room again, FAT (by
`fusefat`), a file system without locks that two programs write in (a preloaded `flock` that
refuses), a power cut before and after `sync` (copies of a disk of ext4, ext2, XFS and Btrfs that
was in use, mounted again), and in the window a wall clock that jumps (preloaded likewise) while
the program is stopped and continued in the middle of bursts. Linux; needs root, and for some what
Debian calls `fusefat`, `dosfstools`, `xfsprogs`, `btrfs-progs` and `gcc`: what is missing is told.

A picture is lost where it was said to be stored or kept, and is nowhere; or, after a power cut,
where `sync` had returned. One that cannot be stored has to be refused in one line. The exit
status is 1 where one is lost, or anything was answered otherwise.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore
from endurance.capturer import PER_BURST
from endurance.checks import Examiner
from endurance.disks import CannotMountError, block_disk, break_disk, fill, fuse_fat, small_disk
from endurance.journal import Acknowledged, Order
from endurance.nursery import Nursery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Self

_HERE: Final = Path(__file__).resolve().parent
_JUMPS_S: Final = (0, 60, 10_800, -172_800, 600_000_000, -600_000_000)
_PATIENCE_S: Final = 300.0
_DISTURBANCES: Final = 12


@dataclass
class Outcome:
    """What became of the pictures under a hazard.

    Attributes:
        said: How often each answer was given; refusals count as `refused`.
        there: Hashes of pictures that have to be found.
        problems: What was wrong, one line each.
    """

    said: Counter[str] = field(default_factory=Counter)
    there: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    lost: int = 0

    def take(self, sha256: str, said: str) -> None:
        """Take note of an answer."""
        if said in ("stored", "kept"):
            self.there.add(sha256)
        elif not said.startswith("Cannot write") or "\n" in said:
            self.problems.append(f"answered {said!r}")
        self.said[said if said in ("stored", "kept") else "refused"] += 1

    def look(self, project: Path) -> None:
        """Find the pictures, in the project as its user would open it, and beside it."""
        with ProjectStore.open(project) as store:
            samples = store.samples()
        for sample in samples:
            read_image(sample.path)
        found = {sample.image_sha256 for sample in samples}
        beside = project.with_name(f"{project.name}-rescued")
        found |= {hashlib.sha256(path.read_bytes()).hexdigest() for path in beside.rglob("*.jpg")}
        self.lost += len(self.there - found)


class Capturer:
    """The program that captures, from outside."""

    def __init__(self, project: Path, seed: int, **environment: str) -> None:
        paths = os.pathsep.join([str(_HERE.parent), str(_HERE.parents[1])])
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-W", "ignore", "-m", "endurance.capturer", str(project), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths, **environment},
        )
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def capture(self, outcome: Outcome, count: int) -> None:
        """Capture so many pictures."""
        for _ in range(count):
            outcome.take(*self._ask("capture"))

    def sync(self) -> str:
        """Wait for the disk; says what came of it."""
        return self._ask("sync")[1]

    def _ask(self, word: str) -> tuple[str, str]:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        print(word, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> tuple[str, str]:
        assert self._process.stdout is not None  # noqa: S101 - likewise
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the program ended by itself")
        sha256, said = json.loads(line)
        return sha256, said


def read_only(folder: Path, captures: int, seed: int) -> Outcome:
    """Let the disk become read-only in the middle of bursts, as a dying card does."""
    outcome, chance, image = Outcome(), random.Random(seed), folder / "disk.img"  # noqa: S311 - moments
    for part in range(4):
        with (
            block_disk(folder / f"disk{part}", image, 65_536) as disk,
            Capturer(disk / "project", seed + part) as program,
        ):
            program.capture(outcome, captures // 5 + chance.randint(0, PER_BURST))
            if (said := program.sync()) != "synced":
                outcome.problems.append(said)
            break_disk(disk)
            program.capture(outcome, captures // 20)
    with block_disk(folder / "disk", image) as disk:
        outcome.look(disk / "project")
    return outcome


def full(folder: Path, captures: int, seed: int) -> Outcome:
    """Fill the disk in the middle of bursts, and make room again."""
    outcome, chance = Outcome(), random.Random(seed)  # noqa: S311 - moments
    with small_disk(folder / "disk", 8192) as disk:
        with Capturer(disk / "project", seed) as program:
            while sum(outcome.said.values()) < captures:
                program.capture(outcome, chance.randint(1, 2 * PER_BURST))
                filler = fill(disk, chance.choice((0, 6000)))
                program.capture(outcome, chance.randint(1, PER_BURST))
                filler.unlink()
        outcome.look(disk / "project")
    return outcome


def fat(folder: Path, captures: int, seed: int) -> Outcome:
    """Work on FAT, which has neither links nor rights, and is mounted anew now and then."""
    outcome, image = Outcome(), folder / "fat.img"
    for part in range(3):
        with fuse_fat(folder / f"disk{part}", image) as disk:
            with Capturer(disk / "project", seed + part) as program:
                program.capture(outcome, min(captures, 100) // 3)  # see `fuse_fat`
                if (said := program.sync()) != "synced":
                    outcome.problems.append(said)
            outcome.look(disk / "project")
    return outcome


def no_locks(folder: Path, captures: int, seed: int) -> Outcome:
    """Let two programs write at once where the file system cannot keep them apart."""
    outcome, library = Outcome(), _preloaded("no_locks", folder)
    project, chance = folder / "project", random.Random(seed)  # noqa: S311 - moments
    with ExitStack() as stack:
        programs = [
            stack.enter_context(Capturer(project, seed + n, LD_PRELOAD=str(library)))
            for n in range(2)
        ]
        while sum(outcome.said.values()) < captures:
            chance.choice(programs).capture(outcome, chance.randint(1, PER_BURST))
    outcome.look(project)
    return outcome


def power_cut(folder: Path, captures: int, seed: int) -> Outcome:
    """Copy the disk between burst and sync, and after it, and see what a power cut would leave."""
    outcome, chance = Outcome(), random.Random(seed)  # noqa: S311 - moments
    kinds = [kind for kind in ("ext4", "ext2", "xfs", "btrfs") if shutil.which(f"mkfs.{kind}")]
    for number, kind in enumerate(kinds):
        image, cut = folder / f"{kind}.img", folder / f"{kind}-cut.img"
        cuts: list[tuple[Path, set[str]]] = []
        with (
            block_disk(folder / kind, image, 400_000, kind) as disk,
            Capturer(disk / "project", seed + number) as program,
        ):
            synced: set[str] = set()
            for part in range(4):
                program.capture(outcome, captures // (4 * len(kinds)))
                if part % 2:
                    program.sync()
                    synced = set(outcome.there)
                program.capture(outcome, chance.randint(0, PER_BURST))
                copy = cut.with_suffix(f".{part}")
                subprocess.run(["cp", "--sparse=always", image, copy], check=True)  # noqa: S603, S607 - the system's own
                cuts.append((copy, set(synced)))
        for copy, expected in cuts:
            after = Outcome(there=expected)
            with block_disk(copy.with_suffix(f"{copy.suffix}-mounted"), copy, 0, kind) as disk:
                if expected or (disk / "project" / "project.json").exists():
                    after.look(disk / "project")
            outcome.lost += after.lost
            copy.unlink()
        outcome.there.clear()
    return outcome


def clock(folder: Path, captures: int, seed: int) -> Outcome:
    """Let wall clocks jump, and stop and continue the program, in the middle of bursts."""
    if sys.platform == "win32":
        raise CannotMountError("Windows stops no programs")
    outcome, jump = Outcome(), folder / "jump"
    jump.write_text("0", encoding="ascii")
    examiner, known, victims = Examiner(seed), dict[str, str](), 0
    library = _preloaded("clock_jumps", folder)
    with _environment(LD_PRELOAD=str(library), CLOCK_JUMP=str(jump)):
        nursery = Nursery(folder, folder / "victims.log")
    try:
        while len(known) < captures:
            victims += 1
            order = Order(
                str(folder / "project"), str(folder / f"{victims}.jsonl"), "capture", seed + victims
            )
            victim = nursery.begin(order, Acknowledged(dict(known)))
            chance = random.Random(seed + victims)  # noqa: S311 - moments
            try:
                victim.wait_for("begin", "capture", _PATIENCE_S)
                for _ in range(_DISTURBANCES):
                    victim.wait_for("nothing", "", chance.uniform(0.05, 0.5))
                    jump.write_text(str(chance.choice(_JUMPS_S)), encoding="ascii")
                    victim.signal(signal.SIGSTOP)
                    victim.wait_for("nothing", "", chance.uniform(0, 0.5))
                    victim.signal(signal.SIGCONT)
            finally:
                victim.kill()
            before = len(known)
            known, problems = examiner.examine(folder / "project", victim.seen)
            outcome.said["stored"] += len(known) - before
            lost = [problem for problem in problems if "are lost" in problem]
            outcome.lost += len(lost)
            outcome.problems += problems + victim.seen.problems
    finally:
        nursery.close()
    return outcome


def _preloaded(name: str, folder: Path) -> Path:
    """Compile what is to be preloaded."""
    compiler, library = shutil.which("gcc"), folder / f"{name}.so"
    if compiler is None:
        raise CannotMountError("there is no gcc")
    source = str(_HERE / f"{name}.c")
    command = [compiler, "-shared", "-fPIC", "-o", str(library), source, "-ldl"]
    subprocess.run(command, check=True)  # noqa: S603 - found above
    return library


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


HAZARDS: Final[dict[str, Callable[[Path, int, int], Outcome]]] = {
    "read-only": read_only,
    "full": full,
    "fat": fat,
    "no-locks": no_locks,
    "power-cut": power_cut,
    "clock": clock,
}


def main() -> int:
    """Read the command line, try the hazards and print what became of the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--captures", type=int, default=150, help="under each hazard")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=HAZARDS, default=tuple(HAZARDS))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with nobody left behind
    table = Table("hazard", "captures", "stored", "kept", "refused", "lost", "problems")
    bad = 0
    for name in options.only:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                outcome = HAZARDS[name](Path(scratch), options.captures, options.seed)
            except CannotMountError as error:
                table.add_row(name, "not tried", str(error))
                continue
        said, problems = outcome.said, outcome.problems
        counts = (sum(said.values()), said["stored"], said["kept"], said["refused"], outcome.lost)
        table.add_row(name, *map(str, counts), "; ".join(problems[:3]) or "none")
        bad += outcome.lost + len(problems)
    Console().print(table)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
