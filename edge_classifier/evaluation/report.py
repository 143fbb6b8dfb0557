"""An evaluation as one HTML page that needs nothing beside itself."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.evaluation.report_charts import (
    interval_svg,
    learning_curve_svg,
    reliability_svg,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.evaluation.cross_validation import CurvePoint
    from edge_classifier.evaluation.metrics import Evaluation

_NUMBERED_CLASSES: Final = 12
"""Above, the columns of the confusion matrix are numbered rather than named."""

_STYLE: Final = Path(__file__).with_name("report.css")


@dataclass(frozen=True, slots=True, eq=False)
class ReportPicture:
    """A picture that the report shows, with its caption.

    Attributes:
        jpeg: The picture, small; empty if it could not be read.
        said: What is printed first, and stands out: the wrong answer, or what is suspect.
        label: What follows in the next line: `is mug`.
        note: What follows in the same line.
    """

    jpeg: bytes
    name: str
    said: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a report tells.

    Attributes:
        how: How it was evaluated, one line.
        untested: Classes that could not be evaluated.
        mistakes: The most confident ones.
        why_untested: What these classes lack.
        caveat: What keeps the figures from telling about new pictures, or nothing.
        suspects: Samples to look at again, the worst first.
    """

    title: str
    how: str
    evaluation: Evaluation
    untested: tuple[str, ...]
    mistakes: tuple[ReportPicture, ...]
    curve: tuple[CurvePoint, ...]
    why_untested: str = "needs a second burst before it can be evaluated"
    caveat: str = ""
    advice: tuple[str, ...] = ()
    suspects: tuple[ReportPicture, ...] = ()


def render(report: Report) -> str:
    """Write the page: HTML with everything inline, no script, nothing loaded."""
    title = escape(report.title)
    diagrams = []
    if not report.evaluation.alone:
        diagrams.append(
            _section(
                "Can the scores be trusted?",
                '<p class="soft">How often answers of a score are right; on the dashed line a '
                "score of 80 % is right 80 times in 100. Paler bars stand for fewer pictures.</p>"
                + reliability_svg(report.evaluation.reliability),
            )
        )
    if report.curve:
        diagrams.append(
            _section(
                "Would more pictures help?",
                '<p class="soft">Accuracy on pictures not trained on, by how many were trained '
                "on. While the line still rises, they would.</p>"
                + learning_curve_svg(report.curve),
            )
        )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{title}: evaluation</title>\n"
        f"<style>\n{_STYLE.read_text(encoding='utf-8')}</style>\n"
        "</head>\n<body><main>\n"
        f'<h1>{title}</h1>\n<p class="soft">{escape(report.how)}</p>\n'
        + _summary(report)
        + _classes(report)
        + ("" if report.evaluation.alone else _confusion(report.evaluation))
        + f'<div class="cards">{"".join(diagrams)}</div>\n'
        + _help(report)
        + _mistakes(report)
        + "</main></body>\n</html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>\n"


def _summary(report: Report) -> str:
    evaluation = report.evaluation
    low, high = evaluation.interval
    classes = len(evaluation.class_names)
    facts = [
        (f"{len(evaluation):,}", "pictures" if report.caveat else "pictures not trained on"),
        (str(classes), "class" if classes == 1 else "classes"),
        (f"{evaluation.unknown_rate:.1%}", f"of them called unknown{_threshold(evaluation)}"),
    ]
    if not evaluation.alone:
        facts.append((f"{evaluation.calibration_error:.3f}", "calibration error of the scores"))
    tiles = "".join(f'<div><b>{n}</b><span class="soft">{what}</span></div>' for n, what in facts)
    note = ""
    if report.untested:
        names = ", ".join(map(escape, report.untested))
        note = f"<p><b>Without a number:</b> {names}: {escape(report.why_untested)}.</p>"
    if report.caveat:
        note += f"<p><b>Read with care:</b> {escape(report.caveat)}.</p>"
    return (
        f'<section><div class="hero"><div><div class="big">{evaluation.accuracy:.1%}</div>'
        f'<span class="soft">{"recognised" if evaluation.alone else "accuracy"}</span></div><div>'
        f"{interval_svg(evaluation.accuracy, evaluation.interval)}"
        f'<p class="soft">95 % confidence interval {low:.1%} to {high:.1%}, '
        f"{int(evaluation.right.sum())} of {len(evaluation)} right</p></div></div>"
        f'<div class="facts">{tiles}</div>{note}</section>\n'
    )


def _threshold(evaluation: Evaluation) -> str:
    threshold = evaluation.threshold
    return "" if threshold is None else f", as less than {threshold:.2f} familiar"


def _classes(report: Report) -> str:
    evaluation = report.evaluation
    counts = evaluation.confusion.sum(axis=1)
    rows = []
    for n, name in enumerate(evaluation.class_names):
        tested = name not in report.untested
        parts = (float(evaluation.precision[n]), float(evaluation.recall[n]))
        cells = "".join(
            f'<td class="number">{percent(part)}</td><td class="meter">{_meter(part)}</td>'
            for part in (parts if tested else (math.nan, math.nan))
        )
        count = counts[n] if tested else "-"
        rows.append(f'<tr><td>{escape(name)}</td><td class="number">{count}</td>{cells}</tr>')
    return _section(
        "Classes",
        '<table class="classes"><thead><tr><th>class</th><th class="number">pictures</th>'
        '<th class="number">precision</th><th class="bars">of these answers, right</th>'
        '<th class="number">recall</th><th class="bars">of these pictures, found</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>",
    )


def _meter(part: float) -> str:
    return "" if math.isnan(part) else f'<span><i style="width:{part:.1%}"></i></span>'


def percent(part: float) -> str:
    """Write a part of all, 0.0 to 1.0; a dash where it is not a number."""
    return "-" if math.isnan(part) else f"{part:.1%}"


def _confusion(evaluation: Evaluation) -> str:
    confusion = evaluation.confusion
    names = [escape(name) for name in evaluation.class_names]
    numbered = len(names) > _NUMBERED_CLASSES
    heads = [str(n + 1) for n in range(len(names))] if numbered else names
    rows = []
    for n, counts in enumerate(confusion):
        cells = []
        for answer, count in enumerate(counts):
            if not count:
                cells.append('<td class="zero">·</td>')
                continue
            colour = "--good" if n == answer else "--bad"
            strength = 0.12 + 0.55 * count / counts.sum()
            cells.append(
                f'<td style="background:rgba(var({colour}),{strength:.2f})" '
                f'title="{names[n]} taken for {names[answer]}">{count}</td>'
            )
        label = f"{names[n]} ({n + 1})" if numbered else names[n]
        rows.append(f"<tr><th>{label}</th>{''.join(cells)}</tr>")
    return _section(
        "Confusion matrix",
        '<p class="soft">What pictures show, in rows; what was said, in columns.</p>'
        f'<table class="confusion"><thead><tr><th></th>'
        f"{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>",
    )


def _mistakes(report: Report) -> str:
    shown = _pictures(report.mistakes) or "<p>There are none.</p>"
    return _section("Mistakes" if report.evaluation.alone else "Most confident mistakes", shown)


def _help(report: Report) -> str:
    """Say what would help, and show the samples to look at again."""
    if not (report.advice or report.suspects):
        return ""
    lines = "".join(f"<p>{escape(line)}</p>" for line in report.advice)
    return _section("What would help", lines + _pictures(report.suspects))


def _pictures(pictures: Sequence[ReportPicture]) -> str:
    """Show pictures, or the places of those that have gone; nothing where there are none."""
    figures = []
    for shown in pictures:
        name = escape(shown.name)
        picture = '<div class="gone"></div>'
        if shown.jpeg:
            data = base64.b64encode(shown.jpeg).decode("ascii")
            picture = f'<img alt="{name}" src="data:image/jpeg;base64,{data}">'
        figures.append(
            f'<figure>{picture}<figcaption><span class="said">{escape(shown.said)}</span>'
            f"{escape(shown.note)}<br>{escape(shown.label)}<br>"
            f'<span class="soft">{name}</span></figcaption></figure>'
        )
    return f'<div class="pictures">{"".join(figures)}</div>' if figures else ""
