from __future__ import annotations

import struct
import time
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_classifier.device.picture_decoder import image_size
from edge_classifier.errors import InvalidImageError
from edge_classifier.project.picture_file import encode_image, read_image, read_thumbnail

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image


def scene(width: int = 640, height: int = 480) -> Image:
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack(
        [
            128 + 100 * np.sin(x / 40 + y / 70),
            128 + 90 * np.cos(x / 90 - y / 30),
            128 + 110 * np.sin((x + y) / 55),
        ],
        axis=-1,
    )
    image[height // 3 : height // 2, width // 4 : width // 2] = (30, 60, 220)
    return np.asarray(image.clip(0, 255), dtype=np.uint8)


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def test_what_is_encoded_is_what_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    encoded = encode_image(scene())
    (tmp_path / "a.jpg").write_bytes(encoded.data)
    assert np.array_equal(read_image(tmp_path / "a.jpg"), encoded.image)


def test_encoding_twice_gives_the_same_hash_and_another_picture_another() -> None:
    assert encode_image(scene()).sha256 == encode_image(scene()).sha256
    assert encode_image(scene()).sha256 != encode_image(scene()[::-1]).sha256


def test_what_is_stored_differs_from_the_picture_by_less_than_a_cameras_noise() -> None:
    error = encode_image(scene()).image.astype(float) - scene()
    assert np.sqrt(np.mean(error**2)) < 2.0


@pytest.mark.parametrize("shape", [(1, 1), (1, 65_500), (37, 5)])
def test_pictures_of_any_size_can_be_stored(shape: tuple[int, int]) -> None:
    assert encode_image(np.zeros((*shape, 3), np.uint8)).image.shape == (*shape, 3)


def test_a_picture_too_wide_for_a_jpeg_is_refused() -> None:
    with pytest.raises(InvalidImageError, match="65501 x 1 pixels is too large"):
        encode_image(np.zeros((1, 65_501, 3), np.uint8))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
def test_the_size_is_read_off_the_header_of_every_kind(suffix: str) -> None:
    data = cv2.imencode(suffix, scene(200, 120))[1].tobytes()
    assert image_size(data) == (200, 120)


def test_the_size_is_read_off_a_lossless_webp() -> None:
    data = cv2.imencode(".webp", scene(200, 120), [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()
    assert data[12:16] == b"VP8L"
    assert image_size(data) == (200, 120)


@given(
    st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8", b"BM"]),
    st.binary(max_size=60),
)
def test_no_header_whatever_makes_reading_the_size_fail(start: bytes, rest: bytes) -> None:
    size = image_size(start + rest)
    assert size is None or len(size) == 2


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp"])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.9])
def test_a_truncated_picture_is_refused_by_name(tmp_path: Path, suffix: str, part: float) -> None:
    data = cv2.imencode(suffix, scene())[1].tobytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(InvalidImageError, match=f"cut{suffix}"):
        read_image(path)
    with pytest.raises(InvalidImageError, match=f"cut{suffix}"):
        read_thumbnail(path)


def test_a_picture_that_is_gone_and_a_text_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match=r"gone\.jpg: it is not there"):
        read_image(tmp_path / "gone.jpg")
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(InvalidImageError, match=r"text\.jpg is not a picture"):
        read_image(tmp_path / "text.jpg")


def test_a_decompression_bomb_is_refused_without_being_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    body = b"IDAT" + zlib.compress(bytes(10_000_000), 9)
    path.write_bytes(
        png_header(30_000, 30_000)
        + struct.pack(">I", len(body) - 4)
        + body
        + struct.pack(">I", zlib.crc32(body))
    )
    started = time.perf_counter()
    with pytest.raises(InvalidImageError, match="30000 x 30000 pixels"):
        read_image(path)
    assert time.perf_counter() - started < 1.0


def test_a_picture_30000_pixels_wide_but_low_is_read(tmp_path: Path) -> None:
    (tmp_path / "wide.jpg").write_bytes(encode_image(scene(30_000, 40)).data)
    assert read_image(tmp_path / "wide.jpg").shape == (40, 30_000, 3)
    assert read_thumbnail(tmp_path / "wide.jpg").shape == (1, 96, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_thumbnail_is_the_picture_small(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(cv2.imencode(suffix, scene())[1].tobytes())
    small = read_thumbnail(path)
    assert small.shape == (72, 96, 3)
    expected = cv2.resize(scene(), (96, 72), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(float) - expected).mean() < 3.0


def test_a_picture_smaller_than_a_thumbnail_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(cv2.imencode(".png", scene(50, 40))[1].tobytes())
    assert np.array_equal(read_thumbnail(tmp_path / "a.png"), scene(50, 40))


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    data = encode_image(scene(200, 100)).data
    # one TIFF entry: orientation (0x0112), short, 1 value: 6, to be turned right by 90 degrees
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0" + tiff
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    (tmp_path / "a.jpg").write_bytes(data[:2] + segment + data[2:])
    assert read_image(tmp_path / "a.jpg").shape == (200, 100, 3)
