"""Whether a bundle is what the live path says, on the same pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.errors import ExportError, InvalidImageError, NotEnoughSamplesError
from edge_classifier.export.formats import FLOAT32, LIMITS, Comparison, Replay, compare
from edge_classifier.export.replay import (
    LIVE_PATH,
    VERIFIED,
    fingerprint,
    replay_files,
    replay_live,
)
from edge_classifier.export.taught import ADAPTED, replay_adapted
from edge_classifier.features.subsample import spread_samples
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.picture_paths import labelled_pictures
from edge_classifier.protocols import part_of

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.bundle import Bundle
    from edge_classifier.learning.model import Model
    from edge_classifier.project.store import Snapshot
    from edge_classifier.protocols import Backbone, Cancelled, Progress


_READ: Final = 0.5
"""A part of the whole, for the progress bar."""


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """What came out.

    Attributes:
        references: What each was compared with, by its name.
        comparisons: One an implementation.
        problems: In what it differs too much, by the implementation's name.
        replays: What each implementation said, by its name, what the others were compared with
            first.
        refused: Pictures that could not be read, one line each.
    """

    references: dict[str, str]
    comparisons: tuple[Comparison, ...]
    problems: dict[str, str]
    paths: tuple[Path, ...]
    replays: dict[str, Replay]
    refused: tuple[str, ...]

    @property
    def compared(self) -> list[Comparison]:
        """The comparisons, without those of a reference with itself."""
        return [c for c in self.comparisons if self.references[c.name] != c.name]


def verify_with_project(
    bundle: Bundle,
    project: Snapshot,
    model: Model,
    backbone: Backbone,
    *,
    progress: Progress,
    cancelled: Cancelled,
) -> Verification:
    """Replay samples, held-out ones if there are any, through everything that there is.

    Raises:
        ExportError: if the bundle was exported from another model, or cannot be used.
    """
    if bundle.spec.get("fingerprint") != fingerprint(model):
        raise ExportError(
            f"{bundle.folder} was exported from another model than {project.name} has now; "
            "export it again."
        )
    progress(0.0, "asking the live path")
    evidence = replay_live(
        spread_samples(project.held_out or project.samples, VERIFIED),
        model,
        backbone,
        progress=part_of(progress, 0.0, _READ),
        cancelled=cancelled,
    )
    replays = {LIVE_PATH: evidence.live}
    files = part_of(progress, _READ, 1.0)
    replays |= replay_files(bundle, bundle.formats, evidence.squares, files)
    adapted = replay_adapted(bundle, model, backbone, evidence.squares)
    return _verification((replays, adapted), evidence.class_ids, evidence.paths, evidence.refused)


def verify_with_pictures(bundle: Bundle, folder: Path, progress: Progress) -> Verification:
    """Compare the bundle's files with each other, float32 leading, on a folder per class.

    Raises:
        InvalidValueError: if the folder has no pictures of the classes.
        NotEnoughSamplesError: if none of them can be read.
    """
    pictures, refused = labelled_pictures(folder, bundle.class_names)
    squares, ids, paths = [], [], []
    for done, (path, class_id) in enumerate(pictures):
        progress(_READ * (done + 1) / len(pictures), "reading pictures")
        try:
            image = read_image(path)
        except InvalidImageError as error:
            refused.append(str(error))
            continue
        squares.append(bundle.preprocessing.square(image))
        ids.append(class_id)
        paths.append(path)
    if not paths:
        raise NotEnoughSamplesError(f"There is no picture in {folder} that can be read.")
    formats = sorted(bundle.formats, key=lambda f: f != FLOAT32)
    replays = replay_files(bundle, formats, np.stack(squares), part_of(progress, _READ, 1.0))
    return _verification((replays,), np.array(ids, np.int64), tuple(paths), tuple(refused))


def _verification(
    groups: tuple[dict[str, Replay], ...],
    class_ids: npt.NDArray[np.int64] | None,
    paths: tuple[Path, ...],
    refused: tuple[str, ...],
) -> Verification:
    """Compare every implementation with the first one of its group."""
    references = {name: next(iter(replays)) for replays in groups for name in replays}
    replays = {name: replay for replays in groups for name, replay in replays.items()}
    comparisons = tuple(
        compare(name, replay, replays[references[name]], class_ids)
        for name, replay in replays.items()
    )
    problems = {
        c.name: problem
        for c in comparisons
        if (problem := c.problem(LIMITS.get(c.name.removesuffix(ADAPTED), LIMITS[FLOAT32])))
    }
    return Verification(references, comparisons, problems, paths, replays, refused)
