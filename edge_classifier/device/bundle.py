"""An exported folder, read and checked."""

from __future__ import annotations

import hashlib
import json
import string
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .errors import BundleError
from .files import read_regular
from .framing import NO_FRAMING, Framing
from .heat import ClassPlaces, HeatReferences
from .preprocessing import Preprocessing

if TYPE_CHECKING:
    from collections.abc import Mapping

BUNDLE_FORMAT: Final = "edge-classifier bundle"
BUNDLE_VERSION: Final = 1
SCORE_TOLERANCE: Final = {"float32": 1e-3, "float16": 5e-3, "dynamic": 5e-2, "int8": 5e-2}
"""The largest difference of a score from the one in the bundle. Float arithmetic differs in the
last digits between processors; int8 files step by 1/256, and where LiteRT runs dynamic-range and
int8 operators by other kernels, some steps add up."""

_MAX_TEXT_BYTES: Final = 16 * 1024 * 1024
_MAX_MODEL_BYTES: Final = 512 * 1024 * 1024
_MAX_CLASSES: Final = 10_000
_MAX_NAME: Final = 1000
_FILE_CHARACTERS: Final = frozenset(string.ascii_letters + string.digits + "_.-")


@dataclass(frozen=True, slots=True)
class Bundle:
    """An exported folder, read and checked.

    Attributes:
        spec: The content of `spec.json`.
        class_names: In the order of the scores.
        preprocessing: How an image becomes the network's input.
        threshold: Images less similar to the samples than this are unknown; `None` if that was
            not measured.
        neighbours: How many of the nearest samples that similarity is averaged over.
        hesitation_weight: How much less similar one nat of entropy of the scores makes an image.
        smoothing_s: Time constant of the steady label, in seconds.
        contents: Files that are not read from the folder, for they are held in memory.
        mirrored: Whether a camera's pictures were mirrored when it was trained.
        framing: How a camera's pictures were framed when it was taught.
    """

    folder: Path
    spec: dict[str, Any]
    class_names: tuple[str, ...]
    preprocessing: Preprocessing
    threshold: float | None
    neighbours: int
    hesitation_weight: float
    smoothing_s: float
    contents: Mapping[str, bytes] = field(default_factory=dict)
    mirrored: bool = False
    framing: Framing = NO_FRAMING

    @classmethod
    def open(cls, folder: Path) -> Bundle:
        """Read a bundle's description; its model is read by `model`.

        Raises:
            BundleError: if a file is missing, damaged or from a newer version.
        """
        spec, labels = _read_texts(folder)
        path = folder / "spec.json"
        try:
            unknown = spec["unknown"] or {"threshold": None, "neighbours": 1}
            threshold = unknown["threshold"]
            bundle = cls(
                folder,
                spec,
                checked_names(spec["class_names"]),
                Preprocessing(**spec["preprocessing"]),
                None if threshold is None else checked_number(threshold, -100.0, 100.0),
                int(checked_number(unknown["neighbours"], 1, 1000)),
                # Bundles from before that was measured have none.
                checked_number(unknown.get("hesitation_weight", 0.0), 0.0, 100.0),
                checked_number(spec["smoothing_s"], 0.0, 3600.0),
                framing=Framing.from_json(spec.get("framing", {})),
            )
            _check_notes(spec)
            _check_files(spec)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise BundleError(
                f"{path} is damaged ({type(error).__name__}: {error}); copy the bundle again."
            ) from error
        if labels != bundle.class_names:
            raise BundleError(
                f"{folder / 'labels.txt'} has {len(labels)} labels that are not the "
                f"{len(bundle.class_names)} classes of spec.json; copy the bundle again."
            )
        return bundle

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats of its model files, the default one first."""
        return tuple(self.spec["models"])

    def model(self, model_format: str | None = None) -> bytes:
        """Read a model file, by default the first of `formats`.

        Raises:
            BundleError: if there is none, or it is damaged.
        """
        model_format = model_format or self.formats[0]
        if model_format not in self.formats:
            raise BundleError(
                f"{self.folder} has no {model_format} model; it has {', '.join(self.formats)}."
            )
        return self.read(self.spec["models"][model_format], _MAX_MODEL_BYTES)

    def oldest_runtimes(self, model_format: str) -> str:
        """Say from which versions of the runtimes on a model can be read; empty if not known."""
        versions = self.spec["models"][model_format].get("oldest_runtimes", {})
        return " or ".join(f"{name} {version}" for name, version in versions.items())

    def heat(self, model_format: str) -> HeatReferences:
        """Read what one of its models needs for heat maps.

        Raises:
            BundleError: if there is none, or it is damaged.
        """
        about = self.spec["models"][model_format].get("heat")
        if about is None:
            raise BundleError(
                f"{self.folder} has nothing to make heat maps with: it was exported by an older "
                "version; export it again."
            )
        content = self.read(about, _MAX_MODEL_BYTES)
        path = self.folder / about["file"]
        try:
            return _heat(content, about, self.class_names, self.spec["backbone"]["feature_shape"])
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"{path} does not fit to spec.json ({type(error).__name__}: {error}); copy the "
                "bundle again."
            ) from error

    def read(self, about: dict[str, Any], most_bytes: int) -> bytes:
        """Read a file of the bundle that `spec.json` has a hash of.

        Raises:
            BundleError: if it is damaged.
        """
        path = self.folder / about["file"]
        if (held := self.contents.get(about["file"])) is not None:
            return held
        try:
            content = read_regular(path, most_bytes)
        except OSError as error:
            raise BundleError(
                f"{path} cannot be read ({error.strerror}); copy the bundle again."
            ) from error
        if hashlib.sha256(content).hexdigest() != about["sha256"]:
            raise BundleError(
                f"{path} is not the file of this bundle: it is truncated, damaged or was "
                "replaced; copy the bundle again."
            )
        return content


def heat_content(
    references: HeatReferences, class_names: tuple[str, ...]
) -> tuple[bytes, dict[str, Any]]:
    """Give what `Bundle.heat` reads again: the file, 16-bit floats, and what spec.json says of it.

    Classes that nothing is known of have no places.
    """
    nothing = ClassPlaces(np.empty((0, references.shape[2]), np.float32), 1.0)
    known = [references.classes.get(name, nothing) for name in class_names]
    content = b"".join(one.places.astype("<f2").tobytes() for one in known)
    return content, {
        "sha256": hashlib.sha256(content).hexdigest(),
        "places": [len(one.places) for one in known],
        "usual": [one.usual for one in known],
    }


def _heat(
    content: bytes, about: dict[str, Any], class_names: tuple[str, ...], shape: list[int]
) -> HeatReferences:
    counts, usual = about["places"], about["usual"]
    if len(counts) != len(class_names) or len(usual) != len(class_names):
        raise ValueError("it is of other classes")
    height, width, channels = (int(checked_number(n, 1, 1 << 16)) for n in shape)
    ends = np.cumsum([int(checked_number(n, 0, 1 << 16)) for n in counts]).tolist()
    places = np.frombuffer(content, "<f2").astype(np.float32)
    if len(places) != ends[-1] * channels or not np.isfinite(places).all():
        raise ValueError("it has another size, or holds values that are no numbers")
    parts = np.split(places.reshape(-1, channels), ends[:-1])
    return HeatReferences(
        (height, width, channels),
        {
            name: ClassPlaces(part, checked_number(distance, 1e-6, 1e6))
            for name, part, distance in zip(class_names, parts, usual, strict=True)
            if len(part)
        },
    )


def _read_texts(folder: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read what `spec.json` says and the lines of `labels.txt`."""
    path = folder / "spec.json"
    try:
        spec = json.loads(read_regular(path, _MAX_TEXT_BYTES), parse_constant=_no_number)
        text = read_regular(folder / "labels.txt", _MAX_TEXT_BYTES).decode()
    except OSError as error:
        raise BundleError(
            f"{folder} is no whole bundle: {Path(error.filename or path).name} cannot be read "
            f"({error.strerror}); copy the folder again."
        ) from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is damaged ({error}); copy the bundle again.") from error
    if not isinstance(spec, dict) or spec.get("format") != BUNDLE_FORMAT:
        raise BundleError(f"{path} belongs to something else; expected a bundle's spec.json.")
    if spec.get("version") != BUNDLE_VERSION:
        raise BundleError(
            f"{path} has version {spec.get('version')}, this classify.py reads "
            f"{BUNDLE_VERSION}; use the classify.py that came with the bundle."
        )
    return spec, tuple(text.replace("\r\n", "\n").rstrip("\n").split("\n"))


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def checked_number(value: object, low: float, high: float) -> float:
    """Refuse what is no number from `low` to `high`, with a `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"expected a number from {low:g} to {high:g}, received {value!r:.40}")
    return float(value)


def checked_names(names: object) -> tuple[str, ...]:
    """Refuse names that could not be told apart, printed, or handed to a command."""
    if not isinstance(names, list) or not 0 < len(names) <= _MAX_CLASSES:
        raise ValueError("class_names is no list of names")
    for name in names:
        if not isinstance(name, str) or not name or len(name) > _MAX_NAME or not _plain(name):
            raise ValueError(f"{name!r:.60} is no class name")
    if len(set(names)) != len(names):
        raise ValueError("two classes have the same name")
    return tuple(names)


def _plain(text: str) -> bool:
    """Say whether a text has no control character, no line break and no half of a pair."""
    return not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in text)


def _check_notes(spec: dict[str, Any]) -> None:
    """Refuse what has not the fields that are asked for later on."""
    for name in ("backbone", "made_with"):
        if not isinstance(spec.get(name) or {}, dict):
            raise TypeError(f"{name} has no fields")


def _check_files(spec: dict[str, Any]) -> None:
    """Refuse files outside of the bundle, and reference frames without their scores."""
    models = spec["models"]
    if not models or not set(models) <= set(SCORE_TOLERANCE):
        raise ValueError(f"models are {', '.join(models)}, known are {', '.join(SCORE_TOLERANCE)}")
    for about in models.values():
        for file in (about, about.get("heat", about)):
            checked_file(file["file"])
            if not isinstance(file["sha256"], str):
                raise TypeError("a file has no hash")
        for name, version in about.get("oldest_runtimes", {}).items():
            if not _plain(name) or not _plain(version):
                raise ValueError("a runtime has no plain name")
    for reference in spec.get("references", []):
        checked_file(reference["file"])
        for model_format in models:
            similarity = reference.get("similarities", {}).get(model_format)
            _check_answer(reference["scores"][model_format], similarity)
            if spec.get("taught") and "adapted" in reference:
                _check_answer(**reference["adapted"][model_format])


def _check_answer(scores: object, similarity: object) -> None:
    """Refuse what no model can have said; how familiar a frame is is not always known."""
    if not isinstance(scores, list):
        raise TypeError("a reference frame has no scores")
    for number in (*scores, 0.0 if similarity is None else similarity):
        checked_number(number, -100.0, 100.0)


def checked_file(name: object) -> None:
    """Refuse what is outside of a bundle, with a `ValueError`."""
    parts = name.split("/") if isinstance(name, str) else [""]
    if not all(part and part[0] != "." and set(part) <= _FILE_CHARACTERS for part in parts):
        raise ValueError(f"{name!r:.60} is no file of a bundle")
