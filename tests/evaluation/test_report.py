from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_classifier.evaluation.cross_validation import CurvePoint
from edge_classifier.evaluation.metrics import Evaluation
from edge_classifier.evaluation.report import Report, render
from edge_classifier.evaluation.report_charts import learning_curve_svg
from edge_classifier.evaluation.report_pictures import mistake_pictures

NASTY = '<script>alert(1)</script> & "växt"'


def evaluation(classes: int = 3) -> Evaluation:
    generator = np.random.default_rng(0)
    ids = np.arange(60) % classes
    scores = generator.dirichlet(np.ones(classes), 60).astype(np.float32)
    scores[:40][np.arange(40), ids[:40]] += 2
    scores /= scores.sum(axis=1, keepdims=True)
    names = (NASTY, *(f"class {n}" for n in range(1, classes)))
    return Evaluation(names, scores, ids, np.zeros(60, np.bool_))


def page(tmp_path: Path, **changes: object) -> str:
    found = evaluation()
    paths = [tmp_path / f"{n}.jpg" for n in range(60)]
    for path in paths[30:]:
        cv2.imwrite(str(path), np.full((300, 400, 3), 90, np.uint8))
    content: dict[str, object] = {
        "title": NASTY,
        "how": "on bursts",
        "evaluation": found,
        "untested": (),
        "mistakes": mistake_pictures(found, paths),
        "curve": (CurvePoint(1, 0.5, (0.4, 0.6)), CurvePoint(20, 0.9, (0.8, 0.95))),
    }
    return render(Report(**(content | changes)))  # type: ignore[arg-type]  # a test's own choice


class Balanced(HTMLParser):
    """Knows which tags are open."""

    VOID = frozenset({"meta", "img", "br", "line", "circle", "rect", "polygon", "polyline"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - its name is given
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    text = page(tmp_path)
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert "http:" not in text
    assert "https:" not in text
    assert "<script" not in text
    assert "data:image/jpeg;base64," in text


def test_every_tag_is_closed(tmp_path: Path) -> None:
    parser = Balanced()
    parser.feed(page(tmp_path))
    parser.close()
    assert parser.open == []


def test_it_tells_accuracy_interval_classes_and_mistakes(tmp_path: Path) -> None:
    found = evaluation()
    text = page(tmp_path)
    low, high = found.interval
    assert f"{found.accuracy:.1%}" in text
    assert f"{low:.1%} to {high:.1%}" in text
    assert "Confusion matrix" in text
    assert text.count("<figure>") == min(24, len(found.mistakes()))
    assert text.count("<svg") == 3


def test_names_are_text_and_never_markup(tmp_path: Path) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in page(tmp_path)


def test_without_mistakes_and_curve_it_says_so(tmp_path: Path) -> None:
    text = page(tmp_path, mistakes=(), curve=(), untested=("class 2",))
    assert "There are none." in text
    assert "class 2: needs a second burst before it can be evaluated." in text
    assert text.count("<svg") == 2


def test_a_class_that_was_not_tested_has_no_numbers(tmp_path: Path) -> None:
    row = '<tr><td>class 2</td><td class="number">{0}</td>'
    assert row.format(20) in page(tmp_path)
    text = page(tmp_path, untested=("class 2",))
    no_part = '<td class="number">-</td><td class="meter"></td>'
    assert row.format("-") + 2 * no_part + "</tr>" in text


@pytest.mark.parametrize(
    ("counts", "labelled"),
    [
        ((1, 2, 4, 8, 16, 17, 18), ["1", "2", "4", "8", "18"]),
        ((3, 100, 200, 390, 400), ["3", "100", "200", "400"]),
        ((1, 2), ["1", "2"]),
        ((5,), ["5"]),
    ],
)
def test_no_label_of_the_learning_curve_runs_into_the_next(
    counts: tuple[int, ...], labelled: list[str]
) -> None:
    svg = learning_curve_svg([CurvePoint(n, 0.5, (0.4, 0.6)) for n in counts])
    assert re.findall(r'text-anchor="middle">([0-9]+)</text>', svg) == labelled


def test_a_picture_that_has_gone_leaves_its_place(tmp_path: Path) -> None:
    found = evaluation()
    gone = [tmp_path / "gone.jpg"] * 60
    text = page(tmp_path, mistakes=mistake_pictures(found, gone, 2))
    assert text.count('<div class="gone">') == 2


def test_many_classes_number_the_columns() -> None:
    found = evaluation(classes=20)
    text = render(Report("many", "", found, (), (), ()))
    assert "<th>20</th>" in text
    assert "<th>class 19 (20)</th>" in text
