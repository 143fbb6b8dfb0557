"""Run an image classifier on a device, with NumPy, OpenCV and LiteRT only.

This one file is both: the code that the `edge_classifier` package uses for its own live
picture, and the file that an exported bundle carries to a Raspberry Pi. So it imports nothing
of the package, and whatever the picture showed is computed here by the same lines.

Its parts, from the pixels to the command line: `Preprocessing`, `Interpreter`, the arithmetic of
verdicts (`familiarity`, `TimeAverage`, `Hold`), `Bundle` and `Classifier`, sources of pictures,
outputs, and `main`.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import hashlib
import io
import json
import math
import os
import queue
import re
import shlex
import signal
import stat
import string
import subprocess
import sys
import threading
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    Image = npt.NDArray[np.uint8]

_HALF: Final = 2
_MAX_INPUT: Final = 4096


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
        size = self.input_size
        if size != int(size) or not 0 < size <= _MAX_INPUT or not -1e9 < self.low < self.high < 1e9:  # noqa: PLR2004 - anything absurd
            raise ValueError(
                f"Expected an input size from 1 to {_MAX_INPUT} and low < high, received "
                f"{self.input_size}, {self.low} and {self.high}."
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

    def shrink(self, image: Image) -> Image:
        """Make a small image that `apply` turns into the very input it makes of the image itself.

        Args:
            image: `(H, W, 3)` uint8, BGR, of any size.

        Returns:
            `(input_size, input_size, 3)` uint8, BGR.
        """
        import cv2  # noqa: PLC0415 - as in `square`

        return np.asarray(cv2.cvtColor(self.square(image), cv2.COLOR_RGB2BGR), dtype=np.uint8)

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
            with _native_chatter_silenced():
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


_chatter = threading.Lock()
_chattered = False


@contextlib.contextmanager
def _native_chatter_silenced() -> Iterator[None]:
    """Keep the runtime's "INFO: Created TensorFlow Lite XNNPACK delegate" off the terminal.

    Native code writes it to file descriptor 2, once a process, and has no switch for it; so the
    descriptor points elsewhere for the milliseconds in which the first interpreter is made.
    """
    global _chattered  # noqa: PLW0603 - once a process is what it is about
    with _chatter:
        if _chattered:
            yield
            return
        _chattered = True
        try:
            kept = os.dup(2)
        except OSError:  # there is no standard error at all
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(nowhere, 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


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


# Verdicts


class ClassifyError(Exception):
    """What the user has to know, in one line: what is wrong, with which file, what to do."""


def familiarity(
    similarities: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float32],
    neighbours: int,
    hesitation_weight: float,
) -> npt.NDArray[np.float32]:
    """Say how familiar images are: similar to a few references, and of one class only.

    Args:
        similarities: `(N, M)` of N images to M references, at most 1.
        scores: `(N, C)` of the classes.
        neighbours: The similarities to how many of the nearest references are averaged.
        hesitation_weight: How much less familiar one nat of entropy of the scores makes it.

    Returns:
        `(N,)` in [0, 1].
    """
    count = min(neighbours, similarities.shape[1])
    nearest = np.partition(similarities, -count, axis=1)[:, -count:].mean(axis=1)
    familiar: npt.NDArray[np.float32] = (nearest - hesitation_weight * entropy(scores)).astype(
        np.float32, copy=False
    )
    np.maximum(familiar, np.float32(0), out=familiar)
    return familiar


def entropy(scores: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
    """Return how much scores `(N, C)` hesitate between classes, `(N,)` in nats: 0 if not at all."""
    nats: npt.NDArray[np.float32] = -(scores * np.log(np.maximum(scores, 1e-12))).sum(axis=1)
    return nats.astype(np.float32, copy=False)


class TimeAverage:
    """Exponential moving average over time, not over frames.

    So it behaves the same at 5 and at 500 frames per second.

    Args:
        time_constant_s: After a jump this much time brings the average 63 % of the way; 0
            switches averaging off.
    """

    def __init__(self, time_constant_s: float) -> None:
        self.time_constant_s = time_constant_s
        self._average: npt.NDArray[np.float32] | None = None
        self._last_s = 0.0

    def reset(self) -> None:
        """Forget what came before."""
        self._average = None

    def update(self, values: npt.NDArray[np.float32], now_s: float) -> npt.NDArray[np.float32]:
        """Take new values and return the average; `now_s` is in seconds of a monotonic clock."""
        before = self._average
        if self.time_constant_s <= 0 or before is None or before.shape != values.shape:
            self._average = values
        else:
            weight = 1.0 - math.exp(-max(0.0, now_s - self._last_s) / self.time_constant_s)
            self._average = (before + weight * (values - before)).astype(np.float32, copy=False)
        self._last_s = now_s
        return self._average


class Hold:
    """Tells of a new label only once it has held for some frames.

    Args:
        frames: How many frames in a row make a label count.
    """

    def __init__(self, frames: int) -> None:
        self.label: str | None = None
        """The label that counts, or `None` before the first."""
        self._frames = frames
        self._candidate: str | None = None
        self._seen = 0

    def update(self, label: str) -> bool:
        """Take one frame's label and say whether the label that counts has just changed."""
        self._seen = self._seen + 1 if label == self._candidate else 1
        self._candidate = label
        if label == self.label or self._seen < self._frames:
            return False
        self.label = label
        return True


# The bundle

BUNDLE_FORMAT: Final = "edge-classifier bundle"
BUNDLE_VERSION: Final = 1
SOME_REFUSED: Final = 3
UNKNOWN: Final = "unknown"

_MAX_TEXT_BYTES: Final = 16 * 1024 * 1024
_MAX_MODEL_BYTES: Final = 512 * 1024 * 1024
_MAX_CLASSES: Final = 10_000
_MAX_NAME: Final = 1000
_FILE_CHARACTERS: Final = frozenset(string.ascii_letters + string.digits + "_.-")


@dataclass(frozen=True, slots=True)
class Bundle:
    """An exported folder, read and checked.

    Attributes:
        folder: Where it is.
        spec: The content of `spec.json`.
        class_names: In the order of the scores.
        preprocessing: How an image becomes the network's input.
        threshold: Images less similar to the samples than this are unknown; `None` if that was
            not measured.
        neighbours: How many of the nearest samples that similarity is averaged over.
        hesitation_weight: How much less similar one nat of entropy of the scores makes an image.
        smoothing_s: Time constant of the steady label, in seconds.
    """

    folder: Path
    spec: dict[str, Any]
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    threshold: float | None
    neighbours: int
    hesitation_weight: float
    smoothing_s: float

    @classmethod
    def open(cls, folder: Path) -> Bundle:
        """Read a bundle's description; its model is read by `model`.

        Raises:
            ClassifyError: if a file is missing, damaged or from a newer version.
        """
        path = folder / "spec.json"
        try:
            spec = json.loads(read_file(path, _MAX_TEXT_BYTES), parse_constant=_no_number)
            text = read_file(folder / "labels.txt", _MAX_TEXT_BYTES).decode()
            labels = text.replace("\r\n", "\n").rstrip("\n").split("\n")
        except OSError as error:
            raise ClassifyError(
                f"{folder} is no whole bundle: {Path(error.filename or path).name} cannot be read "
                f"({error.strerror}); copy the folder again."
            ) from error
        except (ValueError, RecursionError) as error:
            raise ClassifyError(f"{path} is damaged ({error}); copy the bundle again.") from error
        if not isinstance(spec, dict) or spec.get("format") != BUNDLE_FORMAT:
            raise ClassifyError(f"{path} belongs to something else; expected a bundle's spec.json.")
        if spec.get("version") != BUNDLE_VERSION:
            raise ClassifyError(
                f"{path} has version {spec.get('version')}, this classify.py reads "
                f"{BUNDLE_VERSION}; use the classify.py that came with the bundle."
            )
        try:
            unknown = spec["unknown"] or {"threshold": None, "neighbours": 1}
            threshold = unknown["threshold"]
            bundle = cls(
                folder,
                spec,
                _checked_names(spec["class_names"]),
                Preprocessing(**spec["preprocessing"]),
                None if threshold is None else _number(threshold, -100.0, 100.0),
                int(_number(unknown["neighbours"], 1, 1000)),
                # Bundles from before that was measured have none.
                _number(unknown.get("hesitation_weight", 0.0), 0.0, 100.0),
                _number(spec["smoothing_s"], 0.0, 3600.0),
            )
            _check_files(spec)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ClassifyError(
                f"{path} is damaged ({type(error).__name__}: {error}); copy the bundle again."
            ) from error
        if tuple(labels) != bundle.class_names:
            raise ClassifyError(
                f"{folder / 'labels.txt'} has {len(labels)} labels that are not the "
                f"{len(bundle.class_names)} classes of spec.json; copy the bundle again."
            )
        return bundle

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats of its model files, the default one first."""
        return tuple(self.spec["models"])

    def model(self, model_format: str | None = None) -> bytes:
        """Read a model file.

        Args:
            model_format: One of `formats`, or `None` for the default.

        Raises:
            ClassifyError: if there is none, or it is damaged.
        """
        model_format = model_format or self.formats[0]
        if model_format not in self.formats:
            raise ClassifyError(
                f"{self.folder} has no {model_format} model; it has {', '.join(self.formats)}."
            )
        about = self.spec["models"][model_format]
        path = self.folder / about["file"]
        try:
            content = read_file(path, _MAX_MODEL_BYTES)
        except OSError as error:
            raise ClassifyError(
                f"{path} cannot be read ({error.strerror}); copy the bundle again."
            ) from error
        if hashlib.sha256(content).hexdigest() != about["sha256"]:
            raise ClassifyError(
                f"{path} is not the file of this bundle: it is truncated, damaged or was "
                "replaced; copy the bundle again."
            )
        return content


def read_file(path: Path, max_bytes: int) -> bytes:
    """Read a file that a stranger may have put there.

    Args:
        path: The file.
        max_bytes: More than any honest file of its kind has.

    Raises:
        OSError: if it cannot be read, is larger, or is a pipe or a device rather than a file.
    """
    # A pipe would be waited for; Windows has none, but text mode.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - of a descriptor
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        if status.st_size > max_bytes:
            raise OSError(errno.EFBIG, f"it is larger than {max_bytes:,} bytes", str(path))
        return file.read(max_bytes)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _number(value: object, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"expected a number from {low:g} to {high:g}, received {value!r:.40}")
    return float(value)


def _checked_names(names: object) -> tuple[str, ...]:
    """Refuse names that could not be told apart, printed, or handed to a command."""
    if not isinstance(names, list) or not 0 < len(names) <= _MAX_CLASSES:
        raise ValueError("class_names is no list of names")
    for name in names:
        if not isinstance(name, str) or not name or len(name) > _MAX_NAME or not _plain(name):
            raise ValueError(f"{name!r:.60} is no class name")
    if len(set(names)) != len(names):
        raise ValueError("two classes have the same name")
    return tuple(names)


def _plain(text: str) -> bool:
    """Say whether a text has no control character, no line break and no half of a pair."""
    return not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in text)


def _check_files(spec: dict[str, Any]) -> None:
    """Refuse files outside of the bundle, and reference frames without their scores."""
    models = spec["models"]
    if not models or not set(models) <= set(_TOLERANCE):
        raise ValueError(f"models are {', '.join(models)}, known are {', '.join(_TOLERANCE)}")
    for about in models.values():
        _check_file(about["file"])
        if not isinstance(about["sha256"], str):
            raise TypeError("a model has no hash")
    for reference in spec.get("references", []):
        _check_file(reference["file"])
        for model_format in models:
            scores = reference["scores"][model_format]
            if not isinstance(scores, list):
                raise TypeError("a reference frame has no scores")
            for score in scores:
                _number(score, -100.0, 100.0)


def _check_file(name: object) -> None:
    parts = name.split("/") if isinstance(name, str) else [""]
    if not all(part and part[0] != "." and set(part) <= _FILE_CHARACTERS for part in parts):
        raise ValueError(f"{name!r:.60} is no file of a bundle")


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the model says of one image.

    Attributes:
        class_names: In the order of the scores.
        scores: `(C,)` float32 in [0, 1].
        similarity: How familiar it is, 0 to 1 (see `familiarity`), or `None` if not measured.
        unknown: Whether the image resembles none of the classes.
    """

    class_names: tuple[str, ...]
    scores: npt.NDArray[np.float32]
    similarity: float | None = None
    unknown: bool = False

    @property
    def class_name(self) -> str:
        """The class with the highest score, whether or not the image is unknown."""
        return self.class_names[int(np.argmax(self.scores))]

    @property
    def label(self) -> str:
        """The class name, or `unknown`."""
        return UNKNOWN if self.unknown else self.class_name

    @property
    def score(self) -> float:
        """The highest score, in [0, 1]."""
        return float(self.scores.max())


class Classifier:
    """A bundle's model, ready to answer; for one thread at a time.

    Args:
        bundle: The bundle.
        model_format: Which of its files, or `None` for the default.
        threads: CPU threads of the interpreter, or 0 to measure which number is fastest.

    Raises:
        ClassifyError: if the model cannot be used.
    """

    def __init__(self, bundle: Bundle, model_format: str | None = None, threads: int = 1) -> None:
        self.bundle = bundle
        self.model_format = model_format or bundle.formats[0]
        content = bundle.model(model_format)
        try:
            self.interpreter = Interpreter(content, threads) if threads else _fastest(content)
        except (ValueError, ImportError) as error:
            raise ClassifyError(f"{bundle.folder}: {error}") from error
        size = bundle.preprocessing.input_size
        outputs = [tuple(int(n) for n in o["shape"]) for o in self.interpreter.output_details]
        classes = len(bundle.class_names)
        if self.interpreter.input_shape != (1, size, size, 3) or outputs[0] != (1, classes):
            raise ClassifyError(
                f"{bundle.folder}: expected a model of {size} px and {classes} classes, its file "
                f"takes {self.interpreter.input_shape[1]} px and has {outputs[0][-1]} classes."
            )
        self.quantised = self.interpreter.input_details["dtype"] == np.uint8
        self._has_similarities = len(outputs) > 1 and bundle.threshold is not None
        self._steady = (TimeAverage(bundle.smoothing_s), TimeAverage(bundle.smoothing_s))

    def prepare(self, image: Image) -> npt.NDArray[Any]:
        """Bring an image, `(H, W, 3)` uint8 BGR, into the network's input; in any thread."""
        preprocessing = self.bundle.preprocessing
        return preprocessing.square(image) if self.quantised else preprocessing.apply(image)

    def answer(self, pixels: npt.NDArray[Any]) -> Answer:
        """Predict from what `prepare` gave."""
        self.interpreter.input_view()[0] = pixels
        self.interpreter.invoke()
        scores = self._output(0)[0]
        if not self._has_similarities:
            return Answer(self.bundle.class_names, scores)
        bundle = self.bundle
        similarity = familiarity(
            self._output(1), scores[None], bundle.neighbours, bundle.hesitation_weight
        )
        return self._judged(scores, similarity)

    def predict(self, image: Image) -> Answer:
        """Predict from an image, `(H, W, 3)` uint8 BGR, of any size."""
        return self.answer(self.prepare(image))

    def steady(self, answer: Answer, now_s: float) -> Answer:
        """Average over the answers before; as the live picture does."""
        scores = self._steady[0].update(answer.scores, now_s)
        if answer.similarity is None:
            return Answer(answer.class_names, scores)
        similarity = np.array([answer.similarity], np.float32)
        return self._judged(scores, self._steady[1].update(similarity, now_s))

    def _judged(
        self, scores: npt.NDArray[np.float32], similarity: npt.NDArray[np.float32]
    ) -> Answer:
        value = float(similarity[0])
        threshold = self.bundle.threshold
        return Answer(
            self.bundle.class_names, scores, value, threshold is not None and value < threshold
        )

    def _output(self, index: int) -> npt.NDArray[np.float32]:
        """Copy an output as float32; what is quantised is brought back to its real values."""
        values = self.interpreter.output_view(index)
        if values.dtype == np.float32:
            return np.array(values, np.float32)
        scale, zero_point = self.interpreter.output_details[index]["quantization"]
        real: npt.NDArray[np.float32] = (
            values.astype(np.float32) - np.float32(zero_point)
        ) * np.float32(scale)
        return real


def _fastest(content: bytes) -> Interpreter:
    """Try 1 to 4 threads on this machine; three can beat four, and one can beat two."""
    best: tuple[float, Interpreter] | None = None
    for threads in range(1, min(4, os.cpu_count() or 1) + 1):
        interpreter = Interpreter(content, threads)
        times = []
        for _ in range(12):
            started = time.perf_counter()
            interpreter.invoke()
            times.append(time.perf_counter() - started)
        middle = sorted(times)[len(times) // 2]
        if best is None or middle < best[0]:
            best = (middle, interpreter)
    assert best is not None  # noqa: S101 - a machine has one processor at least
    return best[1]


# Pictures that are none

_LARGE_PART: Final = 8
"""An eighth of a picture's rows, filled in, is no detail of the scene."""

_SHARP_ROWS: Final = 16
"""JPEG is cut off within one row of its blocks, which is at most so high in pixels."""

_GREY: Final = 128
_MOST_BLACK: Final = 0.1

_SETTLED: Final = 300
"""A black part that stays as it is for so many pictures (10 s) belongs to them."""


class PictureCheck:
    """Tells what a camera in trouble gives from pictures of a dark or a plain scene.

    Found is what no lens and no light can give: a picture that is of one colour to the last
    pixel, and one whose lower part is what decoders leave where the data end early: libjpeg's
    grey, the green of YUV zeros, or black. A black part counts only if it is new, has a sharp
    edge and none like it at the top, as films and dark scenes have. What a decoder fills in from
    the picture before cannot be told.
    """

    def __init__(self) -> None:
        self._usual_rows: int | None = None
        self._black_rows = 0
        self._same = 0

    def fault(self, image: Image) -> str:
        """Say what is wrong with a picture.

        Args:
            image: The next one of the same source; should be `(H, W, 3)` uint8, BGR.

        Returns:
            What the source does, to go on after its name: `gives black pictures: …`; empty where
            nothing is wrong.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:  # noqa: PLR2004 - (H, W, 3)
            return f"gives pictures that cannot be used (shape {image.shape}, {image.dtype})"
        if _of_one_colour(image):
            if image[0, 0].any():
                return "gives pictures of one colour only: is another program using it?"
            return "gives black pictures: is the lens covered, or another program using it?"
        if self._cut_off(image):
            return "gives damaged pictures, the lower part is missing: a bad cable, hub or network?"
        return ""

    def _cut_off(self, image: Image) -> bool:
        blue, green, red = image[-1, -1].tolist()
        if blue == red and (green == blue == _GREY or (blue == 0 < green)):
            return _filled_rows(image) > 0
        rows = _filled_rows(image) if blue == green == red == 0 else 0
        usual, self._usual_rows = self._usual_rows, rows
        if not rows or usual is None or rows <= usual + _SHARP_ROWS or _is_soft(image, rows):
            return False
        self._same = self._same + 1 if rows == self._black_rows else 0
        self._black_rows = rows
        if self._same < _SETTLED:
            self._usual_rows = usual
            return True
        return False


def _of_one_colour(image: Image) -> bool:
    first = image[0, 0]
    # Nearly every picture is told by a few of its pixels.
    return bool((image[::16, ::16] == first).all() and (image == first).all())


def _filled_rows(image: Image) -> int:
    """Count the rows of one colour at the bottom; 0 where they are no large part."""
    large = max(1, len(image) // _LARGE_PART)
    fill = image[-1, -1]
    if not ((image[-1] == fill).all() and (image[-large:] == fill).all()):
        return 0
    other = np.flatnonzero((image != fill).any(axis=(1, 2)))
    return len(image) - 1 - int(other[-1]) if len(other) else len(image)


def _is_soft(image: Image, rows: int) -> bool:
    """Say whether a black part ends as a dark scene does, or has its like at the top."""
    above = image[max(0, len(image) - rows - 3 * _SHARP_ROWS) : len(image) - rows - _SHARP_ROWS]
    if not above.size or (above == 0).all(axis=2).mean() > _MOST_BLACK:
        return True
    return not image[: max(1, len(image) // (2 * _LARGE_PART))].any()


# Where pictures come from

_IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_MAX_PICTURE_BYTES: Final = 256 * 1024 * 1024
# OpenCV reads this when it is imported: a kilobyte can claim a picture of 3 GB.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "64000000")
_WIDTH, _HEIGHT, _FPS = 640, 480, 30
_MJPG: Final = 0x47504A4D  # FOURCC: uncompressed pictures do not fit through USB 2 at this rate
_LOST_AFTER_S: Final = 1.0
_STALLED_AFTER_S: Final = 2.0
_BAD_AFTER_S: Final = 0.5
_IDLE_S: Final = 0.1
_URL_TIMEOUT_MS: Final = 4000


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture that was read.

    Attributes:
        image: `(H, W, 3)` uint8, BGR.
        name: The file, or the source.
        index: Its number, from 0.
        time_s: When it was there, in seconds of a monotonic clock.
        capture_ms: How long the source took for it.
    """

    image: Image
    name: str
    index: int
    time_s: float
    capture_ms: float


class Source:
    """Where pictures come from: iterate over it, then close it.

    Attributes:
        name: For the user.
        live: Whether it goes on for ever: then only the newest picture counts, and a source
            that fails is opened again.
        video: Whether its pictures follow each other in time.
    """

    name = ""
    live = False
    video = False

    def open(self) -> None:
        """Get ready.

        Raises:
            ClassifyError: if there is nothing to open.
        """

    def read(self) -> tuple[str, Image] | None:
        """Give the next picture and its name, or `None` at the end or when it is lost."""
        raise NotImplementedError

    def clock(self) -> Callable[[int], float]:
        """Give what dates a picture, in seconds, by its number; by default the real time."""
        return lambda _index: time.monotonic()

    def close(self) -> None:
        """Give the device back; may be called twice."""


class PictureFiles(Source):
    """A picture, or the pictures in a folder and below it, in the order of their names.

    Args:
        path: A file or a folder.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.refused = 0
        """How many files could not be read."""
        self._path = path
        self._paths: Iterator[Path] = iter(())

    def open(self) -> None:
        """Find the files."""
        if self._path.is_file():
            paths = [self._path]
        else:
            paths = sorted(
                p
                for p in self._path.rglob("*")
                if p.suffix.lower() in _IMAGE_SUFFIXES and p.is_file()
            )
        if not paths:
            raise ClassifyError(
                f"{self._path} has no pictures ({', '.join(_IMAGE_SUFFIXES)}) in it."
            )
        self._paths = iter(paths)

    def read(self) -> tuple[str, Image] | None:
        """Read the next file that is a picture; others are named on standard error."""
        for path in self._paths:
            image = read_picture(path)
            if image is not None:
                return str(path), image
            self.refused += 1
            say(f"{path} is not a picture that can be read; it was left out.")
        return None


def read_picture(path: Path) -> Image | None:
    """Read a picture file as `(H, W, 3)` uint8 BGR, upright; `None` if it is none."""
    import cv2  # noqa: PLC0415 - the core reads `Preprocessing` without OpenCV

    try:
        # unlike imread this takes any file name everywhere
        data = np.frombuffer(read_file(path, _MAX_PICTURE_BYTES), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except (OSError, cv2.error, MemoryError):
        return None
    return None if image is None else np.asarray(image, np.uint8)


class Capture(Source):
    """A USB camera (V4L2), a video file or a stream, by OpenCV.

    Args:
        target: A camera's number, a file or an address.
        name: For the user.
    """

    video = True

    def __init__(self, target: int | str, name: str) -> None:
        self.name = name
        self._target = target
        self._capture: Any = None
        stream = isinstance(target, str) and "://" in target
        self.live = stream or isinstance(target, int) or target.startswith("/dev/")
        self._stream = stream

    def open(self) -> None:
        """Open it; a camera is asked for MJPG, then size, then rate: each resets the stream."""
        import cv2  # noqa: PLC0415 - the core reads `Preprocessing` without OpenCV

        camera = self.live and not self._stream
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        with contextlib.suppress(AttributeError):  # OpenCV before 4.5.2 has no such function
            cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        if camera:
            device = self._target if isinstance(self._target, str) else f"/dev/video{self._target}"
            if sys.platform.startswith("linux") and not Path(device).exists():
                raise ClassifyError(
                    f"There is no {self.name} ({device}); plug one in, or name a video, a folder "
                    "or an address instead."
                )
            backend = cv2.CAP_V4L2 if sys.platform.startswith("linux") else cv2.CAP_ANY
            capture = cv2.VideoCapture(self._target, backend)
            for setting, value in (
                (cv2.CAP_PROP_BUFFERSIZE, 2),
                (cv2.CAP_PROP_FOURCC, _MJPG),
                (cv2.CAP_PROP_FRAME_WIDTH, _WIDTH),
                (cv2.CAP_PROP_FRAME_HEIGHT, _HEIGHT),
                (cv2.CAP_PROP_FPS, _FPS),
            ):
                capture.set(setting, value)
        elif self._stream:
            timeouts = [
                *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _URL_TIMEOUT_MS),
                *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, _URL_TIMEOUT_MS),
            ]
            capture = cv2.VideoCapture(self._target, cv2.CAP_FFMPEG, timeouts)
        else:
            capture = cv2.VideoCapture(str(Path(str(self._target)).resolve()))
        if not capture.isOpened():
            capture.release()
            raise ClassifyError(
                f"{self.name} cannot be opened; is it right, and no other program using it?"
            )
        if self._stream and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0:
            self.live = False  # a file on a server: it has an end
        self._capture = capture

    @property
    def fps(self) -> float:
        """Frames per second as the source says, or 30."""
        import cv2  # noqa: PLC0415 - as above

        fps = float(self._capture.get(cv2.CAP_PROP_FPS)) if self._capture else 0.0
        return fps if 0 < fps <= 500 else 30.0  # noqa: PLR2004 - browsers' WebM claims 1000

    def clock(self) -> Callable[[int], float]:
        """Date a file's frames by its own rate, so that its labels are the same on any machine."""
        if self.live:
            return super().clock()
        fps = self.fps
        return lambda index: index / fps

    def read(self) -> tuple[str, Image] | None:
        """Read a frame; a camera has a second for it."""
        deadline_s = time.monotonic() + (_LOST_AFTER_S if self.live and not self._stream else 0.0)
        while True:
            ok, image = self._capture.read()
            if ok and image is not None and image.ndim == 3:  # noqa: PLR2004 - (H, W, 3)
                return self.name, image
            if time.monotonic() >= deadline_s:
                return None
            time.sleep(0.01)

    def close(self) -> None:
        """Release the device."""
        if self._capture is not None:
            self._capture.release()


class PiCamera(Source):
    """The Raspberry Pi's own camera, by Picamera2 (apt install python3-picamera2)."""

    live = True
    video = True
    name = "the Pi camera"

    def __init__(self) -> None:
        self._camera: Any = None

    def open(self) -> None:
        """Start it at 640x480."""
        try:
            from picamera2 import Picamera2  # noqa: PLC0415 - only on a Raspberry Pi
        except ImportError as error:
            raise ClassifyError(
                "The Pi camera needs Picamera2: sudo apt install python3-picamera2, and a virtual "
                "environment made with --system-site-packages."
            ) from error
        try:
            self._camera = Picamera2()
            # Picamera2 names formats by the order of bits: RGB888 is blue, green, red in memory.
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (_WIDTH, _HEIGHT), "format": "RGB888"}
                )
            )
            self._camera.start()
        except (RuntimeError, IndexError) as error:
            self.close()
            raise ClassifyError(f"The Pi camera cannot be opened: {error}") from error

    def read(self) -> tuple[str, Image] | None:
        """Take a frame."""
        try:
            return self.name, np.asarray(self._camera.capture_array("main"), np.uint8)
        except RuntimeError:
            return None

    def close(self) -> None:
        """Stop it."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None


def source_of(spec: str) -> Source:
    """Turn what the user named into a source.

    Args:
        spec: A camera's number or device, `picamera`, a picture, a folder, a video, an address.

    Raises:
        ClassifyError: if there is no such thing.
    """
    if spec == "picamera":
        return PiCamera()
    if spec.isdigit():
        return Capture(int(spec), f"camera {int(spec)}")
    if "://" in spec:
        # Without user name and query, which may be a secret.
        scheme, _, rest = spec.partition("://")
        return Capture(spec, f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}")
    if spec.startswith("/dev/"):
        return Capture(spec, spec)
    path = Path(spec).expanduser()
    if not path.exists():
        raise ClassifyError(
            f"There is no {spec}; name a camera's number, a picture, a folder, a video or an "
            "address."
        )
    if path.is_dir() or path.suffix.lower() in _IMAGE_SUFFIXES:
        return PictureFiles(path)
    return Capture(str(path), path.name)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture and the network's input made of it."""

    picture: Picture
    pixels: npt.NDArray[Any]
    preprocessing_ms: float


class Trouble:
    """Says what is wrong with a source once, not once a picture, and once that it is over.

    Args:
        name: The source, for the user.
        settle_s: For how many seconds all must be well before it is said to be over.
    """

    def __init__(self, name: str, settle_s: float) -> None:
        self.text = ""
        """What is wrong at present, or empty."""
        self._name = name
        self._settle_s = settle_s
        self._said: set[str] = set()
        self._well_since_s: float | None = None

    def note(self, text: str) -> None:
        """Take note of what is wrong."""
        self.text = f"{self._name} {text}"
        self._well_since_s = None
        if text not in self._said:
            self._said.add(text)
            say(f"{self.text}.".replace("?.", "?"))

    def over(self) -> None:
        """Take note of a picture that is good."""
        self.text = ""
        if not self._said:
            return
        now_s = time.monotonic()
        if self._well_since_s is None:
            self._well_since_s = now_s
        if now_s - self._well_since_s >= self._settle_s:
            self._said.clear()
            say(f"{self._name} is back.")


class Reader:
    """Reads and prepares pictures in a thread of its own, while the network runs.

    Of a live source only the newest picture is kept, one that gives pictures which are none is
    not believed, and one that is lost, in whatever way, is opened again until it is back; of any
    other every picture is handed over in its order.

    Args:
        source: Opened here.
        prepare: Makes the network's input.
        pace_s: Seconds between pictures of a video, or 0 for as fast as they are taken.
        retry_s: Seconds until a lost source is opened again.
        settle_s: For how many seconds a lost source must be well to be called back.

    Raises:
        ClassifyError: if the source cannot be opened.
    """

    def __init__(
        self,
        source: Source,
        prepare: Callable[[Image], npt.NDArray[Any]],
        *,
        pace_s: float = 0.0,
        retry_s: float = 1.0,
        settle_s: float = 2.0,
    ) -> None:
        source.open()
        self.source = source
        self.idle: Callable[[str], bool] = lambda _trouble: True
        """Called while no picture comes, with what is wrong; returns whether to go on."""
        self._prepare = prepare
        self._pace_s = pace_s
        self._retry_s = retry_s
        self._trouble = Trouble(source.name, settle_s)
        self._read_at_s = time.monotonic()
        self._check = PictureCheck()
        self._bad_since_s: float | None = None
        self._queue: queue.Queue[Prepared | Exception | None] = queue.Queue(1 if source.live else 4)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Prepared]:
        """Give the pictures until the source ends or the reader is closed."""
        while not self._closing.is_set():
            try:
                item = self._queue.get(timeout=_IDLE_S)
            except queue.Empty:
                silent_s = time.monotonic() - self._read_at_s
                if self.source.live and silent_s > _STALLED_AFTER_S and not self._trouble.text:
                    self._trouble.note("gives no more pictures; waiting for them")
                if not self.idle(self._trouble.text):
                    return
                continue
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item

    def close(self) -> None:
        """Stop reading; may be called twice."""
        self._closing.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        try:
            self._read_all()
            self._hand_over(None)
        except Exception as error:  # noqa: BLE001 - raised again where the pictures are taken
            self._hand_over(error)
        finally:
            self.source.close()

    def _read_all(self) -> None:
        index, due_s, clock = 0, time.monotonic(), self.source.clock()
        while not self._closing.is_set():
            started = time.perf_counter()
            read = self._read_live() if self.source.live else self.source.read()
            if read is None:
                if not self.source.live:
                    return
                continue
            name, image = read
            captured = time.perf_counter()
            pixels = self._prepare(image)
            prepared = time.perf_counter()
            if self._pace_s:
                due_s = max(due_s + self._pace_s, time.monotonic() - self._pace_s)
                self._closing.wait(max(0.0, due_s - time.monotonic()))
            picture = Picture(image, name, index, clock(index), (captured - started) * 1000)
            self._hand_over(Prepared(picture, pixels, (prepared - captured) * 1000))
            index += 1

    def _read_live(self) -> tuple[str, Image] | None:
        """Read from a live source; `None` where there is no good picture yet."""
        read = None
        with contextlib.suppress(Exception):  # a driver can raise anything
            read = self.source.read()
        if read is None:
            self._trouble.note("is lost; waiting for it to come back")
            self._open_again()
            return None
        self._read_at_s = time.monotonic()
        fault = self._check.fault(read[1])
        if not fault:
            self._bad_since_s = None
            self._trouble.over()
            return read
        if self._bad_since_s is None:
            self._bad_since_s = self._read_at_s
        if self._read_at_s - self._bad_since_s >= _BAD_AFTER_S:  # a single one is no trouble
            self._trouble.note(fault)
        return None

    def _open_again(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(Exception):  # what has gone may refuse to be closed
                self.source.close()
            self._closing.wait(self._retry_s)
            with contextlib.suppress(Exception):  # not back yet, whatever the driver calls it
                self.source.open()
                self._check, self._bad_since_s = PictureCheck(), None
                return

    def _hand_over(self, item: Prepared | Exception | None) -> None:
        while not self._closing.is_set():
            if self.source.live:
                with contextlib.suppress(queue.Empty):
                    self._queue.get_nowait()
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return


# Where answers go


def say(text: str) -> None:
    """Tell the user something, on standard error; nothing in it can steer a terminal."""
    safe = (c if c.isprintable() or c in "\u200c\u200d" else ascii(c)[1:-1] for c in text)
    sys.stderr.write(f"{''.join(safe)}\n")
    sys.stderr.flush()


class Output:
    """Something that is told every answer; closed at the end."""

    def show(self, picture: Picture, answer: Answer) -> bool:
        """Take an answer; returns whether to go on."""
        raise NotImplementedError

    def wait(self, trouble: str) -> bool:  # noqa: ARG002 - for those who show it
        """Be told some times a second that no picture comes; returns whether to go on.

        Args:
            trouble: What is wrong, or empty where nothing is known to be.
        """
        return True

    def close(self) -> None:
        """Finish; may be called twice."""


class JsonLines(Output):
    """One JSON object a line on standard output.

    Args:
        flush: Whether each line goes out at once, as whoever reads a camera's wants it.
    """

    def __init__(self, *, flush: bool) -> None:
        self._flush = flush

    def show(self, picture: Picture, answer: Answer) -> bool:
        """Write a line."""
        sys.stdout.write(json.dumps(as_record(picture, answer), ensure_ascii=False) + "\n")
        if self._flush:
            sys.stdout.flush()
        return True

    def close(self) -> None:
        """Write what is left."""
        sys.stdout.flush()


def as_record(picture: Picture, answer: Answer) -> dict[str, Any]:
    """Make a plain record of an answer, as JSON can hold it."""
    record: dict[str, Any] = {
        "source": picture.name,
        "frame": picture.index,
        "label": answer.label,
        "score": round(answer.score, 6),
        "unknown": answer.unknown,
        "similarity": None if answer.similarity is None else round(answer.similarity, 6),
        "scores": {
            name: round(float(score), 6)
            for name, score in zip(answer.class_names, answer.scores, strict=True)
        },
    }
    return record


def annotated(picture: Picture, answer: Answer | str) -> Image:
    """Draw label and score, or what is wrong since, into a copy of the picture."""
    import cv2  # noqa: PLC0415 - the core reads `Preprocessing` without OpenCV

    image = np.array(picture.image)
    scale = max(0.5, image.shape[0] / 480)
    bar = int(48 * scale)
    origin = (int(12 * scale), int(34 * scale))
    if isinstance(answer, str):
        bar, text, colour = len(image), answer, (255, 255, 255)
        width = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)[0][0]
        scale *= min(1.0, (image.shape[1] - 24) / width)
    else:
        text = answer.label if answer.unknown else f"{answer.label} {answer.score:.0%}"
        colour = (170, 170, 170) if answer.unknown else (255, 255, 255)
    image[:bar] //= 3
    cv2.putText(image, text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 2, cv2.LINE_AA)
    return image


class Window(Output):
    """A window; Q or Escape ends."""

    def __init__(self, title: str) -> None:
        import cv2  # noqa: PLC0415 - the core reads `Preprocessing` without OpenCV

        self._title = title
        self._newest: Picture | None = None
        try:
            # The plain window: the default one's Ctrl+S opens a dialog that stops everything.
            cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL)
        except cv2.error as error:
            raise ClassifyError(
                "This OpenCV cannot open windows (opencv-python-headless?); use --no-window."
            ) from error

    @staticmethod
    def possible() -> bool:
        """Whether there is a screen; without one OpenCV would end the whole program."""
        if not sys.platform.startswith("linux"):
            return True
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

    def show(self, picture: Picture, answer: Answer) -> bool:
        """Draw a picture."""
        self._newest = picture
        return self._show(picture, answer)

    def wait(self, trouble: str) -> bool:
        """Say what is wrong in the last picture, and hear keys."""
        if self._newest is not None and trouble:
            return self._show(self._newest, trouble)
        return self._heard()

    def _show(self, picture: Picture, answer: Answer | str) -> bool:
        import cv2  # noqa: PLC0415 - as above

        cv2.imshow(self._title, annotated(picture, answer))
        return self._heard()

    @staticmethod
    def _heard() -> bool:
        import cv2  # noqa: PLC0415 - as above

        key = cv2.waitKey(1) & 0xFF
        return key not in (ord("q"), 27)

    def close(self) -> None:
        """Take the window away."""
        import cv2  # noqa: PLC0415 - as above

        with contextlib.suppress(cv2.error):
            cv2.destroyWindow(self._title)


_PLACEHOLDER: Final = re.compile(r"\{label\}|\{score\}")
_SHELLS: Final = frozenset(
    {"sh", "bash", "dash", "zsh", "ksh", "fish", "busybox", "cmd", "powershell", "pwsh"}
)
_SCRIPT_OPTION: Final = re.compile(
    r"-[a-z]*c[a-z]*|--(init-)?command(=.*)?|/[ck]", re.IGNORECASE | re.DOTALL
)
_PIECE: Final = 1 << 16
_SHORTEST_TOKEN: Final = 8
_MOST_VIEWERS: Final = 8


class OnChange(Output):
    """Runs a command and calls a webhook when the label has changed, in a thread of its own.

    The command also finds label and score in `CLASSIFY_LABEL` and `CLASSIFY_SCORE`.

    Args:
        command: Split as a shell does, then `{label}` and `{score}` filled in; no shell runs, so
            a class name cannot become a command. Whoever asks for one (`sh -c '…'`) has to take
            the label from `$CLASSIFY_LABEL`, which a shell does not interpret. `None` for none.
        webhook: An http(s) address that gets a JSON object by POST, or `None`.
        frames: For how many frames in a row a label must hold.
    """

    def __init__(self, command: str | None, webhook: str | None, frames: int) -> None:
        try:
            self._words = shlex.split(command) if command else []
        except ValueError as error:
            raise ClassifyError(f"--on-change {command!r} cannot be read: {error}.") from error
        _check_command(self._words)
        if webhook is not None and not webhook.startswith(("http://", "https://")):
            raise ClassifyError(f"--webhook {webhook}: expected an http or https address.")
        self._webhook = webhook
        self._hold = Hold(frames)
        self._events: queue.Queue[dict[str, Any] | None] = queue.Queue(16)
        self._thread = threading.Thread(target=self._run, name="on-change", daemon=True)
        self._thread.start()

    def show(self, picture: Picture, answer: Answer) -> bool:
        """Take an answer, and hand on a change; never waits for who is told."""
        before = self._hold.label
        if self._hold.update(answer.label):
            event = {**as_record(picture, answer), "previous": before}
            try:
                self._events.put_nowait(event)
            except queue.Full:
                say("The receiver of changes is too slow; a change was not told.")
        return True

    def close(self) -> None:
        """Tell what is left, for some seconds at most."""
        with contextlib.suppress(queue.Full):
            self._events.put_nowait(None)
        self._thread.join(12.0)

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            if self._words:
                self._call(event)
            if self._webhook:
                self._post(event)

    def _call(self, event: dict[str, Any]) -> None:
        score = f"{event['score']:.3f}"
        values = {"{label}": event["label"], "{score}": score}
        # In one go: a label that reads {score} stays as it is.
        words = [_PLACEHOLDER.sub(lambda m: values[m[0]], word) for word in self._words]
        told = {"CLASSIFY_LABEL": event["label"], "CLASSIFY_SCORE": score}
        try:
            done = subprocess.run(  # noqa: S603 - the user's own command
                words,
                check=False,
                timeout=10,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,  # what it prints must not end up between our JSON lines
                env={**os.environ, **told},
            )
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            say(f"--on-change {words[0]}: {error}")
        else:
            if done.returncode:
                say(f"--on-change {words[0]} ended with status {done.returncode}.")

    def _post(self, event: dict[str, Any]) -> None:
        from http.client import HTTPException  # noqa: PLC0415 - start-up counts, use is rare
        from urllib.request import Request, urlopen  # noqa: PLC0415 - as above

        body = json.dumps(event).encode()
        request = Request(  # noqa: S310 - http or https, checked above
            str(self._webhook), data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with urlopen(request, timeout=5) as response:  # noqa: S310 - as above
                response.read(_PIECE)
        except (OSError, ValueError, HTTPException) as error:
            say(f"--webhook: {error}")


def _check_command(words: Sequence[str]) -> None:
    """Refuse a command in which a label would be run, as a program or by a shell.

    Raises:
        ClassifyError: saying what to write instead.
    """
    if not words:
        return
    if _PLACEHOLDER.search(words[0]):
        raise ClassifyError("--on-change: the program itself cannot be {label} or {score}.")
    shell = next((n for n, w in enumerate(words) if Path(w).stem.lower() in _SHELLS), len(words))
    # Which word after them is the script, only the shell knows: -c may be followed by others.
    scripted = any(map(_SCRIPT_OPTION.fullmatch, words[shell + 1 :]))
    if scripted and any(map(_PLACEHOLDER.search, words)):
        raise ClassifyError(
            '--on-change: a shell would run what {label} says; write "$CLASSIFY_LABEL" and '
            '"$CLASSIFY_SCORE" in its script instead.'
        )


class LivePage(Output):
    """A small page with the live picture: MJPEG at `/stream`, the newest answer at `/answer`.

    What others on the network can reach needs a token: `/?token=…`, or `Authorization: Bearer …`.
    Without a token only this machine is answered, under a name of its own: a page from elsewhere
    cannot make a browser here read the picture by giving its name this machine's address.

    Args:
        address: `HOST:PORT`; `127.0.0.1` can be seen on this machine only.
        token: What everybody who looks on has to know, or `None`.

    Raises:
        ClassifyError: if the address cannot be used, or asks for a token.
    """

    _PAGE = (
        "<!doctype html><meta charset=utf-8><title>classify</title>"
        "<body style='margin:0;background:#111'><img src='/stream{query}' alt='live picture'"
        " style='width:100%;height:100vh;object-fit:contain'>"
    )

    def __init__(self, address: str, token: str | None = None) -> None:
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer  # noqa: PLC0415 - rare

        host, _, port = address.rpartition(":")
        if not (port.isascii() and port.isdigit()):
            raise ClassifyError(f"--mjpeg {address}: expected HOST:PORT, like 127.0.0.1:8080.")
        if token is None and not _is_this_machine(host or "127.0.0.1"):
            raise ClassifyError(
                f"--mjpeg {address} can be seen by others on the network: add --token WORD, which "
                "they have to know, or use 127.0.0.1."
            )
        if token is not None and (len(token) < _SHORTEST_TOKEN or not token.isprintable()):
            raise ClassifyError(
                f"--token: expected {_SHORTEST_TOKEN} characters or more; "
                "`python -c 'import secrets; print(secrets.token_urlsafe())'` makes one."
            )
        self._token = token
        self._viewers = threading.BoundedSemaphore(_MOST_VIEWERS)
        page = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 20  # seconds that somebody may keep a thread waiting

            def do_GET(self) -> None:
                with contextlib.suppress(OSError):  # whoever looked on has gone
                    page.serve(self)

            def log_message(self, *_: object) -> None:
                """Keep the terminal for our own lines."""

        try:
            self._server = ThreadingHTTPServer((host or "127.0.0.1", int(port)), Handler)
        except (OSError, OverflowError) as error:
            raise ClassifyError(
                f"--mjpeg {address} cannot be used ({error}); choose another port."
            ) from error
        self._server.daemon_threads = True
        self._changed = threading.Condition()
        self._newest: tuple[Picture, Answer | str] | None = None
        self._closed = False
        threading.Thread(target=self._server.serve_forever, name="page", daemon=True).start()
        self.url = f"http://{host or '127.0.0.1'}:{self._server.server_port}/"
        say(f"Live page: {self.url}")

    def show(self, picture: Picture, answer: Answer) -> bool:
        """Make a picture the newest; it is encoded only if somebody looks on."""
        with self._changed:
            self._newest = (picture, answer)
            self._changed.notify_all()
        return True

    def wait(self, trouble: str) -> bool:
        """Take the answer away while something is wrong, and say what."""
        newest = self._newest
        if newest is not None and trouble and newest[1] != trouble:
            with self._changed:
                self._newest = (newest[0], trouble)
                self._changed.notify_all()
        return True

    def close(self) -> None:
        """Stop serving."""
        if not self._closed:
            with self._changed:
                self._closed = True
                self._changed.notify_all()
            self._server.shutdown()
            self._server.server_close()

    def serve(self, request: Any) -> None:  # noqa: ANN401 - a request handler
        """Answer one request."""
        from urllib.parse import quote  # noqa: PLC0415 - use is rare

        path = request.path.partition("?")[0]
        if not self._may_look(request):
            request.send_error(403, "This page needs its token, as in /?token=WORD")
        elif path == "/stream":
            if not self._viewers.acquire(blocking=False):
                request.send_error(503, "Too many are looking on")
                return
            try:
                self._stream(request)
            finally:
                self._viewers.release()
        elif path in ("/", "/answer"):
            query = f"?token={quote(self._token, safe='')}" if self._token else ""
            kind, body = "text/html", self._PAGE.format(query=query).encode()
            if path == "/answer":
                newest = self._newest
                kind, body = "application/json", b"null"
                if newest and not isinstance(newest[1], str):
                    body = json.dumps(as_record(newest[0], newest[1])).encode()
            request.send_response(200)
            request.send_header("Cache-Control", "no-store")
            request.send_header("Referrer-Policy", "no-referrer")
            request.send_header("X-Content-Type-Options", "nosniff")
            request.send_header("Content-Type", kind)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
        else:
            request.send_error(404)

    def _may_look(self, request: Any) -> bool:  # noqa: ANN401 - a request handler
        """Say whether a request knows the token, or comes from this machine."""
        import hmac  # noqa: PLC0415 - use is rare
        from urllib.parse import parse_qs  # noqa: PLC0415 - as above

        if self._token is None:
            host = request.headers.get("Host", "")
            return _is_this_machine(host.rpartition(":")[0] or host)
        try:
            query = parse_qs(request.path.partition("?")[2], max_num_fields=10)
        except ValueError:
            return False
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = query.get("token", [bearer])[0]
        # A comparison that took as long as the part that is right would tell that part.
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token.encode())

    def _stream(self, request: Any) -> None:  # noqa: ANN401 - a request handler
        import cv2  # noqa: PLC0415 - the core reads `Preprocessing` without OpenCV

        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        shown: tuple[Picture, Answer | str] | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._newest is not shown)  # noqa: B023 - waited for here
                if self._closed or self._newest is None:
                    return
                shown = self._newest
            data = cv2.imencode(".jpg", annotated(*shown))[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
            request.wfile.write(head.encode() + data + b"\r\n")


def _is_this_machine(host: str) -> bool:
    """Say whether an address is reached from this machine only."""
    import ipaddress  # noqa: PLC0415 - use is rare

    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name: whose, only the network knows
        return False


class Benchmark(Output):
    """Collects where the time goes."""

    def __init__(self) -> None:
        self.columns: dict[str, list[float]] = {"capture": [], "preprocessing": [], "inference": []}
        self._started_s = 0.0
        self._frames = 0

    def add(self, prepared: Prepared, inference_ms: float) -> None:
        """Take one frame's times in milliseconds."""
        if not self._frames:
            self._started_s = time.perf_counter() - inference_ms / 1000
        self._frames += 1
        self.columns["capture"].append(prepared.picture.capture_ms)
        self.columns["preprocessing"].append(prepared.preprocessing_ms)
        self.columns["inference"].append(inference_ms)

    def show(self, picture: Picture, answer: Answer) -> bool:  # noqa: ARG002 - timed elsewhere
        """Go on."""
        return True

    def close(self) -> None:
        """Print the table."""
        if not self._frames:
            return
        seconds = time.perf_counter() - self._started_s
        lines = [f"{'ms':14} {'p50':>8} {'p95':>8}"]
        for name, values in self.columns.items():
            p50, p95 = np.percentile(values, [50, 95])
            lines.append(f"{name:14} {p50:8.2f} {p95:8.2f}")
        lines.append(f"{self._frames} frames in {seconds:.2f} s: {self._frames / seconds:.1f} fps")
        sys.stdout.write("\n".join(lines) + "\n")
        self._frames = 0


# Is this device as right as the machine that exported?

_TOLERANCE: Final = {"float32": 1e-3, "float16": 5e-3, "dynamic": 5e-2, "int8": 5e-2}
"""The largest difference of a score from the one in the bundle. Float arithmetic differs in the
last digits between processors; int8 files step by 1/256, and where LiteRT runs dynamic-range and
int8 operators by other kernels, some steps add up."""


def verify(bundle: Bundle, threads: int = 1, only: str | None = None) -> int:
    """Run the bundle's reference frames through each of its models.

    Args:
        bundle: What to verify.
        threads: Of the interpreter.
        only: One format; by default all that the bundle has.

    Returns:
        The exit status: 0 if labels are equal and scores within the format's tolerance.
    """
    failed = False
    references = bundle.spec.get("references", [])
    if not references:
        raise ClassifyError(f"{bundle.folder} has no reference frames to verify with.")
    for model_format in (only,) if only else bundle.formats:
        classifier = Classifier(bundle, model_format, threads)
        equal, largest, times = 0, 0.0, []
        for reference in references:
            path = bundle.folder / reference["file"]
            image = read_picture(path)
            if image is None:
                raise ClassifyError(f"{path} is missing or damaged; copy the bundle again.")
            started = time.perf_counter()
            answer = classifier.predict(image)
            times.append((time.perf_counter() - started) * 1000)
            expected = np.array(reference["scores"][model_format], np.float32)
            if expected.shape != answer.scores.shape:
                raise ClassifyError(
                    f"{bundle.folder / 'spec.json'} has {len(expected)} scores for {path.name}, "
                    f"expected {len(answer.scores)}; copy the bundle again."
                )
            equal += int(np.argmax(expected) == np.argmax(answer.scores))
            largest = max(largest, float(np.abs(expected - answer.scores).max()))
        good = equal == len(references) and largest <= _TOLERANCE[model_format]
        failed = failed or not good
        sys.stdout.write(
            f"{model_format:8} {equal} of {len(references)} labels equal, largest score difference "
            f"{largest:.2g}, {sorted(times)[len(times) // 2]:.1f} ms a frame: "
            f"{'ok' if good else 'FAILED'}\n"
        )
    return int(failed)


# The command line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for, but for the bundle itself."""
    parser.add_argument(
        "source",
        nargs="?",
        default=None,
        help="0 (camera), picamera, a picture, a folder, a video, an address (default: camera 0, "
        "or the Pi camera where Picamera2 is installed and no other camera is there)",
    )
    parser.add_argument("--format", help="which of the bundle's models, for example int8")
    parser.add_argument("--threads", default="1", help="1, 2, … or auto, which measures 1 to 4")
    parser.add_argument("--no-window", action="store_true", help="even where there is a screen")
    parser.add_argument("--quiet", action="store_true", help="no JSON lines")
    parser.add_argument("--no-smoothing", action="store_true", help="every frame on its own")
    parser.add_argument("--frames", type=int, default=0, metavar="N", help="stop after N frames")
    parser.add_argument("--mjpeg", metavar="HOST:PORT", help="a page with the live picture")
    parser.add_argument(
        "--token",
        metavar="WORD",
        default=os.environ.get("CLASSIFY_TOKEN"),
        help="what those who look at the page have to know; needed for any HOST but 127.0.0.1 "
        "(default: the environment variable CLASSIFY_TOKEN)",
    )
    parser.add_argument(
        "--on-change",
        metavar="COMMAND",
        help="run 'COMMAND {label} {score}' on a new label, without a shell",
    )
    parser.add_argument("--webhook", metavar="URL", help="post a JSON object there on a new label")
    parser.add_argument(
        "--hold",
        type=int,
        default=5,
        metavar="N",
        help="frames that a label must hold to be new (default: 5)",
    )
    parser.add_argument("--benchmark", action="store_true", help="print where the time goes")
    parser.add_argument(
        "--verify", action="store_true", help="check this device with the bundle's own frames"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the classifier of the bundle that this file lies in; returns the exit status."""
    parser = argparse.ArgumentParser(description="Run an exported classifier on this device.")
    here = Path(__file__).resolve().parent
    parser.add_argument("--bundle", type=Path, default=here, help=argparse.SUPPRESS)
    add_arguments(parser)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # JSON is, whatever the locale; and a file's name need not be text at all
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    return run(parser.parse_args(arguments))


def run(options: argparse.Namespace) -> int:
    """Run a classifier.

    Args:
        options: From `add_arguments`, and `bundle`, the folder.

    Returns:
        0, or 1 after an error told in one line, 3 if some pictures could not be read (as the
        `predict` command does), 130 after Ctrl-C.
    """
    if threading.current_thread() is threading.main_thread():
        # systemd stops a service with SIGTERM: end as after Ctrl-C, with everything closed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        threads = _threads(options.threads)
        bundle = Bundle.open(options.bundle)
        if options.verify:
            return verify(bundle, threads, options.format)
        return _run(options, Classifier(bundle, options.format, threads))
    except ClassifyError as error:
        say(f"classify: {error}")
        return 1
    except BrokenPipeError:  # `classify.py … | head`
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until the end
        return 0
    except KeyboardInterrupt:
        return 130


def _threads(text: str) -> int:
    if text == "auto":
        return 0
    if not text.isdigit() or int(text) < 1:
        raise ClassifyError(f"--threads {text}: expected 1, 2, … or auto.")
    return int(text)


def _default_source() -> Source:
    if not Path("/dev/video0").exists():
        with contextlib.suppress(ImportError):
            import picamera2  # noqa: F401, PLC0415 - only to know whether it is there

            return PiCamera()
    return source_of("0")


def _run(options: argparse.Namespace, classifier: Classifier) -> int:
    source = source_of(options.source) if options.source else _default_source()
    benchmark = Benchmark() if options.benchmark else None
    outputs: list[Output] = []
    reader: Reader | None = None
    try:
        if options.mjpeg:
            outputs.append(LivePage(options.mjpeg, options.token))
        if options.on_change or options.webhook:
            outputs.append(OnChange(options.on_change, options.webhook, max(1, options.hold)))
        window = source.video and not (options.no_window or options.benchmark) and Window.possible()
        reader = Reader(source, classifier.prepare, pace_s=_pace(source, shown=window))
        if window:
            outputs.append(Window(f"{classifier.bundle.folder.name} on {source.name}"))
        if benchmark:
            outputs.append(benchmark)
        elif not options.quiet:
            outputs.append(JsonLines(flush=source.live))
        _loop(options, classifier, reader, outputs, benchmark)
    finally:
        if reader:
            reader.close()
        for output in outputs:
            output.close()
    some_refused = isinstance(source, PictureFiles) and source.refused > 0
    return SOME_REFUSED if some_refused else 0


def _pace(source: Source, *, shown: bool) -> float:
    """Play a video file at its own speed where somebody looks on, else as fast as possible."""
    if shown and isinstance(source, Capture) and not source.live:
        return 1 / source.fps
    return 0.0


def _loop(
    options: argparse.Namespace,
    classifier: Classifier,
    reader: Reader,
    outputs: Sequence[Output],
    benchmark: Benchmark | None,
) -> None:
    smooth = reader.source.video and not options.no_smoothing
    reader.idle = lambda trouble: all(output.wait(trouble) for output in outputs)
    for count, prepared in enumerate(reader, start=1):
        started = time.perf_counter()
        answer = classifier.answer(prepared.pixels)
        if benchmark:
            benchmark.add(prepared, (time.perf_counter() - started) * 1000)
        if smooth:
            answer = classifier.steady(answer, prepared.picture.time_s)
        going_on = [output.show(prepared.picture, answer) for output in outputs]
        if not all(going_on):
            return
        if count == options.frames:
            return


if __name__ == "__main__":
    sys.exit(main())
