"""What each implementation says of the same samples: the live path, Keras, every file."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_classifier.errors import (
    CancelledError,
    EdgeClassifierError,
    ExportError,
    InvalidImageError,
    NotEnoughSamplesError,
)
from edge_classifier.export.comparison import Run
from edge_classifier.export.formats import SCORES, SIMILARITIES
from edge_classifier.features.child_process import run_child
from edge_classifier.learning.model_file import model_as_arrays
from edge_classifier.project.files import describe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from edge_classifier.device.classifier import Classifier
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Backbone, Cancelled, Progress
    from edge_classifier.values import BackboneInfo

LIVE_PATH = "live path"
KERAS = "Keras graph"


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Samples as every implementation gets them, and what the live path says of them.

    Attributes:
        squares: `(N, S, S, 3)` uint8 RGB: cut out and resized by the backbone's preprocessing.
        class_ids: `(N,)` int64, the true classes, or `None` where they are not known.
        paths: `(N,)` the files.
        live: Of the LiteRT extractor and the NumPy head, on the whole pictures.
        refused: Why other files were left out, one line each.
    """

    squares: npt.NDArray[np.uint8]
    class_ids: npt.NDArray[np.int64] | None
    paths: tuple[Path, ...]
    live: Run
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A picture file to read, with the index of its class, or -1."""

    path: Path
    class_id: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Everything that the Keras graph is built of.

    Attributes:
        name: Written into the files.
        model: Head and measure of unknown.
        info: The backbone.
        weights: The file of its weights.
    """

    name: str
    model: Model
    info: BackboneInfo
    weights: Path


def fingerprint(model: Model) -> str:
    """Hash all numbers of a model, to tell whether a bundle was exported from it."""
    meta, arrays = model_as_arrays(model)
    digest = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def collect(
    pictures: Sequence[Labelled],
    read: Callable[[Path], Image],
    model: Model,
    backbone: Backbone,
    *,
    progress: Progress,
    cancelled: Cancelled,
) -> Evidence:
    """Read pictures and ask the live path about them.

    Args:
        pictures: Which.
        read: Reads one; raises `InvalidImageError` for what is none.
        model: Head and measure of unknown.
        backbone: Gives the features.
        progress: Told the part done.
        cancelled: Asked at each picture.

    Raises:
        NotEnoughSamplesError: if no picture could be read.
        CancelledError: if asked to stop.
    """
    squares, class_ids, paths, refused = [], [], [], []
    scores, unknown, times = [], [], []
    for done, picture in enumerate(pictures):
        if cancelled():
            raise CancelledError("Exporting was cancelled; nothing was written.")
        try:
            image = read(picture.path)
        except InvalidImageError as error:
            refused.append(str(error))
            continue
        started = time.perf_counter()
        prediction = model.predict(backbone.extract([image]))[0]
        times.append((time.perf_counter() - started) * 1000)
        squares.append(backbone.info.preprocessing.square(image))
        class_ids.append(picture.class_id)
        paths.append(picture.path)
        scores.append(prediction.scores)
        unknown.append(prediction.unknown)
        progress((done + 1) / len(pictures))
    if not paths:
        raise NotEnoughSamplesError("There is no picture to compare on that can be read.")
    live = Run(
        np.stack(scores),
        np.array(unknown) if model.unknown else None,
        ms=float(np.median(times)),
    )
    ids = np.array(class_ids, np.int64)
    return Evidence(
        np.stack(squares),
        None if (ids < 0).any() else ids,
        tuple(paths),
        live,
        tuple(refused),
    )


def run_keras(
    network: Network,
    folder: Path,
    *,
    squares: npt.NDArray[np.uint8],
    representative: npt.NDArray[np.uint8] | None = None,
    formats: Iterable[str] = (),
    progress: Progress,
    cancelled: Cancelled,
) -> Run:
    """Build the Keras graph in a child process, ask it, and convert it.

    Args:
        network: What to build.
        folder: Where `<format>.tflite` is written for each format.
        squares: `(N, S, S, 3)` what to ask it about.
        representative: `(M, S, S, 3)` what calibrates int8.
        formats: What to convert to.
        progress: Told the part done.
        cancelled: Asked ten times a second.

    Returns:
        What the graph says of the squares.

    Raises:
        WeightsMismatchError: if the weights belong to another backbone, or are damaged.
        ExportError: if it cannot be built or converted.
        CancelledError: if asked to stop.
    """
    model, info = network.model, network.info
    arrays: dict[str, Any] = model_as_arrays(model)[1]
    job = {
        "name": network.name,
        "class_names": model.class_names,
        "backbone": info.as_json(),
        "weights": str(network.weights.resolve()),
        "formats": list(formats),
    }
    with _in_temporary_folder() as work:
        (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
        np.savez(work / "head.npz", **arrays)
        calibration = squares if representative is None else representative
        np.savez(work / "pixels.npz", verification=squares, representative=calibration)
        failure = run_child(
            "edge_classifier.graphs.convert_classifier",
            [str(work)],
            progress=progress,
            cancelled=cancelled,
            stopped="Exporting was cancelled; nothing was written.",
        )
        if failure:
            raise failure.as_error("TensorFlow could not convert the model", ExportError)
        for model_format in formats:
            content = (work / f"{model_format}.tflite").read_bytes()
            (folder / f"{model_format}.tflite").write_bytes(content)
        with np.load(work / "keras.npz", allow_pickle=False) as said:
            scores, similarities = said[SCORES], said.get(SIMILARITIES)
    unknown = None
    if model.unknown is not None and similarities is not None:
        unknown = model.unknown.familiarity(similarities, scores) < model.unknown.threshold
    return Run(scores, unknown)


@contextmanager
def _in_temporary_folder() -> Iterator[Path]:
    """Give a folder for a block that writes nowhere else.

    Raises:
        ExportError: if there is no place for it; the bundle's own may well have room.
    """
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except EdgeClassifierError:
        raise
    except OSError as error:  # of which "none of these folders can be written" is one
        where = tempfile.tempdir or "any of the usual folders"
        reason = describe(error) if tempfile.tempdir else error.strerror
        raise ExportError(
            f"Temporary files cannot be written in {where}: {reason}. "
            "The environment variable TMPDIR names another folder."
        ) from error


def run_file(
    classifier: Classifier,
    squares: npt.NDArray[np.uint8],
    progress: Progress = lambda _done, _what=None: None,
) -> Run:
    """Ask a bundle's model file about squares `(N, S, S, 3)` uint8 RGB."""
    answers, times = [], []
    for number, square in enumerate(squares):
        progress(number / len(squares))
        started = time.perf_counter()
        # A square of the input's own size is only turned from BGR to RGB by the preprocessing.
        answers.append(classifier.predict(np.ascontiguousarray(square[..., ::-1])))
        times.append((time.perf_counter() - started) * 1000)
    known = answers[0].similarity is not None
    return Run(
        np.stack([answer.scores for answer in answers]),
        np.array([answer.unknown for answer in answers]) if known else None,
        bytes=len(classifier.bundle.model(classifier.model_format)),
        ms=float(np.median(times)),
    )
