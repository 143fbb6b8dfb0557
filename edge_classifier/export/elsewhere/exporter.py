"""From a trained model to a folder for elsewhere, verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.export.elsewhere.format import Original
from edge_classifier.export.formats import INT8
from edge_classifier.export.new_folder import new_folder
from edge_classifier.export.replay import replay_live
from edge_classifier.export.samples import choose_samples
from edge_classifier.protocols import part_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_classifier.export.elsewhere.format import ElsewhereFormat
    from edge_classifier.learning.model import Model
    from edge_classifier.project.store import Snapshot
    from edge_classifier.protocols import Backbone, Cancelled, Progress

_COLLECTED: Final = 0.2
"""A part of the whole, for the progress bar."""


def export_elsewhere(  # noqa: PLR0913 - all keyword-only but what is exported
    project: Snapshot,
    model: Model,
    backbone: Backbone,
    elsewhere: ElsewhereFormat,
    *,
    out: Path | None = None,
    weights: Path | None = None,
    progress: Progress,
    cancelled: Cancelled,
) -> tuple[Path, Sequence[str]]:
    """Export a project's trained model to another framework or machine.

    The folder lies by default beside the project, as `<project>-<format>`; one of that format that
    is there is replaced. `weights` is the file of `--weights`.

    Returns:
        The folder, and what the user is to be told, one line each.

    Raises:
        ExportError: if it cannot be written, or does not answer as it should.
        BackboneError: if there are no weights to build it of.
        NotEnoughSamplesError: if no sample can be read.
        CancelledError: if asked to stop.
    """
    elsewhere.check_installed()
    target = out or project.path.with_name(f"{project.path.resolve().name}-{elsewhere.name}")
    with new_folder(target, elsewhere.kind) as folder:
        progress(0.0, "reading samples")
        chosen = choose_samples(project, (INT8,) if elsewhere.calibrates else ())
        evidence = replay_live(
            chosen.verifying,
            model,
            backbone,
            progress=part_of(progress, 0.0, _COLLECTED),
            cancelled=cancelled,
        )
        original = Original(project, model, backbone, evidence, weights, chosen.calibrating)
        lines = elsewhere.write(original, folder, part_of(progress, _COLLECTED, 1.0), cancelled)
        progress(1.0, "exported")
    return target, lines
