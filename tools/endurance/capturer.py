"""A program that captures: one picture for each line on its standard input, in bursts of five.

    python -m endurance.capturer PROJECT SEED

It answers each line with one of its own, a list in JSON: the SHA-256 of the picture, and `stored`,
`kept` (elsewhere, for the project was lost) or why neither. The word `sync` on a line waits for
the disk instead. Anything else that happens, a traceback too, is no such line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from edge_classifier.errors import ProjectError
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

PER_BURST = 5


def main() -> None:
    """Capture until nothing more is asked for."""
    path, pixels = Path(sys.argv[1]), np.random.default_rng(int(sys.argv[2]))
    with ProjectStore.open_or_create(path, ["mug"]) as store:
        print(json.dumps(["", "open"]), flush=True)
        for number, line in enumerate(sys.stdin):
            if number % PER_BURST == 0:
                burst_id = store.next_burst_id()
            encoded = encode_image(pixels.integers(0, 256, (24, 32, 3), dtype=np.uint8))
            said, sha256 = "stored", encoded.sha256
            try:
                if line.strip() == "sync":
                    store.sync()
                    said, sha256 = "synced", ""
                else:
                    store.add_sample(encoded, "mug", burst_id)
            except ProjectError as error:
                said = "kept" if "The picture was kept" in str(error) else str(error)
            print(json.dumps([sha256, said]), flush=True)


if __name__ == "__main__":
    try:
        main()
    except ProjectError as problem:  # of closing it, on a disk that is gone
        sys.exit(str(problem))
