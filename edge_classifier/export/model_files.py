"""A model file of each format, composed of extractor and head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.export.compose import compose
from edge_classifier.export.formats import DYNAMIC, FLOAT16, INT8
from edge_classifier.export.metadata import About, finish_model
from edge_classifier.export.quantise import quantise
from edge_classifier.export.replay import fingerprint
from edge_classifier.export.rounding import halve, make_dynamic, make_up_for_rounding

if TYPE_CHECKING:
    from edge_classifier.export.samples import Calibration
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Backbone

_VERSION: Final = 12
"""Digits of the fingerprint that tell two trainings apart."""


def model_file(
    model_format: str,
    model: Model,
    backbone: Backbone,
    calibration: Calibration | None,
    name: str,
) -> bytes:
    """Make a model's file of a format, which a reader that knows nothing of us can use.

    Raises:
        ExportError: if the backbone cannot be had in that format.
        CancelledError: if asked to stop.
    """
    info = backbone.info
    graph = compose(backbone.extractor, info, model)
    if model_format == FLOAT16:
        halve(graph)
    elif calibration is not None and model_format == DYNAMIC:
        make_up_for_rounding(graph, calibration, dynamic=True)
        make_dynamic(graph)
    elif calibration is not None and model_format == INT8:
        scale = info.preprocessing
        graph = quantise(graph, calibration, scale.low, scale.high)
    about = About(name, fingerprint(model)[:_VERSION], info.name, model_format)
    return finish_model(graph, model.class_names, info.preprocessing, about)
