"""What the few-shot benchmark prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from fewshots.measures import interval, mean_of_sets
from fewshots.methods import OURS, TEACHABLE_MACHINE

if TYPE_CHECKING:
    from collections.abc import Sequence

Figures: TypeAlias = "dict[str, dict[str, list[float]]]"
"""By figure, then by set: one number an episode."""

Results: TypeAlias = "dict[str, Figures]"
"""By method."""


POOLED = "calibration of all episodes of a set"
"""The figure that holds the calibration error of a set's episodes together, one number a set."""


@dataclass(frozen=True, slots=True, eq=False)
class BackboneRow:
    """One backbone of the comparison.

    Attributes:
        name: As in `--backbone`.
        figures: What our default reached on it.
        theirs: What Teachable Machine's recipe reached on the same episodes.
        ms: Milliseconds a frame, one thread.
        times: How many times the reference backbone's frame that is.
        size: Bytes of the extractor, float32.
    """

    name: str
    figures: Figures
    theirs: Figures
    ms: float
    times: float
    size: int


def paired(ours: Figures, theirs: Figures) -> dict[str, list[float]]:
    """Return ours minus theirs, episode by episode, for each set."""
    return {
        name: [a - b for a, b in zip(values, theirs["accuracy"][name], strict=True)]
        for name, values in ours["accuracy"].items()
    }


def print_methods(results: Results, sets: Sequence[str], shots: int) -> None:
    """Print accuracy by set and method, then what is unknown."""
    head = f"{shots}-shot accuracy"
    print(f"\n{head:20}" + "".join(f"{s[:14]:>15}" for s in sets) + "     mean  (95 %)")
    for method, figures in results.items():
        accuracy = figures["accuracy"]
        low, high = interval(accuracy)
        cells = "".join(f"{np.mean(accuracy[s]):15.3f}" for s in sets)
        seconds = mean_of_sets(figures["seconds"])
        print(
            f"{method:20}{cells}{mean_of_sets(accuracy):9.3f}  ({low:.3f} to {high:.3f})"
            f"  ECE {mean_of_sets(figures[POOLED]):.3f} ({mean_of_sets(figures['calibration']):.3f}"
            f" by episode)  {seconds * 1000:.0f} ms"
        )
    difference = paired(results[OURS], results[TEACHABLE_MACHINE])
    low, high = interval(difference)
    worst = min(sets, key=lambda s: float(np.mean(difference[s])))
    print(
        f"\n{OURS} minus {TEACHABLE_MACHINE}, paired: {mean_of_sets(difference):+.3f} "
        f"({low:+.3f} to {high:+.3f}); least on {worst}: {np.mean(difference[worst]):+.3f}"
    )
    print("\nunknown (FA: strangers accepted where 95 % of known frames are)")
    for key in sorted(k for k in results[OURS] if "FA" in k or "AUROC" in k or "TA" in k):
        by_set = results[OURS][key]
        cells = "".join(f"{np.mean(by_set[s]):15.3f}" if s in by_set else " " * 15 for s in sets)
        print(f"{key:20}{cells}{mean_of_sets(by_set):9.3f}")


def print_backbones(rows: Sequence[BackboneRow]) -> None:
    """Print the comparison of backbones as a Markdown table, the cheapest first."""
    print(
        "\n| `--backbone` | accuracy (95 %) | against Teachable Machine's recipe "
        "| a frame, one thread | size | strangers let through: far, near |"
    )
    print("|---|---|---|---|---|---|")
    for row in sorted(rows, key=lambda r: r.times):
        low, high = interval(row.figures["accuracy"])
        difference = mean_of_sets(paired(row.figures, row.theirs))
        far, near = (
            f"{mean_of_sets(row.figures[key]):.0%}" if row.figures.get(key) else "not measured"
            for key in ("far FA", "near FA")
        )
        print(
            f"| `{row.name}` | {mean_of_sets(row.figures['accuracy']):.3f} "
            f"({low:.3f} to {high:.3f}) | {difference:+.3f} | {row.ms:.1f} ms, {row.times:.1f}x "
            f"| {row.size / 1e6:.1f} MB | {far}, {near} |"
        )
