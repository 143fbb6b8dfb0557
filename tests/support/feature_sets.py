"""Feature sets for tests: clusters, as features of real classes are."""

from __future__ import annotations

import numpy as np

from edge_classifier.values import FeatureSet


def clusters(
    classes: int = 3,
    per_burst: int = 10,
    bursts: int = 2,
    dim: int = 64,
    spread: float = 0.25,
    seed: int = 0,
) -> FeatureSet:
    """Draw non-negative features around one centre a class, each burst a little off."""
    generator = np.random.default_rng(seed)
    # One set of classes for all seeds: the seed draws other samples of the same classes.
    centres = np.random.default_rng(99).uniform(0, 1, (classes, dim))
    rows, ids, burst_ids = [], [], []
    for class_id, centre in enumerate(centres):
        for burst in range(bursts):
            shift = generator.normal(0, spread / 2, dim)
            rows.append(centre + shift + generator.normal(0, spread, (per_burst, dim)))
            ids += [class_id] * per_burst
            burst_ids += [f"{class_id}-{burst}"] * per_burst
    return FeatureSet(
        np.maximum(np.concatenate(rows), 0).astype(np.float32),
        np.array(ids, np.int64),
        np.array(burst_ids, np.str_),
        tuple(f"class {n}" for n in range(classes)),
    )


def strangers(count: int = 40, dim: int = 64, seed: int = 5) -> np.ndarray:
    """Draw features of things that belong to no class."""
    generator = np.random.default_rng(seed)
    return generator.uniform(0, 1, (count, dim)).astype(np.float32)
