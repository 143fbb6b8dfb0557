"""`edge-classifier evaluate`: how good a project's classifier is, on pictures it has not seen."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.commands import options as shared
from edge_classifier.commands.console import check_report, open_for_reading
from edge_classifier.commands.evaluation_result import EvaluationResult
from edge_classifier.commands.suggestions import suggest_from_bursts, suggest_from_held_out
from edge_classifier.device.console import SOME_REFUSED, say
from edge_classifier.device.option_types import number, whole_number
from edge_classifier.errors import InvalidValueError, NotEnoughSamplesError
from edge_classifier.evaluation.advice import counted
from edge_classifier.evaluation.cross_validation import (
    FOLDS,
    CurvePoint,
    cross_validate,
    learning_curve,
)
from edge_classifier.evaluation.metrics import Evaluation, evaluate
from edge_classifier.evaluation.report import Report, render
from edge_classifier.evaluation.report_pictures import mistake_pictures, suspect_pictures
from edge_classifier.evaluation.suspects import out_of_place
from edge_classifier.features.bulk import use_one_opencv_thread
from edge_classifier.features.dataset import Dataset
from edge_classifier.learning.feature_sets import (
    ProjectFeatures,
    complete_features,
    picture_features,
)
from edge_classifier.learning.project_backbone import load_project_backbone
from edge_classifier.learning.project_model import trained_model
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.learning.training import FEWEST_OF_ONE, is_enough, train
from edge_classifier.progress import ProgressMeter
from edge_classifier.project.files import reported, write_atomic
from edge_classifier.project.picture_file import encode_file, read_image_bytes
from edge_classifier.project.picture_paths import labelled_pictures
from edge_classifier.values import FeatureSet

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.learning.project_backbone import LoadedBackbone
    from edge_classifier.learning.settings import HeadSettings
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
        "--folds",
        type=whole_number(2, 1000),
        default=FOLDS,
        metavar="N",
        help=f"of the cross-validation ({FOLDS})",
    )
    parser.add_argument(
        "--min-accuracy",
        type=number(0, 1),
        metavar="PART",
        help="exit with 4 where it is less",
    )
    shared.add_backbone_options(parser, bulk=True)
    parser.epilog = (
        "Exit code: 0 evaluated, 1 not possible, 3 some pictures were refused, 4 less accurate "
        "than --min-accuracy, 5 nothing to evaluate on (classes need a second burst)."
    )


def run(options: argparse.Namespace) -> int:
    """Evaluate; see the exit codes in the help."""
    check_report(options.report)
    use_one_opencv_thread()
    with open_for_reading(options.project) as store:
        settings = project_head_settings(store)
        choice = shared.backbone_choice(options)
        with (
            ProgressMeter("loading the backbone") as progress,
            load_project_backbone(store, choice, progress, may_change=False) as loaded,
        ):
            evaluator = _Evaluator(options, store, loaded, settings, progress)
            if options.path is not None:
                result = evaluator.on_folder(options.path)
            elif store.held_out() and not options.cross_validate:
                result = evaluator.on_held_out()
            else:
                result = evaluator.on_bursts()
    for line in result.refused:
        say(f"refused: {line}")
    if options.report:  # first: whoever reads the answers may close the pipe
        if result.evaluation:
            _write_report(options.report, store.name, result, result.evaluation)
        else:
            say(f"no report: there is nothing to show in {options.report}")
    if options.json:
        sys.stdout.write(json.dumps(result.as_json(), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(result.as_text())
    return _exit_code(result, options.min_accuracy)


def _exit_code(result: EvaluationResult, minimum: float | None) -> int:
    if result.evaluation is None:
        return NOTHING_TO_EVALUATE
    if minimum is not None and result.evaluation.accuracy < minimum:
        return BELOW_MINIMUM
    return SOME_REFUSED if result.refused else 0


@dataclass(frozen=True, slots=True, eq=False)
class _Evaluator:
    """Evaluates a project's classifier in one of three ways."""

    options: argparse.Namespace
    store: ProjectStore
    loaded: LoadedBackbone
    settings: HeadSettings
    progress: Progress

    def on_bursts(self) -> EvaluationResult:
        """Cross-validate over the bursts of the project's samples."""
        store, threads = self.store, self.options.threads
        gathered = self._gather()
        feature_set = gathered.feature_set
        every = len(feature_set.class_names)
        if not is_enough(feature_set.counts):
            raise NotEnoughSamplesError(
                f"{store.name} has {counted(len(feature_set), 'picture')} of "
                f"{counted(every, 'class', 'classes')}; evaluating needs {FEWEST_OF_ONE} pictures "
                "of one class, or two classes."
            )
        # One of several classes cannot be mistaken; one without others can be unknown.
        least = min(every, 2)
        folds = self.options.folds
        self.progress(0.0, "evaluating")
        found = cross_validate(feature_set, self.settings, folds=folds, progress=self.progress)
        curve: tuple[CurvePoint, ...] = ()
        if self.options.report and found.evaluation:
            curve = self._curve(feature_set, None)
        return EvaluationResult(
            f"cross-validation over bursts, {found.folds or 'no'} folds, {self._with_what}"
            + _of_added(gathered, self.settings)
            + (_SEEN if self.loaded.has_seen_samples else ""),
            found.evaluation if every - len(found.untested) >= least else None,
            [gathered.samples[row].path for row in found.rows],
            found.untested,
            gathered.refused,
            curve,
            by_bursts=True,
            added=gathered.added,
            suggestions=suggest_from_bursts(gathered, found, self.progress, threads),
        )

    def on_held_out(self) -> EvaluationResult:
        """Train on the project's samples and evaluate on those that it holds out."""
        gathered = self._gather()
        held_out = self._gather(self.store.held_out())
        self.progress(0.0, "training")
        model = train(gathered.feature_set, self.settings, progress=self.progress)
        ids = {name: n for n, name in enumerate(model.class_names)}
        rows = [n for n, s in enumerate(held_out.samples) if s.class_name in ids]
        if not rows:
            raise NotEnoughSamplesError(
                f"{self.store.name} has no sample to train on of the classes that are held out."
            )
        test = FeatureSet(
            held_out.feature_set.features[rows],
            np.array([ids[held_out.samples[n].class_name] for n in rows], np.int64),
            held_out.feature_set.burst_ids[rows],
            model.class_names,
        )
        return self._tested(
            "on the project's held-out samples",
            evaluate(model, test.features, test.class_ids, test.burst_ids),
            [held_out.samples[n].path for n in rows],
            (*gathered.refused, *held_out.refused, *_of_no_class(held_out.samples, ids)),
            self._curve(gathered.feature_set, test) if self.options.report else (),
        ).with_advice(gathered, out_of_place(gathered.samples, gathered.feature_set))

    def on_folder(self, folder: Path) -> EvaluationResult:
        """Evaluate the trained model on pictures, one folder a class."""
        store = self.store
        model, fresh = trained_model(store, self.loaded)
        if not fresh:
            say(
                f"{store.name} has changed since it was trained; evaluating the model as it is. "
                f"`edge-classifier train {self.options.project}` takes the changes in."
            )
        pictures, refused = labelled_pictures(folder, model.class_names)
        self.progress(0.0, "computing features")
        reader = _Reader(store)
        test, paths, unreadable = picture_features(
            pictures,
            self.loaded.backbone,
            model.class_names,
            self.progress,
            read=reader,
            threads=self.options.threads,
        )
        if not paths:
            raise InvalidValueError(
                f"There is no picture to evaluate on in {folder}: expected one folder a class, "
                f"called {', '.join(model.class_names)}."
            )
        curve: tuple[CurvePoint, ...] = ()
        trained_on = sum(path in reader.trained_on for path in paths)
        if self.options.report and fresh and not trained_on:  # the curve is of new pictures
            known = self._gather().feature_set
            if known.class_names == test.class_names:  # else a class's pictures cannot be read
                curve = self._curve(known, test)
        evaluation = evaluate(model, test.features, test.class_ids, test.burst_ids)
        problems = (*refused, *unreadable)
        adapted = ", adapted" if model.unadapted else ""
        on_what = f"on {folder}{adapted}"
        tested = self._tested(on_what, evaluation, paths, problems, curve, trained_on)
        return tested.with_advice(Dataset.of(store))

    def _tested(
        self,
        on_what: str,
        evaluation: Evaluation,
        paths: list[Path],
        refused: tuple[str, ...],
        curve: tuple[CurvePoint, ...],
        trained_on: int = 0,
    ) -> EvaluationResult:
        tested = set(evaluation.class_ids.tolist())
        untested = (name for n, name in enumerate(evaluation.class_names) if n not in tested)
        return EvaluationResult(
            f"{on_what}, {self._with_what}",
            evaluation,
            paths,
            tuple(untested),
            refused,
            curve,
            trained_on=trained_on,
            suggestions=suggest_from_held_out(evaluation, paths),
        )

    @property
    def _with_what(self) -> str:
        return f"{self.settings.kind} head, backbone {self.loaded.backbone.info.name}"

    def _gather(self, samples: Sequence[Sample] | None = None) -> ProjectFeatures:
        threads = self.options.threads
        return complete_features(
            self.store, self.loaded, self.progress, samples=samples, threads=threads
        )

    def _curve(self, known: FeatureSet, test: FeatureSet | None) -> tuple[CurvePoint, ...]:
        """Measure the learning curve on pictures to test on, or else on held-out bursts."""
        self.progress(0.0, "measuring the learning curve")
        folds = self.options.folds
        return learning_curve(known, self.settings, test=test, folds=folds, progress=self.progress)


_SEEN: Final = (
    "; the backbone was fine-tuned on these very pictures: this number is too good; "
    "`evaluate PROJECT FOLDER` with others tells the truth"
)


def _of_added(gathered: ProjectFeatures, settings: HeadSettings) -> str:
    """Tell what was made of pictures of which nobody knows which belong together."""
    added = gathered.added
    if added.recordings:
        return (
            f"; {added.line}, found by how alike they are (`train --bursts single`: each is "
            "single); recordings of one place and light say little of another"
        )
    if added.pictures * 2 <= len(gathered.samples):
        return ""
    why = "as --bursts single has it" if settings.bursts == "single" else "no recording found"
    return (
        f"; {added.line} that came one by one ({why}): where they are frames of one recording "
        "all the same, this number is too good"
    )


def _of_no_class(samples: Sequence[Sample], ids: dict[str, int]) -> list[str]:
    """Tell of held-out samples that no model can get right."""
    counts = Counter(s.class_name for s in samples if s.class_name not in ids)
    return [
        f"{name}: {counted(count, 'held-out picture')}, and none to train on; "
        "left out of the figures."
        for name, count in counts.items()
    ]


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


def _write_report(path: Path, name: str, result: EvaluationResult, evaluation: Evaluation) -> None:
    page = render(
        Report(
            title=name,
            how=result.how,
            evaluation=evaluation,
            untested=result.untested,
            why_untested=result.why_untested,
            caveat=result.caveat,
            mistakes=mistake_pictures(evaluation, result.paths),
            curve=result.curve,
            advice=tuple(result.suggestions.class_lines()),
            suspects=suspect_pictures(result.suggestions.suspects),
        )
    )
    with reported("write", path):
        write_atomic(path, page.encode("utf-8", "replace"))
    say(f"report: {path}")
