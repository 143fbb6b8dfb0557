"""Every kind of picture file comes out as a person sees it on a white page."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, features
from PIL import Image as PillowImage

from edge_classifier.errors import InvalidImageError
from edge_classifier.project.picture_file import (
    decode_image,
    encode_file,
    read_image,
    read_thumbnail,
)

RED, BLUE = (200, 30, 40), (20, 60, 210)


def halves(mode: str = "RGB", size: tuple[int, int] = (64, 32)) -> PillowImage.Image:
    """Left half red, right half blue."""
    picture = PillowImage.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    return picture.quantize(8) if mode == "P" else picture.convert(mode)


def saved(picture: PillowImage.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def bgr(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    return colour[2], colour[1], colour[0]


def off_by(image: Any, colour: tuple[int, int, int], x: int, y: int = 16) -> int:
    return int(np.abs(image[y, x].astype(int) - bgr(colour)).max())


@pytest.mark.parametrize(
    ("kind", "mode", "tolerance"),
    [
        ("PNG", "RGB", 0),
        ("BMP", "RGB", 0),
        ("TIFF", "RGB", 0),
        ("PPM", "RGB", 0),
        ("GIF", "P", 12),
        ("PNG", "P", 12),
        ("JPEG", "RGB", 6),
        ("WEBP", "RGB", 8),
        ("JPEG", "CMYK", 8),
        ("TIFF", "CMYK", 1),
    ],
)
def test_colours_are_those_of_the_picture(kind: str, mode: str, tolerance: int) -> None:
    image = decode_image(saved(halves(mode), kind), "x")
    assert image.shape == (32, 64, 3)
    assert image.dtype == np.uint8
    assert off_by(image, RED, 8) <= tolerance
    assert off_by(image, BLUE, 56) <= tolerance


def test_a_grey_picture_has_three_equal_colours() -> None:
    for kind in ("PNG", "JPEG", "TIFF"):
        image = decode_image(saved(PillowImage.new("L", (10, 10), 77), kind), "x")
        assert np.array_equal(image, np.full((10, 10, 3), 77)), kind


def test_transparent_places_are_white_and_half_transparent_ones_half() -> None:
    picture = PillowImage.new("RGBA", (30, 10), (0, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (10, 0, 20, 10))
    picture.paste((0, 0, 0, 128), (20, 0, 30, 10))
    for kind in ("PNG", "WEBP", "TIFF"):
        options = {"lossless": True} if kind == "WEBP" else {}
        image = decode_image(saved(picture, kind, **options), "x")
        assert [int(image[5, x, 0]) for x in (5, 15, 25)] == [0, 255, 127], kind


def test_the_transparent_colour_of_a_palette_is_white() -> None:
    picture = PillowImage.new("P", (20, 10), 0)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.paste(1, (10, 0, 20, 10))
    for kind in ("PNG", "GIF"):
        image = decode_image(saved(picture, kind, transparency=0), "x")
        assert image[5, 5].tolist() == [255, 255, 255], kind
        assert image[5, 15].tolist() == [50, 100, 200], kind


def test_sixteen_bits_become_eight_with_white_staying_white() -> None:
    grey = np.array([[0, 257 * 128, 65535]], np.uint16)
    for kind in ("PNG", "TIFF"):
        image = decode_image(saved(PillowImage.fromarray(grey), kind), "x")
        assert image[0, :, 0].tolist() == [0, 128, 255], kind
    colour = np.zeros((4, 4, 3), np.uint16)
    colour[:] = (1000, 40000, 65535)
    image = decode_image(cv2.imencode(".png", colour)[1].tobytes(), "x")
    assert np.abs(image[0, 0].astype(int) - (4, 156, 255)).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_taken_at_any_angle_stands_upright(kind: str, orientation: int) -> None:
    # rows and columns as stored, for a picture whose upper left corner is dark when upright
    upright = np.full((40, 60), 255, np.uint8)
    upright[:20, :20] = 0
    undo: dict[int, Callable[[Any], Any]] = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: np.rot90,
        7: lambda a: np.rot90(np.transpose(a), 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = PillowImage.fromarray(np.ascontiguousarray(undo[orientation](upright)))
    exif = PillowImage.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    image = decode_image(saved(stored.convert("RGB"), kind, exif=exif), "x")
    assert image.shape == (40, 60, 3)
    assert image[5, 5, 0] < 40
    assert min(image[35, 5, 0], image[5, 55, 0], image[35, 55, 0]) > 215


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [PillowImage.new("RGB", (20, 20), colour) for colour in (RED, BLUE)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    assert off_by(decode_image(data, "x"), RED, 10, 10) <= 8


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow cannot read AVIF")
def test_avif_is_read() -> None:
    assert off_by(decode_image(saved(halves(), "AVIF"), "x"), RED, 8) <= 12


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "WEBP", "BMP", "JPEG"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_refused(kind: str, part: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (120, 160, 3), np.uint8)
    data = saved(PillowImage.fromarray(noise), kind)
    with pytest.raises(InvalidImageError, match=r"my\.file"):
        decode_image(data[: int(len(data) * part)], "my.file")


@given(st.sampled_from([b"", b"GIF89a", b"II*\0", b"\x89PNG\r\n\x1a\n", b"P6 9 9 "]), st.binary())
def test_whatever_the_bytes_nothing_but_our_own_error_comes_out(start: bytes, rest: bytes) -> None:
    try:
        assert decode_image(start + rest, "x").shape[2] == 3
    except InvalidImageError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both outcomes are right


def test_nothing_and_a_text_say_what_they_are() -> None:
    with pytest.raises(InvalidImageError, match=r"x\.png is empty"):
        decode_image(b"", "x.png")
    with pytest.raises(InvalidImageError, match=r"x\.png is not a picture that can be read"):
        decode_image(b"hello, I am a text", "x.png")


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PPM"])
def test_a_bomb_of_any_format_is_refused_by_its_size(kind: str) -> None:
    wide = PillowImage.new({"GIF": "P", "TIFF": "1", "PPM": "L"}[kind], (30_000, 3_000))
    data = saved(wide, kind, **({"compression": "group4"} if kind == "TIFF" else {}))
    with pytest.raises(InvalidImageError, match=r"30000 x 3000 pixels|far too many pixels"):
        decode_image(data, "x")


def test_postscript_is_never_handed_to_an_interpreter() -> None:
    with pytest.raises(InvalidImageError, match="not a picture"):
        decode_image(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n", "x.eps")


def test_floating_point_pictures_are_refused_and_not_guessed_at() -> None:
    data = saved(PillowImage.fromarray(np.ones((4, 4), np.float32)), "TIFF")
    with pytest.raises(InvalidImageError, match="floating-point"):
        decode_image(data, "x")


@pytest.mark.parametrize(
    ("data", "suffix", "kept"),
    [
        (saved(halves(), "JPEG"), ".jpg", True),
        (saved(halves("L"), "JPEG"), ".jpg", True),
        (saved(halves("CMYK"), "JPEG"), ".png", False),
        (saved(halves(), "PNG"), ".png", True),
        (saved(halves("RGBA"), "PNG"), ".png", False),
        (saved(halves(), "WEBP"), ".png", False),
        (saved(halves(), "BMP"), ".png", False),
        (saved(halves("P"), "GIF"), ".png", False),
    ],
)
def test_what_is_stored_has_the_pixels_of_the_file_exactly(
    data: bytes, suffix: str, *, kept: bool
) -> None:
    stored = encode_file(data, "x")
    assert stored.suffix == suffix
    assert (stored.data == data) is kept
    assert np.array_equal(stored.image, decode_image(data, "x"))
    assert np.array_equal(stored.image, decode_image(stored.data, "y"))


def test_files_and_thumbnails_of_every_kind_are_read_the_same_way(tmp_path: Path) -> None:
    picture = PillowImage.new("RGBA", (200, 100), (0, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(saved(picture, "PNG"))
    assert read_image(tmp_path / "a.png").min() == 255
    small = read_thumbnail(tmp_path / "a.png")
    assert small.shape == (48, 96, 3)
    assert small.min() == 255


def test_odd_metadata_warns_nobody() -> None:
    data = bytearray(saved(halves(), "TIFF"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decode_image(bytes(data), "x")
