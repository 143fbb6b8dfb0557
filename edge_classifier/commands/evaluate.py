"""`edge-classifier evaluate`: how good a project's classifier is, on pictures it has not seen."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.commands import options as shared
from edge_classifier.commands.answers import printable
from edge_classifier.commands.coaching import class_lines, coach_bursts, coach_held_out
from edge_classifier.commands.console import ProgressLine, open_for_reading, say
from edge_classifier.commands.outcome import Outcome, as_json, as_text
from edge_classifier.commands.predictors import features_of
from edge_classifier.device.console import SOME_REFUSED
from edge_classifier.errors import InvalidValueError, NotEnoughSamplesError
from edge_classifier.evaluation.cross_validation import (
    FOLDS,
    CurvePoint,
    cross_validate,
    learning_curve,
)
from edge_classifier.evaluation.metrics import Evaluation, evaluate
from edge_classifier.evaluation.report import Report, render
from edge_classifier.evaluation.report_pictures import mistake_pictures, suspect_pictures
from edge_classifier.features.bulk import use_one_opencv_thread
from edge_classifier.learning import workbench
from edge_classifier.learning.training import MIN_CLASSES, head_settings, train
from edge_classifier.project.files import reported, write_atomic
from edge_classifier.project.names import counted
from edge_classifier.project.picture_file import encode_file, read_image_bytes
from edge_classifier.project.picture_paths import labelled_pictures
from edge_classifier.values import FeatureSet

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.learning.training import HeadSettings
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Progress
    from edge_classifier.values import Sample

BELOW_MINIMUM: Final = 4
"""Exit code: the accuracy is below the one that was asked for."""

NOTHING_TO_EVALUATE: Final = 5
"""Exit code: no picture could be held out; the classes need a second burst."""

IF_CANCELLED: Final = "nothing was changed but for features that were computed, which are kept"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `evaluate`."""
    parser.add_argument("project", type=Path, help="project folder")
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        help="pictures to evaluate on, one folder a class; without it, the project's own held-out "
        "samples, or where it has none, heads are trained without some of its bursts and evaluated "
        "on those (cross-validation)",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write all there is to see as one page"
    )
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    parser.add_argument(
        "--cross-validate",
        action="store_true",
        help="hold out bursts also where the project has held-out samples",
    )
    parser.add_argument(
        "--folds", type=int, default=FOLDS, metavar="N", help=f"of the cross-validation ({FOLDS})"
    )
    parser.add_argument(
        "--min-accuracy", type=float, metavar="PART", help="exit with 4 where it is less"
    )
    shared.add_backbone_options(parser, bulk=True)
    parser.epilog = (
        "Exit code: 0 evaluated, 1 not possible, 3 some pictures were refused, 4 less accurate "
        "than --min-accuracy, 5 nothing to evaluate on (classes need a second burst)."
    )


def run(options: argparse.Namespace) -> int:
    """Evaluate; see the exit codes in the help."""
    use_one_opencv_thread()
    if options.min_accuracy is not None and not 0 <= options.min_accuracy <= 1:
        raise InvalidValueError(
            f"Expected --min-accuracy from 0 to 1, received {options.min_accuracy}."
        )
    with open_for_reading(options.project) as store:
        settings = head_settings(store, {})
        choice = shared.backbone_choice(options)
        with (
            ProgressLine("loading the backbone") as progress,
            workbench.loaded_for(store, choice, progress, may_change=False) as loaded,
        ):
            if options.path is not None:
                judge = _on_folder
            elif store.held_out() and not options.cross_validate:
                judge = _on_held_out
            else:
                judge = _on_bursts
            outcome = judge(options, store, loaded, settings, progress)
    for line in outcome.refused:
        say(f"refused: {printable(line)}")
    if options.report:  # first: whoever reads the answers may close the pipe
        if outcome.evaluation:
            _write_report(options.report, store.name, outcome, outcome.evaluation)
        else:
            say(f"no report: there is nothing to show in {options.report}")
    if options.json:
        sys.stdout.write(json.dumps(as_json(outcome), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(as_text(outcome))
    return _exit_code(outcome, options.min_accuracy)


def _exit_code(outcome: Outcome, minimum: float | None) -> int:
    if outcome.evaluation is None:
        return NOTHING_TO_EVALUATE
    if minimum is not None and outcome.evaluation.accuracy < minimum:
        return BELOW_MINIMUM
    return SOME_REFUSED if outcome.refused else 0


def _on_bursts(
    options: argparse.Namespace,
    store: ProjectStore,
    loaded: LoadedBackbone,
    settings: HeadSettings,
    progress: Progress,
) -> Outcome:
    gathered = workbench.gather(store, loaded, progress, threads=options.threads)
    feature_set = gathered.feature_set
    every = len(feature_set.class_names)
    if every < MIN_CLASSES:
        raise NotEnoughSamplesError(
            f"{store.name} has pictures of {counted(every, 'class', 'classes')}; evaluating "
            f"needs {MIN_CLASSES} or more."
        )
    progress(0.0, "evaluating")
    found = cross_validate(feature_set, settings, folds=options.folds, progress=progress)
    curve: tuple[CurvePoint, ...] = ()
    if options.report and found.evaluation:
        progress(0.0, "measuring the learning curve")
        curve = learning_curve(feature_set, settings, folds=options.folds, progress=progress)
    return Outcome(
        f"cross-validation over bursts, {found.folds or 'no'} folds, {settings.kind} head, "
        f"backbone {loaded.backbone.info.name}{_single_pictures(feature_set)}"
        + (_SEEN if loaded.has_seen_samples else ""),
        found.evaluation if len(found.untested) <= every - MIN_CLASSES else None,
        [gathered.samples[row].path for row in found.rows],
        found.untested,
        gathered.refused,
        curve,
        by_bursts=True,
        coaching=coach_bursts(store, gathered, found, progress, options.threads),
    )


_SEEN: Final = (
    "; the backbone was fine-tuned on these very pictures: this number is too good; "
    "`evaluate PROJECT FOLDER` with others tells the truth"
)


def _single_pictures(feature_set: FeatureSet) -> str:
    """Warn where bursts were not captured here, so that nobody knows what belongs together."""
    _, sizes = np.unique(feature_set.burst_ids, return_counts=True)
    if (sizes == 1).sum() * 2 <= len(feature_set):
        return ""
    return (
        "; most pictures were added one by one and count as bursts of their own: where they are "
        "frames of one recording, this number is too good"
    )


def _on_held_out(
    options: argparse.Namespace,
    store: ProjectStore,
    loaded: LoadedBackbone,
    settings: HeadSettings,
    progress: Progress,
) -> Outcome:
    gathered = workbench.gather(store, loaded, progress, threads=options.threads)
    held_out = workbench.gather(
        store, loaded, progress, samples=store.held_out(), threads=options.threads
    )
    progress(0.0, "training")
    model = train(gathered.feature_set, settings, progress=progress)
    ids = {name: n for n, name in enumerate(model.class_names)}
    rows = [n for n, s in enumerate(held_out.samples) if s.class_name in ids]
    if not rows:
        raise NotEnoughSamplesError(
            f"{store.name} has no sample to train on of the classes that are held out."
        )
    test = FeatureSet(
        held_out.feature_set.features[rows],
        np.array([ids[held_out.samples[n].class_name] for n in rows], np.int64),
        held_out.feature_set.burst_ids[rows],
        model.class_names,
    )
    curve: tuple[CurvePoint, ...] = ()
    if options.report:
        progress(0.0, "measuring the learning curve")
        curve = learning_curve(gathered.feature_set, settings, test=test, progress=progress)
    tested = set(test.class_ids.tolist())
    evaluation = evaluate(model, test.features, test.class_ids, test.burst_ids)
    paths = [held_out.samples[n].path for n in rows]
    return Outcome(
        f"on the project's held-out samples, {settings.kind} head, "
        f"backbone {loaded.backbone.info.name}",
        evaluation,
        paths,
        tuple(name for n, name in enumerate(model.class_names) if n not in tested),
        (*gathered.refused, *held_out.refused, *_of_no_class(held_out.samples, ids)),
        curve,
        coaching=coach_held_out(evaluation, paths),
    )


def _of_no_class(samples: Sequence[Sample], ids: dict[str, int]) -> list[str]:
    """Tell of held-out samples that no model can get right."""
    counts = Counter(s.class_name for s in samples if s.class_name not in ids)
    return [
        f"{name}: {counted(count, 'held-out picture')}, and none to train on; "
        "left out of the figures."
        for name, count in counts.items()
    ]


def _on_folder(
    options: argparse.Namespace,
    store: ProjectStore,
    loaded: LoadedBackbone,
    settings: HeadSettings,
    progress: Progress,
) -> Outcome:
    model, fresh = workbench.trained_model(store, loaded)
    if not fresh:
        say(
            f"{store.name} has changed since it was trained; evaluating the model as it is. "
            f"`edge-classifier train {options.project}` takes the changes in."
        )
    pictures, refused = labelled_pictures(options.path, model.class_names)
    progress(0.0, "computing features")
    reader = _Reader(store)
    test, paths, unreadable = features_of(
        pictures,
        loaded.backbone,
        model.class_names,
        progress,
        read=reader,
        threads=options.threads,
    )
    if not paths:
        raise InvalidValueError(
            f"There is no picture to evaluate on in {options.path}: expected one folder a class, "
            f"called {', '.join(model.class_names)}."
        )
    curve: tuple[CurvePoint, ...] = ()
    trained_on = sum(path in reader.trained_on for path in paths)
    if options.report and fresh and not trained_on:  # the curve is of new pictures
        curve = _curve_on(store, loaded, settings, test, progress)
    tested = set(test.class_ids.tolist())
    evaluation = evaluate(model, test.features, test.class_ids)
    return Outcome(
        f"on {options.path}, {settings.kind} head, backbone {loaded.backbone.info.name}",
        evaluation,
        paths,
        tuple(name for n, name in enumerate(model.class_names) if n not in tested),
        (*refused, *unreadable),
        curve,
        trained_on=trained_on,
        coaching=coach_held_out(evaluation, paths),
    )


class _Reader:
    """Reads pictures, and finds out which of them a project trains on."""

    def __init__(self, store: ProjectStore) -> None:
        self._known = {sample.image_sha256 for sample in store.samples()}
        self.trained_on: set[Path] = set()

    def __call__(self, path: Path) -> Image:
        """Read a picture, `(H, W, 3)` uint8 BGR.

        Raises:
            InvalidImageError: if it cannot be read.
        """
        encoded = encode_file(read_image_bytes(path), str(path))  # as `add` stores it
        if encoded.sha256 in self._known:
            self.trained_on.add(path)
        return encoded.image


def _curve_on(
    store: ProjectStore,
    loaded: LoadedBackbone,
    settings: HeadSettings,
    test: FeatureSet,
    progress: Progress,
) -> tuple[CurvePoint, ...]:
    feature_set = workbench.gather(store, loaded, progress).feature_set
    if feature_set.class_names != test.class_names:  # a class whose pictures cannot be read
        return ()
    progress(0.0, "measuring the learning curve")
    return learning_curve(feature_set, settings, test=test, progress=progress)


def _write_report(path: Path, name: str, outcome: Outcome, evaluation: Evaluation) -> None:
    page = render(
        Report(
            title=name,
            how=outcome.how,
            evaluation=evaluation,
            untested=outcome.untested,
            why_untested=outcome.why_untested,
            caveat=outcome.caveat,
            mistakes=mistake_pictures(evaluation, outcome.paths),
            curve=outcome.curve,
            advice=tuple(class_lines(outcome.coaching)),
            suspects=suspect_pictures(outcome.coaching.suspects),
        )
    )
    with reported("write", path):
        write_atomic(path, page.encode("utf-8", "replace"))
    say(f"report: {path}")
