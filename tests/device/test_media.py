"""What a file is follows from its first bytes, whatever it is called."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from edge_classifier.device import media
from edge_classifier.device.media import KINDS, START_BYTES, Medium, kind_in_folder, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable


def brand(major: bytes, *others: bytes) -> bytes:
    boxes = major + b"\0\0\0\0" + b"".join(others)
    return struct.pack(">I", 8 + len(boxes)) + b"ftyp" + boxes


def packets(size: int, first: int = 0) -> bytes:
    packet = bytes(first) + b"\x47" + bytes(range(1, 188))
    return (packet + bytes(size - len(packet))) * 8


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (brand(b"heic", b"mif1", b"heic"), media.HEIC),
        (brand(b"mif1", b"mif1", b"heic"), media.HEIC),
        (brand(b"mif1", b"mif1", b"avif"), media.AVIF),
        (brand(b"avif"), media.AVIF),
        (brand(b"isom", b"avc1"), media.MP4),
        (brand(b"qt  "), media.MP4),
        (brand(b"3gp4"), media.MP4),
        (b"\0\0\0\x08wide\0\0\0\0mdat", media.MP4),
        (brand(b"crx "), media.RAW),
        (b"II*\0\x10\0\0\0CR\x02\0", media.RAW),
        (b"RIFF\0\0\0\0AVI LIST", media.AVI),
        (packets(188), media.MPEG_TS),
        (packets(188)[77:], media.MPEG_TS),
        (packets(192, first=4), media.MPEG_TS),
        (b"\0\0\0\1\x67\x64\0\x1f", media.H264),
        (b"\0\0\1\x27\x42", media.H264),
        (b"\0\0\0\1\x09\xf0", media.H264),
        (b"\0\0\0\1\x40\1\x0c", media.HEVC),
        (b"FLV\1\5", media.FLV),
        (b"P6\n2 2\n255\n", media.PPM),
        (b"P5 2 2 255 ", media.PPM),
    ],
)
def test_a_kind_is_known_by_its_first_bytes(start: bytes, kind: media.Kind) -> None:
    assert kind_of(start.ljust(START_BYTES, b"\0")[:START_BYTES]) is kind


@pytest.mark.parametrize(("kind", "name"), [("ICO", "icon"), ("TGA", "TGA"), ("ICNS", "icon")])
@pytest.mark.parametrize("mode", ["RGB", "P", "L"])
def test_what_is_not_read_is_told_for_what_it_is(kind: str, name: str, mode: str) -> None:
    file = io.BytesIO()
    PillowImage.new(mode, (64, 48)).save(file, kind)
    known = media.kind_of(file.getvalue()[: media.START_BYTES])
    assert known is not None
    assert known.name == name


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM"])
def test_what_pillow_writes_is_known(kind: str) -> None:
    buffer = io.BytesIO()
    PillowImage.new("RGB", (9, 9)).save(buffer, kind)
    found = kind_of(buffer.getvalue()[:START_BYTES])
    assert found is not None
    assert found.name.upper() == kind


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
        b"hello, I am a text",
        b"import {G} from 'G'\n" * 80,
        b"P6 ok",
        b"BM is how this text begins, which is no picture",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"#define x_width 8\n#define x_height 8\n",
        b"ID3\4",
        b"RIFF\0\0\0\0WAVEfmt ",
        brand(b"M4A "),
        b"\0\0\1\0\1\0",
        b"\0\0\0\1\x05\x05",
        b"P3 2 2 255\n1 2 3",
    ],
)
def test_lists_of_files_sounds_texts_and_rare_formats_are_nothing_to_decode(start: bytes) -> None:
    kind = kind_of(start[:START_BYTES])
    if kind is media.PPM:  # the header is looked at by its reader
        return
    assert kind is None or kind.medium in (Medium.UNREAD, Medium.OTHER)


@given(st.binary(max_size=1200))
def test_no_bytes_make_telling_fail(start: bytes) -> None:
    assert kind_of(start) in (None, *KINDS)


@pytest.mark.parametrize(
    ("name", "content", "medium"),
    [
        ("a.jpg", b"not looked at", Medium.PICTURE),
        ("a", b"\xff\xd8\xff\xe0", Medium.PICTURE),
        ("a.jpg_large", b"\xff\xd8\xff\xe0", Medium.PICTURE),
        ("photo.jpg?w=640", b"\xff\xd8\xff\xe0", Medium.PICTURE),
        ("a.txt", b"\xff\xd8\xff\xe0", Medium.PICTURE),
        ("a.dat", packets(188), Medium.VIDEO),
        ("a.ts", b"export const a = 1;\n", None),
        ("a.mp4", b"damaged", Medium.VIDEO),
        ("a.psd", b"", Medium.UNREAD),
        ("a.csv", b"a,b\n", None),
        ("a.pdf", b"%PDF-1.4", None),
    ],
)
def test_in_a_folder_a_pictures_name_will_do_and_all_else_is_looked_at(
    name: str, content: bytes, medium: Medium | None
) -> None:
    read: Callable[[], bytes] = lambda: content  # noqa: E731 - what reads a file's start
    found = kind_in_folder(name, read)
    assert (found and found.medium) is medium


def test_every_kind_of_picture_has_a_suffix_that_hints_at_it() -> None:
    for kind in media.PICTURES:
        assert kind.suffixes
        assert set(kind.suffixes) <= media.PICTURE_SUFFIXES
    image = np.zeros((4, 4, 3), np.uint8)
    start = cv2.imencode(".jpg", image)[1].tobytes()[:START_BYTES]
    assert kind_of(start) is media.JPEG
