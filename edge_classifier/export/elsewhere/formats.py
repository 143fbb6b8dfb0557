"""The formats for elsewhere, by name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from edge_classifier.export.elsewhere.edgetpu import EDGE_TPU
from edge_classifier.export.elsewhere.keras_formats import KERAS_FORMATS
from edge_classifier.export.elsewhere.micro import MICRO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_classifier.export.elsewhere.format import ElsewhereFormat

ELSEWHERE: Final[Mapping[str, ElsewhereFormat]] = MappingProxyType(
    {each.name: each for each in (*KERAS_FORMATS, MICRO, EDGE_TPU)}
)
