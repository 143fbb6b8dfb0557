"""What is expected of a model elsewhere: a few pictures, and the answers to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from edge_classifier import __version__
from edge_classifier.export.bundle import write_reference
from edge_classifier.export.elsewhere.format import EXPECTED, LABELS, mark_of
from edge_classifier.export.replay import as_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.export.elsewhere.format import Original

_PICTURES: Final = 8


def write_answers(
    folder: Path,
    original: Original,
    format_name: str,
    squares: npt.NDArray[np.uint8],
    predict: Callable[[Image], Prediction] | None = None,
) -> None:
    """Write the labels, and a few pictures with what is expected of them.

    The squares, `(N, S, S, 3)` uint8 RGB, are cut and resized for the network already: whoever
    tries a model elsewhere can tell an error of the model from one of the preprocessing. `predict`
    is given them as any image, in BGR order; by default it is the live path.
    """
    names = original.model.class_names
    predict = predict or original.predict
    (folder / LABELS).write_text("".join(f"{n}\n" for n in names), encoding="utf-8")
    pictures = []
    threshold = None
    for number, square in enumerate(squares[:_PICTURES]):
        image = as_image(square)
        said = predict(image)
        threshold = said.threshold
        pictures.append(
            {
                "file": write_reference(folder, number, image),
                "label": said.label,
                "scores": [float(score) for score in said.scores],
                "familiarity": said.similarity,
            }
        )
    expected: dict[str, Any] = {
        "format": mark_of(format_name),
        "name": original.project.name,
        "made_with": f"edge-classifier {__version__}",
        "class_names": list(names),
        "input_size": int(squares.shape[1]),
        "unknown_below": threshold,
        "pictures": pictures,
    }
    text = json.dumps(expected, indent=1, ensure_ascii=False)
    (folder / EXPECTED).write_text(f"{text}\n", encoding="utf-8")
