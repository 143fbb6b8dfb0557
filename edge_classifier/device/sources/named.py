"""From what a user names to a source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ClassifyError
from .capture import Capture
from .files import _IMAGE_SUFFIXES, PictureFiles
from .picamera import PiCamera

if TYPE_CHECKING:
    from .base import Source


def source_of(spec: str) -> Source:
    """Turn what the user named into a source.

    Args:
        spec: A camera's number or device, `picamera`, a picture, a folder, a video, an address.

    Raises:
        ClassifyError: if there is no such thing.
    """
    if spec == "picamera":
        return PiCamera()
    if spec.isdigit():
        return Capture(int(spec), f"camera {int(spec)}")
    if "://" in spec:
        # Without user name and query, which may be a secret.
        scheme, _, rest = spec.partition("://")
        return Capture(spec, f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}")
    if spec.startswith("/dev/"):
        return Capture(spec, spec)
    path = Path(spec).expanduser()
    if not path.exists():
        raise ClassifyError(
            f"There is no {spec}; name a camera's number, a picture, a folder, a video or an "
            "address."
        )
    if path.is_dir() or path.suffix.lower() in _IMAGE_SUFFIXES:
        return PictureFiles(path)
    return Capture(str(path), path.name)
