"""Whether a saved `ImageClassifier` meets the very backbone that it was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.errors import BackboneMismatchError, ProjectFormatError
from edge_classifier.features.catalogue import BUILT_IN
from edge_classifier.features.weights import hash_of

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.api.classifier_file import SavedClassifier
    from edge_classifier.values import BackboneInfo


def identity_of(info: BackboneInfo) -> dict[str, str]:
    """Return what a saved classifier names its backbone by, see `SavedClassifier.backbone`."""
    return {
        "name": info.name,
        "feature_kind": info.feature_kind,
        "weights_sha256": info.weights_sha256,
    }


def check_weights(path: Path, weights: Path, saved: SavedClassifier) -> None:
    """Look at the weights file before anything opens it: the saved classifier names its hash.

    Args:
        path: Where the classifier was saved, for the message.
        weights: The file.
        saved: The classifier.

    Raises:
        BackboneMismatchError: if it is another one.
    """
    expected, found = saved.backbone["weights_sha256"], hash_of(weights)
    if found != expected:
        raise BackboneMismatchError(
            f"{path} was trained with the weights {expected[:12]}, {weights} is "
            f"{found[:12]}; pass the file of those as `weights`."
        )


def check_backbone(path: Path, info: BackboneInfo, saved: SavedClassifier) -> None:
    """Refuse a backbone whose features are not those that the classifier was trained on.

    Args:
        path: Where the classifier was saved, for the message.
        info: The backbone that was found.
        saved: The classifier.

    Raises:
        BackboneMismatchError: if it has other weights.
        ProjectFormatError: if its features are of another kind.
    """
    expected = saved.backbone["weights_sha256"]
    if info.weights_sha256 != expected:
        remedy = (
            "train and save it again, or use the version that saved it"
            if info.name == BUILT_IN
            else "pass the file of those as `weights`"
        )
        raise BackboneMismatchError(
            f"{path} was trained with other weights of {info.name} "
            f"({expected[:12]}, here {info.weights_sha256[:12]}); {remedy}."
        )
    if info.feature_dim != saved.model.head.feature_dim:
        raise ProjectFormatError(
            f"{path} holds features of another kind than {info.name} gives; save it again."
        )
