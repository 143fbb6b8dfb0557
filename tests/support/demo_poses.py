"""A hard task of near-duplicates from the demo: which way is the phone turned?"""

from __future__ import annotations

import numpy as np

from edge_classifier.demo.scene import POSES, DemoScene
from edge_classifier.protocols import Backbone
from edge_classifier.values import FeatureSet

FRAME_S = 1 / 15


def poses(backbone: Backbone, takes: range, per_burst: int = 5, seed: int = 0) -> FeatureSet:
    """Record each take as one burst; the class is the pose, everything else differs by take."""
    scene = DemoScene(seed)
    images, class_ids, bursts = [], [], []
    for take in takes:
        for n in range(per_burst):
            images.append(scene.image("phone", 1 + n * FRAME_S, take))
            class_ids.append(take % POSES)
            bursts.append(f"b{take:07d}")
    return FeatureSet(
        backbone.extract(images),
        np.array(class_ids, np.int64),
        np.array(bursts, np.str_),
        tuple(f"pose {n}" for n in range(POSES)),
    )
