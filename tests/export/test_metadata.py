"""What a TFLite file says of itself, read as any reader of FlatBuffers does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from support.exported_project import CLASSES

from edge_classifier import __version__
from edge_classifier.device.bundle import SCORE_TOLERANCE, Bundle

if TYPE_CHECKING:
    from pathlib import Path

THRESHOLDING = 3


class Table:
    """A table of a FlatBuffer whose schema is not at hand."""

    def __init__(self, content: bytes, position: int) -> None:
        self._table = flatbuffers.table.Table(bytearray(content), position)

    @classmethod
    def root(cls, content: bytes) -> Table:
        return cls(content, int.from_bytes(content[:4], "little"))

    def _place(self, slot: int) -> int:
        offset = self._table.Offset(4 + 2 * slot)
        assert offset, f"slot {slot} is empty"
        return int(offset)

    def text(self, slot: int) -> str:
        return str(self._table.String(self._table.Pos + self._place(slot)).decode())

    def byte(self, slot: int) -> int:
        return int(self._table.Get(flatbuffers.number_types.Uint8Flags, self._at(slot)))

    def number(self, slot: int) -> float:
        return float(self._table.Get(flatbuffers.number_types.Float32Flags, self._at(slot)))

    def table(self, slot: int) -> Table:
        return Table(self._table.Bytes, self._table.Indirect(self._at(slot)))

    def tables(self, slot: int) -> list[Table]:
        place = self._place(slot)
        start = self._table.Vector(place)
        count = self._table.VectorLen(place)
        return [Table(self._table.Bytes, self._table.Indirect(start + 4 * n)) for n in range(count)]

    def _at(self, slot: int) -> int:
        return int(self._table.Pos) + self._place(slot)


def described(bundle: Path, model_format: str) -> Table:
    content = Bundle.open(bundle).model(model_format)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    (entry,) = (e for e in model.metadata if e.name == b"TFLITE_METADATA")
    data = bytes(model.buffers[entry.buffer].data)
    assert data[4:8] == b"M001"
    return Table.root(data)


@pytest.mark.parametrize("model_format", SCORE_TOLERANCE)
def test_it_says_what_the_model_is_of_whom_and_which_training(
    bundle: Path, taught_project: Path, model_format: str
) -> None:
    about, spec = described(bundle, model_format), Bundle.open(bundle).spec
    assert about.text(0) == f"{taught_project.name} (built-in, {model_format})"
    assert about.text(1) == (
        f"Tells apart {', '.join(CLASSES)}. Made by Edge Classifier {__version__}."
    )
    assert re.fullmatch(r"[0-9a-f]{12}", about.text(2))
    assert spec["fingerprint"].startswith(about.text(2))
    assert about.text(4) == taught_project.name
    assert about.text(5).startswith("Apache-2.0 for the backbone (built-in); ")


@pytest.mark.parametrize("model_format", SCORE_TOLERANCE)
def test_nothing_but_the_scores_can_be_taken_for_classes(bundle: Path, model_format: str) -> None:
    """A reader that takes each output for scores names none below the output's threshold."""
    (graph,) = described(bundle, model_format).tables(3)
    scores, *others = graph.tables(3)
    assert scores.text(0) == "scores"
    with pytest.raises(AssertionError, match="is empty"):
        scores.tables(4)
    assert [output.text(0) for output in others] == ["similarities", "features", "spatial"]
    for output in others:
        (unit,) = output.tables(4)
        assert unit.byte(0) == THRESHOLDING
        assert unit.table(1).number(0) == np.finfo(np.float32).max
