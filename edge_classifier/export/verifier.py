"""A bundle, the live path and the Keras graph on the same pictures."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.classifier import Classifier
from edge_classifier.errors import ExportError, InvalidImageError, NotEnoughSamplesError
from edge_classifier.export.comparison import Comparison, Run, compare
from edge_classifier.export.formats import FLOAT32, LIMITS
from edge_classifier.export.runs import (
    KERAS,
    LIVE_PATH,
    Labelled,
    Network,
    collect,
    fingerprint,
    run_file,
    run_keras,
)
from edge_classifier.features.backbone import weights_file
from edge_classifier.learning.splits import VERIFIED, spread
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.picture_paths import labelled_pictures
from edge_classifier.protocols import part_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from edge_classifier.device.bundle import Bundle
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.learning.model import Model
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Backbone, Cancelled, Progress


_READ: Final = 0.5
_ASKED: Final = 0.2
_BUILT: Final = 0.8
"""Parts of the whole, for the progress bar."""


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """What came out.

    Attributes:
        reference: What everything was compared with.
        comparisons: One a run.
        problems: What is wrong, by the run's name.
        paths: The pictures.
        runs: What each run said, by its name, the reference first.
        refused: Pictures that could not be read, one line each.
    """

    reference: str
    comparisons: tuple[Comparison, ...]
    problems: dict[str, str]
    paths: tuple[Path, ...]
    runs: dict[str, Run]
    refused: tuple[str, ...]


def verify_with_project(
    bundle: Bundle,
    store: ProjectStore,
    model: Model,
    backbone: Backbone,
    *,
    weights: Path | None,
    progress: Progress,
    cancelled: Cancelled,
) -> Verification:
    """Replay samples, held-out ones if there are any, through everything that there is.

    Raises:
        ExportError: if the bundle was exported from another model, or cannot be used.
        BackboneError: if there are no weights to build the graph from.
    """
    if bundle.spec.get("fingerprint") != fingerprint(model):
        raise ExportError(
            f"{bundle.folder} was exported from another model than {store.name} has now; "
            "export it again."
        )
    samples = {s.path: s for s in spread(store.held_out() or store.samples(), VERIFIED)}
    ids = {name: n for n, name in enumerate(model.class_names)}
    progress(0.0, "asking the live path")
    evidence = collect(
        [Labelled(s.path, ids.get(s.class_name, -1)) for s in samples.values()],
        lambda path: store.read_image(samples[path]),
        model,
        backbone,
        progress=part_of(progress, 0.0, _ASKED),
        cancelled=cancelled,
    )
    with tempfile.TemporaryDirectory() as scratch:
        file = weights_file(backbone.info, weights, project=store.path)
        keras = run_keras(
            Network(store.name, model, backbone.info, file),
            Path(scratch),
            squares=evidence.squares,
            progress=part_of(progress, _ASKED, _BUILT),
            cancelled=cancelled,
        )
    runs = {KERAS: keras, LIVE_PATH: evidence.live}
    runs |= _run_files(bundle, bundle.formats, evidence.squares, part_of(progress, _BUILT, 1.0))
    return _verification(runs, evidence.class_ids, evidence.paths, evidence.refused)


def verify_with_pictures(bundle: Bundle, folder: Path, progress: Progress) -> Verification:
    """Compare the bundle's files with each other, float32 leading, on a folder per class.

    Raises:
        InvalidValueError: if the folder has no pictures of the classes.
        ExportError: if the bundle has only one file, so that there is nothing to compare.
    """
    pictures, refused = labelled_pictures(folder, bundle.class_names)
    squares: list[npt.NDArray[np.uint8]] = []
    ids: list[int] = []
    paths: list[Path] = []
    for done, (path, class_id) in enumerate(pictures):
        progress(_READ * (done + 1) / len(pictures), "reading pictures")
        try:
            image: Image = read_image(path)
        except InvalidImageError as error:
            refused.append(str(error))
            continue
        squares.append(bundle.preprocessing.square(image))
        ids.append(class_id)
        paths.append(path)
    if not paths:
        raise NotEnoughSamplesError(f"There is no picture in {folder} that can be read.")
    formats = sorted(bundle.formats, key=lambda f: f != FLOAT32)
    runs = _run_files(bundle, formats, np.stack(squares), part_of(progress, _READ, 1.0))
    return _verification(runs, np.array(ids, np.int64), tuple(paths), tuple(refused))


def _run_files(
    bundle: Bundle,
    formats: Sequence[str],
    squares: npt.NDArray[np.uint8],
    progress: Progress,
) -> dict[str, Run]:
    """Ask each of a bundle's files."""
    runs = {}
    for number, name in enumerate(formats):
        asked = part_of(progress, number / len(formats), (number + 1) / len(formats))
        asked(0.0, f"asking {name}")
        runs[name] = run_file(Classifier(bundle, name), squares, asked)
    return runs


def _verification(
    runs: dict[str, Run],
    class_ids: npt.NDArray[np.int64] | None,
    paths: tuple[Path, ...],
    refused: tuple[str, ...],
) -> Verification:
    """Compare every run with the first one."""
    reference = next(iter(runs))
    comparisons = tuple(
        compare(name, run, runs[reference], class_ids) for name, run in runs.items()
    )
    problems = {
        c.name: problem
        for c in comparisons
        if (problem := c.problem(LIMITS.get(c.name, LIMITS[FLOAT32])))
    }
    return Verification(reference, comparisons, problems, paths, runs, refused)
