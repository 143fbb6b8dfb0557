"""Small files that ask for much: each is refused, or read within bounds, whatever its kind."""

from __future__ import annotations

import io
import struct
import sys
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageOps

from edge_classifier.device.sources.pictures import read_picture
from edge_classifier.errors import InvalidImageError
from edge_classifier.project.picture_file import MAX_PIXELS, decode_image, image_size

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 8000  # squared it is the most that is read of a JPEG file


def saved(picture: PillowImage.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def small(**options: object) -> bytes:
    return saved(PillowImage.new("RGB", (40, 30), (9, 90, 200)), "JPEG", **options)


def test_a_webp_of_38_bytes_does_not_take_two_gigabytes() -> None:
    data = saved(PillowImage.new("RGBA", (SIDE, SIDE)), "WEBP", lossless=True, quality=0, method=0)
    assert len(data) < 100
    with pytest.raises(InvalidImageError, match="more than 32,000,000"):
        decode_image(data, "x.webp")


def test_a_png_with_alpha_is_converted_in_strips() -> None:
    """Done at once, the conversion alone held five copies of the picture: 1.4 GB at most."""
    side = 3000
    data = saved(PillowImage.new("RGBA", (side, side), (9, 8, 7, 100)), "PNG", compress_level=1)
    tracemalloc.start()
    try:
        decode_image(data, "x.png")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * side * side * 3 / 2  # NumPy's part: the result, and half of that


def test_a_jpeg_whose_header_is_hidden_behind_garbage_is_measured_all_the_same() -> None:
    data = bytearray(small())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 30_000, 30_000)
    hidden = bytes(data[:2]) + b"\0\0\0" + bytes(data[2:])
    assert image_size(hidden) == (30_000, 30_000)
    with pytest.raises(InvalidImageError, match="30000 x 30000 pixels"):
        decode_image(hidden, "x.jpg")


def test_a_jpeg_without_any_size_is_not_left_to_the_decoder() -> None:
    data = small()
    frame = data.index(b"\xff\xc0")
    scan = data.index(b"\xff\xda")
    with pytest.raises(InvalidImageError, match="damaged"):
        decode_image(data[:frame] + data[scan:], "x.jpg")


def test_a_jpeg_in_thousands_of_scans_is_refused_at_once() -> None:
    data = small(progressive=True)
    scan, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    with pytest.raises(InvalidImageError, match="more than 200 scans"):
        decode_image(data[:end] + data[scan:end] * 2000 + data[end:], "x.jpg")
    assert decode_image(data, "x.jpg").shape == (30, 40, 3)


@pytest.mark.parametrize(
    "header", [b"P3 5000 5000 255\n", b"P6 5000 5000 1000\n", b"P2 9000 9000 255\n"]
)
def test_what_is_decoded_in_python_is_read_only_where_it_is_small(header: bytes) -> None:
    with pytest.raises(InvalidImageError, match="more than 4,000,000"):
        decode_image(header + b"1 " * 1000, "x.ppm")
    assert decode_image(b"P3 2 2 255\n" + b"1 2 3 " * 4, "x.ppm").shape == (2, 2, 3)


def test_a_large_bmp_in_runs_is_refused() -> None:
    header = struct.pack("<IiiHHIIiiII", 40, 5000, 5000, 1, 8, 1, 4, 0, 0, 256, 0)
    palette = bytes(1024)
    start = b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + 40 + 1024)
    with pytest.raises(InvalidImageError, match="more than 4,000,000"):
        decode_image(start + header + palette + b"\0\1", "x.bmp")


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_in_strips_is_turned_as_pillow_turns_it(kind: str, orientation: int) -> None:
    generator = np.random.default_rng(orientation)
    pixels = generator.integers(0, 255, (1100, 1000, 3), np.uint8)  # two strips
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    data = saved(PillowImage.fromarray(pixels), kind, exif=exif)
    with PillowImage.open(io.BytesIO(data)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    np.testing.assert_array_equal(decode_image(data, "x")[..., ::-1], expected)


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = ((b"IHDR", header), *chunks, (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in content
    )


def test_a_png_that_unpacks_without_end_is_read_as_far_as_its_size_says() -> None:
    endless = zlib.compress(bytes(50_000_000))
    assert decode_image(png(10, 10, (b"IDAT", endless)), "x.png").shape == (10, 10, 3)
    for kind in (b"zTXt", b"iCCP"):
        data = png(10, 10, (kind, b"x\0\0" + endless), (b"IDAT", zlib.compress(bytes(310))))
        try:
            assert decode_image(data, "x.png").shape == (10, 10, 3)
        except InvalidImageError as error:
            assert "damaged" in str(error) or "not a picture" in str(error)  # noqa: PT017 - both will do


@pytest.mark.skipif(sys.platform == "win32", reason="pipes")
def test_a_device_reads_no_pipe_and_no_picture_beyond_its_memory(tmp_path: Path) -> None:
    import os  # noqa: PLC0415 - here only

    os.mkfifo(tmp_path / "pipe.jpg")
    assert read_picture(tmp_path / "pipe.jpg") is None
    (tmp_path / "huge.jpg").touch()
    os.truncate(tmp_path / "huge.jpg", 1 << 40)
    assert read_picture(tmp_path / "huge.jpg") is None
    assert MAX_PIXELS == SIDE * SIDE
