"""The backbone that comes with the package: where it is, and whether it is whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.device.preprocessing import Preprocessing
from edge_classifier.errors import BackboneError, WeightsMismatchError, WeightsNotFoundError
from edge_classifier.features.catalogue import BUILT_IN
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from edge_classifier.values import FeatureKind


@dataclass(frozen=True, slots=True, eq=False)
class BuiltIn:
    """The built-in backbone, read and checked.

    Attributes:
        info: What it is.
        extractor: The TFLite file's bytes.
        weights: The `.npz` that `compile_extractor.build_keras_model` builds the same from.
    """

    info: BackboneInfo
    extractor: bytes
    weights: Path


def built_in_folder() -> Path | None:
    """Find the folder: `models` inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "models", package.parent / "models"):
        if (folder / f"{BUILT_IN}.json").is_file():
            return folder
    return None


def read_built_in(feature_kind: FeatureKind, folder: Path | None = None) -> BuiltIn:
    """Read the built-in backbone.

    Args:
        feature_kind: Which features it shall give.
        folder: Where it is, or `None` to find it.

    Raises:
        WeightsNotFoundError: if this installation has none.
        WeightsMismatchError: if a file is damaged.
        BackboneError: if its description is damaged.
    """
    folder = folder or built_in_folder()
    if folder is None:
        raise WeightsNotFoundError(
            "This installation has no built-in backbone; offline use needs --weights FILE."
        )
    description = folder / f"{BUILT_IN}.json"
    try:
        about = json.loads(description.read_text(encoding="utf-8"))
        height, width, channels = about["feature_shape"]
        low, high = about.get("scale", (-1.0, 1.0))
        offset = about.get("root_offset")
        info = BackboneInfo(
            name=BUILT_IN,
            feature_shape=(int(height), int(width), int(channels)),
            feature_kind=feature_kind,
            weights_sha256=str(about["weights_sha256"]),
            preprocessing=Preprocessing(int(about["input_size"]), low=float(low), high=float(high)),
            root_offset=None if offset is None else float(offset),
        )
        expected = about["extractor_sha256"]
        extractor = (folder / f"{BUILT_IN}.tflite").read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackboneError(
            f"The built-in backbone in {folder} cannot be read ({error}); "
            "install the package again."
        ) from error
    if hashlib.sha256(extractor).hexdigest() != expected:
        raise WeightsMismatchError(
            f"{folder / f'{BUILT_IN}.tflite'} is damaged: its hash is not the one in "
            f"{description.name}; install the package again."
        )
    return BuiltIn(info, extractor, folder / f"{BUILT_IN}.weights.npz")
