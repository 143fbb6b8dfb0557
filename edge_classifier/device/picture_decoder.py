"""From the bytes of a picture file to pixels: one reader for the desktop and the device.

Which decoder reads a file follows from its content alone. Those that read in this process are given
only what takes a time that is bounded by the file's length and the picture's size: JPEG, PNG, WebP
and BMP go to OpenCV after their parts were counted, PPM to NumPy. All others, and what is damaged,
go to a child process that can be ended (`decoder_child`).

A picture comes out as a person sees it on a white page: upright as its EXIF orientation says,
transparent places white, 16 bits brought to 8, the first picture of an animation. Colour profiles
are not applied.
"""

from __future__ import annotations

import re
import struct
import threading
import zlib
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from .decoder_child import decode_in_child
from .errors import InvalidImageError
from .jpeg import jpeg_layout
from .media import BMP, JPEG, PNG, PPM, START_BYTES, WEBP, Medium, kind_of, not_read
from .pixels import FIRST_ONLY, ORIENTATION, eight_bits, on_white, too_many_pixels, upright

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from .preprocessing import Image

MAX_PIXELS: Final = 64_000_000
"""8000 x 8000. The costliest kind to decode, a progressive JPEG, then takes about 0.6 GB."""

MAX_FILE_BYTES: Final = 256 * 1024 * 1024
"""Larger than an uncompressed picture of `MAX_PIXELS`."""

_LARGE_PIXELS: Final = 16_000_000
_LARGE: Final = threading.Lock()
"""Held while a picture of more than `_LARGE_PIXELS` is decoded: several threads read pictures, and
one that takes half a gigabyte has to be the only one."""

_FEW: Final = threading.BoundedSemaphore(2)
"""Held while a child decodes, which may take a gigabyte whatever the size of the file."""

_MOST_SCANNED: Final = 1_500_000_000
"""Pixels times scans: a scan of nothing takes a nanosecond a pixel. Honest files have ten scans."""

_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_PNG_END: Final = b"\0\0\0\0IEND\xaeB`\x82"
_PNG_SHOWN: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
"""What makes the pixels. No decoder is shown texts and profiles, which can unpack to gigabytes."""
_PNG_ORDER: Final = re.compile(rb"IHDR( PLTE)?( tRNS)?( IDAT)+( IEND)?")
_PNG_TOLD: Final = frozenset({b"tRNS", b"eXIf", b"acTL"})
_CHUNK_HEAD: Final = 8
_IHDR_BYTES: Final = 25
_FEW_CHUNKS: Final = 1000
_LEAST_CHUNK: Final = 1024
"""A PNG may have so many bytes a chunk, and `_FEW_CHUNKS` more."""
_PALETTE: Final = 3
_BMP_BYTES: Final = 34
"""The least that has a header to its compression."""
_OLD_BMP: Final = 12
_MOST_ENTRIES: Final = 200
_WHITE_16: Final = 65_535
_DEEP: Final = 16
_WEBP_MOVES: Final = 0x02
_PPM: Final = re.compile(rb"P([56])" + 3 * rb"(?:\s|#[^\r\n]{0,200}[\r\n]){1,20}(\d{1,5})" + rb"\s")
_UNCOMPRESSED: Final = frozenset({0, 3, 6})


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPicture:
    """A picture as it was read.

    Attributes:
        image: `(H, W, 3)` uint8, BGR.
        note: What the user should know, to go on after the file's name and a colon; or empty.
        file: Bytes of a JPEG or PNG file that any program reads to these very pixels, or `None`.
    """

    image: Image
    note: str = ""
    file: bytes | None = None


def decode_picture(data: bytes, name: str, *, reduced: int = 1) -> DecodedPicture:
    """Decode the bytes of a picture file; its name is for the user.

    A JPEG may be `reduced` to 1/2, 1/4 or 1/8 of its size, which is quicker.

    Raises:
        InvalidImageError: if it is no picture that is read, damaged, too large, or takes too long.
    """
    if not data:
        raise InvalidImageError(f"{name} is empty; remove it or replace it.")
    kind = kind_of(data[:START_BYTES])
    if kind is None or kind.medium is not Medium.PICTURE:
        raise InvalidImageError(not_read(name, kind))
    if kind is JPEG:
        return _jpeg(data, name, reduced)
    if kind is PNG:
        return _png(data, name)
    if kind is WEBP:
        return _webp(data, name)
    if kind is BMP:
        return DecodedPicture(_bmp(data, name))
    if kind is PPM:
        return _ppm(data, name)
    with _FEW:
        return DecodedPicture(*decode_in_child(data, name, MAX_PIXELS))


def image_size(data: bytes) -> tuple[int, int] | None:
    """Read a picture's width and height, as stored, off its header, without decoding it.

    Returns:
        Pixels, or `None` if it is no JPEG, PNG, WebP or BMP.
    """
    kind = kind_of(data[:START_BYTES])
    try:
        if kind is JPEG:
            layout = jpeg_layout(data, size_only=True)
            return (layout.width, layout.height) if layout else None
        if kind is PNG and data[12:16] == b"IHDR":
            return _pair(">II", data, 16)
        if kind is WEBP:
            return _webp_size(data)
        if kind is BMP:
            width, height = _pair("<HH" if data[14] == _OLD_BMP else "<ii", data, 18)
            return abs(width), abs(height)  # a negative height says that it starts at the top
    except (IndexError, struct.error):  # it ends within its header
        pass
    return None


def _pair(layout: str, data: bytes, offset: int) -> tuple[int, int]:
    first, second = struct.unpack_from(layout, data, offset)
    return int(first), int(second)


def _damaged(name: str) -> InvalidImageError:
    return InvalidImageError(f"The picture {name} is damaged; remove it or replace it.")


def _check_size(name: str, size: tuple[int, int] | None, most: int = MAX_PIXELS) -> int:
    """Refuse what need not be decoded to be refused, and give the number of pixels."""
    if size is None or min(size) < 1:
        raise _damaged(name)
    if size[0] * size[1] > most:
        raise InvalidImageError(too_many_pixels(name, *size, most))
    return size[0] * size[1]


def _by_opencv(data: bytes | memoryview, name: str, flag: int, pixels: int) -> Any:  # noqa: ANN401 - of 8 or 16 bits
    try:
        with _LARGE if pixels > _LARGE_PIXELS else nullcontext():
            image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except (cv2.error, MemoryError):
        image = None
    if image is None:
        raise _damaged(name)
    return image


def _jpeg(data: bytes, name: str, reduced: int) -> DecodedPicture:
    layout = jpeg_layout(data)
    if layout is None or not layout.scans:
        raise _damaged(name)
    pixels = _check_size(name, (layout.width, layout.height))
    if layout.rare:
        raise InvalidImageError(
            f"{name} is a JPEG of a kind that no camera writes (lossless, or coded by arithmetic); "
            "save it again."
        )
    if pixels * layout.scans > _MOST_SCANNED:
        raise InvalidImageError(
            f"{name} is a JPEG in {layout.scans:,} scans, which takes minutes to decode; save it "
            "again."
        )
    if layout.is_cmyk or not layout.whole:
        with _FEW:
            return DecodedPicture(*decode_in_child(data, name, MAX_PIXELS))
    flag = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}.get(reduced)
    flag = flag or (cv2.IMREAD_COLOR if reduced == 1 else cv2.IMREAD_REDUCED_COLOR_8)
    picture = memoryview(data)[: layout.end]
    file = data if layout.end == len(data) else bytes(picture)
    return DecodedPicture(_by_opencv(picture, name, flag, pixels), "", file)


def _png(data: bytes, name: str) -> DecodedPicture:
    chunks = list(_png_chunks(data, name))
    order = b" ".join(kind for kind, _ in chunks if kind in _PNG_SHOWN)
    if not _PNG_ORDER.fullmatch(order) or len(chunks[0][1]) != _IHDR_BYTES:
        raise _damaged(name)
    width, height, depth, colours = struct.unpack_from(">IIBB", chunks[0][1], _CHUNK_HEAD)
    contents = {
        kind: chunk[_CHUNK_HEAD:-4].tobytes() for kind, chunk in chunks if kind in _PNG_TOLD
    }
    pixels = _check_size(name, (width, height))
    if depth == _DEEP and colours > _PALETTE:  # 8 bytes a pixel
        _check_size(name, (width, height), MAX_PIXELS // 2)
    key = None if colours == _PALETTE else contents.get(b"tRNS")
    shown = [
        chunk
        for kind, chunk in chunks
        if kind in _PNG_SHOWN and (kind != b"tRNS" or colours == _PALETTE)
    ]
    whole = chunks[-1][0] == b"IEND"
    picture = data
    if len(shown) != len(chunks) or not whole:
        picture = b"".join((_PNG_START, *shown, *([] if whole else [_PNG_END])))
    values = _by_opencv(picture, name, cv2.IMREAD_UNCHANGED, pixels)
    image, note = _flat(values, key, depth)
    orientation = _orientation(contents.get(b"eXIf", b""))
    plain = whole and key is None and orientation <= 1 and values.dtype == np.uint8
    plain = plain and values.shape[2:] in ((), (3,))
    if b"acTL" in contents:
        note, plain = FIRST_ONLY, False
    image = np.ascontiguousarray(upright(image, orientation))
    return DecodedPicture(image, note, data if plain else None)


def _png_chunks(data: bytes, name: str) -> Iterator[tuple[bytes, memoryview]]:
    """Give the chunks up to the end: their kinds, and all of them with length and checksum.

    A file whose last bytes are missing ends before its end marker.
    """
    view, position = memoryview(data), len(_PNG_START)
    for number in range(_FEW_CHUNKS + len(data) // _LEAST_CHUNK):
        kind = data[position + 4 : position + _CHUNK_HEAD]
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if end > len(data):
            if len(data) - position >= len(_PNG_END):
                raise _damaged(name)
            return
        chunk = view[position:end]
        if number == 0 and kind != b"IHDR":
            raise _damaged(name)
        if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
            raise _damaged(name)  # libpng would write a line of its own
        yield kind, chunk
        if kind == b"IEND":
            return
        position = end
    raise InvalidImageError(f"{name} is a PNG in absurdly many parts; save it again.")


def _flat(values: npt.NDArray[Any], key: bytes | None, depth: int) -> tuple[Image, str]:
    """Make BGR of what OpenCV gives unchanged: grey, BGR or BGRA, of 8 or 16 bits.

    `key` is the colour that a PNG calls transparent, big-endian, 16 bits a value.
    """
    alpha = None
    if key is not None and len(key) in (2, 6):
        colour = np.frombuffer(key, ">u2")[::-1].astype(np.uint32)
        if depth < 8:  # noqa: PLR2004 - which come spread over 8 bits
            colour = colour * 255 // ((1 << depth) - 1)
        same = values == colour[0] if values.ndim == 2 else (values[..., :3] == colour).all(axis=2)  # noqa: PLR2004 - (H, W)
        alpha = np.where(same, np.uint8(0), np.uint8(255))
    elif values.shape[2:] == (4,):
        alpha = values[..., 3]
        alpha = eight_bits(alpha)[0] if alpha.dtype == np.uint16 else alpha
    if values.ndim == 2:  # noqa: PLR2004 - (H, W)
        values = values[..., np.newaxis]
    colours, note = values[..., :3], ""
    if colours.dtype == np.uint16:
        colours, note = eight_bits(colours)
    if colours.shape[2] == 1:
        colours = np.repeat(colours, 3, axis=2)
    if alpha is not None:
        return on_white(colours, alpha), note
    return np.ascontiguousarray(colours), note


def _orientation(exif: bytes) -> int:
    """Read which way is up off EXIF; 0 where it does not say."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    try:
        if order is not None:
            (start,) = struct.unpack_from(order + "I", exif, 4)
            (count,) = struct.unpack_from(order + "H", exif, start)
            for entry in range(min(count, _MOST_ENTRIES)):
                tag, kind, _, value = struct.unpack_from(
                    order + "HHIH", exif, start + 2 + 12 * entry
                )
                if tag == ORIENTATION and kind == 3:  # noqa: PLR2004 - 16 bits
                    return int(value)
    except struct.error:
        pass
    return 0


def _webp(data: bytes, name: str) -> DecodedPicture:
    try:
        pixels = _check_size(name, _webp_size(data), MAX_PIXELS // 2)  # 19 bytes a pixel
    except (IndexError, struct.error):
        raise _damaged(name) from None
    moves, exif, position = False, b"", 12
    if data[12:16] == b"VP8X":
        moves = bool(data[20] & _WEBP_MOVES)
        for _ in range(_FEW_CHUNKS):
            size = int.from_bytes(data[position + 4 : position + 8], "little")
            if data[position : position + 4] == b"EXIF":
                exif = data[position + 8 : position + 8 + size]
            position += 8 + size + size % 2
    image, note = _flat(_by_opencv(data, name, cv2.IMREAD_UNCHANGED, pixels), None, 8)
    image = np.ascontiguousarray(upright(image, _orientation(exif)))
    return DecodedPicture(image, FIRST_ONLY if moves else note)


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:  # noqa: PLR2004 - its header's end
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = _pair("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _bmp(data: bytes, name: str) -> Image:
    size = image_size(data)
    pixels = _check_size(name, size)
    assert size is not None  # noqa: S101 - just checked
    if len(data) < _BMP_BYTES:
        raise _damaged(name)
    old = data[14] == _OLD_BMP
    (depth,) = struct.unpack_from("<H", data, 24 if old else 28)
    compression = 0 if old else int.from_bytes(data[30:34], "little")
    if compression not in _UNCOMPRESSED:
        raise InvalidImageError(f"{name} is a compressed BMP, which is not read; save it as PNG.")
    start = int.from_bytes(data[10:14], "little")
    if start + (size[0] * depth + 31) // 32 * 4 * size[1] > len(data):
        raise _damaged(name)  # OpenCV would write lines of its own
    return np.asarray(_by_opencv(data, name, cv2.IMREAD_COLOR, pixels), np.uint8)


def _ppm(data: bytes, name: str) -> DecodedPicture:
    header = _PPM.match(data[:START_BYTES])
    if header is None:
        raise _damaged(name)
    width, height, white = map(int, header.groups()[1:])
    channels = 3 if header[1] == b"6" else 1
    _check_size(name, (width, height))
    kind = np.dtype(np.uint8 if white < 256 else ">u2")  # noqa: PLR2004 - what a byte holds
    count = width * height * channels
    if not 0 < white <= _WHITE_16 or len(data) - header.end() < count * kind.itemsize:
        raise _damaged(name)
    values = np.frombuffer(data, kind, count, header.end()).reshape(height, width, channels)
    note = ""
    if white == _WHITE_16:
        values, note = eight_bits(values.astype(np.uint16))
    elif white != 255:  # noqa: PLR2004 - white already
        values = (np.minimum(values, white).astype(np.uint32) * 255 + white // 2) // white
    return DecodedPicture(
        np.ascontiguousarray(np.broadcast_to(values[..., ::-1], (height, width, 3)), np.uint8), note
    )
