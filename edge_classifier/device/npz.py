"""Arrays in an `.npz`, also one that a stranger wrote: no pickles, no bombs, no surprises.

Nothing is read that the file does not have bytes for, and no array that claims another size
than it has.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

Expected: TypeAlias = "Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]]"
"""Shape and dtype of each array by its name, in their order."""

MAX_NUMBER: Final = 1e9
"""Products of larger ones overflow, and no network or training gives them."""

_SUFFIX: Final = ".npy"
_KINDS: Final = "biufSU"
_MOST_DIMENSIONS: Final = 4
_MAX_HEADER: Final = 4096


def npz_bytes(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Make the content of an `.npz`, unpacked; the same arrays always give the same bytes."""
    content = io.BytesIO()
    # NumPy's stub mistakes the arrays for its own keyword arguments.
    np.savez(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def read_arrays(content: bytes, expected: Expected | None = None) -> dict[str, npt.NDArray[Any]]:
    """Read what `numpy.savez` wrote.

    Only if `expected` says what has to be in it may it be packed, as `numpy.savez_compressed` does:
    without that an honest file is as large as what it holds.

    Returns:
        The arrays by their names; plain numbers, truth values and text only.

    Raises:
        ValueError: if it is something else, in a few words for the user.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = {_name_of(entry): entry for entry in archive.infolist()}
            if expected is not None:
                _check_names([_name_of(entry) for entry in archive.infolist()], expected)
            elif sum(entry.file_size for entry in archive.infolist()) > len(content):
                raise ValueError("it holds more than fits into it")  # noqa: TRY301 - told like the rest
            return {name: _read(archive, entry, name, expected) for name, entry in entries.items()}
    except ValueError:
        raise
    except Exception as error:  # NumPy and zipfile raise whatever comes to hand
        raise ValueError(f"it is no whole .npz: {str(error) or type(error).__name__}") from error


def _name_of(entry: zipfile.ZipInfo) -> str:
    if not entry.filename.endswith(_SUFFIX):
        raise ValueError(f"{entry.filename!r:.60} in it is no array")
    return entry.filename[: -len(_SUFFIX)]


def _check_names(names: list[str], expected: Expected) -> None:
    if names != list(expected):
        wrong = sorted(set(names) ^ set(expected))[:3] or ["the order"]
        raise ValueError(
            f"expected {len(expected)} arrays, received {len(names)} that differ in {wrong}"
        )


def _read(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, expected: Expected | None
) -> npt.NDArray[Any]:
    if expected is None and entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError("its arrays are packed, as numpy.savez does not")
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"expected version 1.0 of the .npy format, received {version}")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(
            file, max_header_size=_MAX_HEADER
        )
        if expected is not None and (shape, dtype) != expected[name]:
            wanted_shape, wanted = expected[name]
            raise ValueError(
                f"expected {wanted} {wanted_shape} in {name}, received {dtype} {shape}"
            )
        if dtype.kind not in _KINDS or len(shape) > _MOST_DIMENSIONS or min(shape, default=0) < 0:
            raise ValueError(f"expected plain arrays, received {dtype} of shape {shape}")
        size = entry.file_size - file.tell()
        if math.prod(shape) * dtype.itemsize != size:  # Python's integers do not overflow
            raise ValueError(f"an array claims the shape {shape} and has {size} bytes")
        data = file.read()
    # Copied once, and so writable: files may be as large as memory allows few copies of.
    array: npt.NDArray[Any] = np.frombuffer(data, dtype).copy()
    return array.reshape(shape, order="F" if fortran else "C")
