"""The same samples through the live path and every model file."""

from __future__ import annotations

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.classifier import Classifier
from edge_classifier.device.interpreter import core_count
from edge_classifier.errors import CancelledError, InvalidImageError, NotEnoughSamplesError
from edge_classifier.export.formats import Replay
from edge_classifier.languages.text import Text
from edge_classifier.learning.model_file import model_as_arrays
from edge_classifier.project.picture_file import read_image
from edge_classifier.protocols import part_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.bundle import Bundle
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Backbone, Cancelled, Progress
    from edge_classifier.values import Sample

LIVE_PATH: Final = "live path"
VERIFIED: Final = 200
"""Samples that every implementation is asked about, at most."""

STOPPED: Final = "Exporting was cancelled; nothing was written."


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the live path saw of a sample's whole picture.

    Attributes:
        square: `(S, S, 3)` uint8 BGR, of which the preprocessing makes the very same input.
        spatial: The feature map, `(h, w, c)`, where it was to be kept.
        ms: What it took, without reading the picture.
    """

    sample: Sample
    square: Image
    spatial: npt.NDArray[np.float32] | None
    prediction: Prediction
    ms: float


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
    live: Replay
    refused: tuple[str, ...]


def fingerprint(model: Model) -> str:
    """Hash all numbers of a model, to tell whether a bundle was exported from it.

    Of an adapted one, those that it was taught and the frames: adaptation is computed anew each
    time, and not to the last bit alike on every machine.
    """
    source = model.unadapted
    meta, arrays = model_as_arrays(source.model if source else model)
    if source and model.unknown:
        meta["threshold_steps"] = model.unknown.steps
        arrays = {**arrays, "adapted_to": source.rows}
    digest = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def see(
    samples: Sequence[Sample],
    model: Model,
    backbone: Backbone,
    *,
    places: Collection[Sample] = (),
    threads: int | None = None,
    progress: Progress,
    cancelled: Cancelled,
) -> tuple[list[Seen], list[str]]:
    """Ask the live path about samples, in their order, with so many threads: all cores if `None`.

    Feature maps are kept of those in `places`.

    Returns:
        What it saw, and why other pictures were left out, one line each.

    Raises:
        CancelledError: if asked to stop, before any picture.
    """

    def look(sample: Sample) -> Seen | InvalidImageError:
        if cancelled():
            raise CancelledError(STOPPED)
        try:
            image = read_image(sample.path)
        except InvalidImageError as error:
            return error
        started = time.perf_counter()
        features, maps = backbone.extract_spatial([image])
        (prediction,) = model.predict(features)
        ms = (time.perf_counter() - started) * 1000
        square = backbone.info.preprocessing.shrink(image)
        spatial = maps[0] if sample.path in kept else None
        return Seen(sample, square, spatial, prediction, ms)

    kept = {sample.path for sample in places}
    found: list[Seen] = []
    refused: list[str] = []
    executor = ThreadPoolExecutor(threads or core_count(), thread_name_prefix="export")
    try:
        for done, seen in enumerate(executor.map(look, samples), start=1):
            if isinstance(seen, Seen):
                found.append(seen)
            else:
                refused.append(str(seen))
            progress(done / len(samples))
    finally:
        executor.shutdown(cancel_futures=True)
    return found, refused


def as_evidence(seen: Sequence[Seen], model: Model, refused: Sequence[str]) -> Evidence:
    """Take what the live path saw for what every implementation is to say.

    Raises:
        NotEnoughSamplesError: if it saw nothing.
    """
    if not seen:
        raise NotEnoughSamplesError("There is no picture to compare on that can be read.")
    ids = {name: n for n, name in enumerate(model.class_names)}
    class_ids = np.array([ids.get(one.sample.class_name, -1) for one in seen], np.int64)
    return Evidence(
        np.stack([one.square[..., ::-1] for one in seen]),
        None if (class_ids < 0).any() else class_ids,
        tuple(one.sample.path for one in seen),
        Replay(
            np.stack([one.prediction.scores for one in seen]),
            np.array([one.prediction.unknown for one in seen]) if model.unknown else None,
            ms=float(np.median([one.ms for one in seen])),
        ),
        tuple(refused),
    )


def replay_live(
    samples: Sequence[Sample],
    model: Model,
    backbone: Backbone,
    *,
    progress: Progress,
    cancelled: Cancelled,
) -> Evidence:
    """Ask the live path about samples, for what every implementation is to say.

    Raises:
        NotEnoughSamplesError: if no picture could be read.
        CancelledError: if asked to stop, before any picture.
    """
    seen, refused = see(samples, model, backbone, progress=progress, cancelled=cancelled)
    return as_evidence(seen, model, refused)


def as_image(square: npt.NDArray[np.uint8]) -> Image:
    """Make of a square `(S, S, 3)` RGB an image, BGR, whose own square it is.

    Of the input's own size it is only turned to RGB by the preprocessing.
    """
    return np.ascontiguousarray(square[..., ::-1])


def replay_files(
    bundle: Bundle, formats: Sequence[str], squares: npt.NDArray[np.uint8], progress: Progress
) -> dict[str, Replay]:
    """Ask a bundle's model files about squares `(N, S, S, 3)` uint8 RGB."""
    replays = {}
    for number, name in enumerate(formats):
        asked = part_of(progress, number / len(formats), (number + 1) / len(formats))
        asked(0.0, Text("asking {name}", name=name))
        replays[name] = _replay_file(Classifier(bundle, name), squares, asked)
    return replays


def _replay_file(
    classifier: Classifier, squares: npt.NDArray[np.uint8], progress: Progress
) -> Replay:
    predictions, times = [], []
    for number, square in enumerate(squares):
        progress(number / len(squares))
        started = time.perf_counter()
        predictions.append(classifier.predict(as_image(square)))
        times.append((time.perf_counter() - started) * 1000)
    known = predictions[0].similarity is not None
    return Replay(
        np.stack([p.scores for p in predictions]),
        np.array([p.unknown for p in predictions]) if known else None,
        bytes=len(classifier.bundle.model(classifier.model_format)),
        ms=float(np.median(times)),
    )
