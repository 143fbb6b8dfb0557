"""Arrays out of an `.npz` that a stranger may have written: no pickles, no bombs, no surprises.

`numpy.savez` stores arrays as they are, so an honest file is as large as what it holds. Nothing
is read that the file does not have bytes for, and no array that claims another size than it has.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_SUFFIX: Final = ".npy"
_KINDS: Final = "biufSU"
_MOST_DIMENSIONS: Final = 4
_MAX_HEADER: Final = 4096


def read_arrays(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """Read what `numpy.savez` wrote.

    Args:
        content: The file.

    Returns:
        The arrays by their names; plain numbers, truth values and text only.

    Raises:
        ValueError: if it is something else, in a few words for the user.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > len(content):
                raise ValueError("it holds more than fits into it")  # noqa: TRY301 - told like the rest
            return {_name_of(entry): _read(archive, entry) for entry in entries}
    except ValueError:
        raise
    except Exception as error:  # NumPy and zipfile raise whatever comes to hand
        raise ValueError(f"it is no whole .npz: {str(error) or type(error).__name__}") from error


def _name_of(entry: zipfile.ZipInfo) -> str:
    if not entry.filename.endswith(_SUFFIX):
        raise ValueError(f"{entry.filename!r:.60} in it is no array")
    return entry.filename[: -len(_SUFFIX)]


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> npt.NDArray[Any]:
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError("its arrays are packed, as numpy.savez does not")
    data = archive.read(entry)
    header = io.BytesIO(data)
    version = np.lib.format.read_magic(header)
    if version != (1, 0):
        raise ValueError(f"expected version 1.0 of the .npy format, received {version}")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(header, max_header_size=_MAX_HEADER)
    if dtype.kind not in _KINDS or len(shape) > _MOST_DIMENSIONS or min(shape, default=0) < 0:
        raise ValueError(f"expected plain arrays, received {dtype} of shape {shape}")
    start, count = header.tell(), 1
    for size in shape:  # as Python integers, which do not overflow
        count *= size
    if start + count * dtype.itemsize != len(data):
        raise ValueError(f"an array claims the shape {shape} and has {len(data) - start} bytes")
    # Copied once, and so writable: files may be as large as memory allows few copies of.
    array: npt.NDArray[Any] = np.frombuffer(data, dtype, count, start).copy()
    return array.reshape(shape, order="F" if fortran else "C")
