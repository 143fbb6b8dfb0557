"""Runs the live loop for half an hour, and the device's runner for some minutes: does it grow?

    python tools endurance.soak [--minutes 30] [--video FILE] [--window] [--export-every 300]
    python tools endurance.soak --device BUNDLE [--minutes 5] [--video FILE]

The first is the real thing without a person: real reader (unpaced), built-in backbone, session,
project on disk, training on the worker, exports, every picture drawn. A
scripted user holds keys, undoes, renames, adds and removes classes, and leaves as many samples
as there were. Reported once a minute:

- resident memory as the kernel counts it (`/proc/self/statm`), without collecting or trimming
  anything before: what counts is what the machine is short of. It is sampled at the same point
  of each round of the script, so that one minute compares with another, and not while an export
  is under way, which holds the samples and an interpreter of its own;
- threads and open files, at the same points;
- the time from frame to frame without showing, and beside it the time of a bare interpreter's
  run, measured in the same minute in the same thread: on a shared machine only their ratio says
  whether the loop became slower. Medians, and lower quartiles, which are what the program takes
  while nobody else has the core; the ratio is theirs.

The exit status is 1 where a bound is broken.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from bench.live import Looped, fill, record_demo
from support.fakes import FakeDisplay
from support.screen import some_screen

from edge_classifier.device.interpreter import Interpreter
from edge_classifier.device.reader import FrameReader
from edge_classifier.export.exporter import export_from_session
from edge_classifier.features.backbone import load_backbone
from edge_classifier.learning.project_backbone import BackboneChoice, backbone_loader
from edge_classifier.live.display import Press, Release
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.loop import run
from edge_classifier.live.session import Session
from edge_classifier.project.store import ProjectStore
from edge_classifier.screen.window import Window
from endurance.device_soak import soak_device
from endurance.readings import MOST_GROWTH, WARM_UP, file_count, resident_mb, thread_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge_classifier.device.frame import Frame
    from edge_classifier.live.display import Display, Event
    from edge_classifier.live.view import View

MOST_SLOWER: Final = 1.1
"""Frame time at the end to that after the warm-up, each in units of the bare interpreter."""

_KEPT_TIMES: Final = 1 << 16
_CALIBRATE_EVERY_S: Final = 1.0
_CALIBRATION_RUNS: Final = 20
_MOST_PATIENCE_S: Final = 4.0


class Times:
    """Milliseconds of one minute, in a buffer that does not grow."""

    def __init__(self) -> None:
        self._values = np.zeros(_KEPT_TIMES, np.float32)
        self._count = 0

    def add(self, milliseconds: float) -> None:
        """Take one; those that no longer fit into the minute are left out."""
        if self._count < len(self._values):
            self._values[self._count] = milliseconds
            self._count += 1

    def quartiles(self) -> tuple[float, float]:
        """Return the lower quartile and the median, and begin anew."""
        count, self._count = self._count, 0
        if not count:
            return float("nan"), float("nan")
        lower, median = np.percentile(self._values[:count], [25, 50])
        return float(lower), float(median)


@dataclass
class Minute:
    """What was measured in one minute."""

    minute: float
    frames: int
    rss_mb: float
    threads: int
    files: int
    frame_ms: tuple[float, float]
    bare_ms: tuple[float, float]
    samples: int
    project_mb: float
    trash_mb: float

    @property
    def relative(self) -> float:
        """Frame time in units of the bare interpreter's, by lower quartiles."""
        return self.frame_ms[0] / self.bare_ms[0]

    def __str__(self) -> str:
        return (
            f"{self.minute:6.1f} {self.frames:9,d} {self.rss_mb:9.1f} {self.threads:8d} "
            f"{self.files:6d} {self.frame_ms[0]:8.2f} {self.frame_ms[1]:6.2f} "
            f"{self.bare_ms[0]:8.2f} {self.bare_ms[1]:6.2f} {self.relative:6.2f} "
            f"{self.samples:8d} {self.project_mb:8.1f} {self.trash_mb:6.1f}"
        )


HEADINGS: Final = (
    "minute    frames    rss MB  threads  files frame 25% 50%   bare 25%    50%  ratio  samples  "
    "proj. MB  trash MB"
)


def folder_mb(folder: Path) -> float:
    """Add up the sizes of all files below a folder, in MB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@dataclass
class Person:
    """Presses keys, one a picture shown, as somebody would who never tires."""

    session: Session
    ends_s: float
    export_every_s: float
    rounds: int = 0
    exports: int = 0
    round_ended: bool = False

    def keys(self) -> Iterator[str | Event | None]:
        """Give what is pressed; ends when the time is over."""
        yield from self._wait_until_idle()
        next_export_s = time.monotonic() + self.export_every_s / 2
        while time.monotonic() < self.ends_s:
            yield from self._capture_and_undo()
            if self.rounds % 3 == 0:
                yield from self._rename()
            if self.rounds % 4 == 0:
                yield from self._add_and_remove_class()
            if time.monotonic() > next_export_s:
                yield from ("e",)
                yield from self._wait_until_idle()
                next_export_s = time.monotonic() + self.export_every_s
                self.exports += 1
            yield from self._wait_until_idle()
            self.rounds += 1
            self.round_ended = True
            yield None

    def _capture_and_undo(self) -> Iterator[str | Event | None]:
        yield from self._hold("1", 1.2)
        yield from self._wait(1.0)
        yield from self._hold("2", 1.2)
        yield from self._wait_until_idle()
        yield from self._wait(1.0)
        for _ in range(2):
            yield "u"
            yield from self._wait(0.5)
        yield from ("t", "m", "m", "h", "h", "p", "p")

    def _rename(self) -> Iterator[str | Event | None]:
        """Lengthen the selected class's name by a letter, next time shorten it again."""
        yield from ("n", "end", "backspace" if self.rounds % 2 else "x", "enter")
        yield from self._wait(0.5)

    def _add_and_remove_class(self) -> Iterator[str | Event | None]:
        yield from ("+", *"passing", "enter")
        yield from self._hold(" ", 1.0)
        yield from self._wait_until_idle()
        yield from ("x", "y")
        yield from self._wait(0.5)

    @staticmethod
    def _hold(key: str, seconds: float) -> Iterator[str | Event | None]:
        yield Press(key)
        yield from Person._wait(seconds)
        yield Release(key)
        yield from Person._wait(0.5)

    @staticmethod
    def _wait(seconds: float) -> Iterator[str | Event | None]:
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            yield None

    def _wait_until_idle(self) -> Iterator[str | Event | None]:
        """Wait for the worker, but not for an export: people go on meanwhile."""
        until_s = time.monotonic() + _MOST_PATIENCE_S
        yield None
        while self.session.busy and time.monotonic() < until_s:
            yield None


@dataclass
class Meter:
    """Stands where the window stands: shows, presses keys, and measures."""

    display: Display
    person: Person
    session: Session
    folder: Path
    bare: Interpreter
    minutes: list[Minute] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.script = FakeDisplay(self.person.keys(), keep=1)
        self._started_s = self._next_minute_s = self._calibrated_s = time.monotonic()
        self._next_minute_s += 60
        self._frame_times, self._bare_times = Times(), Times()
        self._frames = 0
        self._frame_s = 0.0
        self._rss: list[float] = []
        self._threads = self._files = 0
        size = self.bare.input_shape[1]
        pixels = np.random.default_rng(0).uniform(-1, 1, (1, size, size, 3)).astype(np.float32)
        self._raw = self.bare._interpreter  # noqa: SLF001 - the bare thing is what is measured
        self._raw.set_tensor(self.bare.input_details["index"], pixels)

    def frame(self) -> None:
        """Take note of a frame that was taken just now."""
        now_s = time.perf_counter()
        if self._frame_s:
            self._frame_times.add((now_s - self._frame_s) * 1000)
        self._frames += 1
        self._frame_s = now_s

    def events(self) -> Sequence[Event]:
        """Return what the person does."""
        return [*self.display.events(), *self.script.events()]

    def show(self, view: View) -> None:
        """Show, and do the next thing."""
        self.display.show(view)
        now_s = time.monotonic()
        if now_s - self._calibrated_s > _CALIBRATE_EVERY_S:
            self._calibrated_s = now_s
            for _ in range(_CALIBRATION_RUNS):
                started_s = time.perf_counter()
                self._raw.invoke()
                self._bare_times.add((time.perf_counter() - started_s) * 1000)
        self.script.show(view)
        if self.person.round_ended:
            self.person.round_ended = False
            if not self.session.unfinished:
                self._rss.append(resident_mb())
                self._threads = max(self._threads, thread_count())
                self._files = max(self._files, file_count())
            if self._rss and now_s > self._next_minute_s:
                self._end_minute()
        self._frame_s = 0.0  # the time to the next frame is not its own

    def _end_minute(self) -> None:
        now_s = time.monotonic()
        self._next_minute_s = now_s + 60
        trash = folder_mb(self.folder / "trash")
        minute = Minute(
            (now_s - self._started_s) / 60,
            self._frames,
            statistics.median(self._rss),
            self._threads,
            self._files,
            self._frame_times.quartiles(),
            self._bare_times.quartiles(),
            len(self.session.dataset.samples),
            folder_mb(self.folder) - trash,
            trash,
        )
        self._rss.clear()
        self._threads = self._files = 0
        self.minutes.append(minute)
        print(minute, flush=True)

    def close(self) -> None:
        """Close the window."""
        self.display.close()


def soak(folder: Path, video: Path, options: argparse.Namespace) -> bool:
    """Run the live loop; returns whether all bounds hold."""
    choice = BackboneChoice("built-in")
    backbone = load_backbone(choice.name)
    with ProjectStore.create(folder / "soak") as store:
        fill(store, 20)
        samples = len(store.samples())
        executor = start_worker()
        session = Session(
            store,
            backbone_loader(store, choice),
            executor=executor,
            clock=time.monotonic,
            export=export_from_session,
        )
        display: Display = Window("soak") if options.window else FakeDisplay(keep=1)
        ends_s = time.monotonic() + options.minutes * 60
        person = Person(session, ends_s, options.export_every)
        meter = Meter(display, person, session, store.path, Interpreter(backbone.extractor, 1))
        advance = session.advance

        def counting(frame: Frame | None, *rest: object) -> None:
            if frame is not None:
                meter.frame()
            advance(frame, *rest)  # type: ignore[arg-type]  # passed through as they come

        session.advance = counting  # type: ignore[method-assign,assignment]  # counts, changes nothing
        print(HEADINGS, flush=True)
        with FrameReader(
            lambda: Looped(video, paced=False), name="the video", drop=False, prepare=session.shrink
        ) as reader:
            run(session, reader, meter)
        left = len(session.dataset.samples)
        session.close()
        executor.shutdown()
        meter.close()
        print(
            f"{person.rounds} rounds, {person.exports} exports, {samples} samples before and "
            f"{left} after; last problem: {session.problem or 'none'}"
        )
    return verdict(meter.minutes) and left == samples and not session.problem


def verdict(minutes: list[Minute]) -> bool:
    """Compare the end with what was after the warm-up, and say so."""
    compared = minutes[int(len(minutes) * WARM_UP) :]
    part = max(1, len(compared) // 5)
    first, last = compared[:part], compared[-part:]
    rss = [statistics.median(m.rss_mb for m in some) for some in (first, last)]
    speed = [statistics.median(m.relative for m in some) for some in (first, last)]
    frame_ms = [statistics.median(m.frame_ms[1] for m in some) for some in (first, last)]
    growth, slower = rss[1] / rss[0] - 1, speed[1] / speed[0]
    threads = [max(m.threads for m in some) for some in (first, last)]
    files = [max(m.files for m in some) for some in (first, last)]
    print(
        f"frames {minutes[-1].frames:,}\n"
        f"resident memory {rss[0]:.1f} -> {rss[1]:.1f} MB: {growth:+.2%} "
        f"(bound {MOST_GROWTH:+.0%})\n"
        f"threads {threads[0]} -> {threads[1]}, open files {files[0]} -> {files[1]}\n"
        f"frame time {frame_ms[0]:.2f} -> {frame_ms[1]:.2f} ms: {frame_ms[1] / frame_ms[0]:.2f} "
        f"times; in units of the bare interpreter beside it {slower:.2f} times "
        f"(bound {MOST_SLOWER})"
    )
    return (
        growth <= MOST_GROWTH
        and slower <= MOST_SLOWER
        and threads[1] <= threads[0]
        and files[1] <= files[0]
    )


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--video", type=Path, help="default: the demo camera, recorded once")
    parser.add_argument(
        "--window", action="store_true", help="a real window, under Xvfb if need be"
    )
    parser.add_argument("--export-every", type=float, default=300, metavar="SECONDS")
    parser.add_argument("--device", type=Path, metavar="BUNDLE", help="its classify.py instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        video = options.video or record_demo(folder / "demo.mp4")
        if options.device:
            return int(not soak_device(options.device, video, options.minutes))
        if not options.window:
            return int(not soak(folder, video, options))
        with some_screen():
            return int(not soak(folder, video, options))


if __name__ == "__main__":
    sys.exit(main())
