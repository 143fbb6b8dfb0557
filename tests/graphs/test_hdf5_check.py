from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_classifier.errors import WeightsMismatchError
from edge_classifier.graphs.hdf5_check import is_legacy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

h5py = pytest.importorskip("h5py", reason="comes with Keras")


NAME = "v1-0.25"


@pytest.mark.parametrize("legacy", [True, False])
def test_both_layouts_are_told_apart(legacy: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter of the test
    with h5py.File(tmp_path / "w.h5", "w") as file:
        if legacy:
            file.attrs["layer_names"] = [b"dense"]
        file.create_group("dense")["0"] = np.ones(3)
    assert is_legacy(tmp_path / "w.h5", NAME) is legacy


def test_a_child_that_crashes_later_is_not_said_to_have_read_without_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    h5py.File(tmp_path / "w.h5", "w").close()
    is_legacy(tmp_path / "w.h5", NAME)
    assert not capsys.readouterr().out.splitlines()[-1].startswith("mismatch")


def external_link(file: Any) -> None:
    file["secret"] = h5py.ExternalLink("/etc/passwd", "/")


def soft_link(file: Any) -> None:
    file["loop"] = h5py.SoftLink("/loop")


def external_storage(file: Any) -> None:
    file.create_dataset("data", (10,), "u1", external=[("/etc/passwd", 0, 10)])


def terabytes(file: Any) -> None:
    file.create_dataset("data", (1 << 38,), "f4", chunks=(1024,))


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    file.create_virtual_dataset("data", layout)


@pytest.mark.parametrize("trick", [external_link, soft_link, external_storage, terabytes, virtual])
def test_weights_that_point_elsewhere_or_claim_terabytes_are_refused(
    trick: Callable[[Any], None], tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        trick(file)
    with pytest.raises(WeightsMismatchError, match=r"w\.h5"):
        is_legacy(tmp_path / "w.h5", NAME)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's memory so")
def test_a_chunk_that_would_unpack_to_more_than_a_gigabyte_is_refused(tmp_path: Path) -> None:
    size = 1 << 20
    packer = zlib.compressobj(wbits=-15)
    block = packer.compress(bytes(size)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = struct.pack(">I", (1200 * size % 65521) << 16 | 1)  # Adler-32 of zeros
    with h5py.File(tmp_path / "w.h5", "w") as file:
        chunks = (1200 * size,)
        data = file.create_dataset("a", (9,), "u1", maxshape=(None,), chunks=chunks, compression=1)
        data.id.write_direct_chunk((0,), b"\x78\x01" + block * 1200 + b"\x03\x00" + checksum)
    assert (tmp_path / "w.h5").stat().st_size < 10 * size
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from edge_classifier.graphs.hdf5_check import is_legacy\n"
        "is_legacy(Path(sys.argv[1]), 'v1-0.25')\n"
    )
    # In a child, as it is used: on a slow machine time may run out first, and that ends it.
    done = subprocess.run(  # noqa: S603 - our own lines
        [sys.executable, "-c", program, str(tmp_path / "w.h5")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "filter returned failure" in done.stderr or "does not end" in done.stdout


def test_a_group_that_holds_itself_is_read_once(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_group("a")["again"] = file["/"]
    assert not is_legacy(tmp_path / "w.h5", NAME)


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no such timer")
def test_reading_that_does_not_end_ends_the_child_with_a_line_for_the_user() -> None:
    """A busy loop stands for HDF5's library in one, which no exception of Python's can stop."""
    program = (
        "import sys\nfrom edge_classifier.graphs import hdf5_check as w\n"
        "w._LIMIT_S = 0.2\n"
        "with w._limited(w.WeightsMismatchError('x.h5 is damaged')):\n"
        "    while True: pass\n"
    )
    done = subprocess.run(  # noqa: S603 - our own lines
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode < 0
    assert json.dumps(done.stdout.splitlines()) == '["mismatch x.h5 is damaged"]'
