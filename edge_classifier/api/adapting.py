"""What an estimator answers by: its model as it was taught, or adapted to other conditions."""

from __future__ import annotations

import warnings
from collections.abc import Sized
from itertools import islice
from typing import TYPE_CHECKING

from edge_classifier.api.looking import LookingEstimator
from edge_classifier.errors import AdaptationError
from edge_classifier.learning.adaptation import adapt_model
from edge_classifier.learning.familiar_frames import MOST_LOOKED_AT, FamiliarFrames
from edge_classifier.progress import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self

    from edge_classifier.learning.adaptation import Adaptation
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Progress
    from edge_classifier.values import Features


class AdaptableEstimator(LookingEstimator):
    """An estimator whose model can be adapted to unlabelled pictures, and back.

    What is kept are the features of those pictures: whenever the model is trained again, it is
    adapted to them anew, also where they did not fit to the one before.
    """

    adaptation_: Adaptation | None
    _frames: Features | None = None  # objects pickled by older versions have none

    def adapt(self, images: Iterable[object], *, progress: bool | Progress = False) -> Self:
        """Adapt to another light or place by unlabelled pictures of the classes there.

        About 8 pictures of each class that differ from each other are enough, of at least two
        classes; pictures of anything else are left out. It begins from what was fitted, whatever
        it was adapted to before. `adaptation_` then says what has changed, `reset_adaptation`
        takes it back, and samples stay as they are: `partial_fit` adapts anew to the same
        pictures, `fit` forgets them.

        Args:
            images: Pictures; of more than 1,024 with a length so many are taken, evenly.
            progress: As with `fit`.

        Raises:
            AdaptationError: if nothing in the pictures was recognised, or it would do harm; then
                the classifier answers as before.
        """
        model, extractor = self._answering()
        taught = model.taught
        frames = FamiliarFrames(taught)
        count = len(images) if isinstance(images, Sized) else None
        every = 1 if count is None else max(1, -(-count // MOST_LOOKED_AT))
        chosen = images if every == 1 else islice(images, 0, None, every)
        with shown(progress, "looking at pictures") as told:
            told(0.0, "looking at pictures")
            for row in extractor.rows(chosen):
                frames.add(row)
                told(min(1.0, frames.looked_at * every / count) if count else 0.0)
        self._adapt_to(frames.features(), taught)
        return self

    def reset_adaptation(self) -> Self:
        """Answer again as what was fitted says, if `adapt` was called."""
        self._answer_by(self._model().taught)
        return self

    def _answer_by(self, taught: Model, frames: Features | None = None) -> None:
        """Take over a model and frames `(N, D)`, adapted to these where they fit."""
        self.model_, self.adaptation_, self._frames = taught, None, frames
        if frames is not None:
            try:
                self._adapt_to(frames, taught)
            except AdaptationError as error:
                warnings.warn(f"It is not adapted any more: {error}", stacklevel=4)

    def _adapt_to(self, frames: Features, taught: Model) -> None:
        self.adaptation_ = adapt_model(taught, frames)
        self.model_, self._frames = self.adaptation_.model, frames
