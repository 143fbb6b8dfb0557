"""`edge-classifier predict`: what pictures show, printed as soon as it is known."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.commands import options as shared
from edge_classifier.commands.console import open_for_reading
from edge_classifier.commands.prediction_writers import (
    CsvWriter,
    HeatWriter,
    JsonWriter,
    PredictionRow,
    RowWriter,
    TextWriter,
)
from edge_classifier.commands.predictors import (
    BundlePredictor,
    ModelPredictor,
    Predicted,
    Predictor,
    is_bundle,
    predict_all,
)
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.console import SOME_REFUSED, say
from edge_classifier.device.files import start_of
from edge_classifier.device.media import Medium, kind_of
from edge_classifier.device.option_types import whole_number
from edge_classifier.device.outputs.json_lines import best_of
from edge_classifier.errors import InvalidOptionError, InvalidValueError
from edge_classifier.export.other_models import open_other_model, what_is_not_known
from edge_classifier.features.bulk import compute_all, use_one_opencv_thread
from edge_classifier.features.catalogue import AUTO
from edge_classifier.features.imagenet import FULL, USUAL_CROP, ImageNetClassifier, read_labels
from edge_classifier.learning.heat import learn_heat
from edge_classifier.learning.project_backbone import load_project_backbone
from edge_classifier.learning.project_model import trained_model
from edge_classifier.progress import ProgressMeter
from edge_classifier.project.files import describe
from edge_classifier.project.folder import is_project
from edge_classifier.project.importers.other_models import recognise
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.picture_paths import picture_paths

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image

IF_CANCELLED: Final = "the answers so far stand; the other pictures were not looked at"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `predict`."""
    parser.add_argument(
        "project",
        type=Path,
        help="project folder with a trained model, an exported bundle, or a TFLite export of "
        "Teachable Machine or Lobe",
    )
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="pictures, or folders of them"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a line")
    form.add_argument("--csv", action="store_true", help="CSV with a header")
    parser.add_argument(
        "--top-k",
        type=whole_number(1, 1000),
        default=1,
        metavar="K",
        help="how many classes to name (1)",
    )
    parser.add_argument(
        "--heat",
        type=Path,
        metavar="FOLDER",
        help="write a copy of each picture there, red where it is unlike its class",
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
    if options.imagenet and options.heat:
        raise InvalidOptionError(
            "--heat needs a project or a bundle; --imagenet knows no pictures."
        )
    _check_options(options)
    return _from_imagenet(options) if options.imagenet else _from_project(options)


def _check_options(options: argparse.Namespace) -> None:
    """Refuse options that would make no difference to what answers.

    Raises:
        InvalidOptionError: if there is one.
    """
    if options.labels and not options.imagenet:
        raise InvalidOptionError(
            "--labels is for --imagenet; a project, a bundle and an export name their classes "
            "themselves."
        )
    if options.imagenet or not is_project(options.project):
        given = {"--weights": options.weights, "--features": options.features}
        given["--backbone"] = options.backbone != AUTO
        if option := next((name for name, value in given.items() if value), None):
            raise InvalidOptionError(f"{option} is for a project; other models hold all they need.")


class _Rows:
    """Writes rows, counts them, and names on standard error what was refused."""

    def __init__(self, options: argparse.Namespace, names: Sequence[str], top_k: int) -> None:
        self._writer = _writer(options, names, top_k)
        self._started = time.monotonic()
        self._written = self._unknown = self._refused = 0

    def add(self, row: PredictionRow) -> None:
        self._written += 1
        self._unknown += row.unknown
        self._writer.write(row)

    def refuse(self, path: Path, reason: str) -> None:
        self._refused += 1
        say(f"refused: {reason}")
        self._writer.write(PredictionRow(str(path), problem=reason))

    def refuse_folder(self, path: Path, error: OSError) -> None:
        self.refuse(path, f"Cannot read {path}: {describe(error)}.")

    def finish(self) -> int:
        passed = time.monotonic() - self._started
        answers = "answer" if self._written == 1 else "answers"
        parts = [f"{self._written:,} {answers} in {passed:.1f} s"]
        parts += [f"{self._unknown:,} unknown"] if self._unknown else []
        parts += [f"{self._refused:,} refused"] if self._refused else []
        say(", ".join(parts))
        return SOME_REFUSED if self._refused else 0


def _writer(options: argparse.Namespace, names: Sequence[str], top_k: int) -> RowWriter:
    if options.json:
        return JsonWriter(sys.stdout)
    if options.csv:
        return CsvWriter(sys.stdout, top_k)
    return TextWriter(sys.stdout, names)


def _from_project(options: argparse.Namespace) -> int:
    paths = _given(options.paths)
    if options.heat:
        _check_heat_folder(options.heat, options.paths)
    predictor = _predictor(options)
    heat_writer = HeatWriter(options.heat) if options.heat else None
    top_k = min(options.top_k, len(predictor.class_names))
    rows = _Rows(options, predictor.class_names, top_k)
    pictures = picture_paths(paths, rows.refuse_folder)
    for found in predict_all(predictor, pictures, threads=options.threads):
        if found.prediction is None:
            rows.refuse(found.path, _reason(found, options.project))
        else:
            prediction = found.prediction
            best = best_of(prediction.confidences, prediction.class_names, top_k)
            row = PredictionRow(
                str(found.path),
                best,
                unknown=prediction.unknown,
                similarity=prediction.similarity,
                heat=heat_writer.write(found.path, prediction, found.heat) if heat_writer else None,
            )
            rows.add(row)
    return rows.finish()


def _reason(found: Predicted, model: Path) -> str:
    """Say why a picture was refused; of a video, what takes it."""
    try:
        kind = kind_of(start_of(found.path))
    except OSError:
        kind = None
    if kind is None or kind.medium is not Medium.VIDEO:
        return str(found.problem)
    first = f"`edge-classifier export {model} -o BUNDLE`, then " if is_project(model) else ""
    bundle = "BUNDLE" if first else model
    return (
        f"{found.path} is a video, and `predict` takes pictures; {first}`edge-classifier run "
        f"{bundle} {found.path}` answers for each of its frames."
    )


def _predictor(options: argparse.Namespace) -> Predictor:
    """Open a bundle, a project, or a model of another program."""
    if is_bundle(options.project):
        return BundlePredictor(Bundle.open(options.project), heat=options.heat is not None)
    if not is_project(options.project) and (found := recognise(options.project)):
        if options.heat:
            raise InvalidValueError(
                f"--heat needs a project or a bundle; {options.project} is of another program."
            )
        bundle = open_other_model(found)
        say(what_is_not_known(bundle))
        return BundlePredictor(bundle)
    return _of_project(options)


def _check_heat_folder(folder: Path, paths: Sequence[Path]) -> None:
    """Refuse a folder whose pictures would be learned from, or asked about next time.

    Raises:
        InvalidValueError: if it is such a folder, or a file.
    """
    if folder.exists() and not folder.is_dir():
        raise InvalidValueError(f"--heat {folder} is a file; name a folder.")
    above = [folder.resolve(), *folder.resolve().parents]
    if project := next((path for path in above if is_project(path)), None):
        raise InvalidValueError(
            f"--heat {folder} lies in the project {project}, where pictures are samples; name a "
            "folder elsewhere."
        )
    if {Path(path).resolve() for path in paths} & set(above):
        raise InvalidValueError(
            f"--heat {folder} lies where the pictures are that are asked about; name another."
        )


def _of_project(options: argparse.Namespace) -> Predictor:
    """Open a project, and say so where its model is out of date."""
    with open_for_reading(options.project) as store:
        choice = shared.backbone_choice(options)
        with (
            ProgressMeter("loading the backbone") as progress,
            load_project_backbone(store, choice, progress, may_change=False) as loaded,
        ):
            model, fresh = trained_model(store, loaded)
            references = None
            if options.heat:
                progress(0.0, "learning what places look like")
                references = learn_heat(store.samples(), loaded.backbone, progress, lambda: False)
        if not fresh:
            say(
                f"{store.name} has changed since it was trained; "
                f"`edge-classifier train {options.project}` takes that in."
            )
    return ModelPredictor(loaded.backbone, model, references)


def _from_imagenet(options: argparse.Namespace) -> int:
    paths = _given([options.project, *options.paths])
    classifier = ImageNetClassifier(options.imagenet)
    names = read_labels(options.labels) if options.labels else classifier.labels()
    numbered = [f"{n} {name}".strip() for n, name in enumerate(names or [""] * 1000)]
    crops = (USUAL_CROP, FULL)

    def both(images: list[Image]) -> npt.NDArray[np.float32]:
        return np.stack([[classifier.scores(image, crop) for crop in crops] for image in images])

    rows = _Rows(options, [], options.top_k)
    pictures = picture_paths(paths, rows.refuse_folder)
    for found in compute_all(pictures, read_image, both, threads=options.threads):
        if found.values is None:
            rows.refuse(found.item, str(found.problem))
            continue
        for crop, scores in zip(crops, found.values, strict=True):
            best = best_of(scores, numbered, options.top_k)
            rows.add(PredictionRow(str(found.item), best, crop=crop))
    return rows.finish()


def _given(paths: list[Path]) -> Iterator[Path]:
    if not paths:
        raise InvalidOptionError("Expected pictures, or folders of pictures, to predict.")
    return iter(paths)
