"""The ways to learn from a few pictures that are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.learning.head import imprint
from edge_classifier.learning.model import Model
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.learning.training import train

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.values import FeatureSet

OURS: Final = "ours"
TEACHABLE_MACHINE: Final = "teachable machine"
_TEACHABLE_MACHINE_BATCH: Final = 16


def nearest_mean(support: FeatureSet) -> Model:
    """Compare with the normalised class means."""
    return Model(imprint(support))


def teachable_machine(support: FeatureSet) -> Model:
    """Train as Teachable Machine does: Dense 100 relu, Adam 1e-3, 50 epochs, batches of 16."""
    batch = min(1.0, _TEACHABLE_MACHINE_BATCH / len(support))
    return train(
        support,
        HeadSettings(kind="dense", learning_rate=1e-3, epochs=50, batch_fraction=batch),
    )


def article(support: FeatureSet) -> Model:
    """Train as the article does: Adam 1e-4, 20 epochs, batches of 0.4 N (on pooled features)."""
    return train(support, HeadSettings(kind="dense"))


METHODS: Final[dict[str, Callable[[FeatureSet], Model]]] = {
    OURS: train,
    TEACHABLE_MACHINE: teachable_machine,
    "article": article,
    "nearest mean": nearest_mean,
}
"""What each one is called, and what learns."""
