"""Pictures and videos."""

from __future__ import annotations

import struct
import zlib
from itertools import islice
from typing import TYPE_CHECKING, Final

from edge_classifier.project.importers import LabelledPicture, Stretch, open_importer
from edge_classifier.project.picture_file import encode_file, read_image, read_thumbnail
from fuzzing.base import ByteTarget
from fuzzing.mutate import mutate_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

_SIZES: Final = (
    *(0, 1, 2, 7, 8, 15, 16, 32, 33, 47, 49, 50, 64, 100, 100, 300, 500, 1000, 2000, 8000),
    *(16_383, 16_384, 30_000, 65_500, 65_535, 1 << 30),
)
_LARGE: Final = 3_000_000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_EXIF: Final = (
    b"Exif\0\0II*\0\x08\0\0\0",
    b"Exif\0\0MM\0*\0\0\0\x08",
    b"Exif\0\0",
    b"ICC_PROFILE\0",
)


class ImageTarget(ByteTarget):
    """Files of every kind of picture that is read, through `read_image`."""

    name = "image"

    def paths(self) -> Sequence[Path]:
        """All kinds of pictures."""
        return sorted((self.seeds / "pictures").iterdir())

    def make(self, rng: Random) -> bytes:
        """Spoil bytes, or a field that the format has a name for."""
        data = rng.choice(self.samples)
        if rng.random() < 0.5:  # noqa: PLR2004 - a coin
            return mutate_bytes(rng, data, self.samples)
        if data.startswith(_PNG):
            data = _with_spoilt_chunk(rng, data)
        elif data.startswith(b"\xff\xd8"):
            data = _with_spoilt_segment(rng, data)
        elif data.startswith((b"II*\0", b"MM\0*")):
            data = _with_spoilt_entry(rng, data)
        elif data.startswith(b"RIFF"):
            data = _with_size(rng, data, 24, "<I")
        elif data.startswith(b"GIF8"):
            data = _with_size(rng, data, 6, "<HH")
        elif data.startswith(b"BM"):
            data = _with_size(rng, data, 18, "<ii")
        else:
            return mutate_bytes(rng, data, self.samples)
        return data if rng.random() < 0.8 else mutate_bytes(rng, data, self.samples)  # noqa: PLR2004 - mostly

    def run(self, data: bytes) -> None:
        """Read it whole, small, and as it would be stored."""
        path = self.write("picture.jpg", data)
        image = read_image(path)
        if image.size > _LARGE:  # once will do
            return
        small = read_thumbnail(path)
        stored = encode_file(data, str(path))
        assert image.ndim == small.ndim == 3  # noqa: PLR2004, S101 - (H, W, 3)
        assert image.shape == stored.image.shape  # noqa: S101 - one reader for all


class VideoTarget(ByteTarget):
    """Video files, as `add` reads them."""

    name = "video"

    def paths(self) -> Sequence[Path]:
        """Some containers, and none."""
        return sorted(self.seeds.glob("clip.*"))

    def run(self, data: bytes) -> None:
        """Take some frames."""
        path = self.write("clip.mp4", data)
        importer = open_importer(path, class_name="mug", stretch=Stretch(every=2))
        for item in islice(importer, 6):
            if isinstance(item, LabelledPicture):
                item.encoded()


def _with_size(rng: Random, data: bytes, place: int, layout: str) -> bytes:
    """Write a hostile width and height."""
    limit = 1 << (8 * struct.calcsize(layout[:2]) - 1)
    values = [rng.choice(_SIZES) % limit for _ in layout[1:]]
    return data[:place] + struct.pack(layout, *values) + data[place + struct.calcsize(layout) :]


def _with_spoilt_chunk(rng: Random, data: bytes) -> bytes:
    """Change, repeat, swap or drop a chunk of a PNG file, with its checksum right."""
    chunks: list[tuple[bytes, bytes]] = []
    place = len(_PNG)
    while place + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, place)
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + size]))
        place += 12 + size
    for _ in range(rng.choice((1, 1, 2, 4))):
        number = rng.randrange(len(chunks))
        kind, content = chunks[number]
        what = rng.randrange(5)
        if what == 0 and kind == b"IHDR":
            content = _with_size(rng, content, 0, ">II")
        elif what == 1:
            kind = rng.choice(
                (b"tEXt", b"zTXt", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"tRNS", b"PLTE")
            )
            content = rng.choice(
                (content, zlib.compress(bytes(1 << 20)), b"\0" * 9, b"x\0\0" + content)
            )
        elif what == 2:  # noqa: PLR2004 - one of five
            chunks.insert(rng.randrange(len(chunks) + 1), (kind, content))
            continue
        else:
            content = mutate_bytes(rng, content, [c for _, c in chunks])
        chunks[number] = (kind, content)
    return _PNG + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def _with_spoilt_segment(rng: Random, data: bytes) -> bytes:
    """Put hostile segments into a JPEG file: sizes, garbage EXIF, many scans, odd markers."""
    what = rng.randrange(6)
    if what == 0:
        frame = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
        return _with_size(rng, data, frame + 5, ">HH") if frame > 0 else data
    if what == 1:
        content = rng.choice(_EXIF) + rng.randbytes(rng.choice((0, 8, 60, 5000)))
        segment = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
        return data[:2] + segment + data[2:]
    if what == 2:  # noqa: PLR2004 - one of six
        scan = data.find(b"\xff\xda")
        end = data.rfind(b"\xff\xd9")
        return data[:end] + data[scan:end] * rng.choice((2, 20, 250)) + data[end:]
    if what == 3:  # noqa: PLR2004 - one of six
        return data[:2] + b"\x00" * rng.choice((1, 5)) + data[2:]
    if what == 4:  # noqa: PLR2004 - one of six
        return data[:2] + b"\xff" * rng.choice((1, 50_000)) + data[2:]
    marker = bytes((0xFF, rng.randrange(0xC0, 0x100)))
    content = rng.randbytes(rng.choice((0, 2, 17, 200)))
    size = rng.choice((len(content) + 2, 0, 1, 65_535))
    place = rng.choice((2, data.find(b"\xff\xda"), len(data) - 2))
    return data[:place] + marker + struct.pack(">H", size) + content + data[place:]


def _with_spoilt_entry(rng: Random, data: bytes) -> bytes:
    """Change entries of a TIFF file's directory: sizes, tiles, counts, offsets, compression."""
    order = "<" if data.startswith(b"II") else ">"
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    spoilt = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = start + 2 + 12 * rng.randrange(count)
        what = rng.randrange(4)
        if what == 0:  # ImageWidth, TileWidth, SubIFDs, StripOffsets, ExifIFD and others
            tag = rng.choice(
                (256, 257, 258, 259, 262, 273, 277, 278, 279, 317, 322, 323, 324, 330, 34_665)
            )
            struct.pack_into(order + "H", spoilt, place, tag)
        elif what == 1:
            struct.pack_into(order + "H", spoilt, place + 2, rng.randrange(20))
        elif what == 2:  # noqa: PLR2004 - one of four
            struct.pack_into(order + "I", spoilt, place + 4, rng.choice(_SIZES))
        else:
            values = (*_SIZES, 5, 7, 8, 34_887, 50_000, 50_001, len(data), start)
            struct.pack_into(order + "I", spoilt, place + 8, rng.choice(values))
    return bytes(spoilt)
