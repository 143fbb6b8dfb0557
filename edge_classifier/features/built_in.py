"""The backbone that comes with the package: where it is, and whether it is whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_classifier.errors import BackboneError, WeightsMismatchError, WeightsNotFoundError
from edge_classifier.features.catalogue import BUILT_IN
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from edge_classifier.values import FeatureKind


@dataclass(frozen=True, slots=True, eq=False)
class StoredBackbone:
    """A backbone that was read from a folder, and is whole.

    Attributes:
        extractor: The TFLite file's bytes.
        weights: The `.npz` that `graphs.backbones.build_backbone` builds the same from.
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


def read_built_in(feature_kind: FeatureKind, folder: Path | None = None) -> StoredBackbone:
    """Read the built-in backbone out of a folder, by default the package's.

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
        low, high = about.get("scale", (-1.0, 1.0))
        preprocessing = {"input_size": about["input_size"], "resize": "mipmap"}
        about |= {
            "name": BUILT_IN,
            "feature_kind": feature_kind,
            "preprocessing": {**preprocessing, "low": low, "high": high},
        }
        info = BackboneInfo.from_json(about)
        expected = about["extractor_sha256"]
        extractor = (folder / f"{BUILT_IN}.tflite").read_bytes()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackboneError(
            f"The built-in backbone in {folder} cannot be read ({error}); "
            "install the package again."
        ) from error
    if hashlib.sha256(extractor).hexdigest() != expected:
        raise WeightsMismatchError(
            f"{folder / f'{BUILT_IN}.tflite'} is damaged: its hash is not the one in "
            f"{description.name}; install the package again."
        )
    return StoredBackbone(info, extractor, folder / f"{BUILT_IN}.weights.npz")
