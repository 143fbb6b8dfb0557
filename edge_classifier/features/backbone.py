"""From a backbone's name to features: it is chosen, loaded, and run by LiteRT with XNNPACK."""

from __future__ import annotations

import functools
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.device.interpreter import Interpreter
from edge_classifier.device.npz import MAX_NUMBER
from edge_classifier.device.preprocessing import check_image
from edge_classifier.device.trial import check_model
from edge_classifier.errors import (
    BackboneError,
    InvalidValueError,
    WeightsMismatchError,
    WeightsNotFoundError,
)
from edge_classifier.features.built_in import built_in_folder, read_built_in
from edge_classifier.features.carried import CARRIED, read_carried
from edge_classifier.features.catalogue import AUTO, BUILT_IN, DEFAULT, NAMES, OFFICIAL, official
from edge_classifier.features.child_process import TENSORFLOW, has_tensorflow
from edge_classifier.features.download import reachable
from edge_classifier.features.extractors import cached_extractor, obtain_extractor, read_extractor
from edge_classifier.features.tuned import EXTRACTOR, TUNED_WEIGHTS, read_tuned, tuned_weights
from edge_classifier.features.weights import CacheFolders, find_weights, hash_of, obtain_weights
from edge_classifier.languages.text import Text
from edge_classifier.protocols import ignore_progress, never_cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.features.catalogue import OfficialBackbone
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import BackboneInfo, FeatureKind, Features

_log = logging.getLogger(__name__)


class LiteRTBackbone:
    """A backbone run by LiteRT; a `protocols.Backbone`.

    `extract` may be called from several threads at once: each takes an interpreter that no other
    is using, or makes one (some milliseconds, once). With one lock the live picture would wait for
    whole runs of the worker. Pickled it carries none, and a process unpickles a network once.

    The extractor is a TFLite file or its bytes, from `(1, S, S, 3)` float32 to `(1, h, w, c)`; each
    interpreter has so many CPU threads.

    Raises:
        BackboneError: if the file cannot be run or is not of this backbone.
    """

    def __init__(self, info: BackboneInfo, extractor: bytes | Path, threads: int = 1) -> None:
        self.info = info
        self._threads = threads
        try:
            self.extractor = extractor.read_bytes() if isinstance(extractor, Path) else extractor
            interpreter = Interpreter(self.extractor, threads)
        except (OSError, ValueError, ImportError) as error:
            raise BackboneError(f"The backbone {info.name} cannot be run: {error}") from error
        size = info.preprocessing.input_size
        given = (interpreter.input_shape, tuple(interpreter.output_view().shape))
        if len(interpreter.output_details) != 1:
            raise BackboneError(
                f"Expected an extractor of {info.name} with one output, received "
                f"{len(interpreter.output_details)}."
            )
        expected = ((1, size, size, 3), (1, *info.feature_shape))
        if given != expected or interpreter.input_details["dtype"] != np.float32:
            raise BackboneError(
                f"Expected an extractor of {info.name} from {expected[0]} to {expected[1]} in "
                f"float32, received one from {given[0]} to {given[1]} in "
                f"{interpreter.input_details['dtype'].__name__}."
            )
        self._idle = deque([interpreter])

    def __reduce__(self) -> tuple[object, ...]:
        return _opened_once, (self.info, self.extractor, self._threads)

    def extract(self, images: Sequence[Image]) -> Features:
        """Compute the features `(N, D)` of N images of any size.

        Pooled features are the means over height and width, as by Keras' GlobalAveragePooling2D,
        or about their square roots with a `root_offset`; spatial ones the map as by its Flatten.

        Raises:
            InvalidImageError: if one is no such picture.
            BackboneError: if the network is damaged, and gives no sound numbers.
        """
        features = np.empty((len(images), self.info.feature_dim), np.float32)
        self._run(images, lambda n, spatial: features_of_map(self.info, spatial, features[n]))
        self._check(features)
        return features

    def extract_spatial(self, images: Sequence[Image]) -> tuple[Features, npt.NDArray[np.float32]]:
        """Compute the same, and the feature maps `(N, h, w, c)` that they come of.

        Raises:
            InvalidImageError: if one is no such picture.
        """
        features = np.empty((len(images), self.info.feature_dim), np.float32)
        maps = np.empty((len(images), *self.info.feature_shape), np.float32)

        def read(n: int, spatial: npt.NDArray[np.float32]) -> None:
            features_of_map(self.info, spatial, features[n])
            maps[n] = spatial[0]

        self._run(images, read)
        self._check(features)
        return features, maps

    def _run(
        self, images: Sequence[Image], read: Callable[[int, npt.NDArray[np.float32]], None]
    ) -> None:
        """Hand over each image's number and its feature map, `(1, h, w, c)`, not to be kept."""
        for image in images:
            check_image(image)
        try:
            interpreter = self._idle.pop()  # atomic, as is append
        except IndexError:
            interpreter = Interpreter(self.extractor, self._threads)
        try:
            for n, image in enumerate(images):
                self.info.preprocessing.apply(image, out=interpreter.input_view()[0])
                interpreter.invoke()
                read(n, interpreter.output_view())
        except RuntimeError as error:
            raise BackboneError(f"The backbone {self.info.name} fails: {error}") from error
        finally:
            self._idle.append(interpreter)

    def _check(self, features: Features) -> None:
        """Refuse what no sound network gives, before anything is learned from it.

        Not while a view of the interpreter's memory is held, which the error would go on holding.
        """
        least, most = features.min(initial=0.0), features.max(initial=0.0)
        if not (least >= -MAX_NUMBER and most <= MAX_NUMBER):  # NaN is neither
            raise BackboneError(
                f"The backbone {self.info.name} gives features that are NaN, infinite or absurdly "
                "large, so it is damaged: take another with --backbone, or get the project again."
            )


@functools.lru_cache(maxsize=4)
def _opened_once(info: BackboneInfo, extractor: bytes, threads: int) -> LiteRTBackbone:
    return LiteRTBackbone(info, extractor, threads)


def features_of_map(
    info: BackboneInfo, spatial: npt.NDArray[np.float32], row: npt.NDArray[np.float32]
) -> None:
    """Bring a feature map of `h * w * c` numbers, of any shape, into a row of features, `(D,)`."""
    if info.feature_kind == "spatial":
        row[:] = spatial.reshape(-1)
    else:
        places = spatial.reshape(-1, row.size)
        np.add.reduce(places, axis=0, out=row)
        row *= np.float32(1.0 / len(places))
        if info.root_offset is not None:
            row /= np.sqrt(row + np.float32(info.root_offset))


@dataclass(frozen=True, slots=True)
class Choice:
    """A backbone that was chosen (never `auto`), and why, in one line for the screen."""

    name: str
    reason: str


def choose_backbone(
    requested: str = AUTO,
    *,
    weights: Path | None = None,
    folders: CacheFolders | None = None,
    built_in: bool | None = None,
    is_reachable: Callable[[str], bool] = reachable,
    default: OfficialBackbone = OFFICIAL[DEFAULT],
    tensorflow: bool | None = None,
) -> Choice:
    """Turn the wish for `auto` into a backbone's name; any other wish stays as it is.

    `auto` means `default` where its weights are given by `--weights`, lie in the caches (by default
    this user's), or are within reach, which is known within 3 seconds; else the built-in backbone.
    Without TensorFlow to compile them, weights are no use: then it means `default` only where that
    was compiled before. Whether there are a built-in backbone and TensorFlow is looked for unless
    it is said.

    Raises:
        InvalidValueError: if there is no such backbone.
        WeightsNotFoundError: if nothing can be had.
    """
    if requested != AUTO:
        if requested not in NAMES:
            official(requested)
        return Choice(requested, f"{requested}, as asked")
    if weights is not None:
        return Choice(default.name, f"{default.name}, with the weights in {weights.name}")
    folders = folders or CacheFolders.of_this_user()
    has_built_in = built_in_folder() is not None if built_in is None else built_in
    if not (has_tensorflow() if tensorflow is None else tensorflow):
        sha256 = _official_hash(default, folders)
        if sha256 and cached_extractor(folders.extractors, default.name, sha256) is not None:
            return Choice(default.name, f"{default.name}: it was compiled on this machine before")
        if has_built_in:
            return Choice(BUILT_IN, f"{BUILT_IN}, as without TensorFlow no other can be compiled")
        raise WeightsNotFoundError(
            f"There is no built-in backbone, and any other needs {TENSORFLOW}"
        )
    if find_weights(default, folders) is not None:
        return Choice(default.name, f"{default.name}: its official weights are on this machine")
    if is_reachable(default.url):
        return Choice(default.name, f"{default.name}: its official weights can be downloaded")
    if has_built_in:
        return Choice(
            BUILT_IN, f"{BUILT_IN}: the official weights are neither here nor within reach"
        )
    raise WeightsNotFoundError(
        f"The official weights of {default.name} are neither on this machine nor within reach, and "
        "there is no built-in backbone; offline use needs --weights FILE."
    )


def _official_hash(backbone: OfficialBackbone, folders: CacheFolders) -> str | None:
    """Say which weights are the official ones; where nobody published it, those that are here."""
    if backbone.sha256 is None and (found := find_weights(backbone, folders)):
        return found.sha256
    return backbone.sha256


def _compiled_before(
    backbone: OfficialBackbone, folders: CacheFolders, weights_sha256: str | None
) -> tuple[str, bytes] | None:
    """Find what was compiled of weights of this hash, if it is known; returns it with the hash.

    Where nothing can be compiled, what was compiled of the official weights will do; and what is
    damaged counts as absent only where it can be compiled anew.

    Raises:
        WeightsMismatchError: if it is damaged, and cannot.
        BackboneError: if there is none, and none can be compiled.
    """
    tensorflow = has_tensorflow()
    hashes, mended = [weights_sha256], [WeightsMismatchError]
    if not tensorflow:
        hashes.append(_official_hash(backbone, folders))
        mended.clear()
    for sha256 in filter(None, hashes):
        with suppress(*mended):
            content = read_extractor(folders.extractors, backbone.name, sha256)
            if content is not None:
                return sha256, content
    if not tensorflow:
        raise BackboneError(
            f"Compiling {backbone.name} needs {TENSORFLOW}; --backbone {BUILT_IN} needs none, and "
            "a project that began elsewhere goes on here as a copy of key S."
        )
    return None


def load_backbone(  # noqa: PLR0913 - all keyword-only but the name
    name: str = AUTO,
    *,
    weights: Path | None = None,
    weights_sha256: str | None = None,
    feature_kind: FeatureKind = "pooled",
    threads: int = 1,
    progress: Progress = ignore_progress,
    cancelled: Cancelled = never_cancelled,
    folders: CacheFolders | None = None,
) -> LiteRTBackbone:
    """Open a backbone; download and compile it first where that was not done before.

    May take half a minute the first time, for the worker thread; `cancelled` is asked ten times a
    second meanwhile. The weights of an official backbone are looked for, by default in this user's
    caches, unless they are given; of one that was fine-tuned, or is carried compiled, they are its
    file in the project. Where they are not given but known by `weights_sha256`, what was compiled
    of them on this machine is taken before any weights are looked for, and in place of a carried
    file that is not sound. `threads` are those of a run of the network.

    Raises:
        InvalidValueError: if there is no such backbone.
        BackboneError: if it cannot be had; the subclass and the one line say why.
        CancelledError: if asked to stop.
    """
    folders = folders or CacheFolders.of_this_user()
    if weights is not None and weights.name in (TUNED_WEIGHTS, CARRIED):
        try:
            return _out_of_project(name, weights, feature_kind, threads)
        except BackboneError as error:
            sha256, content = weights_sha256 or "", None
            with suppress(BackboneError):  # one line of what is damaged is enough
                content = read_extractor(folders.extractors, name, sha256)
            if content is None:
                raise
            _log.warning("What was compiled on this machine is used instead: %s", error)
        return LiteRTBackbone(official(name).info(feature_kind, sha256), content, threads)
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

    if weights is None:
        compiled = _compiled_before(backbone, folders, weights_sha256)
        if compiled is not None:
            return LiteRTBackbone(backbone.info(feature_kind, compiled[0]), compiled[1], threads)

    def downloaded(size: int, total: int | None) -> None:
        what = Text("downloading {name}: {size:.1f} MB", name=name, size=size / 1e6)
        progress(size / total if total else 0.0, what)

    found = obtain_weights(
        backbone, given=weights, folders=folders, progress=downloaded, cancelled=cancelled
    )
    extractor = obtain_extractor(
        name, found, folder=folders.extractors, progress=progress, cancelled=cancelled
    )
    return LiteRTBackbone(backbone.info(feature_kind, found.sha256), extractor, threads)


def _out_of_project(
    name: str, file: Path, feature_kind: FeatureKind, threads: int
) -> LiteRTBackbone:
    """Open what lies in a project's folder: fine-tuned, or carried compiled."""
    if file.name == TUNED_WEIGHTS:
        tuned = read_tuned(file, feature_kind)
        info, extractor, what = tuned.info, tuned.extractor, "fine-tuned"
        try:
            check_model(extractor)
        except (ValueError, ImportError) as error:
            raise BackboneError(f"{file.with_name(EXTRACTOR)} cannot be run: {error}") from error
    else:
        (info, extractor), what = read_carried(file, feature_kind), "compiled"
    if name not in (AUTO, info.name):
        raise WeightsMismatchError(f"{file} is a {what} {info.name}, not {name}.")
    return LiteRTBackbone(info, extractor, threads)


def weights_file(
    info: BackboneInfo,
    given: Path | None = None,
    folders: CacheFolders | None = None,
    *,
    project: Path | None = None,
) -> Path:
    """Find the weights of a backbone in use: in its project, as given by `--weights`, or cached.

    Raises:
        WeightsNotFoundError: if they are nowhere.
        WeightsMismatchError: if what is there are other weights.
    """
    own = tuned_weights(project, info) if project else None
    if own is None and given is not None and given.name == TUNED_WEIGHTS:
        own = given
    if own is not None:
        return _same(own, info)
    if info.name == BUILT_IN:
        built_in = read_built_in(info.feature_kind)
        if built_in.info.weights_sha256 != info.weights_sha256:
            raise WeightsMismatchError(
                "The model was trained on another version of the built-in backbone; train it again."
            )
        return built_in.weights
    if given is not None:
        return _same(given, info)
    found = find_weights(official(info.name), folders or CacheFolders.of_this_user())
    if found is not None and found.sha256 == info.weights_sha256:
        return found.path
    raise WeightsNotFoundError(
        f"The weights file of {info.name} (SHA-256 {info.weights_sha256[:12]}…) is needed, and is "
        "not in the cache; pass it with --weights FILE."
    )


def _same(path: Path, info: BackboneInfo) -> Path:
    """Return the file if it holds just these weights."""
    sha256 = hash_of(path)
    if sha256 != info.weights_sha256:
        raise WeightsMismatchError(
            f"{path} holds other weights ({sha256[:12]}) than the model was trained on "
            f"({info.weights_sha256[:12]})."
        )
    return path
