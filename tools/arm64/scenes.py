"""Renders a video of known things and the keys that teach them, for `arm64.job`.

python tools arm64.scenes FOLDER
"""

from __future__ import annotations

import json
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2

from edge_classifier.demo.camera import DemoCamera
from edge_classifier.demo.scene import TAUGHT, UNTAUGHT
from edge_classifier.screen.recording import VideoRecorder

if TYPE_CHECKING:
    from edge_classifier.device.preprocessing import Image

FPS: Final = 6.0
VIDEO: Final = "video.mp4"
PICTURES: Final = "pictures"
SCRIPT: Final = "script.json"
_TAUGHT_FRAMES: Final = 8
_ASKED_FRAMES: Final = 4
_ASKED_TAKE: Final = 3
"""One in which no frame is so near to where "unknown" begins that rounding could decide on it."""

_HELD: Final = range(5)
"""Of these, the frames while the key of a class is held: no tap."""


def render(folder: Path) -> None:
    """Write the video, its script, and as pictures the same things in other light."""
    camera = DemoCamera(fps=FPS, paced=False)
    frames = iter(camera)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PICTURES).mkdir(exist_ok=True)
    video = VideoRecorder(folder / VIDEO, FPS)
    keys, count = dict[int, str](), 0

    def show(name: str, take: int, length: int) -> list[Image]:
        camera.present(name, take)
        while not camera.settled:
            next(frames)
        return [frame.image for frame in islice(frames, length)]

    for number, name in enumerate(TAUGHT, start=1):
        keys |= {count + frame: str(number) for frame in _HELD}
        for image in show(name, 0, _TAUGHT_FRAMES):
            video.write(image)
            count += 1
    asked = count
    for name in (*TAUGHT, UNTAUGHT):
        for image in show(name, _ASKED_TAKE, _ASKED_FRAMES):
            video.write(image)
    for name in TAUGHT:
        for number, image in enumerate(show(name, 2, _ASKED_FRAMES)):
            cv2.imwrite(str(folder / PICTURES / f"{name}-{number}.png"), image)
    video.close()
    script = json.dumps({"keys": keys, "asked": asked}, indent=1)
    (folder / SCRIPT).write_text(script + "\n", encoding="utf-8")


if __name__ == "__main__":
    render(Path(sys.argv[1]))
