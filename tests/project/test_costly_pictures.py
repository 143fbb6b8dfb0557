"""Small files that ask for much: each is refused, or read within bounds, whatever its kind."""

from __future__ import annotations

import io
import os
import struct
import time
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageOps
from support.mounts import named_pipe

from edge_classifier.device.picture_decoder import MAX_PIXELS, image_size
from edge_classifier.device.sources.pictures import read_picture
from edge_classifier.errors import InvalidImageError
from edge_classifier.project.picture_file import decode_image

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
    assert peak < (4 + 3 + 1.5) * side * side  # OpenCV's, the result, and half of that


def test_a_jpeg_whose_header_is_hidden_behind_garbage_is_measured_all_the_same() -> None:
    data = bytearray(small())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 30_000, 30_000)
    hidden = bytes(data[:frame]) + b"\0\0\0" + bytes(data[frame:])
    assert image_size(hidden) == (30_000, 30_000)
    with pytest.raises(InvalidImageError, match="30000 x 30000 pixels"):
        decode_image(hidden, "x.jpg")


@pytest.mark.parametrize("filled", [b"\xff", b"\0"])
def test_a_jpeg_of_megabytes_of_fill_is_refused_at_once(filled: bytes) -> None:
    data = small()
    frame = data.index(b"\xff\xc0")
    data = data[:frame] + filled * 2_000_000 + data[frame:]
    assert image_size(data) is None
    with pytest.raises(InvalidImageError, match="damaged"):
        decode_image(data, "x.jpg")


def test_a_jpeg_without_any_size_is_not_left_to_the_decoder() -> None:
    data = small()
    frame = data.index(b"\xff\xc0")
    scan = data.index(b"\xff\xda")
    with pytest.raises(InvalidImageError, match="damaged"):
        decode_image(data[:frame] + data[scan:], "x.jpg")


def test_a_jpeg_in_thousands_of_scans_is_refused_at_once() -> None:
    data = saved(PillowImage.new("RGB", (2000, 2000), (9, 90, 200)), "JPEG", progressive=True)
    scan, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    with pytest.raises(InvalidImageError, match="in 2,010 scans"):
        decode_image(data[:end] + data[scan:end] * 2000 + data[end:], "x.jpg")
    assert decode_image(data, "x.jpg").shape == (2000, 2000, 3)


@pytest.mark.parametrize(
    "data",
    [
        b"P6 #" + b"x" * 64_000_000 + b"\n1 1 255\n123",
        b"P6" + b" " * 64_000_000 + b"1 1 255\n123",
        b"P3 9000 7000 255\n" + b"1 " * 30_000_000,
        b"P1 8000 8000\n" + b"1" * 60_000_000,
        b"P7\nWIDTH 8000\n" + b"#\n" * 30_000_000,
        b"Pf 8000 8000 1\n" + bytes(64_000_000),
    ],
    ids=lambda data: data[:6].decode(),
)
def test_a_pnm_that_a_decoder_would_read_byte_by_byte_is_refused_at_once(data: bytes) -> None:
    started = time.process_time()
    with pytest.raises(InvalidImageError, match=r"x\.png"):
        decode_image(data, "x.png")
    assert time.process_time() - started < 0.5


def test_a_compressed_bmp_is_refused() -> None:
    header = struct.pack("<IiiHHIIiiII", 40, 5000, 5000, 1, 8, 1, 4, 0, 0, 256, 0)
    palette = bytes(1024)
    start = b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + 40 + 1024)
    with pytest.raises(InvalidImageError, match="compressed BMP"):
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


def test_a_device_reads_no_pipe_and_no_picture_beyond_its_memory(tmp_path: Path) -> None:
    named_pipe(tmp_path / "pipe.jpg")
    (tmp_path / "huge.jpg").touch()
    os.truncate(tmp_path / "huge.jpg", 1 << 40)
    for name in ("pipe.jpg", "huge.jpg"):
        with pytest.raises(InvalidImageError, match=f"Cannot read the picture .*{name}"):
            read_picture(tmp_path / name)
    assert MAX_PIXELS == SIDE * SIDE
