"""Ways to spoil bytes and JSON; everything is drawn from the generator that is passed in."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

_NUMBERS: Final = (
    *(0, 1, 2, 3, 7, 8, 15, 16, 127, 128, 255, 256, 4095, 32767, 32768, 65535, 65536),
    *(1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1),
)
_LAYOUTS: Final = (">B", "<H", ">H", "<I", ">I", "<Q", ">Q")

HOSTILE_TEXTS: Final = (
    *("", " ", ".", "..", "../x", "../../../../tmp/x", "/", "/etc/passwd", "~", "a/b", "a\\b"),
    *("C:\\x", "C:x", "\\\\host\\share", "//host/share", "file:///etc/passwd", "NUL", "con", "aux"),
    *("x\x00y", "\n", "a\nb", "\r\n", "\x1b[2J", "\x07", "\ud800", "\u202egpj.exe", "\u200d"),
    *("é", "e\u0301", "İ", "ß", "SS", "杯子", "👩\u200d🔬", "٣", "²", "<script>", "&lt;"),
    *("$(touch x)", "`touch x`", "; touch x", "| touch x", "' ; touch x #", "-rf", "--help"),
    *("{label}", "{0.__class__}", "%s%n", "nan", "inf", "-1", "1e999", "0x10", "true", "null"),
    *("a" * 300, "杯" * 200, "A" * 70_000),
)
"""What a stranger would put in the place of a name, a path or a number."""

_HOSTILE_NUMBERS: Final = (
    *(0, -1, 1, 2, 255, 65_536, 2**31, 2**32, 2**53, 2**63, -(2**63), 10**18, 10**30, 10**400),
    *(0.0, -0.0, 0.5, -1.5, 1e-320, 1e308, float("nan"), float("inf"), float("-inf")),
)


def mutate_bytes(rng: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Spoil some bytes: flip, set, cut out, put in, repeat, truncate, splice.

    Args:
        rng: Where chance comes from.
        data: What to spoil.
        others: Other inputs of the kind, to splice with.
    """
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 10, 40))):
        data = rng.choice(_STEPS)(rng, data, others)
    return data


def _flip(rng: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    if not data:
        return data
    spoilt = bytearray(data)
    spoilt[_place(rng, data)] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def _set(rng: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    layout = rng.choice(_LAYOUTS)
    size = struct.calcsize(layout)
    value = struct.pack(layout, rng.choice(_NUMBERS) % (1 << 8 * size))
    place = _place(rng, data)
    return data[:place] + value + data[place + size :]


def _random(rng: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    place = _place(rng, data)
    return data[:place] + rng.randbytes(rng.randint(1, 16)) + data[place + rng.randint(0, 16) :]


def _cut(rng: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    place = _place(rng, data)
    return data[:place] + data[place + rng.choice((1, 2, 4, 16, 256, 4096)) :]


def _repeat(rng: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    place = _place(rng, data)
    piece = data[place : place + rng.choice((1, 2, 4, 16, 256))]
    return data[:place] + piece * rng.choice((1, 2, 16, 500)) + data[place:]


def _truncate(rng: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    return data[: _place(rng, data)]


def _splice(rng: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others) if others else data
    return data[: _place(rng, data)] + other[_place(rng, other) :]


def _copy_over(rng: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others) if others else data
    start = _place(rng, other)
    piece = other[start : start + rng.choice((2, 8, 32, 128))]
    place = _place(rng, data)
    return data[:place] + piece + data[place + len(piece) :]


_STEPS: Final = (
    *(_flip, _flip, _set, _set, _set, _random, _cut, _repeat, _truncate, _splice, _copy_over),
)


def _place(rng: Random, data: bytes) -> int:
    """Choose a place; headers matter more than what follows them."""
    if not data:
        return 0
    return rng.randrange(min(len(data), rng.choice((64, 512, len(data), len(data)))))


def mutate_json(rng: Random, document: object) -> object:
    """Put hostile values into a copy of what JSON holds: wrong types, huge, deep, missing.

    Args:
        rng: Where chance comes from.
        document: The honest content.
    """
    root: list[Any] = [json.loads(json.dumps(document))]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        holder, key = rng.choice(list(_places(root)))
        _spoil(rng, holder, key)
    return root[0]


def encode_json(rng: Random, document: object) -> bytes:
    """Write JSON the way strangers do: sometimes with other spacing, encoding, or repeated."""
    try:
        text = json.dumps(document, ensure_ascii=rng.random() < 0.5)  # noqa: PLR2004 - a coin
    except (RecursionError, ValueError):
        text = json.dumps(None)
    if rng.random() < 0.01:  # noqa: PLR2004 - rare, as most readers stop there at once
        text = rng.choice(("\ufeff", "[" * 100_000, '{"a":' * 5_000, "//", "NaN")) + text
    encoding = rng.choice(("utf-8",) * 30 + ("utf-16", "latin-1"))
    return text.encode(encoding, "surrogatepass" if encoding != "latin-1" else "replace")


def hostile_value(rng: Random) -> object:
    """Choose a value of any type."""
    kind = rng.randrange(8)
    if kind == 0:
        return rng.choice(_HOSTILE_NUMBERS)
    if kind == 1:
        return rng.choice(HOSTILE_TEXTS)
    if kind == 2:  # noqa: PLR2004 - one of eight
        return rng.choice((None, True, False))
    if kind == 3:  # noqa: PLR2004 - one of eight
        return rng.choice(([], {}, [[]], [None], {"": None}, [1, "a", None], {"a": [{}]}))
    if kind == 4:  # noqa: PLR2004 - one of eight
        return _nested(rng.choice((3, 60, 300, 900)), as_list=rng.random() < 0.5)  # noqa: PLR2004 - a coin
    if kind == 5:  # noqa: PLR2004 - one of eight
        return [rng.choice(_HOSTILE_NUMBERS)] * rng.choice((1, 3, 5000))
    if kind == 6:  # noqa: PLR2004 - one of eight
        return "".join(
            chr(rng.choice((rng.randrange(128), rng.randrange(0x11_0000)))) for _ in "123"
        )
    return rng.randrange(-(10**6), 10**6)


def _places(root: list[Any]) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting: list[Any] = [root]
    while waiting and len(found) < 5_000:  # noqa: PLR2004 - enough to choose from
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], (dict, list)):
                waiting.append(holder[key])
    return found


def _spoil(rng: Random, holder: Any, key: Any) -> None:  # noqa: ANN401 - a dict or a list
    what = rng.randrange(10)
    value = holder[key]
    if what == 0 and isinstance(holder, dict):
        del holder[key]
    elif what == 1 and isinstance(holder, dict):
        holder[rng.choice(HOSTILE_TEXTS)] = holder.pop(key)
    elif what == 2 and isinstance(holder, list):  # noqa: PLR2004 - one of ten
        holder.insert(key, value)
    elif what == 3 and isinstance(value, str):  # noqa: PLR2004 - one of ten
        place = rng.randint(0, len(value))
        holder[key] = value[:place] + rng.choice(HOSTILE_TEXTS) + value[place:]
    elif what == 4 and isinstance(value, (int, float)):  # noqa: PLR2004 - one of ten
        holder[key] = rng.choice((-value, value + 1, value - 1, value * 1000, str(value), [value]))
    else:
        holder[key] = hostile_value(rng)


def _nested(depth: int, *, as_list: bool) -> object:
    value: object = 0
    for _ in range(depth):
        value = [value] if as_list else {"a": value}
    return value
