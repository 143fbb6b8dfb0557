"""`edge-classifier evaluate`: how good a project's classifier is, on pictures it has not seen."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier import workbench
from edge_classifier.adapters.files import reported, write_atomic
from edge_classifier.adapters.labelled_folder import labelled_pictures
from edge_classifier.adapters.report_pictures import mistake_pictures
from edge_classifier.assemble import head_settings
from edge_classifier.commands import options as shared
from edge_classifier.commands.answers import printable
from edge_classifier.commands.console import SOME_REFUSED, ProgressLine, say, table
from edge_classifier.cross_validation import FOLDS, CurvePoint, cross_validate, learning_curve
from edge_classifier.errors import InvalidValueError, NotEnoughSamplesError
from edge_classifier.evaluation import Evaluation, evaluate
from edge_classifier.predictor import features_of
from edge_classifier.report import Report, render

if TYPE_CHECKING:
    import argparse

    from edge_classifier.adapters.store import ProjectStore
    from edge_classifier.frame import FeatureSet
    from edge_classifier.learner import LoadedBackbone
    from edge_classifier.protocols import Progress
    from edge_classifier.training import HeadSettings

BELOW_MINIMUM: Final = 4
"""Exit code: the accuracy is below the one that was asked for."""

NOTHING_TO_EVALUATE: Final = 5
"""Exit code: no picture could be held out; the classes need a second burst."""

_SHOWN_CLASSES: Final = 12
"""A confusion matrix of more classes does not fit on a terminal; the report has it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """What was evaluated, and how.

    Attributes:
        how: One line for the user.
        evaluation: `None` where nothing could be evaluated.
        paths: The picture of each row of the evaluation.
        untested: Classes without a number.
        refused: Pictures that could not be read, one line each.
        curve: Learning curve, if it was asked for.
    """

    how: str
    evaluation: Evaluation | None
    paths: list[Path]
    untested: tuple[str, ...]
    refused: tuple[str, ...]
    curve: tuple[CurvePoint, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `evaluate`."""
    parser.add_argument("project", type=Path, help="project folder")
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        help="pictures to evaluate on, one folder a class; without it, heads are trained without "
        "some of the project's bursts and evaluated on those (cross-validation)",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write all there is to see as one page"
    )
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
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
    if options.min_accuracy is not None and not 0 <= options.min_accuracy <= 1:
        raise InvalidValueError(
            f"Expected --min-accuracy from 0 to 1, received {options.min_accuracy}."
        )
    with workbench.open_for_reading(options.project) as store:
        settings = head_settings(store, {})
        with ProgressLine("loading the backbone") as progress:
            choice = shared.backbone_choice(options)
            loaded = workbench.load_for(store, choice, progress, may_change=False)
            judge = _on_bursts if options.path is None else _on_folder
            outcome = judge(options, store, loaded, settings, progress)
        loaded.cache.close()
    for line in outcome.refused:
        say(f"refused: {printable(line)}")
    if options.json:
        sys.stdout.write(json.dumps(_as_json(outcome), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(_as_text(outcome))
    if options.report and outcome.evaluation:
        _write_report(options.report, store.name, outcome, outcome.evaluation)
    return _exit_code(outcome, options.min_accuracy)


def _exit_code(outcome: _Outcome, minimum: float | None) -> int:
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
) -> _Outcome:
    gathered = workbench.gather(store, loaded, progress, threads=options.threads)
    feature_set = gathered.feature_set
    if len(feature_set.class_names) < 2:  # noqa: PLR2004 - one class cannot be told from anything
        raise NotEnoughSamplesError(
            f"{store.name} has pictures of {len(feature_set.class_names)} classes; evaluating "
            "needs 2 or more."
        )
    progress(0.0, "evaluating")
    found = cross_validate(feature_set, settings, folds=options.folds, progress=progress)
    curve: tuple[CurvePoint, ...] = ()
    if options.report and found.evaluation:
        progress(0.0, "measuring the learning curve")
        curve = learning_curve(feature_set, settings, folds=options.folds, progress=progress)
    return _Outcome(
        f"cross-validation over bursts, {found.folds} folds, {settings.kind} head, "
        f"backbone {loaded.backbone.info.name}",
        found.evaluation,
        [gathered.samples[row].path for row in found.rows],
        found.untested,
        gathered.refused,
        curve,
    )


def _on_folder(
    options: argparse.Namespace,
    store: ProjectStore,
    loaded: LoadedBackbone,
    settings: HeadSettings,
    progress: Progress,
) -> _Outcome:
    model, fresh = workbench.trained_model(store, loaded)
    if not fresh:
        say(
            f"{store.name} has changed since it was trained; evaluating the model as it is. "
            f"`edge-classifier train {options.project}` takes the changes in."
        )
    pictures, refused = labelled_pictures(options.path, model.class_names)
    progress(0.0, "computing features")
    test, paths, unreadable = features_of(
        pictures, loaded.backbone, model.class_names, progress, threads=options.threads
    )
    if not paths:
        raise InvalidValueError(
            f"There is no picture to evaluate on in {options.path}: expected one folder a class, "
            f"called {', '.join(model.class_names)}."
        )
    curve: tuple[CurvePoint, ...] = ()
    if options.report and fresh:
        curve = _curve_on(store, loaded, settings, test, progress)
    tested = set(test.class_ids.tolist())
    return _Outcome(
        f"on {options.path}, {settings.kind} head, backbone {loaded.backbone.info.name}",
        evaluate(model, test.features, test.class_ids),
        paths,
        tuple(name for n, name in enumerate(model.class_names) if n not in tested),
        (*refused, *unreadable),
        curve,
    )


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


def _as_text(outcome: _Outcome) -> str:
    evaluation = outcome.evaluation
    lines = [outcome.how, ""]
    if evaluation is None:
        return "\n".join([*lines, f"no number: {_needs_burst(outcome.untested)}", ""])
    low, high = evaluation.interval
    rows = []
    for n, name in enumerate(evaluation.class_names):
        count = int((evaluation.class_ids == n).sum())
        if name in outcome.untested:
            rows.append([printable(name), "-", "-", "-"])
        else:
            rows.append(
                [
                    printable(name),
                    str(count),
                    _percent(evaluation.precision[n]),
                    _percent(evaluation.recall[n]),
                ]
            )
    lines.append(table(["class", "pictures", "precision", "recall"], rows))
    if len(evaluation.class_names) <= _SHOWN_CLASSES and evaluation.accuracy < 1:
        lines.append(_confusion_table(evaluation))
    lines.append(
        f"accuracy {evaluation.accuracy:.1%} (95 % interval {low:.1%} to {high:.1%}), "
        f"{int(evaluation.right.sum())} of {len(evaluation)} right"
    )
    lines.append(f"called unknown: {evaluation.unknown_rate:.1%}")
    lines.append(f"calibration error of the scores: {evaluation.calibration_error:.3f}")
    if outcome.untested:
        lines.append(_needs_burst(outcome.untested))
    worst = evaluation.mistakes(5)
    if len(worst):
        lines += ["", "most confident mistakes:"]
    for row in worst:
        said = evaluation.class_names[evaluation.predicted_ids[row]]
        true = evaluation.class_names[evaluation.class_ids[row]]
        lines.append(
            f"  {said} {evaluation.confidences[row]:.1%} instead of {true}: "
            f"{printable(str(outcome.paths[row]))}"
        )
    return "\n".join([*lines, ""])


def _confusion_table(evaluation: Evaluation) -> str:
    rows = [
        [printable(name), *(str(n) if n else "·" for n in counts)]
        for name, counts in zip(evaluation.class_names, evaluation.confusion, strict=True)
    ]
    return table(["true \\ answer", *map(printable, evaluation.class_names)], rows)


def _needs_burst(untested: tuple[str, ...]) -> str:
    names = ", ".join(map(printable, untested))
    return f"{names}: needs a second burst before it can be evaluated"


def _percent(part: float) -> str:
    return "-" if np.isnan(part) else f"{part:.1%}"


def _as_json(outcome: _Outcome) -> dict[str, Any]:
    content: dict[str, Any] = {"how": outcome.how, "untested": outcome.untested}
    content["refused"] = outcome.refused
    evaluation = outcome.evaluation
    if evaluation is None:
        return content | {"accuracy": None}
    confusion = evaluation.confusion
    return content | {
        "accuracy": evaluation.accuracy,
        "interval": evaluation.interval,
        "pictures": len(evaluation),
        "unknown_rate": evaluation.unknown_rate,
        "calibration_error": evaluation.calibration_error,
        "classes": [
            {
                "name": name,
                "pictures": int(confusion[n].sum()),
                "precision": _number(evaluation.precision[n]),
                "recall": _number(evaluation.recall[n]),
            }
            for n, name in enumerate(evaluation.class_names)
        ],
        "confusion": confusion.tolist(),
    }


def _number(part: float) -> float | None:
    return None if np.isnan(part) else float(part)


def _write_report(path: Path, name: str, outcome: _Outcome, evaluation: Evaluation) -> None:
    page = render(
        Report(
            title=name,
            how=outcome.how,
            evaluation=evaluation,
            untested=outcome.untested,
            mistakes=mistake_pictures(evaluation, outcome.paths),
            curve=outcome.curve,
        )
    )
    with reported("write", path):
        write_atomic(path, page.encode("utf-8", "replace"))
    say(f"report: {path}")
