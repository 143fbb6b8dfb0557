"""What `spec.json` says of a bundle: its model, as the device and a curious person need it."""

from __future__ import annotations

from dataclasses import asdict
from importlib import metadata
from typing import TYPE_CHECKING, Any

import cv2

from edge_classifier import __version__
from edge_classifier.device.adaptation import count_seen
from edge_classifier.device.bundle import BUNDLE_FORMAT, BUNDLE_VERSION
from edge_classifier.device.unknown_detector import NEIGHBOURS
from edge_classifier.device.verdict import SMOOTHING_S
from edge_classifier.export.replay import fingerprint
from edge_classifier.project.framing import FRAMING_SETTING, stored_framing

if TYPE_CHECKING:
    from edge_classifier.export.formats import Comparison
    from edge_classifier.learning.model import Model
    from edge_classifier.project.store import Snapshot
    from edge_classifier.values import BackboneInfo


def new_spec(project: Snapshot, model: Model, info: BackboneInfo) -> dict[str, Any]:
    """Describe the model, as the device and a curious person need it."""
    unknown = model.unknown
    counts = dict.fromkeys(model.class_names, 0)
    for sample in project.samples:
        counts[sample.class_name] = counts.get(sample.class_name, 0) + 1
    head = project.settings.get("head", {})
    framing = stored_framing(project.settings).as_json()
    return {
        "format": BUNDLE_FORMAT,
        "version": BUNDLE_VERSION,
        "name": project.name,
        "fingerprint": fingerprint(model),
        "class_names": list(model.class_names),
        "models": {},
        "preprocessing": asdict(info.preprocessing),
        "unknown": unknown
        and {
            "threshold": unknown.threshold,
            "neighbours": NEIGHBOURS,
            "hesitation_weight": unknown.hesitation_weight,
            "references": len(unknown.references),
            "measured_on_bursts": unknown.measured_on_bursts,
        },
        "smoothing_s": SMOOTHING_S,
        **({FRAMING_SETTING: framing} if framing else {}),
        "backbone": {
            "name": info.name,
            "feature_kind": info.feature_kind,
            "feature_shape": list(info.feature_shape),
            "root_offset": info.root_offset,
            "weights_sha256": info.weights_sha256,
        },
        "adapted": _adapted(model),
        "head": {"kind": type(model.head).__name__, "seed": head.get("seed", 0)},
        "samples": counts,
        "made_with": {
            "edge-classifier": __version__,
            **{name: metadata.version(name) for name in ("ai-edge-litert", "numpy")},
            "opencv": cv2.__version__,
        },
    }


def _adapted(model: Model) -> dict[str, Any] | None:
    """Tell what a model was adapted to; `None` if it answers as it was taught."""
    if model.unadapted is None:
        return None
    rows = model.unadapted.rows
    seen = count_seen(model.head.scores(rows)).tolist()
    return {"frames": len(rows), "seen": dict(zip(model.class_names, seen, strict=True))}


def measured(comparison: Comparison) -> dict[str, Any]:
    """Make a plain record of a comparison with the live path."""
    return {
        "samples": comparison.samples,
        "agreement": comparison.agreement,
        "largest_score_difference": comparison.difference,
        "unknown_agreement": comparison.unknown_agreement,
        "accuracy": comparison.accuracy,
        "ms": comparison.ms and round(comparison.ms, 3),
    }
