"""The thousand classes of ImageNet, by a TFLite file that has its top still on."""

from __future__ import annotations

import ast
import io
import json
import re
import threading
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.files import read_regular
from edge_classifier.device.interpreter import Interpreter
from edge_classifier.device.preprocessing import Preprocessing, centred_square
from edge_classifier.device.trial import check_model
from edge_classifier.errors import BackboneError, InvalidValueError
from edge_classifier.project.files import describe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image

CLASSES: Final = 1000
FULL: Final = 1.0
_MAX_LABEL_BYTES: Final = 1024 * 1024
_MAX_INPUT: Final = 1024
_QUOTED: Final = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_PLAIN: Final = re.compile(r"\s*(?:\{[\s\d:,]*\}|\[[\s,]*\])\s*")

USUAL_CROP: Final = 0.875
"""The part of the shorter side that networks for ImageNet are usually tested on (224 of 256)."""

_MAX_NETWORK_BYTES: Final = 512 * 1024 * 1024
"""The largest MobileNet has 20 MB."""


class ImageNetClassifier:
    """A MobileNet with its top; gives scores of the 1,000 classes, in the order of ImageNet.

    `scores` may be called from several threads at once.

    Args:
        path: A TFLite file with one input, `(1, S, S, 3)` float32 in [-1, 1] or uint8, and one
            output, `(1, 1000)`, or `(1, 1001)` with a background class first.

    Raises:
        BackboneError: if it is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._content = read_network(path)
        try:
            interpreter = self._interpreter()
        except (ValueError, ImportError) as error:
            raise BackboneError(f"{path} cannot be run: {error}") from error
        _, height, width, _ = shape = (*interpreter.input_shape, 0, 0, 0, 0)[:4]
        outputs = int(np.prod(interpreter.output_details[0]["shape"]))
        dtypes = {d["dtype"] for d in (interpreter.input_details, interpreter.output_details[0])}
        if (
            outputs - CLASSES not in (0, 1)
            or shape != (1, width, width, 3)
            or len(interpreter.input_shape) != len(shape)
            or height > _MAX_INPUT
            or dtypes not in ({np.float32}, {np.uint8})
        ):
            raise BackboneError(
                f"Expected a classifier of ImageNet with {CLASSES} or {CLASSES + 1} outputs in "
                f"float32 or uint8, received {path} with {outputs}."
            )
        self._preprocessing = Preprocessing(width)
        self._quantised = dtypes == {np.uint8}

    def scores(self, image: Image, crop: float = FULL) -> npt.NDArray[np.float32]:
        """Compute the scores `(1000,)` of a picture, of its central square, see `central`."""
        interpreter = self._interpreter()
        square = central(image, crop)
        brought = self._preprocessing.square if self._quantised else self._preprocessing.apply
        interpreter.input_view()[0] = brought(square)
        try:
            interpreter.invoke()
        except RuntimeError as error:
            raise BackboneError(f"{self._path} fails on a picture: {error}") from error
        scores = interpreter.output().reshape(-1)[-CLASSES:]
        if not np.isfinite(scores).all():
            raise BackboneError(f"{self._path} gives scores that are no numbers: it is damaged.")
        return scores

    def labels(self) -> tuple[str, ...] | None:
        """Read the labels that the file brings along, as a zip behind the model, if it does."""
        behind = io.BytesIO(self._content)
        try:
            if not zipfile.is_zipfile(behind):
                return None
            with zipfile.ZipFile(behind) as archive:
                for entry in archive.infolist():
                    if entry.filename.endswith(".txt") and entry.file_size <= _MAX_LABEL_BYTES:
                        names = archive.read(entry).decode("utf-8").splitlines()
                        return _thousand(names, self._path)
        except InvalidValueError:
            raise
        except Exception as error:  # zipfile raises whatever comes to hand
            raise InvalidValueError(f"The labels in {self._path} are damaged: {error}.") from error
        return None

    def _interpreter(self) -> Interpreter:
        """Give the interpreter of this thread."""
        if not hasattr(self._local, "interpreter"):
            self._local.interpreter = Interpreter(self._content)
        interpreter: Interpreter = self._local.interpreter
        return interpreter


def central(image: Image, crop: float) -> Image:
    """Cut out the centred square that takes a part of the shorter side, in (0, 1].

    Raises:
        InvalidValueError: if the part is out of that range.
    """
    if not 0 < crop <= 1:
        raise InvalidValueError(f"Expected a crop in (0, 1], received {crop}.")
    return centred_square(image, max(1, round(min(image.shape[:2]) * crop)))


def read_labels(path: Path) -> tuple[str, ...]:
    """Read the names of the 1,000 classes.

    Takes a name a line; JSON, a list or an object of number and name; or the same as Python
    writes it, which is what is found under the name `imagenet_labels.json` in many places.
    A background class before them is left out.

    Raises:
        InvalidValueError: if there are not 1,000.
    """
    try:
        text = read_regular(path, _MAX_LABEL_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValueError(f"The labels in {path} cannot be read: {error}.") from error
    found = _parsed(text)
    try:
        if isinstance(found, dict):
            names = [str(found[key]) for key in sorted(found, key=int)]
        elif isinstance(found, list):
            names = [str(name) for name in found]
        else:
            names = text.splitlines()
    except (ValueError, TypeError) as error:  # keys that are no numbers
        raise InvalidValueError(
            f"Expected numbers of classes with their names in {path}: {error}."
        ) from error
    return _thousand(names, path)


def _parsed(text: str) -> object:
    """Read JSON, or what Python writes for the same; `None` if it is neither."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    # Python's own parser can be made to use up the memory or the stack; what is left here once
    # texts are taken out is numbers and one level of brackets.
    bare = _QUOTED.sub("", text)
    plain = _PLAIN.fullmatch(bare) is not None
    for parse in (json.loads, ast.literal_eval) if plain else (json.loads,):
        # Parsers give up on deep nesting in ways of their own.
        with suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            parsed: object = parse(text)
            return parsed
    return None


def _thousand(names: Sequence[str], path: Path) -> tuple[str, ...]:
    if len(names) - CLASSES not in (0, 1):
        raise InvalidValueError(
            f"Expected the names of {CLASSES} classes in {path}, received {len(names)}."
        )
    return tuple(name.strip() for name in names[-CLASSES:])


def read_network(path: Path) -> bytes:
    """Read a TFLite file from anywhere, after a child process has run it once.

    Raises:
        BackboneError: if it cannot be read, is none, or cannot be run.
    """
    try:
        content = read_regular(path, _MAX_NETWORK_BYTES)
    except OSError as error:
        raise BackboneError(f"{path} cannot be read: {describe(error)}.") from error
    try:
        check_model(content)
    except (ValueError, ImportError) as error:
        raise BackboneError(f"{path} cannot be run: {error}") from error
    return content
