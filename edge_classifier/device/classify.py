"""Run an image classifier on a device, with NumPy, OpenCV and LiteRT only.

This one file is both: the code that the `edge_classifier` package uses for its own live
picture, and the file that an exported bundle carries to a Raspberry Pi. So it imports nothing
of the package, and whatever the picture showed is computed here by the same lines.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Image = npt.NDArray[np.uint8]

_HALF: Final = 2


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an image becomes the network's input; stored with every model.

    The largest centred square is cut out (nothing is ever squashed), then resized, turned from
    BGR to RGB, and scaled linearly to `[low, high]`.

    Attributes:
        input_size: Height and width of the network's input in pixels.
        resize: `mipmap` halves by exact 2x2 means while the square is at least twice the input
            size, then interpolates bilinearly (Williams, "Pyramidal Parametrics", SIGGRAPH
            1983): it does not alias, costs a fifth of area averaging, and its integer
            arithmetic gives the same bits on every machine. `bilinear` interpolates only.
        low: The input value of a black pixel.
        high: The input value of a white pixel.
    """

    input_size: int
    resize: Literal["mipmap", "bilinear"] = "mipmap"
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no image could be brought to."""
        if self.input_size < 1 or self.high <= self.low:
            raise ValueError(
                f"Expected a positive input size and low < high, received {self.input_size}, "
                f"{self.low} and {self.high}."
            )
        if self.resize not in ("mipmap", "bilinear"):
            raise ValueError(f"Expected resize 'mipmap' or 'bilinear', received {self.resize!r}.")

    def square(self, image: Image) -> Image:
        """Cut out the largest centred square and resize it.

        Args:
            image: `(H, W, 3)` uint8, BGR, of any size.

        Returns:
            `(input_size, input_size, 3)` uint8, RGB.
        """
        import cv2  # noqa: PLC0415 - the core reads this class's fields without OpenCV

        height, width = image.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = image[top : top + side, left : left + side]
        if self.resize == "mipmap":
            while side >= _HALF * self.input_size:
                even = side - side % _HALF
                side = even // _HALF
                halved = cv2.resize(
                    square[:even, :even], (side, side), interpolation=cv2.INTER_AREA
                )
                square = np.asarray(halved, dtype=np.uint8)
        if side == self.input_size:
            return np.asarray(cv2.cvtColor(square, cv2.COLOR_BGR2RGB), dtype=np.uint8)
        # With a fourth channel OpenCV's exact resize takes its vector path: the same bits in
        # about two thirds of the time, colour conversions included.
        wide = cv2.resize(
            cv2.cvtColor(square, cv2.COLOR_BGR2RGBA),
            (self.input_size, self.input_size),
            interpolation=cv2.INTER_LINEAR_EXACT,
        )
        return np.asarray(cv2.cvtColor(wide, cv2.COLOR_RGBA2RGB), dtype=np.uint8)

    def apply(
        self, image: Image, out: npt.NDArray[np.float32] | None = None
    ) -> npt.NDArray[np.float32]:
        """Make the network's input of one image.

        Args:
            image: `(H, W, 3)` uint8, BGR, of any size.
            out: Where to write, `(input_size, input_size, 3)` float32; a view of an
                interpreter's input saves a copy.

        Returns:
            `(input_size, input_size, 3)` float32, RGB, in [low, high].
        """
        scale = np.float32((self.high - self.low) / 255.0)
        scaled: npt.NDArray[np.float32] = np.multiply(
            self.square(image), scale, out=out, dtype=np.float32
        )
        if self.low:
            np.add(scaled, np.float32(self.low), out=scaled)
        return scaled


class Interpreter:
    """A TFLite file with one image input, run by LiteRT with XNNPACK.

    Falls back from `ai_edge_litert` to `tflite_runtime` to TensorFlow, whichever is installed.
    One interpreter serves one thread at a time.

    Without a copy in between: fill `input_view()`, `invoke()`, read `output_view()`. A view must
    be let go before the next `invoke`, which refuses to run while one is held.

    Args:
        model: Path of the file, or its bytes.
        threads: CPU threads; LiteRT's own default is one.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no TFLite model.
        ImportError: if no runtime is installed.
    """

    def __init__(self, model: Path | bytes, threads: int = 1) -> None:
        interpreter_class, self.runtime = _load_runtime()
        content = model.read_bytes() if isinstance(model, Path) else model
        name = str(model) if isinstance(model, Path) else "the model"
        try:
            self._interpreter = interpreter_class(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{name} is no TFLite model that can run here: {error}") from error
        self.input_details: dict[str, Any] = self._interpreter.get_input_details()[0]
        self.output_details: list[dict[str, Any]] = self._interpreter.get_output_details()
        # A function from `tensor()` may be kept; the arrays that it gives may not.
        self._input = self._interpreter.tensor(self.input_details["index"])
        self._outputs = [self._interpreter.tensor(o["index"]) for o in self.output_details]
        self.threads = threads

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input, `(1, H, W, 3)`."""
        return tuple(int(n) for n in self.input_details["shape"])

    def input_view(self) -> npt.NDArray[Any]:
        """Give the input itself to write to, `(1, H, W, 3)` in its own dtype."""
        view: npt.NDArray[Any] = self._input()
        return view

    def output_view(self, index: int = 0) -> npt.NDArray[Any]:
        """Give an output itself to read from, as the last `invoke` left it."""
        view: npt.NDArray[Any] = self._outputs[index]()
        return view

    def invoke(self) -> None:
        """Run the network on what is in the input; lets other Python threads run meanwhile."""
        self._interpreter.invoke()

    def run(self, pixels: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Run the network on one input.

        Args:
            pixels: `(1, H, W, 3)` in the input's own dtype.

        Returns:
            One array per output, each a copy.
        """
        self._interpreter.set_tensor(self.input_details["index"], pixels)
        self.invoke()
        return [self._interpreter.get_tensor(o["index"]) for o in self.output_details]


def _load_runtime() -> tuple[Any, str]:
    """Import the first runtime that is installed; returns its class and its name."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        from ai_edge_litert.interpreter import Interpreter as LiteRT  # noqa: PLC0415 - optional
    except ImportError:
        pass
    else:
        return LiteRT, "ai_edge_litert"
    try:
        from tflite_runtime.interpreter import Interpreter as TFLite  # noqa: PLC0415 - optional
    except ImportError:
        pass
    else:
        return TFLite, "tflite_runtime"
    try:
        import tensorflow as tf  # noqa: PLC0415 - optional, and slow to import
    except ImportError:
        raise ImportError(
            "No TFLite runtime is installed; `pip install ai-edge-litert` gives one."
        ) from None
    return tf.lite.Interpreter, "tensorflow"
