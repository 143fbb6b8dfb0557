"""The built-in backbone's weights file is taken whole or refused; no TensorFlow needed."""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any

import numpy as np
import pytest

from edge_classifier.features.built_in import built_in_folder
from edge_classifier.graphs.built_in_network import (
    build_network,
    convolutions,
    read_weights,
    weight_shapes,
)

ALPHA = 0.25
Arrays = dict[str, Any]


def _arrays() -> Arrays:
    rng = np.random.default_rng(0)
    return {k: rng.normal(size=s).astype(np.float16) for k, s in weight_shapes(ALPHA).items()}


def _npz(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def test_mobilenet_v1_at_full_width_without_batch_norms_has_its_known_size() -> None:
    assert len(convolutions(1.0)) == 27
    assert math.prod(convolutions(1.0)[-1].kernel_shape) == 1024 * 1024
    # Keras' MobileNet 1.0 without top: 3,228,864, of which 4 x 10,944 are its batch norms'.
    assert sum(map(math.prod, weight_shapes(1.0).values())) == 3_228_864 - 3 * 10_944


def test_weights_come_back_in_order_and_without_loss() -> None:
    arrays = _arrays()
    weights = read_weights(_npz(arrays), ALPHA)
    assert list(arrays)[:3] == ["000:conv1/kernel", "001:conv1/bias", "002:conv_dw_1/kernel"]
    for weight, array in zip(weights, arrays.values(), strict=True):
        assert weight.dtype == np.float32
        np.testing.assert_array_equal(weight, array)


def _renamed(arrays: Arrays) -> Arrays:
    return {k.replace("conv1/bias", "conv1_bn/beta"): a for k, a in arrays.items()}


def _reversed(arrays: Arrays) -> Arrays:
    return dict(reversed(arrays.items()))


def _without_last(arrays: Arrays) -> Arrays:
    return dict(list(arrays.items())[:-1])


def _reshaped(arrays: Arrays) -> Arrays:
    return {k: a.reshape(-1) for k, a in arrays.items()}


def _in_float32(arrays: Arrays) -> Arrays:
    return {k: a.astype(np.float32) for k, a in arrays.items()}


def _not_finite(arrays: Arrays) -> Arrays:
    arrays["001:conv1/bias"][3] = np.nan
    return arrays


def _with_objects(arrays: Arrays) -> Arrays:
    return arrays | {"000:conv1/kernel": np.array([print], object)}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_renamed, "conv1_bn/beta"),
        (_reversed, "the order"),
        (_without_last, "expected 54 arrays, received 53"),
        (_reshaped, r"expected float16 \(3, 3, 3, 8\) in 000:conv1/kernel, received float16 "),
        (_in_float32, "received float32"),
        (_not_finite, "no numbers"),
        (_with_objects, "received object"),
    ],
)
def test_arrays_of_another_network_are_refused(change: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_weights(_npz(change(_arrays())), ALPHA)


def test_weights_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="received float16"):
        read_weights(_npz(_arrays()), 0.5)


@pytest.mark.parametrize("content", [b"", b"nonsense" * 99, b"PK\x03\x04" * 99])
def test_what_is_no_npz_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"npz|pickle"):
        read_weights(content, ALPHA)


def test_a_single_array_is_refused() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    with pytest.raises(ValueError, match="npz"):
        read_weights(buffer.getvalue(), ALPHA)


def test_a_file_that_is_cut_short_or_has_a_flipped_byte_is_refused() -> None:
    content = _npz(_arrays())
    for cut in range(0, len(content), 30_011):
        with pytest.raises(ValueError, match=r"npz|pickle"):
            read_weights(content[:cut], ALPHA)
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 0xFF
    with pytest.raises(ValueError, match="npz"):
        read_weights(bytes(flipped), ALPHA)


def test_an_array_that_claims_terabytes_is_refused_before_it_is_read() -> None:
    arrays = _npz(_arrays())
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(arrays)) as given, zipfile.ZipFile(buffer, "w") as made:
        for name in given.namelist():
            content = given.read(name)
            if name.startswith("001:"):
                header = io.BytesIO()
                np.lib.format.write_array_header_1_0(
                    header, {"descr": "<f2", "fortran_order": False, "shape": (2**42,)}
                )
                content = header.getvalue()
            made.writestr(name, content)
    with pytest.raises(ValueError, match=f"received float16 \\({2**42},\\)"):
        read_weights(buffer.getvalue(), ALPHA)


@pytest.mark.parametrize("input_size", [0, 16, 100, 10**9])
def test_an_input_that_the_network_cannot_have_is_refused(input_size: int) -> None:
    with pytest.raises(ValueError, match=f"received {input_size}"):
        build_network(None, input_size, ALPHA)


@pytest.mark.parametrize("alpha", [0.0, -1.0, 1e9, float("nan")])
def test_a_width_that_the_network_cannot_have_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="width"):
        build_network(None, 160, alpha)


@pytest.mark.skipif(built_in_folder() is None, reason="models/built-in.json is not there yet")
def test_the_weights_that_come_with_the_package_are_whole() -> None:
    folder = built_in_folder()
    assert folder is not None
    weights = read_weights((folder / "built-in.weights.npz").read_bytes(), 0.5)
    assert len(weights) == 54
