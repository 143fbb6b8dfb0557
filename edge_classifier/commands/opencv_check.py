"""Says in one line why OpenCV cannot be imported, before anything else tries to."""

from __future__ import annotations

import importlib.util
import sys


def import_problem() -> str | None:
    """Import OpenCV and return what to do if that fails, or `None` if it works."""
    try:
        import cv2  # noqa: F401, PLC0415 - trying is the point
    except ImportError as error:
        return explain(str(error))
    return None


def explain(reason: str) -> str:
    """Turn an import error's text into one line that says what to do next."""
    if sys.platform.startswith("linux") and ".so" in reason and "No such file" in reason:
        library = reason.split(":", 1)[0]
        return (
            f"OpenCV needs the system libraries libGL and glib ({library} is missing): "
            "sudo apt install libgl1 libglib2.0-0"
        )
    if importlib.util.find_spec("cv2") is None:
        return "OpenCV is not installed: pip install opencv-python"
    return (
        f"OpenCV cannot be imported ({reason}); install it again: "
        "pip install --force-reinstall opencv-python"
    )
