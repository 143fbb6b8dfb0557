"""Training on the views of `backbone.views`: what is read, saved and reported. Needs PyTorch.

The learning rate stays constant for as long as training goes on, over any number of sessions
(checkpoints hold everything that is needed to go on); for a usable model a branch with a falling
learning rate is trained for some minutes and written out, and the checkpoint is left as it was
before the branch.
"""

from __future__ import annotations

import contextlib
import csv
import ctypes
import json
import math
import queue
import signal
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from backbone import evaluation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from backbone.distillation import Distillation, Settings
    from backbone.views import ViewStore

FLIPPED = 0.5  # part of the views that is shown mirrored
LONGEST_STEP_S = 10.0  # a step that took longer was stopped by somebody; it counts as this long


def _batches(
    store: ViewStore, settings: Settings, seen: int, size: int | None
) -> Iterator[dict[str, Any]]:
    """Yield batches for ever, from the place in the order that belongs to ``seen``."""
    length = len(store)
    usable = length - length % settings.batch
    if not usable:
        raise ValueError(f"Expected at least {settings.batch} views, found {length}")
    order = np.zeros(0, np.int64)
    flips = np.zeros(0, bool)
    current = -1
    while True:
        epoch, place = divmod(seen, usable)
        if epoch != current:
            rng = np.random.default_rng((settings.seed, epoch, length))
            order = rng.permutation(length)
            flips = rng.random(length) < FLIPPED
            current = epoch
        part = slice(place, min(place + settings.batch, usable))
        batch: dict[str, Any] = store.read(order[part], size or settings.size(seen), flips[part])
        seen += part.stop - part.start
        batch["seen"] = seen
        yield batch


class _Prefetcher:
    """Read batches ahead in a thread."""

    def __init__(self, batches: Iterator[dict[str, Any]], depth: int = 4) -> None:
        self._queue: queue.Queue[dict[str, Any]] = queue.Queue(depth)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(batches,), daemon=True)
        self._thread.start()

    def _work(self, batches: Iterator[dict[str, Any]]) -> None:
        for batch in batches:
            while not self._stopped.is_set():
                try:
                    self._queue.put(batch, timeout=0.2)
                    break
                except queue.Full:
                    continue
            if self._stopped.is_set():
                return

    def next(self) -> dict[str, Any]:
        """Return the next batch; an error if the reading thread died."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self._queue.get(timeout=5)
            if not self._thread.is_alive():
                raise RuntimeError("The thread that reads the views has died: see above")

    def close(self) -> None:
        """Stop reading."""
        self._stopped.set()
        self._thread.join()


def _falling(part: float) -> float:
    # The "1-sqrt" cooldown of Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond
    # Fixed Training Durations" (2024): better than a straight line, above all when short.
    return 1 - math.sqrt(min(part, 1.0))


def calm_allocator() -> None:
    """Let the C library keep large blocks: asking for fresh pages costs a third of a step."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for option, value in ((-4, 0), (-1, 2**31 - 1), (-2, 2**28), (-8, 1)):
            libc.mallopt(option, value)


@dataclass(frozen=True, slots=True)
class Clock:
    """When a run ends.

    Attributes:
        until: Wall-clock time of the end, branch included, in seconds since the epoch.
        branch_minutes: How long the branch with a falling rate lasts.
        report_minutes: Time between two lines of the curve.
    """

    until: float
    branch_minutes: float
    report_minutes: float = 8.0


class Run:
    """One session of training in a folder.

    The folder holds ``checkpoint.pt``, ``curve.csv``, ``student.npz`` (the last usable weights,
    under Keras' names), ``student.json`` (what is known of them) and ``check.npz`` (what they
    give for some pictures).
    """

    def __init__(
        self,
        folder: Path,
        distillation: Distillation,
        store: ViewStore,
        episodes: list[evaluation.Task] | None,
    ) -> None:
        """Train ``distillation`` on ``store``; ``episodes`` as `evaluation.load` gives them."""
        self.folder = folder
        self.distillation = distillation
        self.store = store
        self.episodes = episodes
        self._stop = threading.Event()

    def run(self, clock: Clock) -> None:
        """Train until the clock says so; SIGTERM saves a checkpoint and ends early."""
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        distillation = self.distillation
        branch_start = clock.until - clock.branch_minutes * 60
        self._phase(branch_start, clock, branch=False)
        self._save()
        if self._stop.is_set():
            print("stopped; the checkpoint is saved", flush=True)
            return
        resume = (distillation.seen, distillation.minutes)
        self._phase(clock.until, clock, branch=True)
        self._report("final", size=distillation.settings.branch_sizes[-1])
        print(f"checkpoint before the branch: {resume[0]} pictures, {resume[1]:.1f} min")

    def _phase(self, end: float, clock: Clock, *, branch: bool) -> None:
        distillation, settings = self.distillation, self.distillation.settings
        begin = time.time()
        next_report = begin + clock.report_minutes * 60
        size: int | None = None
        feed: _Prefetcher | None = None
        try:
            while time.time() < end and not self._stop.is_set():
                part = (time.time() - begin) / max(end - begin, 1.0)
                if branch:
                    sizes = settings.branch_sizes
                    wanted = sizes[min(int(part * len(sizes)), len(sizes) - 1)]
                    if wanted != size and feed is not None:
                        feed.close()
                        feed = None
                    size = wanted
                if feed is None:
                    feed = _Prefetcher(_batches(self.store, settings, distillation.seen, size))
                started = time.time()
                distillation.step(feed.next(), _falling(part) if branch else 1.0)
                took = time.time() - started
                distillation.minutes += min(took, LONGEST_STEP_S) / 60
                if time.time() >= next_report and not branch:
                    self._save()
                    self._report("average", size=160)
                    next_report = time.time() + clock.report_minutes * 60
                elif distillation.seen // settings.batch % 100 == 0:
                    self._print(took)
        finally:
            if feed is not None:
                feed.close()

    def _print(self, took: float) -> None:
        distillation = self.distillation
        losses = " ".join(f"{k} {v:.4f}" for k, v in distillation.losses.items())
        speed = took / distillation.settings.batch * 1e3
        print(
            f"{time.strftime('%H:%M:%S')} {distillation.seen:8d} seen {distillation.minutes:6.1f}"
            f" min {speed:5.2f} ms/picture  {losses}",
            flush=True,
        )

    def _save(self) -> None:
        target = self.folder / "checkpoint.pt"
        partial = target.with_suffix(".partial")
        torch.save(self.distillation.state(), partial)
        partial.replace(target)

    def _report(self, kind: str, size: int) -> None:
        distillation = self.distillation
        distillation.settle(self.store, size)
        scores: dict[str, float] = {}
        if self.episodes is not None:
            scores = evaluation.accuracies(self.episodes, distillation.features)
        row = {
            "kind": kind,
            "seen": distillation.seen,
            "minutes": round(distillation.minutes, 2),
            "views": len(self.store),
            **{key: round(value, 5) for key, value in distillation.losses.items()},
            **{f"acc_{key}": round(value, 4) for key, value in scores.items()},
        }
        curve = self.folder / "curve.csv"
        exists = curve.exists()
        with curve.open("a", newline="") as file:
            writer = csv.DictWriter(file, row.keys())
            if not exists:
                writer.writeheader()
            writer.writerow(row)
        arrays = distillation.average.keras_arrays()
        partial = self.folder / "student.partial.npz"
        np.savez(partial, **arrays)
        partial.replace(self.folder / "student.npz")
        # What the weights give here for some pictures, so that a conversion can be checked.
        chosen = np.linspace(0, len(self.store) - 1, 32).astype(np.int64)
        images = self.store.read(chosen, 160, np.zeros(len(chosen), bool))["pixels"]
        np.savez(self.folder / "check.npz", images=images, features=distillation.features(images))
        record = {**row, "settings": asdict(distillation.settings), "pools": self.store.counts}
        (self.folder / "student.json").write_text(json.dumps(record, indent=1) + "\n")
        self._print(0.0)
        print(" ".join(f"{key}={value}" for key, value in row.items()), flush=True)
