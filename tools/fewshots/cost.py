"""What a frame costs with each of several backbones, measured side by side."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.interpreter import Interpreter

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

ROUNDS: Final = 100
_WARM_UP: Final = 3
_UNDISTURBED: Final = 0.1


def milliseconds(
    extractors: Mapping[str, bytes], rounds: int = ROUNDS
) -> dict[str, npt.NDArray[np.float64]]:
    """Run each network once a round, on one thread, so that all meet the same disturbances.

    Args:
        extractors: TFLite files by name.
        rounds: How often.

    Returns:
        For each `(rounds,)` milliseconds of one run.
    """
    interpreters = {name: Interpreter(content, 1) for name, content in extractors.items()}
    generator = np.random.default_rng(0)
    for interpreter in interpreters.values():
        view = interpreter.input_view()
        view[:] = generator.uniform(-1, 1, view.shape)
        del view  # `invoke` refuses to run while it is held
        for _ in range(_WARM_UP):
            interpreter.invoke()
    times: dict[str, list[float]] = {name: [] for name in interpreters}
    for _ in range(rounds):
        for name, interpreter in interpreters.items():
            started = time.perf_counter()
            interpreter.invoke()
            times[name].append((time.perf_counter() - started) * 1000)
    return {name: np.array(values) for name, values in times.items()}


def undisturbed(times: npt.NDArray[np.float64]) -> float:
    """Return what a run takes where nothing comes between: the fastest tenth takes less.

    On a busy machine long runs are interrupted and short ones are not; a median would count
    that against the long ones.
    """
    return float(np.quantile(times, _UNDISTURBED))
