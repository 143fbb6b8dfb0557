"""Let MediaPipe Tasks read a bundle's files, and compare its labels with classify.py's.

MediaPipe brings an OpenCV of its own, so it needs an environment of its own; hence the pipe:

    python BUNDLE/classify.py PICTURES | MEDIAPIPE_PYTHON tools/check_mediapipe.py BUNDLE

Every model file of the bundle that MediaPipe is meant to read is loaded as it is: labels and
normalisation come from the metadata inside the file. The pictures are those that classify.py
names. MediaPipe squashes what it is given, so it is given the centred square; it resizes by its
own means. Exit code: 0 if at least 99 % of the labels are the same with every file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import mediapipe  # type: ignore[import-not-found,import-untyped,unused-ignore]
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision  # type: ignore[import-not-found,import-untyped,unused-ignore]

NEEDED = 0.99


def centred_square(path: str) -> Any:  # noqa: ANN401 - a mediapipe.Image
    """Read a picture and cut out the largest centred square."""
    picture = mediapipe.Image.create_from_file(path)
    pixels = picture.numpy_view()
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    square = np.ascontiguousarray(pixels[top : top + side, left : left + side, :3])
    return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=square)


def labels(model: Path, paths: list[str]) -> list[tuple[str, float]]:
    """Ask MediaPipe for the label and score of each picture.

    Whatever else a file gives out must not be taken for classes.
    """
    options = vision.ImageClassifierOptions(
        base_options=BaseOptions(model_asset_path=str(model)), max_results=1
    )
    said = []
    with vision.ImageClassifier.create_from_options(options) as classifier:
        for path in paths:
            heads = classifier.classify(centred_square(path)).classifications
            named = {head.head_name: head.categories[0] for head in heads if head.categories}
            if set(named) != {"scores"}:
                raise SystemExit(f"{model}: MediaPipe takes for classes: {', '.join(named)}")
            said.append((named["scores"].category_name, float(named["scores"].score)))
    return said


def main() -> int:
    """Compare; returns the exit status."""
    bundle = Path(sys.argv[1]).resolve()
    records = [json.loads(line) for line in sys.stdin]
    paths = [record["source"] for record in records]
    expected = [max(record["scores"], key=record["scores"].get) for record in records]
    failed = not records
    spec = json.loads((bundle / "spec.json").read_text(encoding="utf-8"))
    for name, about in spec["models"].items():
        said = labels(bundle / about["file"], paths)
        same = sum(label == e for (label, _), e in zip(said, expected, strict=True))
        difference = max(
            abs(score - record["scores"].get(label, 0.0))
            for (label, score), record in zip(said, records, strict=True)
        )
        good = same >= NEEDED * len(records)
        failed = failed or not good
        print(
            f"{name:8} MediaPipe {mediapipe.__version__} says the same label on {same} of "
            f"{len(records)} pictures, largest score difference {difference:.3f}: "
            f"{'ok' if good else 'FAILED'}"
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
