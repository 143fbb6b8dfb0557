"""Runs a compiled network, one picture at a time on one thread. Needs LiteRT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ai_edge_litert.interpreter import Interpreter

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class Extractor:
    """A TFLite model from RGB in [-1, 1] to features.

    Attributes:
        size: Input side in pixels.
    """

    def __init__(self, model: Path) -> None:
        """Load the file ``model``."""
        self._interpreter = Interpreter(model_path=str(model), num_threads=1)
        self._interpreter.allocate_tensors()
        detail = self._interpreter.get_input_details()[0]
        self._input = detail["index"]
        self.size = int(detail["shape"][1])
        self._outputs = [
            (int(detail["shape"][-1]), detail["index"])
            for detail in self._interpreter.get_output_details()
        ]

    def outputs(self, image: NDArray[np.uint8]) -> dict[int, NDArray[np.float32]]:
        """Run on one ``(s, s, 3)`` RGB picture; outputs keyed by their number of channels."""
        scaled = image.astype(np.float32)[None] / np.float32(127.5) - np.float32(1)
        self._interpreter.set_tensor(self._input, scaled)
        self._interpreter.invoke()
        return {
            channels: self._interpreter.get_tensor(index)[0] for channels, index in self._outputs
        }

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pooled features ``(N, C)`` of ``(N, size, size, 3)`` RGB, from the first output."""
        channels = self._outputs[0][0]
        rows = [self.outputs(image)[channels].reshape(-1, channels).mean(0) for image in images]
        return np.stack(rows).astype(np.float32)
