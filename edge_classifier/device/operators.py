"""What a TFLite file does, read before anything runs it.

A classifier of pictures is a chain of operators whose work is known beforehand: the same for every
picture. So a file is refused in which a picture could decide how long it runs (`WHILE`), how much
memory it takes (a `TILE` by a computed number), or what else is run (`CUSTOM`, `DELEGATE`). Of a
file that passes, one run tells of all.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_ALLOWED: Final = frozenset(
    [
        *(1, 3, 4, 9, 12, 13, 17, 67, 126),  # convolutions, pooling, matrices
        *(8, 11, 14, 19, 20, 21, 25, 28, 50, 54, 98, 111, 117, 150, 152),  # activations
        *(0, 18, 41, 42, 47, 55, 57, 59, 73, 75, 76, 78, 92, 99, 101, 104, 106, 116, 158),  # sums
        *(58, 61, 62, 63, 64, 71, 72, 84, 86, 87, 90, 95, 123),  # comparisons
        *(40, 56, 74, 79, 81, 82, 89, 91),  # over an axis
        *(2, 5, 22, 23, 26, 34, 36, 37, 38, 39, 43, 45, 48, 49, 60, 65, 69, 70),  # places
        *(77, 83, 85, 88, 93, 94, 97, 100, 102, 105, 107, 110, 130, 145),  # and shapes
        *(6, 53, 80, 114, 124),  # kinds of numbers
    ]
)
"""Numbers of the schema's `BuiltinOperator`."""

_CONSTANT: Final = {
    23: (1,),
    34: (1,),
    37: (1, 2),
    38: (1, 2),
    45: (1, 2, 3),
    48: (1,),
    60: (1,),
    65: (1, 2),
    67: (0,),
    69: (1,),
    85: (1,),
    94: (0,),
    97: (1,),
    100: (1,),
    130: (1,),
}
"""Which inputs of an operator say how large its output is: they must not be computed."""

_CUSTOM: Final = 32
_NAMES: Final = {
    31: "CALL",
    51: "DELEGATE",
    118: "IF",
    119: "WHILE",
    129: "CALL_ONCE",
    200: "STABLEHLO_WHILE",
    209: "STABLEHLO_CASE",
}
_IDENTIFIER: Final = b"TFL3"
_EDGE_TPU: Final = "edgetpu-custom-op"
_FLEX: Final = "Flex"
_MOST_TABLES: Final = 50_000
_MOST_INTEGERS: Final = 16
"""Of a shape, or of the inputs of an operator that may have only a few: vectors can be shared by
many tables, so that reading a long one for each would not end."""

_MOST_VALUES: Final = 64 * 1024 * 1024
"""Of a tensor; the widest feature map of a MobileNet has 800,000."""


def check_operators(content: bytes) -> None:
    """Refuse a TFLite file whose work is not that of a classifier of pictures.

    Raises:
        ValueError: with what is wrong, as the end of a sentence.
    """
    if content[4:8] != _IDENTIFIER:
        raise ValueError("its identifier is not TFL3")
    try:
        model = _Table(content, struct.unpack_from("<I", content)[0])
        codes = [_checked_code(code) for code in model.tables(1)]
        graphs = model.tables(2)
        if len(graphs) != 1:
            raise ValueError(f"it has {len(graphs)} subgraphs, and a classifier one")
        tensors = graphs[0].tables(0)
        for tensor in tensors:
            _check_size(tensor.integers(0))
        constant = [buffer.length(0) > 0 for buffer in model.tables(4)]
        for operator in graphs[0].tables(3):
            code = codes[operator.number(0, "I")]
            places = _CONSTANT.get(code, ())
            inputs = operator.integers(1) if places else ()
            for place in places:
                if place < len(inputs) and not constant[tensors[inputs[place]].number(2, "I")]:
                    raise ValueError(
                        f"its operator {code} computes how large its output is, which no "
                        "classifier has to"
                    )
    except (struct.error, IndexError) as error:
        raise ValueError(f"its tables are damaged ({error})") from error


def _checked_code(code: _Table) -> int:
    number = max(code.number(0, "b"), code.number(3, "i"))
    if number == _CUSTOM:
        name = code.text(1)
        if name == _EDGE_TPU:
            raise ValueError(
                "it is compiled for an Edge TPU, which is not used here; take the file that it was "
                "compiled from"
            )
        if name.startswith(_FLEX):
            raise ValueError(
                f"it needs TensorFlow itself ({name}); convert it again with TFLITE_BUILTINS only"
            )
        raise ValueError(f"it needs an operator of its own, {name!r:.60}")
    if number not in _ALLOWED:
        raise ValueError(
            f"it holds the operator {_NAMES.get(number, number)}, which no classifier of pictures "
            "needs"
        )
    return number


def _check_size(shape: Sequence[int]) -> None:
    if math.prod(max(1, n) for n in shape) > _MOST_VALUES:  # Python's integers do not overflow
        raise ValueError(
            f"it holds a tensor of shape {list(shape)[:8]}, larger than any classifier's"
        )


class _Table:
    """A table of a FlatBuffer; what points out of it raises `struct.error` or `IndexError`."""

    def __init__(self, content: bytes, start: int) -> None:
        self._content = content
        self._start = start
        self._fields = start - self._unpack("i", start)
        self._size = self._unpack("H", self._fields)

    def number(self, field: int, kind: str) -> int:
        """Read a number of a kind of `struct`; 0 where it is not given."""
        place = self._place(field)
        return self._unpack(kind, place) if place else 0

    def length(self, field: int) -> int:
        """Say how many entries a vector has."""
        place = self._vector(field)
        return self._unpack("I", place) if place else 0

    def integers(self, field: int) -> tuple[int, ...]:
        """Read a short vector of `int32`."""
        count = self._checked_length(field, _MOST_INTEGERS)
        return (
            struct.unpack_from(f"<{count}i", self._content, self._vector(field) + 4)
            if count
            else ()
        )

    def tables(self, field: int) -> list[_Table]:
        """Read a vector of tables."""
        start = self._vector(field) + 4
        places = (start + 4 * n for n in range(self._checked_length(field, _MOST_TABLES)))
        return [_Table(self._content, place + self._unpack("I", place)) for place in places]

    def text(self, field: int) -> str:
        """Read a text."""
        start, count = self._vector(field) + 4, min(self.length(field), 1000)
        return self._content[start : start + count].decode("utf-8", "replace")

    def _checked_length(self, field: int, most: int) -> int:
        count = self.length(field)
        if count > most:
            raise IndexError(f"{count:,} entries")
        return count

    def _vector(self, field: int) -> int:
        place = self._place(field)
        return place + self._unpack("I", place) if place else 0

    def _place(self, field: int) -> int:
        offset = 4 + 2 * field
        within = self._unpack("H", self._fields + offset) if offset < self._size else 0
        return self._start + within if within else 0

    def _unpack(self, kind: str, place: int) -> int:
        if place < 0:
            raise IndexError(f"an offset of {place}")
        number: int = struct.unpack_from(f"<{kind}", self._content, place)[0]
        return number
