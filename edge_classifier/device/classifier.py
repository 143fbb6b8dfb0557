"""A bundle's model, ready to answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ClassifyError
from .interpreter import Interpreter, _fastest
from .verdict import Answer, TimeAverage, familiarity

if TYPE_CHECKING:
    import numpy.typing as npt

    from .bundle import Bundle
    from .preprocessing import Image


class Classifier:
    """A bundle's model, ready to answer; for one thread at a time.

    Args:
        bundle: The bundle.
        model_format: Which of its files, or `None` for the default.
        threads: CPU threads of the interpreter, or 0 to measure which number is fastest.

    Raises:
        ClassifyError: if the model cannot be used.
    """

    def __init__(self, bundle: Bundle, model_format: str | None = None, threads: int = 1) -> None:
        self.bundle = bundle
        self.model_format = model_format or bundle.formats[0]
        content = bundle.model(model_format)
        try:
            self.interpreter = Interpreter(content, threads) if threads else _fastest(content)
        except (ValueError, ImportError) as error:
            raise ClassifyError(f"{bundle.folder}: {error}") from error
        size = bundle.preprocessing.input_size
        outputs = [tuple(int(n) for n in o["shape"]) for o in self.interpreter.output_details]
        classes = len(bundle.class_names)
        if self.interpreter.input_shape != (1, size, size, 3) or outputs[0] != (1, classes):
            raise ClassifyError(
                f"{bundle.folder}: expected a model of {size} px and {classes} classes, its file "
                f"takes {self.interpreter.input_shape[1]} px and has {outputs[0][-1]} classes."
            )
        self.quantised = self.interpreter.input_details["dtype"] == np.uint8
        self._has_similarities = len(outputs) > 1 and bundle.threshold is not None
        self._steady = (TimeAverage(bundle.smoothing_s), TimeAverage(bundle.smoothing_s))

    def prepare(self, image: Image) -> npt.NDArray[Any]:
        """Bring an image, `(H, W, 3)` uint8 BGR, into the network's input; in any thread."""
        preprocessing = self.bundle.preprocessing
        return preprocessing.square(image) if self.quantised else preprocessing.apply(image)

    def answer(self, pixels: npt.NDArray[Any]) -> Answer:
        """Predict from what `prepare` gave."""
        self.interpreter.input_view()[0] = pixels
        self.interpreter.invoke()
        scores = self._output(0)[0]
        if not self._has_similarities:
            return Answer(self.bundle.class_names, scores)
        bundle = self.bundle
        similarity = familiarity(
            self._output(1), scores[None], bundle.neighbours, bundle.hesitation_weight
        )
        return self._judged(scores, similarity)

    def predict(self, image: Image) -> Answer:
        """Predict from an image, `(H, W, 3)` uint8 BGR, of any size."""
        return self.answer(self.prepare(image))

    def steady(self, answer: Answer, now_s: float) -> Answer:
        """Average over the answers before; as the live picture does."""
        scores = self._steady[0].update(answer.scores, now_s)
        if answer.similarity is None:
            return Answer(answer.class_names, scores)
        similarity = np.array([answer.similarity], np.float32)
        return self._judged(scores, self._steady[1].update(similarity, now_s))

    def _judged(
        self, scores: npt.NDArray[np.float32], similarity: npt.NDArray[np.float32]
    ) -> Answer:
        value = float(similarity[0])
        threshold = self.bundle.threshold
        return Answer(
            self.bundle.class_names, scores, value, threshold is not None and value < threshold
        )

    def _output(self, index: int) -> npt.NDArray[np.float32]:
        """Copy an output as float32; what is quantised is brought back to its real values."""
        values = self.interpreter.output_view(index)
        if values.dtype == np.float32:
            return np.array(values, np.float32)
        scale, zero_point = self.interpreter.output_details[index]["quantization"]
        real: npt.NDArray[np.float32] = (
            values.astype(np.float32) - np.float32(zero_point)
        ) * np.float32(scale)
        return real
