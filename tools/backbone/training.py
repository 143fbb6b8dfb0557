"""Distillation on the views of `backbone.views`. Needs PyTorch.

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
from torch import Tensor, nn
from torch.nn import functional

from backbone import evaluation
from backbone.student import Heads, Student

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from backbone.views import ViewStore

TEMPERATURE = 2.0
FLIPPED = 0.5  # part of the views that is shown mirrored
LONGEST_STEP_S = 10.0  # a step that took longer was stopped by somebody; it counts as this long


@dataclass(frozen=True, slots=True)
class Settings:
    """What determines a run, apart from the time it is given.

    Attributes:
        alpha: Width of the student.
        seed: For the first weights and the order of the views.
        batch: Views in a batch.
        sizes: ``(size, pictures)`` pairs: the student's input side in pixels until so many
            pictures have been seen; the last one holds for ever.
        branch_sizes: Input sides of the branch, each for an equal part of its time.
        matrix_rate: Step of the pointwise convolutions relative to their norm.
        rate: Learning rate of everything else (AdamW).
        average: Decay of the moving average of the weights per batch.
        optimizer: ``muon`` (pointwise convolutions) or ``adamw`` (all).
    """

    alpha: float = 0.5
    seed: int = 0
    batch: int = 128
    sizes: tuple[tuple[int, int], ...] = ((96, 200_000), (128, 0))
    branch_sizes: tuple[int, ...] = (128, 160)
    matrix_rate: float = 0.03
    rate: float = 2e-3
    average: float = 0.998
    optimizer: str = "muon"

    def size(self, seen: int) -> int:
        """Input side in pixels after so many pictures."""
        for size, until in self.sizes[:-1]:
            if seen < until:
                return size
        return self.sizes[-1][0]


def parse_sizes(text: str) -> tuple[tuple[int, int], ...]:
    """Read ``96:200000,128``: 96 px until 200,000 pictures have been seen, then 128 px."""
    pairs = [part.partition(":") for part in text.split(",")]
    return tuple((int(size), int(until or 0)) for size, _, until in pairs)


class Muon(torch.optim.Optimizer):  # type: ignore[misc]  # PyTorch is not checked
    """Steps of equal size in all directions of a matrix (momentum, then orthogonalised).

    Every matrix keeps the Frobenius norm of a random orthogonal one: batch norm follows it, so
    only its direction matters, and ``lr`` is the relative size of a step.
    """

    def __init__(self, parameters: list[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        """Optimise ``(outputs, inputs, 1, 1)`` parameters."""
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self) -> None:
        """Make one step."""
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad.flatten(1)
                state = self.state[parameter]
                if "mean" not in state:
                    state["mean"] = torch.zeros_like(gradient)
                state["mean"].lerp_(gradient, 1 - group["momentum"])
                update = gradient.lerp(state["mean"], group["momentum"])
                matrix = _orthogonal(update).view_as(parameter)
                norm = math.sqrt(min(update.shape))
                parameter.sub_(matrix, alpha=group["lr"])
                parameter.mul_(norm / parameter.norm())


def _orthogonal(matrix: Tensor, steps: int = 5) -> Tensor:
    # Newton-Schulz iteration with the quintic coefficients of Keller Jordan's Muon; bfloat16 is
    # exact enough for a direction, and three times as fast.
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).bfloat16()
    x = x / (x.norm() + 1e-12)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.T if tall else x).float()


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


class Distillation:
    """A student, its teachers' statistics, optimisers and their common state."""

    def __init__(self, settings: Settings, store: ViewStore, top: dict[str, NDArray[Any]]) -> None:
        """Start afresh.

        Args:
            settings: See `Settings`.
            store: The views.
            top: The wide teacher's classification layer: ``kernel`` and ``bias``.
        """
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.student = Student(settings.alpha).to(memory_format=torch.channels_last)
        self.heads = Heads(self.student)
        self.average = Student(settings.alpha).to(memory_format=torch.channels_last)
        self.average.load_state_dict(self.student.state_dict())
        self.seen = 0
        self.minutes = 0.0
        self.kernel = torch.from_numpy(np.asarray(top["kernel"], np.float32))
        self.bias = torch.from_numpy(np.asarray(top["bias"], np.float32))
        matrices = [block.pointwise.weight for block in self.student.blocks]
        use_muon = settings.optimizer == "muon"
        apart = {id(p) for p in matrices} if use_muon else set()
        others = [p for p in self.student.parameters() if id(p) not in apart]
        self.optimizers: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(
                [
                    {"params": others, "weight_decay": 0.0},
                    {"params": list(self.heads.parameters()), "weight_decay": 0.02},
                ],
                lr=settings.rate,
                betas=(0.9, 0.98),
                eps=1e-6,
            )
        ]
        if use_muon:
            self.optimizers.append(Muon(matrices, settings.matrix_rate))
        self._rates = [settings.rate, settings.matrix_rate]
        self.statistics = self._measure(store)
        self.losses: dict[str, float] = {}

    def _measure(self, store: ViewStore) -> dict[str, Tensor]:
        # Mean and spread of what the teachers say, so that all channels count the same.
        rng = np.random.default_rng(self.settings.seed)
        count = min(4096, len(store))
        indices = rng.choice(len(store), count, replace=False)
        sample = store.read(indices, 32, np.zeros(count, bool))
        statistics = {}
        for key in ("wide", "narrow", "deep", "middle"):
            values = sample[key].astype(np.float32)
            axes = tuple(range(values.ndim - 1))
            statistics[f"{key}_mean"] = torch.from_numpy(values.mean(axes))
            statistics[f"{key}_scale"] = torch.from_numpy(1 / (values.std(axes) + 0.02))
        return statistics

    def _standard(self, batch: dict[str, Any], key: str) -> Tensor:
        values = torch.from_numpy(batch[key]).float()
        return (values - self.statistics[f"{key}_mean"]) * self.statistics[f"{key}_scale"]

    def _map_loss(self, batch: dict[str, Any], key: str, predicted: Tensor) -> Tensor:
        target = self._standard(batch, key).permute(0, 3, 1, 2)
        if target.shape[2:] != predicted.shape[2:]:
            target = functional.interpolate(
                target, predicted.shape[2:], mode="bilinear", align_corners=False, antialias=True
            )
        return functional.mse_loss(predicted, target)

    def step(self, batch: dict[str, Any], factor: float) -> None:
        """Learn from one batch at ``factor`` times the learning rates."""
        for optimizer, rate in zip(self.optimizers, self._rates, strict=False):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
        pixels = torch.from_numpy(batch["pixels"]).permute(0, 3, 1, 2)
        x = pixels.float().div_(127.5).sub_(1.0).contiguous(memory_format=torch.channels_last)
        middle, deep = self.student(x)
        pooled = deep.mean((2, 3))

        raw = torch.from_numpy(batch["wide"]).float()
        teacher_logits = (raw @ self.kernel + self.bias) / TEMPERATURE
        logits = self.heads.logits(pooled) / TEMPERATURE
        wanted = torch.cat([self._standard(batch, "wide"), self._standard(batch, "narrow")], 1)
        losses = {
            "labels": functional.kl_div(
                functional.log_softmax(logits, 1),
                functional.log_softmax(teacher_logits, 1),
                reduction="batchmean",
                log_target=True,
            )
            * TEMPERATURE**2,
            "pooled": functional.mse_loss(self.heads.pooled(pooled), wanted),
            "deep": self._map_loss(batch, "deep", self.heads.deep(deep)),
            "middle": self._map_loss(batch, "middle", self.heads.middle(middle)),
            "relation": functional.mse_loss(_similarity(pooled), _similarity(wanted)),
        }
        weights = {"labels": 0.5, "pooled": 4.0, "deep": 2.0, "middle": 1.0, "relation": 10.0}
        loss = torch.stack([weights[key] * value for key, value in losses.items()]).sum()
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        self.seen = batch["seen"]
        decay = min(self.settings.average, self.seen / (self.seen + 20 * self.settings.batch))
        with torch.no_grad():
            own = self.student.state_dict()
            for key, value in self.average.state_dict().items():
                if value.is_floating_point():
                    value.lerp_(own[key], 1 - decay)
        for key, value in losses.items():
            old = self.losses.get(key)
            new = float(value.detach())
            self.losses[key] = new if old is None else old * 0.98 + new * 0.02

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def settle(self, store: ViewStore, size: int, batches: int = 24) -> None:
        """Measure the averaged weights' batch norms anew, at an input side of ``size``."""
        norms = [m for m in self.average.modules() if isinstance(m, nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
        self.average.train()
        rng = np.random.default_rng(self.settings.seed)
        for _ in range(batches):
            indices = rng.choice(len(store), min(self.settings.batch, len(store)), replace=False)
            pixels = store.read(indices, size, np.zeros(len(indices), bool))["pixels"]
            x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
            self.average(x.contiguous(memory_format=torch.channels_last))
        self.average.eval()

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def features(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pooled features ``(N, D)`` of ``(N, s, s, 3)`` RGB by the averaged weights."""
        self.average.eval()
        rows = []
        for start in range(0, len(images), 64):
            x = torch.from_numpy(images[start : start + 64]).permute(0, 3, 1, 2).float()
            x = x.div_(127.5).sub_(1.0).contiguous(memory_format=torch.channels_last)
            rows.append(self.average(x)[1].mean((2, 3)).numpy())
        return np.concatenate(rows)

    def state(self) -> dict[str, Any]:
        """Everything that is needed to go on."""
        return {
            "settings": asdict(self.settings),
            "student": self.student.state_dict(),
            "heads": self.heads.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "statistics": self.statistics,
            "losses": self.losses,
            "seen": self.seen,
            "minutes": self.minutes,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.student.load_state_dict(state["student"])
        self.heads.load_state_dict(state["heads"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.statistics = state["statistics"]
        self.losses = state["losses"]
        self.seen = state["seen"]
        self.minutes = state["minutes"]


def _falling(part: float) -> float:
    # The "1-sqrt" cooldown of Hägele et al., "Scaling Laws and Compute-Optimal Training Beyond
    # Fixed Training Durations" (2024): better than a straight line, above all when short.
    return 1 - math.sqrt(min(part, 1.0))


def _similarity(features: Tensor) -> Tensor:
    centred = features - features.mean(0)
    unit = functional.normalize(centred, dim=1)
    return unit @ unit.T


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
