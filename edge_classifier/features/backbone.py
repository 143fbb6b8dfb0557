"""From a backbone's name to features: LiteRT with XNNPACK, never `model.predict`."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.device.frame import check_image
from edge_classifier.device.interpreter import Interpreter
from edge_classifier.errors import BackboneError, InvalidValueError, WeightsMismatchError
from edge_classifier.features.built_in import built_in_folder, read_built_in
from edge_classifier.features.catalogue import AUTO, BUILT_IN, official
from edge_classifier.features.extractors import obtain_extractor
from edge_classifier.features.tuned import TUNED_WEIGHTS, read_tuned
from edge_classifier.features.weights import CacheFolders, choose, obtain_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.features.extractors import LoadProgress
    from edge_classifier.features.weights import Choice
    from edge_classifier.protocols import Cancelled
    from edge_classifier.values import BackboneInfo, FeatureKind, Features


class LiteRTBackbone:
    """A backbone run by LiteRT; a `protocols.Backbone`.

    `extract` may be called from several threads at once. Each call takes an interpreter that no
    other call is using and makes one if there is none (some milliseconds, once), so the live
    picture never waits for the worker; with one lock it would wait for whole runs of it.

    Args:
        info: What it is.
        extractor: The TFLite file or its bytes: `(1, S, S, 3)` float32 to `(1, h, w, c)`.
        threads: CPU threads of each interpreter.

    Raises:
        BackboneError: if the file cannot be run or is not of this backbone.
    """

    def __init__(self, info: BackboneInfo, extractor: bytes | Path, threads: int = 1) -> None:
        self._info = info
        self._threads = threads
        try:
            self._extractor = extractor.read_bytes() if isinstance(extractor, Path) else extractor
            interpreter = Interpreter(self._extractor, threads)
        except (OSError, ValueError, ImportError) as error:
            raise BackboneError(f"The backbone {info.name} cannot be run: {error}") from error
        size = info.preprocessing.input_size
        given = (interpreter.input_shape, tuple(interpreter.output_view().shape))
        expected = ((1, size, size, 3), (1, *info.feature_shape))
        if given != expected or interpreter.input_details["dtype"] != np.float32:
            raise BackboneError(
                f"Expected an extractor of {info.name} from {expected[0]} to {expected[1]} in "
                f"float32, received one from {given[0]} to {given[1]} in "
                f"{interpreter.input_details['dtype'].__name__}."
            )
        self._idle = deque([interpreter])

    @property
    def info(self) -> BackboneInfo:
        """What it is."""
        return self._info

    @property
    def extractor(self) -> bytes:
        """The TFLite file that it runs, as an exporter needs it."""
        return self._extractor

    def extract(self, images: Sequence[Image]) -> Features:
        """Compute the features of images.

        Pooled features are the means over height and width, as Keras' GlobalAveragePooling2D
        gives them, or about their square roots if the backbone has a `root_offset`; spatial
        features are the flattened map, in the order of Keras' Flatten.

        Args:
            images: N pictures of any size, each `(H, W, 3)` uint8, BGR.

        Returns:
            `(N, D)` float32.

        Raises:
            InvalidImageError: if one is no such picture.
        """
        for image in images:
            check_image(image)
        features = np.empty((len(images), self._info.feature_dim), np.float32)
        try:
            interpreter = self._idle.pop()  # atomic, as is append
        except IndexError:
            interpreter = Interpreter(self._extractor, self._threads)
        try:
            for image, row in zip(images, features, strict=True):
                self._info.preprocessing.apply(image, out=interpreter.input_view()[0])
                interpreter.invoke()
                self._read(interpreter.output_view(), row)
        finally:
            self._idle.append(interpreter)
        return features

    def _read(self, spatial: npt.NDArray[np.float32], row: npt.NDArray[np.float32]) -> None:
        """Bring one feature map, `(1, h, w, c)`, into a row of features."""
        if self._info.feature_kind == "spatial":
            row[:] = spatial.reshape(-1)
        else:
            places = spatial.reshape(-1, row.size)
            np.add.reduce(places, axis=0, out=row)
            row *= np.float32(1.0 / len(places))
            if self._info.root_offset is not None:
                row /= np.sqrt(row + np.float32(self._info.root_offset))


def choose_backbone(
    requested: str = AUTO, *, weights: Path | None = None, folders: CacheFolders | None = None
) -> Choice:
    """Turn `auto` into a backbone's name, with the reason for the screen; takes up to 3 s.

    Raises:
        InvalidValueError: if there is no such backbone.
        WeightsNotFoundError: if nothing can be had.
    """
    return choose(
        requested,
        weights=weights,
        folders=folders or CacheFolders.of_this_user(),
        built_in=built_in_folder() is not None,
    )


def load_backbone(
    name: str = AUTO,
    *,
    weights: Path | None = None,
    feature_kind: FeatureKind = "pooled",
    threads: int = 1,
    progress: LoadProgress = lambda _what, _fraction: None,
    cancelled: Cancelled = lambda: False,
    folders: CacheFolders | None = None,
) -> LiteRTBackbone:
    """Open a backbone; download and compile it first where that was not done before.

    May take half a minute the first time: for the worker thread.

    Args:
        name: One of `backbones.NAMES`, or `auto`.
        weights: A file with the weights of an official backbone, or `None` to find them; of one
            that was fine-tuned, its file in the project.
        feature_kind: `pooled` or `spatial`.
        threads: CPU threads for a run of the network.
        progress: Told what is being done, and how much of that is done.
        cancelled: Asked whether to stop, ten times a second.
        folders: The caches; by default this user's.

    Raises:
        InvalidValueError: if there is no such backbone.
        BackboneError: if it cannot be had; the subclass and the one line say why.
        CancelledError: if asked to stop.
    """
    if weights is not None and weights.name == TUNED_WEIGHTS:
        tuned = read_tuned(weights, feature_kind)
        if name not in (AUTO, tuned.info.name):
            raise WeightsMismatchError(f"{weights} is a fine-tuned {tuned.info.name}, not {name}.")
        return LiteRTBackbone(tuned.info, tuned.extractor, threads)
    folders = folders or CacheFolders.of_this_user()
    name = choose_backbone(name, weights=weights, folders=folders).name
    if name == BUILT_IN:
        if weights is not None:
            raise InvalidValueError(
                f"The {BUILT_IN} backbone brings its own weights; choose an official backbone "
                "with --backbone to load a file with --weights."
            )
        built_in = read_built_in(feature_kind)
        return LiteRTBackbone(built_in.info, built_in.extractor, threads)
    backbone = official(name)

    def downloaded(size: int, total: int | None) -> None:
        progress(f"downloading {name}: {size / 1e6:.1f} MB", size / total if total else 0.0)

    found = obtain_weights(
        backbone, given=weights, folders=folders, progress=downloaded, cancelled=cancelled
    )
    extractor = obtain_extractor(
        name, found, folder=folders.extractors, progress=progress, cancelled=cancelled
    )
    return LiteRTBackbone(backbone.info(feature_kind, found.sha256), extractor, threads)
