from __future__ import annotations

import csv
import io
import json

from edge_classifier.commands.answers import Answer, CsvWriter, JsonWriter, TextWriter, printable

KNOWN = Answer("a, b.jpg", (("växt", 0.91234567), ("dog", 0.05)), similarity=0.7)
UNKNOWN = Answer("c.jpg", (("dog", 0.6), ("växt", 0.4)), unknown=True, similarity=0.1)
REFUSED = Answer("d.jpg", problem="d.jpg is damaged")


def test_text_is_a_table_of_verdict_score_and_path() -> None:
    stream = io.StringIO()
    writer = TextWriter(stream, ["växt", "dog"])
    for answer in (KNOWN, UNKNOWN, REFUSED):
        writer.write(answer)
    assert stream.getvalue().splitlines() == [
        "växt      91.2%  a, b.jpg  (dog 5.0%)",
        "unknown          c.jpg  (dog 60.0%, växt 40.0%)",
    ]


def test_json_is_one_object_a_line_also_for_what_was_refused() -> None:
    stream = io.StringIO()
    for answer in (KNOWN, REFUSED):
        JsonWriter(stream).write(answer)
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
    for answer in (KNOWN, UNKNOWN, REFUSED):
        writer.write(answer)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert [row["class_name"] for row in rows] == ["växt", "dog", ""]
    assert [row["unknown"] for row in rows] == ["false", "true", ""]
    assert [row["class_name_2"] for row in rows] == ["dog", "växt", ""]
    assert rows[2]["error"] == "d.jpg is damaged"
    assert all(None not in row and None not in row.values() for row in rows)


def test_a_name_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2J\nb växt") == "a\\x1b[2J\\nb växt"
