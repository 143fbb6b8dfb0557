"""One reader for the desktop and the device; content decides, and what is missing is told."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import time
import zlib
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image as PillowImage
from support.processes import ends_soon

from edge_classifier.device import decoder_child
from edge_classifier.device.errors import InvalidImageError
from edge_classifier.device.picture_decoder import MAX_PIXELS, decode_picture
from edge_classifier.device.sources.pictures import PictureFiles
from edge_classifier.project.picture_file import decode_image, encode_file, read_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pillow_heif.register_heif_opener()

TURNED: dict[int, Callable[[Any], Any]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: np.rot90,
    7: lambda a: np.rot90(a.swapaxes(0, 1), 2),
    8: lambda a: np.rot90(a, -1),
}
"""Rows and columns as stored, for a picture that EXIF then turns upright."""


def smooth(width: int = 160, height: int = 120) -> PillowImage.Image:
    """Draw what has detail everywhere, and survives compression."""
    y, x = np.mgrid[0:height, 0:width]
    colours = (np.sin(x / 9 + y / 13), np.cos(x / 17 - y / 7), np.sin((x + y) / 11))
    return PillowImage.fromarray((128 + 100 * np.stack(colours, -1)).astype(np.uint8))


def saved(picture: PillowImage.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def noted(data: bytes) -> str:
    return decode_picture(data, "x").note


# Content decides


@pytest.mark.parametrize(
    "tail",
    [
        b"\0\0\0\x18ftypmp42" + bytes(100) + b"\xff\xda\xff\xd8\xff\xda\1\2" * 500,
        b"MotionPhoto_Data\0\0\0\x18ftypisom" + b"\xff\xda" * 300 + b"\xff\xd9",
        saved(smooth(80, 60), "JPEG"),
        b"\0" * 4096,
        b"\xff\xd9\xff\xda",
    ],
    ids=["google", "samsung", "another picture", "padding", "markers"],
)
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_ends_where_its_picture_does_whatever_follows(
    tail: bytes, *, progressive: bool
) -> None:
    data = saved(smooth(), "JPEG", progressive=progressive)
    decoded = decode_picture(data + tail, "PXL_1.MP.jpg")
    np.testing.assert_array_equal(decoded.image, decode_image(data, "x"))
    assert decoded.file == data
    assert encode_file(data + tail, "x").data == data


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "WEBP", "PNG", "TIFF", "GIF", "BMP"])
def test_a_picture_of_any_kind_is_read_under_the_name_of_another(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.jpg").write_bytes(saved(smooth(), kind))
    difference = read_image(tmp_path / "a.jpg")[..., ::-1].astype(int) - np.asarray(smooth())
    assert np.abs(difference).mean() < 12


def test_a_video_and_what_is_not_read_are_named() -> None:
    for start, name in (
        (b"\0\0\0\x18ftypmp42" + bytes(99), r"x\.jpg is a video \(MP4\), not a picture"),
        (b"8BPS" + bytes(99), "Photoshop, which is not read; save it as JPEG"),
        (b"II*\0\x10\0\0\0CR\2\0", "camera raw, which is not read"),
        (b"%PDF-1.4", "is PDF or PostScript, not a picture"),
    ):
        with pytest.raises(InvalidImageError, match=name):
            decode_picture(start, "x.jpg")


def test_the_thumbnail_of_a_raw_file_is_not_taken_for_its_picture() -> None:
    tags = PillowImage.Exif()
    tags[254] = 1  # a reduced picture, as Nikon's and Adobe's raw files begin
    data = saved(smooth(), "TIFF", tiffinfo=tags)
    with pytest.raises(InvalidImageError, match=r"x\.nef is camera raw"):
        decode_picture(data, "x.nef")


# Turned once


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["HEIF", "HEIF by EXIF alone", "AVIF", "PNG", "WEBP", "JPEG"])
def test_a_picture_is_turned_once(kind: str, orientation: int) -> None:
    upright = np.full((40, 60, 3), 255, np.uint8)
    upright[:20, :20] = 0
    stored = PillowImage.fromarray(np.ascontiguousarray(TURNED[orientation](upright)))
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    # pillow-heif lets the container turn it where it gets bytes, and leaves it to EXIF else
    how = exif if kind.endswith("alone") else exif.tobytes()
    image = decode_picture(saved(stored, kind.partition(" ")[0], exif=how), "x").image
    assert image.shape == (40, 60, 3)
    assert image[5, 5, 0] < 60
    assert min(image[35, 5, 0], image[5, 55, 0], image[35, 55, 0]) > 200


def deep_tiff(values: np.ndarray, orientation: int) -> bytes:
    """Write `(H, W, 3)` or `(H, W, 4)` values of 16 bits, which Pillow cannot, in one strip."""
    height, width, channels = values.shape
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 2, 273: 16, 274: orientation}
    tags |= {277: channels, 278: height, 279: values.nbytes, 338: 2}
    counts = {258: channels}
    entries = b"".join(
        struct.pack("<HHII", tag, 4 if tag in (273, 279) else 3, counts.get(tag, 1), value)
        for tag, value in tags.items()
        if tag != 338 or channels == 4
    )
    head = b"II*\0" + struct.pack("<I", 16 + values.nbytes) + struct.pack("<4H", *[16] * 4)
    count = struct.pack("<H", len(entries) // 12)
    return head + values.astype("<u2").tobytes() + count + entries + bytes(4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [3, 4])
def test_a_tiff_of_16_bits_is_turned_once(channels: int, orientation: int) -> None:
    colours = np.asarray(smooth(60, 40)).astype(np.uint16) * 257
    opaque = np.full((40, 60, channels - 3), 65535, np.uint16)
    stored = TURNED[orientation](np.concatenate([colours, opaque], axis=2))
    image = decode_picture(deep_tiff(stored, orientation), "x.tif").image
    np.testing.assert_array_equal(image[..., ::-1], np.asarray(smooth(60, 40)))


# Cut


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [1, 2, 3, 20])
def test_a_jpeg_that_lacks_its_last_bytes_is_taken_and_told(
    missing: int, *, progressive: bool
) -> None:
    data = saved(smooth(640, 480), "JPEG", quality=95, progressive=progressive)
    decoded = decode_picture(data[:-missing], "x.jpg")
    assert "its end is missing" in decoded.note
    difference = decoded.image.astype(int) - decode_image(data, "x")
    assert np.abs(difference[:440]).mean() < 1
    stored = encode_file(data[:-missing], "x.jpg")
    assert stored.suffix == ".png"
    assert stored.note == decoded.note
    assert not noted(stored.data)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("part", [0.1, 0.25])
def test_a_jpeg_of_which_much_is_missing_is_refused(part: float, *, progressive: bool) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    data = saved(PillowImage.fromarray(noise), "JPEG", progressive=progressive)
    with pytest.raises(InvalidImageError, match=r"x\.jpg ends too early"):
        decode_picture(data[: int(len(data) * part)], "x.jpg")


def test_a_png_that_lacks_its_end_marker_only_is_read() -> None:
    data = saved(smooth(), "PNG")
    for missing in (12, 8, 1):
        np.testing.assert_array_equal(
            decode_picture(data[:-missing], "x").image, decode_picture(data, "x").image
        )
    with pytest.raises(InvalidImageError, match="damaged"):
        decode_picture(data[:-20], "x")


# Deep, transparent, moving


@pytest.mark.parametrize(("bits", "told"), [(8, True), (10, True), (12, True), (16, False)])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_values_of_fewer_bits_in_sixteen_are_not_dark(
    kind: str, bits: int, channels: int, *, told: bool
) -> None:
    deep = np.zeros((8, 8, channels), np.uint16)
    deep[:, :4] = (1 << bits) - 1
    if channels == 4:
        deep[..., 3] = (1 << bits) - 1
    data = cv2.imencode(f".{kind.lower()}", deep)[1].tobytes()
    decoded = decode_picture(data, "x")
    assert decoded.image[0, 0].tolist() == [255, 255, 255]
    assert decoded.image[0, 7].tolist() == [0, 0, 0]
    assert ("16 bits hold" in decoded.note) is told


def test_a_png_that_calls_a_colour_transparent_shows_white_there() -> None:
    cases: tuple[tuple[str, Any, Any], ...] = (
        ("RGB", (1, 2, 3), (9, 9, 9)),
        ("L", 7, 9),
        ("1", 0, 1),
    )
    for mode, colour, other in cases:
        picture = PillowImage.new(mode, (8, 8), colour)
        picture.paste(other, (4, 0, 8, 8))
        image = decode_picture(saved(picture, "PNG", transparency=colour), "x").image
        assert image[0, 0].tolist() == [255, 255, 255], mode
        assert image[0, 7, 0] in (9, 255)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_what_moves_the_first_picture_is_taken_and_that_is_told(kind: str) -> None:
    frames = [PillowImage.new("RGB", (20, 20), colour) for colour in ((200, 0, 0), (0, 0, 200))]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    decoded = decode_picture(data, "x")
    assert decoded.image[10, 10, 2] > 190
    assert "first picture" in decoded.note


# The same on a device


def test_a_device_gives_the_pixels_that_predict_gives(tmp_path: Path) -> None:
    pictures = {
        **{f"{kind.lower()}": saved(smooth(), kind) for kind in ("JPEG", "PNG", "WEBP", "BMP")},
        **{f"{kind.lower()}": saved(smooth(), kind) for kind in ("GIF", "TIFF", "HEIF", "AVIF")},
        "ppm": saved(smooth(), "PPM"),
        "grey.pgm": saved(smooth().convert("L"), "PPM"),
        "cmyk.jpg": saved(smooth().convert("CMYK"), "JPEG"),
        "alpha.png": saved(smooth().convert("RGBA").rotate(30), "PNG"),
        "alpha.webp": saved(smooth().convert("RGBA").rotate(30), "WEBP"),
        "palette.png": saved(smooth().quantize(16), "PNG", transparency=3),
        "cut.jpg": saved(smooth(), "JPEG")[:-2],
    }
    for name, data in pictures.items():
        (tmp_path / name).write_bytes(data)
    found = {frame.name: frame.image for frame in PictureFiles(tmp_path)}
    assert {os.path.basename(path) for path in found} == set(pictures)  # noqa: PTH119 - of text
    for path, image in found.items():
        np.testing.assert_array_equal(image, read_image(tmp_path / path), err_msg=path)


def test_without_pillow_a_device_says_what_it_needs_and_reads_the_rest(tmp_path: Path) -> None:
    (tmp_path / "PIL").mkdir()
    (tmp_path / "PIL" / "__init__.py").write_text("raise ImportError('none', name='PIL')\n")
    (tmp_path / "a.gif").write_bytes(saved(smooth(), "GIF"))
    (tmp_path / "b.png").write_bytes(saved(smooth().convert("RGBA"), "PNG"))
    (tmp_path / "c.webp").write_bytes(saved(smooth(), "WEBP"))
    program = (
        "import sys; from edge_classifier.device.sources.pictures import PictureFiles\n"
        "from pathlib import Path\n"
        "print([Path(f.name).name for f in PictureFiles(Path(sys.argv[1]))])"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), *sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['b.png', 'c.webp']"
    assert "a.gif is GIF, which is read with PIL; `pip install pillow`" in done.stderr


# Bounded


def chunked(size: int, parts: int) -> bytes:
    """Make a PNG whose data come in so many parts."""
    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(size * (size + 1)), 0)
    step = max(1, len(body) // parts)
    pieces = [(b"IDAT", body[at : at + step]) for at in range(0, len(body), step)]
    pieces = [(b"IDAT", b"")] * max(0, parts - len(pieces)) + pieces
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), *pieces, (b"IEND", b""))
    )


def test_a_png_in_absurdly_many_parts_is_refused_and_in_many_it_is_read() -> None:
    assert decode_picture(chunked(1000, 900), "x").image.shape == (1000, 1000, 3)
    with pytest.raises(InvalidImageError, match="absurdly many parts"):
        decode_picture(chunked(100, 100_000), "x")


def test_what_keeps_a_decoder_busy_is_ended_and_the_next_picture_is_read() -> None:
    gif = saved(smooth(), "GIF")
    # Pillow walks through the blocks before the first picture in Python, a byte at a time
    busy = gif[:13] + gif[13:781] + b"!\xfe" + b"\1x" * 60_000_000 + b"\0" + gif[781:]
    started = time.perf_counter()
    with pytest.raises(InvalidImageError, match=r"more than 5 s or 1 GB|damaged"):
        decode_picture(busy, "x.gif")
    assert time.perf_counter() - started < 60
    assert decode_picture(gif, "y.gif").image.shape == (120, 160, 3)


def test_what_takes_too_much_memory_is_refused() -> None:
    side = int(MAX_PIXELS**0.5)
    data = saved(PillowImage.new("CMYK", (side, side)), "TIFF", compression="tiff_lzw")
    with pytest.raises(InvalidImageError, match="more than 32,000,000"):
        decode_picture(data, "x.tif")


@pytest.mark.skipif(sys.platform != "linux", reason="waits as Linux can")
def test_the_child_stays_for_the_next_picture_and_goes_with_its_parent() -> None:
    program = (
        "import sys, subprocess\n"
        "from edge_classifier.device import bounded_child, decoder_child\n"
        "data = sys.stdin.buffer.read()\n"
        "for n in range(3): decoder_child.decode_in_child(data, 'x', 10**6)\n"
        "(child,) = decoder_child._children._idle\n"
        "print(child._process.pid, flush=True)\n"
        "import os; os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        input=saved(smooth(), "GIF"),
        capture_output=True,
        check=False,
    )
    assert ends_soon(int(done.stdout))


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what a process may")
def test_a_child_that_is_ended_leaves_no_dump_of_its_memory() -> None:
    if sys.platform != "linux":
        return  # skipped, which mypy does not see
    import resource  # noqa: PLC0415 - not on Windows

    decode_picture(saved(smooth(), "GIF"), "x")
    for child in decoder_child._children._idle:
        assert resource.prlimit(child._process.pid, resource.RLIMIT_CORE) == (0, 0)


def test_a_child_that_dies_between_two_pictures_is_replaced() -> None:
    data = saved(smooth(), "GIF")
    decode_picture(data, "x")
    for child in decoder_child._children._idle:
        child._process.kill()
        child._process.wait()
    assert decode_picture(data, "x").image.shape == (120, 160, 3)
