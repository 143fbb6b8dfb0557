"""Folds batch norms into the convolutions before them. Needs NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPSILON = 1e-3  # of Keras' MobileNet, and of the student


def fold(arrays: dict[str, NDArray[Any]], epsilon: float = EPSILON) -> dict[str, NDArray[Any]]:
    """Fold every batch norm into its convolution.

    Args:
        arrays: Weights by Keras path: ``conv_pw_1/kernel``, ``conv_pw_1_bn/gamma`` and so on.
        epsilon: What the batch norms add to the variance.

    Returns:
        float32 arrays by Keras path: a kernel and a bias for each convolution, in the given order.
    """
    folded = {}
    for path, kernel in arrays.items():
        name, _, part = path.partition("/")
        if part != "kernel":
            continue
        gamma, beta, mean, variance = (
            np.asarray(arrays[f"{name}_bn/{statistic}"], np.float64)
            for statistic in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        factor = gamma / np.sqrt(variance + epsilon)
        # A depthwise kernel is (h, w, channels, 1), any other one (h, w, inputs, outputs).
        along = factor[:, None] if kernel.shape[-1] == 1 < len(factor) else factor
        folded[f"{name}/kernel"] = (kernel.astype(np.float64) * along).astype(np.float32)
        folded[f"{name}/bias"] = (beta - mean * factor).astype(np.float32)
    return folded
