"""From a trained model to a verified bundle."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import cv2
import numpy as np

from edge_classifier.device.bundle import Bundle, heat_content
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.trial import remember
from edge_classifier.errors import BundleError, CancelledError, ExportError, InvalidImageError
from edge_classifier.export.bundle import (
    BUNDLE,
    new_bundle,
    write_device,
    write_reference,
    write_spec,
    write_texts,
)
from edge_classifier.export.formats import (
    ALL,
    AUTO,
    FLOAT16,
    FLOAT32,
    LIMITS,
    Comparison,
    chosen_formats,
    compare,
    possible_formats,
)
from edge_classifier.export.model_files import model_file
from edge_classifier.export.new_folder import check_target
from edge_classifier.export.replay import (
    LIVE_PATH,
    STOPPED,
    Evidence,
    Seen,
    as_evidence,
    replay_files,
    see,
)
from edge_classifier.export.runtimes import OLDEST
from edge_classifier.export.samples import Calibration, choose_samples
from edge_classifier.export.spec import measured, new_spec
from edge_classifier.export.taught import add_adapted_answers, write_taught
from edge_classifier.learning.heat import fit_heat
from edge_classifier.project.picture_file import read_image
from edge_classifier.protocols import part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge_classifier.learning.model import Model
    from edge_classifier.project.store import Snapshot
    from edge_classifier.protocols import Backbone, Cancelled, Progress
    from edge_classifier.values import Sample


Export: TypeAlias = "Callable[[Model, Backbone, Snapshot, Progress, Cancelled], Path]"
"""Writes a bundle of a model, and returns where."""

_REFERENCES: Final = 8
_REFERENCE_SIZE: Final = 640
"""Longest side of a reference frame: what a webcam gives; larger ones would fill the bundle."""

_COLLECTED: Final = 0.2
_COMPOSED: Final = 0.5
_COMPARED: Final = 0.8
"""Parts of the whole, for the progress bar."""


def export_bundle(  # noqa: PLR0913 - all keyword-only but what is exported
    project: Snapshot,
    model: Model,
    backbone: Backbone,
    *,
    formats: str = FLOAT32,
    out: Path | None = None,
    threads: int | None = None,
    progress: Progress,
    cancelled: Cancelled,
) -> Path:
    """Export a project's trained model, for the worker thread: a second, or five for `all`.

    Every file is compared with the live path before the bundle gets its name. `formats` is one,
    `all`, or `auto`: the smallest and fastest that is right. The bundle lies by default beside the
    project, as `<project>-bundle`; one that is there is replaced. So many `threads` look at
    samples, all cores if `None`; `cancelled` is asked several times a second.

    Returns:
        The bundle's folder.

    Raises:
        ExportError: if it cannot be written, or is not the same classifier.
        NotEnoughSamplesError: if no sample can be read.
        CancelledError: if asked to stop.
    """
    info = backbone.info
    wanted, left_out = possible_formats(chosen_formats(formats), info)
    if not wanted:
        raise ExportError(f"{formats} is not possible: {left_out[formats]}.")
    target = out or project.path.with_name(f"{project.path.resolve().name}-bundle")
    check_target(target, BUNDLE)
    progress = _stopping(progress, cancelled)
    progress(0.0, "reading samples")
    chosen = choose_samples(project, wanted)
    collecting = part_of(progress, 0.0, _COLLECTED)
    seen, refused = see(
        chosen.all_to_see,
        model,
        backbone,
        places=chosen.places,
        threads=threads,
        progress=collecting,
        cancelled=cancelled,
    )
    compared = {sample.path for sample in chosen.verifying}
    evidence = as_evidence([s for s in seen if s.sample.path in compared], model, refused)
    with new_bundle(target) as folder:
        spec = new_spec(project, model, info)
        spec |= {"left_out": left_out, "measured_on": chosen.verified_on}
        composing = part_of(progress, _COLLECTED, _COMPOSED)
        calibration = None
        if chosen.calibrating:
            calibration = Calibration(chosen.calibrating, info.preprocessing, cancelled)
        spec["models"] = {}
        for done, model_format in enumerate(wanted):
            composing(done / len(wanted), f"composing {model_format}")
            try:
                content = model_file(model_format, model, backbone, calibration, project.name)
            except ExportError as error:
                if formats not in (ALL, AUTO) or model_format == FLOAT32:
                    raise
                left_out[model_format] = str(error)
            else:
                spec["models"][model_format] = _add_model(folder, model_format, content)
        spec["taught"] = write_taught(folder, model)
        write_texts(folder, name=project.name, class_names=model.class_names)
        write_device(folder)
        write_spec(folder, spec)
        _verify(folder, spec, formats, evidence, part_of(progress, _COMPOSED, _COMPARED))
        write_spec(folder, spec)
        measuring = part_of(progress, _COMPARED, 1.0)
        _add_heat(folder, spec, seen, measuring)
        write_spec(folder, spec)
        spec["references"] = _add_references(folder, chosen.verifying, measuring)
        add_adapted_answers(Bundle.open(folder), spec["references"], measuring)
        write_spec(folder, spec)
        progress(1.0, "exported")
    return target


def _stopping(progress: Progress, cancelled: Cancelled) -> Progress:
    """Let work stop wherever it says how far it is."""

    def told(done: float, what: str | None = None, /) -> None:
        if cancelled():
            raise CancelledError(STOPPED)
        progress(done, what)

    return told


def export_from_session(
    model: Model, backbone: Backbone, project: Snapshot, progress: Progress, cancelled: Cancelled
) -> Path:
    """Do what a session's export key asks for; an `Export`."""
    return export_bundle(
        project, model, backbone, threads=1, progress=progress, cancelled=cancelled
    )


def _add_model(folder: Path, model_format: str, content: bytes) -> dict[str, Any]:
    """Write a composed file into the bundle, and return what the spec says of it."""
    name = f"model-{model_format}.tflite"
    (folder / name).write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    remember(sha256)  # it was made here, and need not be tried as a stranger's
    return {
        "file": name,
        "bytes": len(content),
        "sha256": sha256,
        "oldest_runtimes": dict(OLDEST[model_format]),
    }


def _verify(
    folder: Path,
    spec: dict[str, Any],
    requested: str,
    evidence: Evidence,
    progress: Progress,
) -> None:
    """Compare all with the live path, keep the files that are right, and note it in the spec.

    Raises:
        ExportError: if no file says what the live picture shows.
    """
    bundle = Bundle.open(folder)
    live = compare(LIVE_PATH, evidence.live, evidence.live, evidence.class_ids)
    compared, problems = {}, {}
    for number, f in enumerate(spec["models"]):
        asking = part_of(progress, number / len(spec["models"]), (number + 1) / len(spec["models"]))
        try:
            replay = replay_files(bundle, (f,), evidence.squares, asking)[f]
        except BundleError as error:  # which the runtime does not take
            problems[f] = str(error).removesuffix(".")
            continue
        compared[f] = compare(f, replay, evidence.live, evidence.class_ids)
        if problem := compared[f].problem(LIMITS[f]):
            problems[f] = problem
    kept = _kept(requested, compared, problems)
    spec["models"] = _rename_models(folder, spec["models"], kept)
    spec["left_out"] |= problems
    spec["measured"] = {c.name: measured(c) for c in (live, *compared.values())}


def _kept(
    requested: str, comparisons: dict[str, Comparison], problems: dict[str, str]
) -> list[str]:
    """Say which files stay, the default one first.

    Raises:
        ExportError: if none can, or the one that was asked for cannot.
    """
    good = [f for f in comparisons if f not in problems]
    if not good or requested not in (ALL, AUTO, *good):
        model_format, problem = next(iter(problems.items()))
        raise ExportError(f"{model_format} is not the same classifier: {problem}.")
    if requested != AUTO:
        return good
    smallest = min(comparisons[f].bytes or 1 for f in good)
    fastest = min(comparisons[f].ms or 1.0 for f in good)

    def cost(model_format: str) -> float:
        found = comparisons[model_format]
        return (found.bytes or 1) / smallest * (found.ms or 1.0) / fastest

    return [min(good, key=cost)]


def _rename_models(
    folder: Path, models: dict[str, dict[str, Any]], kept: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Call the default file `model.tflite`, and take away those that are not kept."""
    renamed = {}
    for model_format in kept:
        about = models[model_format]
        if model_format == kept[0]:
            (folder / about["file"]).rename(folder / "model.tflite")
            about = {**about, "file": "model.tflite"}
        renamed[model_format] = about
    for model_format in set(models) - set(kept):
        (folder / models[model_format]["file"]).unlink()
    return renamed


def _add_heat(
    folder: Path,
    spec: dict[str, Any],
    seen: Sequence[Seen],
    progress: Progress,
) -> None:
    """Write what heat maps need beside the model files, and note it in the spec.

    Files that round what goes through them move feature maps, and are measured themselves.
    """
    bundle = Bundle.open(folder)
    known = [(one, one.spatial) for one in seen if one.spatial is not None]
    samples = [one.sample for one, _ in known]
    progress(0.0, "measuring heat maps")
    exact = fit_heat(samples, [spatial for _, spatial in known])
    for number, (model_format, about) in enumerate(spec["models"].items()):
        references = exact
        if model_format not in (FLOAT32, FLOAT16):
            classifier = Classifier(bundle, model_format)
            maps = []
            for done, (one, spatial) in enumerate(known):
                progress((number + done / len(known)) / len(spec["models"]))
                classifier.predict(one.square)
                given = classifier.spatial()
                assert given is not None  # noqa: S101 - a file that was just composed has it
                maps.append(given.reshape(spatial.shape))
            references = fit_heat(samples, maps)
        content, described = heat_content(references, bundle.class_names)
        name = f"heat-{model_format}.bin"
        (folder / name).write_bytes(content)
        about["heat"] = {"file": name, **described}


def _add_references(
    folder: Path, samples: Sequence[Sample], progress: Progress
) -> list[dict[str, Any]]:
    """Put a few frames into the bundle, with what its models say of them here."""
    bundle = Bundle.open(folder)
    classifiers = {f: Classifier(bundle, f) for f in bundle.formats}
    references = []
    for number, sample in enumerate(samples[:_REFERENCES]):
        progress(1.0)
        try:
            image = read_image(sample.path)
        except InvalidImageError:
            continue
        scale = _REFERENCE_SIZE / max(image.shape[:2])
        if scale < 1:
            smaller = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            image = np.asarray(smaller, np.uint8)
        said = {f: classifier.predict(image) for f, classifier in classifiers.items()}
        references.append(
            {
                "file": write_reference(folder, number, image),
                "class_name": sample.class_name,
                "scores": {f: [float(s) for s in one.scores] for f, one in said.items()},
                "similarities": {f: one.similarity for f, one in said.items()},
            }
        )
    return references
