"""`edge-classifier cameras`: which cameras can be opened."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from edge_classifier.device.console import one_line, say
from edge_classifier.device.sources.cameras import list_cameras

if TYPE_CHECKING:
    import argparse


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Add nothing: the command has no options."""


def run(_options: argparse.Namespace) -> int:
    """List the cameras; the exit code is 1 where there is none."""
    cameras = list_cameras()
    for camera in cameras:
        rate = f"{camera.fps:g} fps" if camera.fps else "frame rate unknown"
        where = " · ".join(part for part in (camera.path, camera.name) if part)
        line = f"{camera.spec}  {camera.width}x{camera.height}, {rate}  {where}"
        sys.stdout.write(f"{one_line(line)}\n")  # a device says its name itself
    if not cameras:
        say(
            "No camera can be opened here. `edge-classifier live --source demo` plays a rendered "
            "one, `--source FILE` a video."
        )
    return 0 if cameras else 1
