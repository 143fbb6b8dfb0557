"""Every one of these was found by `tools/fuzzing --target model` or `classifier`."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest

from edge_classifier.device.npz import read_arrays


def npz(*, packed: bool = False, **entries: bytes) -> bytes:
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)
    return buffer.getvalue()


def claiming(shape: tuple[int, ...], dtype: str, content: bytes = b"") -> bytes:
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode().ljust(117)
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header + b"\n" + content


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array(["mug", "växt 🌱"]),
        np.zeros((0, 5), np.float32),
        np.array(7, np.int64),
    ],
)
def test_what_numpy_saved_is_read_as_it_was_and_can_be_written_to(
    array: np.ndarray[Any, Any],
) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, a=array)
    (found,) = read_arrays(buffer.getvalue()).values()
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype
    assert found.flags.writeable


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no whole"),
        (b"PK\x03\x04", "no whole"),
        (npz(a=claiming((1 << 40,), "<f4")), "claims the shape"),
        (npz(a=claiming((1 << 31, 1 << 31), "<f4")), "claims the shape"),
        (npz(a=claiming((-1,), "<f4", bytes(4))), "plain arrays"),
        (npz(a=claiming((1,), "|O", bytes(8))), "plain arrays"),
        (npz(a=claiming((1,), "|V9", bytes(9))), "plain arrays"),
        (npz(a=claiming((1, 1, 1, 1, 1), "<f4", bytes(4))), "plain arrays"),
        (npz(a=b"\x93NUMPY\x01\x00v\x00" + b"{" * 118), "."),  # ends in a TokenError of tokenize
        (npz(a=b"\x93NUMPY\x03\x00v\x00" + b"{" * 118), "version 1.0"),
        (npz(a=claiming((1,), "<f4", bytes(4)), packed=True), "packed"),
        (npz(a=b"no array"), "magic"),
    ],
)
def test_what_claims_more_than_it_has_or_is_no_plain_array_is_refused(
    content: bytes, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        read_arrays(content)


def test_one_place_in_the_file_cannot_be_read_many_times() -> None:
    content = bytearray(npz(a=claiming((250,), "<f4", bytes(1000))))
    directory = content.rindex(b"PK\x01\x02")
    end = content.rindex(b"PK\x05\x06")
    entry = bytes(content[directory:end])
    many = content[:directory] + entry * 3 + content[end:]
    place = len(many) - 22
    struct.pack_into("<HHII", many, place + 8, 3, 3, 3 * len(entry), directory)
    with pytest.raises(ValueError, match="more than fits"):
        read_arrays(bytes(many))


def test_a_pickle_is_not_run() -> None:
    holder = np.empty((1,), object)
    holder[0] = Boom()
    buffer = io.BytesIO()
    np.save(buffer, holder, allow_pickle=True)
    with pytest.raises(ValueError, match="plain arrays"):
        read_arrays(npz(a=buffer.getvalue()))


class Boom:
    """What runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a pickle was run",)


def test_reading_takes_few_copies_of_a_large_array() -> None:
    """With five, a file at the limit took 2.5 GB (found by `tools/fuzzing --target model`)."""
    buffer = io.BytesIO()
    np.savez(buffer, scales=np.zeros(4_000_000, np.float32))
    content = buffer.getvalue()
    tracemalloc.start()
    try:
        read_arrays(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2.2 * len(content)  # beside the file itself: what was unpacked, and the array
