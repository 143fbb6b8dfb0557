"""The file that a backbone's weights came from, which the Keras graph is built of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_classifier.errors import WeightsMismatchError, WeightsNotFoundError
from edge_classifier.features.built_in import read_built_in
from edge_classifier.features.catalogue import BUILT_IN, official
from edge_classifier.features.tuned import TUNED_WEIGHTS, tuned_weights
from edge_classifier.features.weights import CacheFolders, find_weights, hash_of

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.values import BackboneInfo


def weights_file(
    info: BackboneInfo,
    given: Path | None = None,
    folders: CacheFolders | None = None,
    *,
    project: Path | None = None,
) -> Path:
    """Find the weights of a backbone in use.

    Args:
        info: The backbone.
        given: The file of `--weights`, if any.
        folders: The caches; by default this user's.
        project: The project's folder: it may have a backbone of its own.

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
        f"Exporting needs the weights file of {info.name} (SHA-256 {info.weights_sha256[:12]}…), "
        "which is not in the cache; pass it with --weights FILE."
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
