"""How many keys it takes to say what unlabelled pictures show, and how many come out wrong.

    python tools fewshots.labelling --shared ../shared/data
    python tools fewshots.labelling --shared ../shared/data --backbone v2-0.35 --weights FILE

Five kinds at a time, at most 60 pictures of each, are grouped as `add --unlabelled` does. A person
presses one key for each group: that of what most of it shows, or Enter where the model says it; all
others of the group are labelled wrong then. From `apart` on groups are not joined; what the product
has was chosen on the sets above the line.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.catalogue import BUILT_IN, NAMES
from edge_classifier.learning import alike
from edge_classifier.learning.alike import groups_of_like
from fewshots.loading import features_of, pictures_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from edge_classifier.protocols import Backbone
    from edge_classifier.values import Features

MOST: Final = 60
DRAWS: Final = 3

CLOTHES: Final = tuple(
    f"clothing/train/{name}"
    for name in ("dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts",
                 "skirt", "t-shirt")
)  # fmt: skip
SIGNS: Final = tuple(f"sign_digits/{n}" for n in range(10))
CLIPS: Final = tuple(
    f"clips/sign_{name}.mkv"
    for name in ("again", "bird", "book", "brother", "eat", "help", "hungry", "learn", "milk",
                 "night")
)  # fmt: skip
BOTTLES: Final = "clips/bottles.mp4"
FINGERS: Final = tuple(f"finger_counting/{n}" for n in range(1, 6))
THINGS: Final = tuple(
    f"azure_custom_vision/{name}" for name in ("Hemlock", "Japanese_Cherry", "fork", "scissors")
)

CHOSEN_ON: Final = {
    "clothes 1": CLOTHES[:5],
    "hand signs 1": SIGNS[:5],
    "clips 1": CLIPS[:5],
    "fingers": FINGERS,
    "mixed 1": (THINGS[0], THINGS[2], CLOTHES[1], CLIPS[4], FINGERS[2]),
}
REPORTED: Final = {
    "clothes 2": CLOTHES[5:],
    "hand signs 2": SIGNS[5:],
    "clips 2": CLIPS[5:],
    "things": (*THINGS, BOTTLES),
    "mixed 2": (THINGS[1], THINGS[3], CLOTHES[6], BOTTLES, FINGERS[0]),
}


def features_at(path: Path, backbone: Backbone) -> Features:
    """Compute the features of a folder's pictures, or of frames of a video, `(N, D)`.

    Raises:
        InvalidValueError: if there are none.
    """
    if path.is_dir():
        found = pictures_in(path)
        test = path.parent.parent / "test" / path.name
        return features_of([*found, *(pictures_in(test) if test.is_dir() else ())],
                           backbone.extract)  # fmt: skip
    frames = list(_frames_of(path))
    chosen = np.linspace(0, len(frames) - 1, MOST).astype(int).tolist()
    return np.concatenate([backbone.extract([frames[n]]) for n in chosen])


def _frames_of(path: Path) -> Iterator[npt.NDArray[np.uint8]]:
    video = cv2.VideoCapture(str(path))
    while (read := video.read())[0]:
        yield np.asarray(read[1], np.uint8)


def measure(kinds: Sequence[Features]) -> tuple[float, float, float]:
    """Group pictures of several kinds, some times.

    Returns:
        How many pictures there are, keys, and which part of the pictures is labelled wrong.
    """
    figures = []
    for draw in range(DRAWS):
        random = np.random.default_rng(draw)
        some = [kind[random.permutation(len(kind))[:MOST]] for kind in kinds]
        ids = np.repeat(np.arange(len(some)), [len(kind) for kind in some])
        groups = groups_of_like(np.concatenate(some))
        right = sum(int(np.bincount(ids[group]).max()) for group in groups)
        figures.append((len(ids), len(groups), 1 - right / len(ids)))
    pictures, keys, wrong = np.mean(figures, axis=0).tolist()
    return pictures, keys, wrong


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    shared = os.environ.get("EDGE_CLASSIFIER_SHARED", "../shared")
    parser.add_argument("--shared", type=Path, default=Path(shared) / "data")
    parser.add_argument("--backbone", choices=NAMES, default=BUILT_IN)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--apart", type=float, nargs="+", default=[alike.APART])
    options = parser.parse_args()
    backbone = load_backbone(options.backbone, weights=options.weights)
    known: dict[str, Features] = {}
    for kinds in (*CHOSEN_ON.values(), *REPORTED.values()):
        for kind in kinds:
            if kind not in known:
                known[kind] = features_at(options.shared / kind, backbone)
    for apart in options.apart:
        alike.APART = apart  # type: ignore[misc]  # to try others
        print(f"apart {apart}        pictures   keys  labelled wrong")
        for sets in (CHOSEN_ON, REPORTED):
            for name, kinds in sets.items():
                pictures, keys, wrong = measure([known[kind] for kind in kinds])
                print(f"{name:16} {pictures:9.0f} {keys:6.0f} {wrong:9.1%}")
            print("-" * 44)


if __name__ == "__main__":
    main()
