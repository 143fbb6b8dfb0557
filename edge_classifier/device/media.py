"""The one list of what is known of pictures and videos: by the first bytes of a file.

A name only hints: what is called `.jpg` may be anything, and what is called nothing may be a
picture. Formats that nobody photographs in are no part of the list, so that no decoder for them is
ever reached; `UNREAD` are those that people still hope for, to tell them so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

START_BYTES: Final = 1024
"""So many of a file's first bytes tell its kind."""


class Medium(Enum):
    """What becomes of a file."""

    PICTURE = "a picture"
    VIDEO = "a video"
    UNREAD = "a picture that is not read"
    OTHER = "neither"


@dataclass(frozen=True, slots=True)
class Kind:
    """A format.

    Attributes:
        name: As people know it.
        suffixes: How its files are mostly called, in lower case.
        demuxer: Of a video: what of FFmpeg reads it.
    """

    name: str
    medium: Medium
    suffixes: tuple[str, ...] = ()
    demuxer: str = ""


def _picture(name: str, *suffixes: str) -> Kind:
    return Kind(name, Medium.PICTURE, suffixes)


def _video(name: str, demuxer: str, *suffixes: str) -> Kind:
    return Kind(name, Medium.VIDEO, suffixes, demuxer)


def _unread(name: str, *suffixes: str) -> Kind:
    return Kind(name, Medium.UNREAD, suffixes)


JPEG: Final = _picture("JPEG", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo")
PNG: Final = _picture("PNG", ".png")
WEBP: Final = _picture("WebP", ".webp")
BMP: Final = _picture("BMP", ".bmp")
GIF: Final = _picture("GIF", ".gif")
TIFF: Final = _picture("TIFF", ".tif", ".tiff")
HEIC: Final = _picture("HEIC", ".heic", ".heif")
AVIF: Final = _picture("AVIF", ".avif")
# Binary only: data sets of traffic signs and of faces come in it. One of text takes a decoder
# seconds a megabyte, and no camera's tool writes it.
PPM: Final = _picture("PPM", ".ppm", ".pgm")

MJPEG: Final = _video("Motion JPEG", "mjpeg", ".mjpeg", ".mjpg")
MP4: Final = _video("MP4", "mov", ".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".qt")
MATROSKA: Final = _video("Matroska or WebM", "matroska", ".mkv", ".webm")
AVI: Final = _video("AVI", "avi", ".avi")
MPEG_PS: Final = _video("MPEG", "mpeg", ".mpg", ".mpeg", ".vob")
MPEG_1: Final = _video("MPEG video", "mpegvideo", ".m1v", ".m2v")
MPEG_TS: Final = _video("MPEG transport stream", "mpegts", ".m2ts")  # .ts, .mts: programs, too
FLV: Final = _video("Flash video", "flv", ".flv")
OGG: Final = _video("Ogg", "ogg", ".ogv")
WMV: Final = _video("Windows Media", "asf", ".wmv", ".asf")
H264: Final = _video("raw H.264", "h264", ".h264", ".264")
MOVING_GIF: Final = _video("moving GIF", "gif")
MOVING_PNG: Final = _video("moving PNG", "apng", ".apng")
HEVC: Final = _video("raw H.265", "hevc", ".h265", ".265", ".hevc")

RAW: Final = _unread(
    "camera raw", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf"
)
_JPEG_2000: Final = _unread("JPEG 2000", ".jp2", ".j2k", ".jpx")
_JPEG_XL: Final = _unread("JPEG XL", ".jxl")
_PHOTOSHOP: Final = _unread("Photoshop", ".psd", ".psb")
_SVG: Final = _unread("SVG", ".svg")
_ICON: Final = _unread("icon", ".ico", ".cur", ".icns")
_TGA: Final = _unread("TGA", ".tga")
_HDR: Final = _unread("HDR", ".exr", ".hdr", ".pfm")
_DOCUMENT: Final = Kind("PDF or PostScript", Medium.OTHER)
_SCIENCE: Final = _unread("DICOM or FITS", ".dcm", ".fits")
_PNM_TEXT: Final = _unread("PNM in text, bits or with a tail", ".pbm", ".pnm", ".pam")
_SOUND: Final = Kind("sound", Medium.OTHER)
_PLAYLIST: Final = Kind("a list of other files", Medium.OTHER)

KINDS: Final = tuple(kind for kind in list(globals().values()) if isinstance(kind, Kind))
PICTURES: Final = tuple(kind for kind in KINDS if kind.medium is Medium.PICTURE)
PICTURE_SUFFIXES: Final = frozenset(suffix for kind in PICTURES for suffix in kind.suffixes)
"""What counts as a picture by its name, in lower case."""
_BY_SUFFIX: Final = {suffix: kind for kind in KINDS for suffix in kind.suffixes}
PICTURES_IN_WORDS: Final = ", ".join(kind.name for kind in PICTURES)

_SIGNATURES: Final = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0\x10\0\0\0CR", RAW),
    *((start, RAW) for start in (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb")),
    *((start, TIFF) for start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"\x1aE\xdf\xa3", MATROSKA),
    (b"\0\0\1\xba", MPEG_PS),
    (b"\0\0\1\xb3", MPEG_1),
    (b"FLV\1", FLV),
    (b"OggS", OGG),
    (b"0&\xb2u\x8ef\xcf\x11", WMV),
    (b"\0\0\0\x0cjP  ", _JPEG_2000),
    (b"\xff\x4f\xff\x51", _JPEG_2000),
    (b"\0\0\0\x0cJXL ", _JPEG_XL),
    (b"\xff\x0a", _JPEG_XL),
    (b"8BPS", _PHOTOSHOP),
    (b"icns", _ICON),
    *((start, _HDR) for start in (b"v/1\1", b"#?RADIANCE", b"#?RGBE")),
    *((start, _DOCUMENT) for start in (b"%PDF", b"%!PS", b"\xc5\xd0\xd3\xc6")),
    (b"SIMPLE  =", _SCIENCE),
    *((start, _SOUND) for start in (b"ID3", b"fLaC", b"#!AMR")),
    *((start, _PLAYLIST) for start in (b"#EXTM3U", b"ffconcat", b"v=0\r\n", b"v=0\n")),
)
_JUNK: Final = frozenset(
    {
        *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__pycache__"),
        *("@eadir", "@__thumb", "@recycle", "#recycle", "#snapshot", "@recently-snapshot"),
        *("$recycle.bin", "system volume information", "lost+found", "_gsdata_"),
        *("picasa.ini", "zbthumbnail.info"),
    }
)
_BOXES: Final = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_HEIF_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
)
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_SOUND_BRANDS: Final = frozenset({b"M4A ", b"M4B ", b"M4P ", b"aax "})
_BMP_HEADERS: Final = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_PNM: Final = re.compile(rb"P([1-7Ff])[\s#]")
# Both begin alike: a list of icons says how many, where a TGA goes on with zeros.
_ICON_LIST: Final = re.compile(rb"\x00\x00[\x01\x02]\x00(?!\x00\x00)")
_TGA_HEADER: Final = re.compile(
    rb".(?:\x00[\x02\x03\x0a\x0b]\x00{5}|\x01[\x01\x09].{4}[\x0f\x10\x18\x20])"
    rb".{4}(?:(?!\x00\x00)..){2}[\x08\x0f\x10\x18\x20][\x00-\x3f]",
    re.DOTALL,
)
_START_CODE: Final = re.compile(rb"\x00{2,3}\x01(..)", re.DOTALL)
_NAMED: Final = 5
_SYNC: Final = 0x47
_PACKET: Final = 188


def kind_of(start: bytes) -> Kind | None:
    """Tell a file's kind by its first `START_BYTES`; `None` for what is no picture and no video."""
    for signature, kind in _SIGNATURES:
        if start.startswith(signature):
            return kind
    if start[4:8] == b"ftyp":
        return _of_brands(start)
    if start[4:8] in _BOXES:
        return MP4
    if start.startswith(b"RIFF"):
        return {b"WEBP": WEBP, b"AVI ": AVI, b"WAVE": _SOUND}.get(start[8:12])
    if match := _PNM.match(start):
        return {b"5": PPM, b"6": PPM, b"F": _HDR, b"f": _HDR}.get(match[1], _PNM_TEXT)
    return _of_content(start) or _of_stream(start)


def _of_content(start: bytes) -> Kind | None:
    """Tell what two bytes alone would not tell from a text."""
    if start.startswith(b"BM") and int.from_bytes(start[14:18], "little") in _BMP_HEADERS:
        return BMP
    if start[128:132] == b"DICM":
        return _SCIENCE
    if _ICON_LIST.match(start):
        return _ICON
    if _TGA_HEADER.match(start):
        return _TGA
    return _SVG if b"<svg" in start[:512].lower() else None


def _of_brands(start: bytes) -> Kind:
    size = min(int.from_bytes(start[:4], "big"), len(start))
    brands = {start[at : at + 4] for at in (8, *range(16, size, 4))}
    major = start[8:12]
    if major in _AVIF_BRANDS or (major in _HEIF_BRANDS and brands & _AVIF_BRANDS):
        return AVIF
    if major in _HEIF_BRANDS:
        return HEIC
    if major == b"crx ":
        return RAW
    return _SOUND if major in _SOUND_BRANDS else MP4


def _of_stream(start: bytes) -> Kind | None:
    """Tell what has no header: a stream that may begin anywhere."""
    if match := _START_CODE.match(start):
        first, second = match[1]
        if (first & 0x9F == 7 and first > 7) or first in (6, 9):  # noqa: PLR2004 - parameters, message, delimiter
            return H264
        return HEVC if first in (0x40, 0x42, 0x46, 0x4E) and second == 1 else None
    for packet in (_PACKET, _PACKET + 4):
        for at in range(packet):
            syncs = start[at::packet]
            if len(syncs) > 4 and not syncs.strip(bytes((_SYNC,))):  # noqa: PLR2004 - by chance never
                return MPEG_TS
    return None


def kind_named(name: str) -> Kind | None:
    """Tell the kind that a name hints at."""
    return _BY_SUFFIX.get(PurePath(name).suffix.lower())


def kind_in_folder(name: str, read_start: Callable[[], bytes]) -> Kind | None:
    """Tell the kind of a file that nobody named: a picture's name will do, else it is looked at.

    What it is in truth, whoever decodes it finds out, and says so. `None` for what is neither
    picture nor video.
    """
    named = kind_named(name)
    if named is not None and named.medium is Medium.PICTURE:
        return named
    kind = kind_of(read_start()) or named
    return None if kind is not None and kind.medium is Medium.OTHER else kind


def is_junk(name: str) -> bool:
    """Say whether a file or folder is hidden, or one that systems and other programs leave behind.

    That is how thumbnails and deleted pictures are told from pictures, wherever folders are read.
    """
    return name.startswith(".") or name.casefold() in _JUNK


def left_out(paths: Counter[str]) -> str:
    """Say in one line how many files of which suffixes in a folder are no pictures."""
    named = ", ".join(f"{count:,} {suffix}" for suffix, count in paths.most_common(_NAMED))
    return f"Left out, as they are no pictures: {named}{' and others' * (len(paths) > _NAMED)}."


def not_read(name: str, kind: Kind | None) -> str:
    """Say why a file is not read as a picture, in one line."""
    if kind is None:
        return (
            f"{name} is not a picture that can be read ({PICTURES_IN_WORDS}); remove it or "
            "replace it."
        )
    if kind.medium is Medium.VIDEO:
        return f"{name} is a video ({kind.name}), not a picture."
    if kind.medium is Medium.OTHER:
        return f"{name} is {kind.name}, not a picture."
    return f"{name} is {kind.name}, which is not read; save it as JPEG or PNG."
