"""A model as C++ source for TensorFlow Lite Micro, with a sketch that runs it."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.device.unknown_detector import NEIGHBOURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from edge_classifier.device.unknown_detector import UnknownDetector
    from edge_classifier.device.verdict import Prediction

_FOLDER: Final = Path(__file__).with_name("sketch")
_STAY: Final = ("classifier.h", "sketch.ino")
"""Files that are the same for every model."""

_BYTES_A_LINE: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class SketchedModel:
    """What a sketch has to know of its model.

    Attributes:
        content: The TFLite file, with int8 at both ends.
        operators: Their names in TFLite's schema, each once.
        arena: Bytes that it may take.
        input_size: Height and width of the input in pixels.
        unknown: Tells known from unknown by its second output, or `None` if nothing does.
    """

    content: bytes
    operators: tuple[str, ...]
    arena: int
    input_size: int
    class_names: tuple[str, ...]
    unknown: UnknownDetector | None


def write_sketch(
    folder: Path, model: SketchedModel, square: npt.NDArray[np.uint8], expected: Prediction
) -> None:
    """Write the sketch's files into a new folder.

    The square, `(S, S, 3)` uint8 RGB, is the picture that it looks at, `expected` what this very
    model says of it.
    """
    folder.mkdir()
    for name in _STAY:
        shutil.copyfile(_FOLDER / name, folder / name)
    (folder / "model.h").write_text(_header(model), encoding="ascii")
    (folder / "model_data.cpp").write_text(_data(model.content), encoding="ascii")
    (folder / "picture.h").write_text(_picture(square, expected), encoding="ascii")


def _header(model: SketchedModel) -> str:
    unknown = model.unknown
    references = len(unknown.references) if unknown else 0
    neighbours = min(NEIGHBOURS, references) or 1
    added = " &&\n         ".join(f"resolver.Add{_method(name)}() == 0" for name in model.operators)
    labels = ",\n    ".join(_literal(name) for name in model.class_names)
    return f"""\
// What the model in model_data.cpp is.

#pragma once

#include <stddef.h>

constexpr int kInputSize = {model.input_size};  // pixels a side, red, green and blue
constexpr int kClasses = {len(model.class_names)};
static const char* const kLabels[kClasses] = {{
    {labels},
}};

constexpr int kReferences = {references};  // similarities that the model gives; 0 if none
constexpr int kNeighbours = {neighbours};
constexpr float kHesitation = {_number(unknown.hesitation_weight if unknown else 0.0)};
constexpr float kUnknownBelow = {_number(unknown.threshold if unknown else 0.0)};

constexpr size_t kArenaBytes = {model.arena};

extern const unsigned char kModel[];
extern const size_t kModelBytes;

constexpr int kOperators = {len(model.operators)};

// 0 is kTfLiteOk.
template <class Resolver>
bool AddOperators(Resolver& resolver) {{
  return {added};
}}
"""


def _data(content: bytes) -> str:
    return f"""\
#include "model.h"

alignas(16) extern const unsigned char kModel[] = {{
{_lines(content)}
}};
extern const size_t kModelBytes = sizeof(kModel);
"""


def _picture(square: npt.NDArray[np.uint8], expected: Prediction) -> str:
    return f"""\
// One picture, and what the model says of it.

#pragma once

static const char* const kExpectedLabel = {_literal(expected.label)};
constexpr float kExpectedScore = {_number(float(expected.scores.max()))};
static const unsigned char kPicture[] = {{
{_lines(square.tobytes())}
}};
"""


def _lines(content: bytes) -> str:
    starts: Iterable[int] = range(0, len(content), _BYTES_A_LINE)
    return "\n".join(",".join(map(str, content[n : n + _BYTES_A_LINE])) + "," for n in starts)


def _method(operator: str) -> str:
    """Name an operator as the resolver does: `CONV_2D` is `Conv2D`."""
    parts: Sequence[str] = operator.split("_")
    return "".join(part if part[0].isdigit() else part.capitalize() for part in parts)


def _number(value: float) -> str:
    return f"{float(value)!r}f"


def _literal(text: str) -> str:
    """Write a text as a C string: UTF-8, escaped wherever a compiler could see more in it."""
    escaped = re.sub(rb'[^ -~]|["\\?]', lambda found: b"\\%03o" % found[0][0], text.encode())
    return f'"{escaped.decode("ascii")}"'
