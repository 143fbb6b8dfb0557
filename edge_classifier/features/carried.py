"""An official backbone's compiled extractor, carried by a copy of a project.

A copy goes on with it where the backbone could not be compiled, for there is no TensorFlow. It lies
in `backbone/<first 16 digits of the hash of its weights>/`::

    carried.json    of which backbone and weights it is, and its own hash
    carried.tflite  the extractor

Somebody else may have made it: it is taken for no other weights than it names, and a child process
runs it before this one does.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.device.files import read_regular
from edge_classifier.errors import WeightsMismatchError
from edge_classifier.features.catalogue import OFFICIAL
from edge_classifier.features.extractors import cached_extractor
from edge_classifier.features.imagenet import read_network
from edge_classifier.features.tuned import MAX_BYTES, is_hash, own_file, own_folder, tuned_weights
from edge_classifier.features.weights import hash_of

if TYPE_CHECKING:
    from edge_classifier.features.weights import CacheFolders
    from edge_classifier.values import BackboneInfo, FeatureKind

CARRIED: Final = "carried.tflite"
_ABOUT: Final = "carried.json"
_MAX_ABOUT_BYTES: Final = 10_000


def carried_extractor(project: Path, info: BackboneInfo) -> Path | None:
    """Find the extractor of a backbone that a project carries, or `None` if it carries none."""
    return own_file(project, info, CARRIED)


def files_to_carry(
    project: Path, info: BackboneInfo | None, folders: CacheFolders
) -> dict[Path, bytes]:
    """Give what a copy of a project needs beside its own files, so that it needs no TensorFlow.

    Nothing, unless its backbone is an official one as it came, which was compiled here before.

    Returns:
        Contents, by the path within the copy.
    """
    if info is None or info.name not in OFFICIAL or tuned_weights(project, info):
        return {}
    content = cached_extractor(folders.extractors, info.name, info.weights_sha256)
    if content is None:
        return {}
    about = {
        "name": info.name,
        "weights_sha256": info.weights_sha256,
        "extractor_sha256": hashlib.sha256(content).hexdigest(),
    }
    folder = own_folder(Path(), info.weights_sha256)
    return {
        folder / _ABOUT: (json.dumps(about, indent=1) + "\n").encode(),
        folder / CARRIED: content,
    }


def hash_of_weights(path: Path) -> str:
    """Return the SHA-256 of the weights in a file, or of those that a carried extractor is of.

    Raises:
        WeightsNotFoundError: if it cannot be read.
        BackboneError: if it is a carried extractor that is damaged.
    """
    return read_carried(path, "pooled")[0].weights_sha256 if path.name == CARRIED else hash_of(path)


def read_carried(path: Path, feature_kind: FeatureKind) -> tuple[BackboneInfo, bytes]:
    """Read a carried extractor and what it is, once a child process has run it.

    Raises:
        WeightsMismatchError: if it is damaged, or not what it is said to be.
        BackboneError: if it cannot be run.
    """
    damaged = WeightsMismatchError(
        f"The compiled network in {path.parent} is damaged: save the copy again where the project "
        "came from, or delete that folder to have it compiled anew."
    )
    try:
        about = json.loads(read_regular(path.with_name(_ABOUT), _MAX_ABOUT_BYTES))
        info = OFFICIAL[about["name"]].info(feature_kind, about["weights_sha256"])
        sha256 = hashlib.sha256(read_regular(path, MAX_BYTES)).hexdigest()
        whole = is_hash(info.weights_sha256) and sha256 == about["extractor_sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged from error
    if not whole:
        raise damaged
    return info, read_network(path)
