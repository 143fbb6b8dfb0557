"""Fonts: the face that OpenCV embeds, and the system's fonts for what that one cannot draw.

OpenCV 5 carries a variable sans face and a face with the Chinese, Japanese, Korean, Greek and
Cyrillic characters, so most names look the same on every machine, with no font installed. It
neither joins letters nor orders them from right to left. Scripts that need that (Arabic, Hebrew,
Devanagari, Thai, …) and symbols it lacks are drawn by Pillow with a font of the system, which is
looked for only when such a character is met.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import time
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]
    FindFace = Callable[[str], "Face | None"]

_log = logging.getLogger(__name__)

_PROBE_SIZE: Final = 24
_PROBE_BOX: Final = 40
_NO_CHARACTER: Final = "\U0010ffff"
"""A noncharacter: whatever a face draws for it is what it draws for anything it lacks."""

_SEARCH_LIMIT_S: Final = 0.25
"""How long the picture may stand still, once for a script, while font files are opened."""

_PLAIN: Final = (
    *("notosans-", "notosanscjk", "dejavusans.", "segoeui.", "arialuni", "arial unicode", "arial."),
    *("nirmala", "leelawui", "msyh", "geezapro", "kohinoor", "thonburi", "seguisym", "freesans"),
    *("notosans", "droidsansfallback"),
)
"""File names of upright text faces, in the order in which they are preferred."""

_FANCY: Final = ("italic", "oblique", "bold", "black", "thin", "light", "mono", "serif", "cond")


_SYMBOL: Final = "symbol"


class Face(Protocol):
    """Something that turns characters into pixels."""

    def covers(self, character: str) -> bool:
        """Say whether it has a glyph for the character."""

    def width(self, text: str, size: int, weight: int) -> int:
        """Return how many pixels the text advances at a size in pixels (em)."""

    def draw(self, mask: Mask, text: str, left: int, baseline: int, size: int, weight: int) -> None:
        """Add the text to a mask, `(H, W)` uint8 with 255 for ink."""


def needs_shaping(character: str) -> bool:
    """Say whether a character must be joined, stacked or ordered to be readable."""
    if character.isascii():
        return False
    if unicodedata.bidirectional(character) in ("R", "AL", "AN"):
        return True
    # From Devanagari to Myanmar, and Khmer: the blocks whose scripts stack or reorder.
    return "\u0900" <= character <= "\u109f" or "\u1780" <= character <= "\u17ff"


class EmbeddedFace:
    """The variable sans face that OpenCV 5 carries, with its embedded fallback."""

    def __init__(self) -> None:
        self._face = cv2.FontFace("sans")
        self._missing = self._probe(_NO_CHARACTER)
        self._is_there = lru_cache(maxsize=None)(lambda c: self._probe(c) != self._missing)

    def _probe(self, character: str) -> bytes:
        mask = np.zeros((_PROBE_BOX, _PROBE_BOX), np.uint8)
        self.draw(mask, character, 2, _PROBE_SIZE + 4, _PROBE_SIZE, 400)
        return mask.tobytes()

    def covers(self, character: str) -> bool:
        """Say whether it has a glyph for the character and can set it without shaping."""
        if character.isascii():
            return character.isprintable()
        return not needs_shaping(character) and self._is_there(character)

    def width(self, text: str, size: int, weight: int) -> int:
        """Return how many pixels the text advances."""
        box = cv2.getTextSize((0, 0), text, (0, 0), self._face, size, weight)
        return int(box[0] + box[2])

    def draw(self, mask: Mask, text: str, left: int, baseline: int, size: int, weight: int) -> None:
        """Add the text to a mask."""
        # OpenCV wraps at the image's edge unless it is told that there is none.
        cv2.putText(
            mask, text, (left, baseline), (255,), self._face, size, weight,
            cv2.PUT_TEXT_ALIGN_LEFT, (0, 1 << 20),
        )  # fmt: skip


class SystemFace:
    """A font file, drawn by Pillow; letters are joined and ordered where Pillow has raqm.

    Raises:
        OSError: if Pillow cannot open it, or not at any size (fonts made of bitmaps).
    """

    def __init__(self, path: str, index: int = 0) -> None:
        from PIL import ImageFont  # noqa: PLC0415 - 25 ms that most sessions never need

        self._open = lru_cache(maxsize=16)(lambda size: ImageFont.truetype(path, size, index=index))
        self._probe_font: Any = ImageFont.truetype(
            path, _PROBE_SIZE, index=index, layout_engine=ImageFont.Layout.BASIC
        )
        self._missing = self._probe(_NO_CHARACTER)
        self._is_there = lru_cache(maxsize=None)(lambda c: self._probe(c) != self._missing)
        self.path = path

    def _probe(self, character: str) -> tuple[tuple[int, int], bytes]:
        glyph = self._probe_font.getmask(character)
        return glyph.size, bytes(glyph)

    def covers(self, character: str) -> bool:
        """Say whether the font has a glyph for the character."""
        return character == " " or self._is_there(character)

    def width(self, text: str, size: int, weight: int) -> int:  # noqa: ARG002 - a plain font file has one weight
        """Return how many pixels the text advances."""
        return int(np.ceil(self._open(size).getlength(text)))

    def draw(self, mask: Mask, text: str, left: int, baseline: int, size: int, weight: int) -> None:  # noqa: ARG002 - a plain font file has one weight
        """Add the text to a mask."""
        from PIL import Image, ImageDraw  # noqa: PLC0415 - as above

        picture = Image.new("L", (mask.shape[1], mask.shape[0]))
        ImageDraw.Draw(picture).text(
            (left, baseline), text, fill=255, font=self._open(size), anchor="ls"
        )
        np.maximum(mask, np.asarray(picture), out=mask)


class SystemFonts:
    """Finds a font of the system for a character, and remembers what it found.

    `candidates` gives `(path, index)` of the font files that may have a character, the best first;
    by default fontconfig's answer where there is one, else the known folders.
    """

    def __init__(
        self, candidates: Callable[[str], Iterable[tuple[str, int]]] | None = None
    ) -> None:
        self._candidates = candidates or _installed_fonts
        self._faces: dict[tuple[str, int], SystemFace | None] = {}
        self._reported: set[str] = set()
        self._found = lru_cache(maxsize=None)(self._search)

    def find(self, character: str) -> Face | None:
        """Return a face that draws the character, or `None`, said once a script in the log."""
        return self._found(character)

    def _search(self, character: str) -> Face | None:
        for face in self._faces.values():
            if face is not None and face.covers(character):
                return face
        script = _script(character)
        if script in self._reported and script != _SYMBOL:  # fonts have some symbols, not all
            return None
        deadline = time.monotonic() + _SEARCH_LIMIT_S
        for path, index in self._candidates(character):
            face = self._load(path, index)
            if face is not None and face.covers(character):
                return face
            if time.monotonic() > deadline:
                break
        if script in self._reported:
            return None
        self._reported.add(script)
        _log.warning(
            "No font on this machine can draw %s characters such as %r; %s.",
            script, character, _how_to_get_a_font(character),
        )  # fmt: skip
        return None

    def _load(self, path: str, index: int) -> SystemFace | None:
        key = (path, index)
        if key not in self._faces:
            try:
                self._faces[key] = SystemFace(path, index)
            except OSError:  # a bitmap-only or damaged file is simply not a candidate
                self._faces[key] = None
        return self._faces[key]


def _script(character: str) -> str:
    """Name a character's script or kind: `DEVANAGARI`, `HANGUL`, `symbol`."""
    if unicodedata.category(character) in ("So", "Sk"):
        return _SYMBOL
    return unicodedata.name(character, "unnamed").split(" ")[0].split("-")[0]


def _how_to_get_a_font(character: str) -> str:
    if not sys.platform.startswith("linux"):
        return "install a font that covers them"
    script = _script(character)
    if script in ("CJK", "HIRAGANA", "KATAKANA", "HANGUL"):
        return "get one with: sudo apt install fonts-noto-cjk"
    package = "fonts-symbola" if script == _SYMBOL else "fonts-noto-core"
    return f"get one with: sudo apt install {package}"


def _preference(path: str) -> tuple[int, int, str]:
    name = Path(path).name.lower()
    fancy = sum(word in name for word in _FANCY)
    plain = next((rank for rank, start in enumerate(_PLAIN) if name.startswith(start)), len(_PLAIN))
    return fancy, plain, name


def _installed_fonts(character: str) -> list[tuple[str, int]]:
    """List the font files that may have a character, plain upright text faces first."""
    tool = shutil.which("fc-list")
    if tool is None:
        found = [(path, 0) for path in _font_files()]
    else:
        question = [tool, f":charset={ord(character):x}", "--format", "%{file}\t%{index}\n"]
        try:
            answer = subprocess.run(  # noqa: S603 - a fixed program, arguments made here
                question, capture_output=True, text=True, timeout=2, check=False
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return []
        # Named instances of a variable font carry their number in the upper half of the index.
        rows = (line.rpartition("\t") for line in answer.splitlines())
        found = [(path, int(index) & 0xFFFF) for path, _, index in rows if index.isdecimal()]
    usable = {entry for entry in found if entry[0].lower().endswith((".ttf", ".otf", ".ttc"))}
    return sorted(usable, key=lambda entry: (_preference(entry[0]), entry[1]))


def _font_files() -> Iterator[str]:
    home = Path.home()
    if sys.platform == "win32":
        folders = [
            Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts",
            home / "AppData/Local/Microsoft/Windows/Fonts",
        ]
    elif sys.platform == "darwin":
        folders = [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    else:
        shared = ("/usr/share/fonts", "/usr/local/share/fonts")
        folders = [*map(Path, shared), home / ".local/share/fonts", home / ".fonts"]
    for folder in folders:
        for parent, _, names in os.walk(folder):
            yield from (str(Path(parent) / name) for name in names)
