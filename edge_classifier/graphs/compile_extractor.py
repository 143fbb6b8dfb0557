"""Compile a backbone to a TFLite extractor; a program of its own, for TensorFlow.

Run as `python -m edge_classifier.graphs.compile_extractor NAME WEIGHTS TARGET`; what it says
meanwhile is described in `features.child_process`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.features.catalogue import BUILT_IN
from edge_classifier.features.child_process import say_step, serve
from edge_classifier.graphs.backbones import build_backbone, import_keras
from edge_classifier.graphs.hdf5_check import is_legacy
from edge_classifier.graphs.tflite import convert, freeze

if TYPE_CHECKING:
    from collections.abc import Sequence


def _compile(arguments: Sequence[str]) -> None:
    name, weights, target = arguments
    if name != BUILT_IN:
        is_legacy(Path(weights), name)  # what is damaged shows at once, without TensorFlow
    say_step(0.0, "importing TensorFlow")
    import_keras()
    say_step(0.6, "building the network")
    model = build_backbone(name, Path(weights))
    say_step(0.75, "converting it")
    Path(target).write_bytes(convert(freeze(model)))
    say_step(1.0, "done")


if __name__ == "__main__":
    sys.exit(serve(_compile))
