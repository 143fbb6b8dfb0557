"""`micro`: a C array with a sketch, for TensorFlow Lite Micro on a microcontroller."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.unknown_detector import NEIGHBOURS
from edge_classifier.device.verdict import Prediction
from edge_classifier.errors import ExportError
from edge_classifier.export.elsewhere.answers import write_answers
from edge_classifier.export.elsewhere.arena import arena_bytes
from edge_classifier.export.elsewhere.format import README, ElsewhereFormat
from edge_classifier.export.elsewhere.plain_run import PlainRun
from edge_classifier.export.elsewhere.readme import text_of
from edge_classifier.export.elsewhere.sketch import SketchedModel, write_sketch
from edge_classifier.export.elsewhere.small_classifier import teach_small
from edge_classifier.export.formats import SCORES, SIMILARITIES, Limits, Replay, compare
from edge_classifier.export.replay import as_image
from edge_classifier.features.backbone import load_backbone
from edge_classifier.project.picture_file import read_image
from edge_classifier.protocols import part_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.export.elsewhere.format import Original
    from edge_classifier.export.elsewhere.small_classifier import SmallClassifier
    from edge_classifier.export.flatbuffer import Graph
    from edge_classifier.learning.model import Model
    from edge_classifier.learning.project_backbone import OpenBackbone
    from edge_classifier.protocols import Cancelled, Progress

_NAME: Final = "micro"

_LIMITS: Final = Limits(0.95)
"""Of one that was taught what it sees: of thirty pictures one may lie between two classes."""

_SPARE: Final = 8 * 1024
"""Bytes of arena beside what is planned."""

_TAUGHT: Final = 0.85
"""A part of the whole, for the progress bar."""


class Int8Model:
    """A file for a microcontroller, run by LiteRT: int8 in, int8 out.

    Args:
        content: The file; its outputs are scores and, where the model can tell unknown,
            similarities.
        model: What it was made of: names the classes, and says what similarities mean.
    """

    def __init__(self, content: bytes, model: Model) -> None:
        self._run, self._model = PlainRun(content), model

    def predict(self, image: Image) -> Prediction:
        """Predict from a square of the network's size, `(S, S, 3)` uint8 BGR."""
        # Of a range from black to white each pixel is one step; all that differs is the sign.
        pixels = (image[..., ::-1].astype(np.int16) - 128).astype(np.int8)
        scores, *similarities = self._run(pixels)
        names, unknown = self._model.class_names, self._model.unknown
        if unknown is None:
            return Prediction(names, scores)
        (familiarity,) = unknown.familiarity(similarities[0][None], scores[None])
        return Prediction(names, scores, float(familiarity), unknown.threshold)


def for_microcontroller(graph: Graph, model: Model) -> None:
    """Take off an int8 graph what is there for other readers.

    Those are the operators at its ends that make int8 of bytes and bytes of int8, of which older
    versions of TensorFlow Lite Micro know only one, and outputs that nobody asks for.
    """
    made_by = {int(operator.outputs[0]): operator for operator in graph.operators}
    (entry,) = (operator for operator in graph.operators if graph.input in operator.inputs)
    names = (SCORES, SIMILARITIES) if model.unknown else (SCORES,)
    inner = [int(made_by[output].inputs[0]) for output in graph.outputs]
    graph.input = int(entry.outputs[0])
    graph.name(dict(zip(names, inner, strict=False)))
    needed, kept = set(graph.outputs), []
    for operator in reversed(graph.operators):
        if operator is not entry and int(operator.outputs[0]) in needed:
            needed.update(map(int, operator.inputs))
            kept.append(operator)
    graph.operators[:] = reversed(kept)


def write_micro(
    original: Original,
    folder: Path,
    progress: Progress,
    cancelled: Cancelled,
    open_backbone: OpenBackbone = load_backbone,
) -> Sequence[str]:
    """Write it; see `format.Write`. `open_backbone` is as for `teach_small`."""
    small = teach_small(
        original.project,
        original.backbone,
        calibrating=original.calibrating,
        open_backbone=open_backbone,
        progress=part_of(progress, 0.0, _TAUGHT),
        cancelled=cancelled,
    )
    model, preprocessing = small.model, small.backbone.info.preprocessing
    graph = small.backbone.rounded(model)
    for_microcontroller(graph, model)
    content, arena = graph.content(), arena_bytes(graph) + _SPARE
    ran = Int8Model(content, model)
    progress(_TAUGHT, f"asking {_NAME}")
    pictures = [read_image(path) for path in original.evidence.paths]
    squares = np.stack([preprocessing.square(picture) for picture in pictures])
    _verify(ran, small, squares, original.evidence.class_ids)
    (folder / "model.tflite").write_bytes(content)
    write_answers(folder, replace(original, model=model), _NAME, squares, ran.predict)
    sketched = SketchedModel(
        content,
        tuple(dict.fromkeys(map(graph.name_of, graph.operators))),
        arena,
        preprocessing.input_size,
        model.class_names,
        model.unknown,
    )
    expected = ran.predict(as_image(squares[0]))
    write_sketch(folder / "sketch", sketched, squares[0], expected)
    size = f"{len(content) / 1000:.0f} kB of flash, an arena of {arena / 1000:.0f} kB of RAM"
    lines = _lines(original, small, size)
    text = text_of(
        f"{_NAME}.md",
        original,
        told="\n".join(lines),
        expected=f"{expected.label} {expected.scores.max():.2f}",
        neighbours=str(NEIGHBOURS),
        hesitation=repr(model.unknown.hesitation_weight if model.unknown else 0.0),
    )
    (folder / README).write_text(text, encoding="utf-8")
    return lines


def _verify(
    ran: Int8Model,
    small: SmallClassifier,
    squares: npt.NDArray[np.uint8],
    class_ids: npt.NDArray[np.int64] | None,
) -> None:
    """Compare what the file says with what the small classifier says.

    Raises:
        ExportError: if it is not the same classifier.
    """
    images = [as_image(square) for square in squares]
    expected = small.model.predict(small.backbone.extract(images))
    live, replay = (
        Replay(
            np.stack([p.scores for p in said]),
            np.array([p.unknown for p in said]) if small.model.unknown else None,
        )
        for said in (expected, [ran.predict(image) for image in images])
    )
    if problem := compare(_NAME, replay, live, class_ids).problem(_LIMITS):
        raise ExportError(f"{_NAME} is not the same classifier: {problem}.")


def _lines(original: Original, small: SmallClassifier, size: str) -> list[str]:
    """Say how large and how good it is."""
    own, info = original.backbone.info, small.backbone.info
    seen = f"{info.name} at {info.preprocessing.input_size} px"
    by_own = f"{own.name} at {own.preprocessing.input_size} px"
    lines = [
        f"{seen}: {size} (planned).",
        f"{seen} in 8 bits: {small.validation.line()}.",
        f"{by_own}, on the same pictures: {small.own_validation.line()}.",
    ]
    if small.note:
        lines.append(small.note)
    if original.model.unadapted:
        lines.append("It answers as it was taught: the project is adapted for another network.")
    if small.model.unknown is None:
        lines.append("It tells no unknown: that takes five pictures of a class.")
    return lines


MICRO: Final = ElsewhereFormat(_NAME, write_micro, ("model.tflite", "sketch"), calibrates=True)
