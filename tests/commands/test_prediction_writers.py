from __future__ import annotations

import csv
import io
import json

from edge_classifier.commands.prediction_writers import (
    CsvWriter,
    JsonWriter,
    PredictionRow,
    TextWriter,
)

KNOWN = PredictionRow("a, b.jpg", (("växt", 0.91234567), ("dog", 0.05)), similarity=0.7)
UNKNOWN = PredictionRow("c.jpg", (("dog", 0.6), ("växt", 0.4)), unknown=True, similarity=0.1)
REFUSED = PredictionRow("d.jpg", problem="d.jpg is damaged")


def test_text_is_a_table_of_verdict_score_and_path() -> None:
    stream = io.StringIO()
    writer = TextWriter(stream, ["växt", "dog"])
    for row in (KNOWN, UNKNOWN, REFUSED):
        writer.write(row)
    assert stream.getvalue().splitlines() == [
        "växt      91.2%  a, b.jpg  (dog 5.0%)",
        "unknown          c.jpg  (dog 60.0%, växt 40.0%)",
    ]


def test_json_is_one_object_a_line_also_for_what_was_refused() -> None:
    stream = io.StringIO()
    for row in (KNOWN, REFUSED):
        JsonWriter(stream).write(row)
    known, refused = map(json.loads, stream.getvalue().splitlines())
    assert known == {
        "path": "a, b.jpg",
        "class_name": "växt",
        "score": 0.912346,
        "unknown": False,
        "similarity": 0.7,
        "top": [{"class_name": "växt", "score": 0.912346}, {"class_name": "dog", "score": 0.05}],
    }
    assert refused == {"path": "d.jpg", "error": "d.jpg is damaged"}


def test_csv_has_as_many_cells_in_every_row() -> None:
    stream = io.StringIO()
    writer = CsvWriter(stream, top_k=2)
    for row in (KNOWN, UNKNOWN, REFUSED):
        writer.write(row)
    read = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert [row["class_name"] for row in read] == ["växt", "dog", ""]
    assert [row["unknown"] for row in read] == ["false", "true", ""]
    assert [row["class_name_2"] for row in read] == ["dog", "växt", ""]
    assert read[2]["error"] == "d.jpg is damaged"
    assert all(None not in row and None not in row.values() for row in read)


def test_a_name_cannot_steer_the_terminal() -> None:
    stream = io.StringIO()
    hostile = "a\x1b[2J\nb växt"
    TextWriter(stream, [hostile]).write(PredictionRow(f"{hostile}.jpg", ((hostile, 1.0),)))
    assert stream.getvalue() == "a\\x1b[2J\\nb växt  100.0%  a\\x1b[2J\\nb växt.jpg\n"
