"""Models of Teachable Machine and Lobe, as bundles that can be run.

Pictures are brought to them as their trainers do: both cut out the centred square, and take red,
green and blue. Teachable Machine makes numbers from -1 to 255 / 127 - 1 of them, and mirrors what
its camera sees (`capture` and `cropTo` in its library); Lobe makes numbers from 0 to 1.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.bundle import Bundle, checked_names
from edge_classifier.device.console import one_line
from edge_classifier.device.interpreter import Interpreter
from edge_classifier.device.preprocessing import Preprocessing
from edge_classifier.device.trial import check_model
from edge_classifier.device.verdict import SMOOTHING_S
from edge_classifier.errors import BundleError, EdgeClassifierError
from edge_classifier.export.bundle import check_no_part
from edge_classifier.project.files import describe
from edge_classifier.project.importers.other_models import LOBE, TEACHABLE_MACHINE

if TYPE_CHECKING:
    from edge_classifier.project.importers.other_models import OtherModel

_SIGNATURE: Final = "signature.json"
_NUMBERED: Final = re.compile(r"\s*(\d{1,6})(?:\s*:\s*|\s+)(.*?)\s*")
_RANGES: Final = {TEACHABLE_MACHINE: (-1.0, 255 / 127 - 1), LOBE: (0.0, 1.0)}
_DIMENSIONS: Final = 4
_COLOURS: Final = 3


def open_other_model(found: OtherModel) -> Bundle:
    """Open a TFLite model of Teachable Machine or Lobe.

    Raises:
        BundleError: if it is none that can be run; says why in one line.
        ExportError: if it is that of a bundle.
    """
    check_no_part(found.path)
    if not found.runs:
        raise BundleError(found.line)
    try:
        content = found.read(found.file)
        names, maker = _classes(found)
        check_model(content)
        interpreter = Interpreter(content)
    except OSError as error:
        raise BundleError(f"{found.path}: {describe(error)}.") from error
    except BundleError:
        raise
    except (EdgeClassifierError, ValueError, ImportError) as error:
        raise BundleError(f"{found.path}: {found.file} cannot be run: {error}") from error
    low, high = _RANGES[maker]
    size = _checked_size(found, interpreter, len(names))
    name = PurePosixPath(found.file).name
    quantised = interpreter.input_details["dtype"] == np.uint8
    about = {"file": name, "sha256": hashlib.sha256(content).hexdigest()}
    return Bundle(
        folder=found.path,
        spec={"models": {"int8" if quantised else "float32": about}},
        class_names=names,
        preprocessing=Preprocessing(size, low=low, high=high),
        threshold=None,
        neighbours=1,
        hesitation_weight=0.0,
        smoothing_s=SMOOTHING_S,
        contents={name: content},
        mirrored=maker == TEACHABLE_MACHINE,
    )


def what_is_not_known(bundle: Bundle) -> str:
    """Say, in one line, what a model of another program cannot know."""
    maker = TEACHABLE_MACHINE if bundle.mirrored else LOBE
    mirrored = " A camera's picture is mirrored, as there." if bundle.mirrored else ""
    return (
        f"{bundle.folder} is a model of {maker} with {len(bundle.class_names)} classes: it names "
        "one of them whatever it sees, for what is unknown to it was not measured."
        f"{mirrored}"
    )


def _checked_size(found: OtherModel, interpreter: Interpreter, classes: int) -> int:
    """Give the side of its pictures, if it takes some and answers for each class.

    Raises:
        BundleError: if it does not.
    """
    shape, dtype = interpreter.input_shape, interpreter.input_details["dtype"]
    outputs = [tuple(int(n) for n in about["shape"]) for about in interpreter.output_details]
    reason = ""
    if len(shape) != _DIMENSIONS or shape[1] != shape[2] or shape[3] != _COLOURS:
        grey = len(shape) == _DIMENSIONS and shape[3] == 1
        what = "grey pictures, for a microcontroller" if grey else f"an input of shape {shape}"
        reason = f"takes {what}; only models of square colour pictures are run here"
    elif dtype not in (np.float32, np.uint8):
        reason = f"takes {np.dtype(dtype)}; export it as TensorFlow Lite, floating point"
    elif (1, classes) not in outputs:
        reason = (
            f"gives scores of shape {', '.join(map(str, outputs))}, but "
            f"{found.labels if found.signature is None else _SIGNATURE} names {classes} "
            "classes; take both from one export"
        )
    if reason:
        raise BundleError(f"{found.path}: {found.file} {reason}.")
    return shape[1]


def _classes(found: OtherModel) -> tuple[tuple[str, ...], str]:
    """Read the names of the classes, and say whose model it is.

    Raises:
        BundleError: if there are none, or whose it is cannot be told.
    """
    try:
        if found.signature is not None:
            return checked_names(found.signature["classes"]["Label"]), LOBE
        lines = found.read(found.labels).decode("utf-8-sig") if found.labels else ""
        rows = [_NUMBERED.fullmatch(line) for line in lines.splitlines() if line.strip()]
        named = {int(row[1]): row[2] for row in rows if row}
        numbered = len(named) == len(rows) and sorted(named) == list(range(len(rows)))
        names = checked_names([named[n] for n in sorted(named)]) if rows and numbered else ()
    except (KeyError, TypeError, ValueError) as error:
        raise BundleError(
            f"{found.path}: the names of its classes cannot be used: {one_line(str(error))}."
        ) from error
    if not (rows and numbered) and any(
        PurePosixPath(name).name == _SIGNATURE for name in found.files.names
    ):
        raise BundleError(
            f"{found.path}: {_SIGNATURE} beside {found.file} is damaged, or not Lobe's; take both "
            "from one export."
        )
    if not rows:
        raise BundleError(
            f"{found.path}: {found.file} has no labels: put the labels.txt of the same export "
            "beside it."
        )
    if not numbered:
        raise BundleError(
            f"{found.path}: {found.labels} does not number its classes from 0 on, as Teachable "
            f"Machine does (`0 cat`), so how to bring pictures to {found.file} is not known; write "
            "the numbers if it is of Teachable Machine."
        )
    return names, TEACHABLE_MACHINE
