"""A project's own backbone: fine-tuned on its samples, kept in its folder.

`project.json` says by the hash of its weights which one is in use, so that changing over is one
atomic write; each lies whole in `backbone/<first 16 digits of that hash>/`::

    tuned.json            what it is, and the hash of the extractor
    tuned.tflite          the compiled extractor
    tuned.weights.npz     what it was compiled from (see `graphs.tuned_network`), for exporting
    built-in.json         of which size the network is, where it is the built-in one
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import read_regular
from edge_classifier.errors import WeightsMismatchError
from edge_classifier.features.built_in import StoredBackbone
from edge_classifier.features.catalogue import BUILT_IN
from edge_classifier.project.files import is_temporary, reported, temporary_name
from edge_classifier.project.folder import BACKBONE, check_folder
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.values import FeatureKind

TUNED_WEIGHTS: Final = "tuned.weights.npz"
EXTRACTOR: Final = "tuned.tflite"
JOB: Final = "job.json"
VIEWS: Final = "views.npz"
MAX_BYTES: Final = 100_000_000
"""More than any file of a tuned backbone has."""

FROZEN_UP_TO: Final = {
    "v1-0.25": "conv_pw_10_relu",
    "v2-0.35": "block_13_project_BN",
    "v2-1.0": "block_13_project_BN",
    BUILT_IN: "conv_pw_10_relu",
}
"""The last layer that stays as it is, of each backbone that can be tuned: three blocks follow."""

_ABOUT: Final = "tuned.json"
_DIGITS: Final = 16


def tuned_weights(project: Path, info: BackboneInfo) -> Path | None:
    """Find the weights of a backbone, or `None` where the project has no such one of its own."""
    return own_file(project, info, TUNED_WEIGHTS)


def read_tuned(weights: Path, feature_kind: FeatureKind) -> StoredBackbone:
    """Read a tuned backbone, by its weights: named like its base, with twice its features.

    Raises:
        WeightsMismatchError: if it is damaged.
    """
    folder = weights.parent
    try:
        about = json.loads(read_regular(folder / _ABOUT, MAX_BYTES))
        info = BackboneInfo.from_json({**about, "feature_kind": feature_kind})
        extractor = read_regular(folder / EXTRACTOR, MAX_BYTES)
        contents = (extractor, read_regular(weights, MAX_BYTES))
        hashes = [hashlib.sha256(content).hexdigest() for content in contents]
        whole = hashes == [about["extractor_sha256"], info.weights_sha256]
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise _damaged(weights) from error
    if not whole:
        raise _damaged(weights)
    return StoredBackbone(info, extractor, weights)


def new_folder(project: Path) -> Path:
    """Make a folder to fine-tune in; what an earlier one left behind is cleared away.

    Raises:
        ProjectError: if it cannot be made.
    """
    parent = project / BACKBONE
    check_folder(parent)
    with reported("write in", project):
        parent.mkdir(exist_ok=True)
        for left in [path for path in parent.iterdir() if is_temporary(path.name)]:
            shutil.rmtree(left, ignore_errors=True)
        made = parent / temporary_name()
        made.mkdir()
    return made


def keep_tuned(project: Path, made: Path, base: BackboneInfo) -> BackboneInfo:
    """Take what was fine-tuned into the project, whole or not at all.

    `made`, from `new_folder`, holds weights and extractor and is moved; `base` is the backbone that
    it was made of.

    Returns:
        What it is; `project.json` still has to name it.

    Raises:
        ProjectError: if it cannot be written.
    """
    with reported("write in", project):
        extractor = (made / EXTRACTOR).read_bytes()
        info = tuned_info(made, base)
        about = {**info.as_json(), "extractor_sha256": hashlib.sha256(extractor).hexdigest()}
        (made / _ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        target = own_folder(project, info.weights_sha256)
        if _is_whole(target):  # the same weights as before: the project may be using them now
            shutil.rmtree(made, ignore_errors=True)
        else:
            shutil.rmtree(target, ignore_errors=True)
            made.rename(target)
    return info


def tuned_info(made: Path, base: BackboneInfo) -> BackboneInfo:
    """Say what was made of a base in a folder: a backbone with twice its features."""
    height, width, channels = base.feature_shape
    return replace(
        base,
        feature_shape=(height, width, 2 * channels),
        weights_sha256=hashlib.sha256((made / TUNED_WEIGHTS).read_bytes()).hexdigest(),
    )


def _is_whole(folder: Path) -> bool:
    try:
        read_tuned(folder / TUNED_WEIGHTS, "pooled")
    except WeightsMismatchError:
        return False
    return True


def forget_tuned(project: Path, but: BackboneInfo | None = None) -> None:
    """Delete the backbones that were fine-tuned, but for the one that the project uses.

    A folder that cannot be deleted is only a waste of room.
    """
    parent = project / BACKBONE
    kept = but and own_folder(project, but.weights_sha256)
    if parent.is_symlink() or not parent.is_dir():
        return
    for folder in parent.iterdir():
        if folder != kept and (folder / TUNED_WEIGHTS).exists():
            shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # it holds something else
        parent.rmdir()


def is_hash(text: str) -> bool:
    """Say whether a text is a SHA-256, and so can be part of a path."""
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def own_file(project: Path, info: BackboneInfo, name: str) -> Path | None:
    """Find a file of a backbone in the project's own folder of it, or `None`."""
    if not is_hash(info.weights_sha256):
        return None
    path = own_folder(project, info.weights_sha256) / name
    return path if path.is_file() else None


def own_folder(project: Path, weights_sha256: str) -> Path:
    """Where a project keeps a backbone with weights of this hash, if it keeps it at all."""
    return project / BACKBONE / weights_sha256[:_DIGITS]


def _damaged(weights: Path) -> WeightsMismatchError:
    return WeightsMismatchError(
        f"The fine-tuned backbone in {weights.parent} is damaged; `edge-classifier train PROJECT "
        "--fine-tune` makes it again, `--undo-fine-tuning` goes back to the one before."
    )
