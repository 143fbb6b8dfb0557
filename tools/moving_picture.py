"""Makes the README's moving picture out of the demo's video: record, answer, unknown.

edge-classifier demo mugs --no-window --backbone built-in
python tools moving_picture mugs/demo.mp4 docs/demo.webp
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import cv2
from PIL import Image

SCENES: Final = ((1.0, 3.1), (4.8, 7.1), (8.6, 10.8), (51.4, 53.6), (54.5, 56.4), (57.5, 59.2))
"""Seconds of the video: mug, leaf and phone are recorded, then answered in another place."""

UNTAUGHT: Final = (60.8, 63.0)
"""The duck, which was never taught."""

FPS: Final = 10
WIDTH: Final = 780


def frames(video: Path) -> list[Image.Image]:
    """Take the scenes' pictures out of the video, small."""
    capture = cv2.VideoCapture(str(video))
    rate = capture.get(cv2.CAP_PROP_FPS)
    taken = []
    for start, end in (*SCENES, UNTAUGHT):
        for n in range(round((end - start) * FPS)):
            capture.set(cv2.CAP_PROP_POS_FRAMES, round((start + n / FPS) * rate))
            there, image = capture.read()
            if not there:
                raise SystemExit(f"{video} ends before {end} s; is it the demo's?")
            picture = Image.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            height = round(picture.height * WIDTH / picture.width)
            taken.append(picture.resize((WIDTH, height), Image.Resampling.LANCZOS))
    capture.release()
    return taken


def main() -> None:
    """Make the picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("picture", type=Path, help="an animated WebP")
    options = parser.parse_args()
    first, *others = frames(options.video)
    first.save(
        options.picture,
        save_all=True,
        append_images=others,
        duration=1000 // FPS,
        loop=0,
        quality=55,
        method=4,
    )
    print(f"{options.picture}: {options.picture.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
