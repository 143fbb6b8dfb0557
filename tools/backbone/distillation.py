"""What is trained, and on what losses: distillation of teachers into a student. Needs PyTorch."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from backbone.student import Heads, Student

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backbone.views import ViewStore

TEMPERATURE = 2.0


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


def _similarity(features: Tensor) -> Tensor:
    centred = features - features.mean(0)
    unit = functional.normalize(centred, dim=1)
    return unit @ unit.T
