"""Picture files made by Pillow, for tests that import them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage


def pillow_picture(number: int, size: tuple[int, int] = (24, 16)) -> PillowImage.Image:
    """Make a picture that differs from that of any other number."""
    rng = np.random.default_rng(number)
    small = rng.integers(0, 256, (4, 6, 3), np.uint8)
    return PillowImage.fromarray(small).resize(size)


def picture_bytes(number: int, kind: str = "JPEG", **options: Any) -> bytes:
    """Make a picture file."""
    buffer = io.BytesIO()
    size = options.pop("size", (24, 16))
    pillow_picture(number, size).save(buffer, kind, **options)
    return buffer.getvalue()


def write_pictures(folder: Path, *paths: str) -> None:
    """Write a different picture to each path."""
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        kind = {".png": "PNG", ".webp": "WEBP"}.get(target.suffix, "JPEG")
        number = int.from_bytes(path.encode(), "big") % (1 << 63)
        target.write_bytes(picture_bytes(number, kind))


def write_zip(path: Path, entries: Mapping[str, bytes]) -> Path:
    """Write an archive."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path
