"""One backbone, or several whose features lie side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.features.backbone import LiteRTBackbone
    from edge_classifier.values import Features

SEPARATOR: Final = "+"
"""Between the names of backbones side by side: `v2-0.35+v2-1.0`."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What gives the features of one or more backbones, one after the other in each row.

    Attributes:
        backbones: In the order of their features.
    """

    backbones: tuple[LiteRTBackbone, ...]

    @property
    def name(self) -> str:
        """The names, joined."""
        return SEPARATOR.join(b.info.name for b in self.backbones)

    @property
    def extractors(self) -> dict[str, bytes]:
        """The TFLite file of each, by its name."""
        return {b.info.name: b.extractor for b in self.backbones}

    def extract(self, images: Sequence[Image]) -> Features:
        """Compute the features `(N, D)` of N pictures, `(H, W, 3)` uint8 BGR."""
        return np.concatenate([b.extract(images) for b in self.backbones], axis=1)
