"""`edge-classifier predict`: what pictures show, printed as soon as it is known."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import numpy as np

from edge_classifier.commands import options as shared
from edge_classifier.commands.answers import (
    Answer,
    AnswerWriter,
    CsvWriter,
    JsonWriter,
    TextWriter,
    printable,
)
from edge_classifier.commands.console import ProgressLine, open_for_reading, say
from edge_classifier.commands.predictors import (
    BundlePredictor,
    ModelPredictor,
    Predictor,
    is_bundle,
    predict_all,
    read_picture,
)
from edge_classifier.device.console import SOME_REFUSED
from edge_classifier.errors import InvalidValueError
from edge_classifier.features.bulk import compute_all, use_one_opencv_thread
from edge_classifier.features.imagenet import (
    FULL,
    USUAL_CROP,
    ImageNetClassifier,
    read_labels,
)
from edge_classifier.learning import workbench
from edge_classifier.project.files import describe
from edge_classifier.project.picture_paths import picture_paths

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.verdict import Prediction

IF_CANCELLED: Final = "the answers so far stand; the other pictures were not looked at"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `predict`."""
    parser.add_argument(
        "project", type=Path, help="project folder with a trained model, or an exported bundle"
    )
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="pictures, or folders of them"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a line")
    form.add_argument("--csv", action="store_true", help="CSV with a header")
    parser.add_argument(
        "--top-k", type=int, default=1, metavar="K", help="how many classes to name (1)"
    )
    parser.add_argument(
        "--imagenet",
        type=Path,
        metavar="MODEL.tflite",
        help="instead of a project: a MobileNet with its top and the 1,000 classes of ImageNet; "
        "answers for the central 0.875 and for the full square",
    )
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="with --imagenet: the names of its classes"
    )
    shared.add_backbone_options(parser, bulk=True)
    parser.epilog = (
        "Exit code: 0 all answered, 1 not possible, 3 some pictures were refused (each is named "
        "with its reason on standard error, and in the JSON or CSV)."
    )


def run(options: argparse.Namespace) -> int:
    """Predict; the exit code is 3 where some pictures were refused."""
    use_one_opencv_thread()
    if options.top_k < 1:
        raise InvalidValueError(f"Expected --top-k of 1 or more, received {options.top_k}.")
    return _from_imagenet(options) if options.imagenet else _from_project(options)


class _Tally:
    """Counts, and tells what was refused."""

    def __init__(self, writer: AnswerWriter) -> None:
        self._writer = writer
        self._started = time.monotonic()
        self.pictures = self.unknown = self.refused = 0

    def answer(self, answer: Answer) -> None:
        self.pictures += 1
        self.unknown += answer.unknown
        self._writer.write(answer)

    def refuse(self, path: Path, reason: str) -> None:
        self.refused += 1
        say(f"refused: {printable(reason)}")
        self._writer.write(Answer(str(path), problem=reason))

    def refuse_folder(self, path: Path, error: OSError) -> None:
        self.refuse(path, f"Cannot read {path}: {describe(error)}.")

    def finish(self) -> int:
        passed = time.monotonic() - self._started
        parts = [f"{self.pictures:,} answers in {passed:.1f} s"]
        parts += [f"{self.unknown:,} unknown"] if self.unknown else []
        parts += [f"{self.refused:,} refused"] if self.refused else []
        say(", ".join(parts))
        return SOME_REFUSED if self.refused else 0


def _writer(options: argparse.Namespace, names: Sequence[str], top_k: int) -> AnswerWriter:
    stream: TextIO = sys.stdout
    if options.json:
        return JsonWriter(stream)
    if options.csv:
        return CsvWriter(stream, top_k)
    return TextWriter(stream, names)


def _from_project(options: argparse.Namespace) -> int:
    paths = _given(options.paths)
    predictor = (
        BundlePredictor(options.project) if is_bundle(options.project) else _of_project(options)
    )
    top_k = min(options.top_k, len(predictor.class_names))
    tally = _Tally(_writer(options, predictor.class_names, top_k))
    pictures = picture_paths(paths, tally.refuse_folder)
    for found in predict_all(predictor, pictures, threads=options.threads):
        if found.prediction is None:
            tally.refuse(found.path, str(found.problem))
        else:
            tally.answer(_answer(found.path, found.prediction, top_k))
    return tally.finish()


def _of_project(options: argparse.Namespace) -> Predictor:
    """Open a project, and say so where its model is out of date."""
    with open_for_reading(options.project) as store:
        choice = shared.backbone_choice(options)
        with (
            ProgressLine("loading the backbone") as progress,
            workbench.loaded_for(store, choice, progress, may_change=False) as loaded,
        ):
            model, fresh = workbench.trained_model(store, loaded)
        if not fresh:
            say(
                f"{store.name} has changed since it was trained; "
                f"`edge-classifier train {options.project}` takes that in."
            )
    return ModelPredictor(loaded.backbone, model)


def _answer(path: Path, prediction: Prediction, top_k: int) -> Answer:
    return Answer(
        str(path),
        _best(prediction.scores, prediction.class_names, top_k),
        unknown=prediction.unknown,
        similarity=prediction.similarity,
    )


def _from_imagenet(options: argparse.Namespace) -> int:
    paths = _given([options.project, *options.paths])
    classifier = ImageNetClassifier(options.imagenet)
    names = read_labels(options.labels) if options.labels else classifier.labels()
    numbered = [f"{n} {name}" for n, name in enumerate(names or [""] * 1000)]
    numbered = [name.strip() for name in numbered]
    crops = (USUAL_CROP, FULL)

    def both(images: list[Image]) -> npt.NDArray[np.float32]:
        return np.stack([[classifier.scores(image, crop) for crop in crops] for image in images])

    tally = _Tally(_writer(options, [], options.top_k))
    pictures = picture_paths(paths, tally.refuse_folder)
    for found in compute_all(pictures, read_picture, both, threads=options.threads):
        if found.values is None:
            tally.refuse(found.item, str(found.problem))
            continue
        for crop, scores in zip(crops, found.values, strict=True):
            best = _best(scores, numbered, options.top_k)
            tally.answer(Answer(str(found.item), best, crop=crop))
    return tally.finish()


def _best(
    scores: npt.NDArray[np.float32], names: Sequence[str], top_k: int
) -> tuple[tuple[str, float], ...]:
    order = np.argsort(-scores, kind="stable")[:top_k]
    return tuple((names[n], float(scores[n])) for n in order)


def _given(paths: list[Path]) -> Iterator[Path]:
    if not paths:
        raise InvalidValueError("Expected pictures, or folders of pictures, to predict.")
    return iter(paths)
