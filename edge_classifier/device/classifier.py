"""A bundle's model, ready to predict."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .errors import BundleError
from .interpreter import Interpreter, fastest_interpreter
from .trial import check_model
from .verdict import Prediction, familiarity

if TYPE_CHECKING:
    import numpy.typing as npt

    from .bundle import Bundle
    from .heat import HeatReferences
    from .preprocessing import Image


_NUMBERS: Final = (np.float32, np.uint8, np.int8)

_SLACK: Final = 0.01
"""How far scores may be out of [0, 1], for they were rounded."""


class Classifier:
    """A bundle's model, ready to predict; for one thread at a time.

    `model_format` is one of the bundle's, or `None` for its default; 0 threads measures which
    number of them is fastest.

    Raises:
        BundleError: if the model cannot be used.
    """

    def __init__(self, bundle: Bundle, model_format: str | None = None, threads: int = 1) -> None:
        self.bundle = bundle
        self.model_format = model_format or bundle.formats[0]
        content = bundle.model(self.model_format)
        try:
            check_model(content, bundle.spec["models"][self.model_format]["sha256"])
            self.interpreter = (
                Interpreter(content, threads) if threads else fastest_interpreter(content)
            )
        except ImportError as error:
            raise BundleError(f"{bundle.folder}: {error}") from error
        except (ValueError, RuntimeError) as error:
            oldest = bundle.oldest_runtimes(self.model_format)
            needs = f" (it needs at least {oldest})" if oldest else ""
            raise BundleError(
                f"{bundle.folder}: {self.model_format} cannot be used{needs}: {error}"
            ) from error
        size = bundle.preprocessing.input_size
        outputs = [
            tuple(int(n) for n in about["shape"]) if about["dtype"] in _NUMBERS else ()
            for about in self.interpreter.output_details
        ]
        classes = len(bundle.class_names)
        shape = self.interpreter.input_shape
        if shape != (1, size, size, 3) or (1, classes) not in outputs:
            given = outputs[0][-1] if outputs and outputs[0] else "no"
            raise BundleError(
                f"{bundle.folder}: expected a model of {size} px and {classes} classes, its file "
                f"takes an input of shape {shape} and has {given} classes."
            )
        self._scores = outputs.index((1, classes))
        self.quantised = self.interpreter.input_details["dtype"] == np.uint8
        self.mirrored = False
        """Whether pictures are mirrored before it sees them."""
        self.asked = 0
        """How often it was asked: whether `features` and `heat` are still of the same picture."""
        self._codes = self._input_codes() if self.quantised else None
        self._has_similarities = len(outputs) > 1 and bundle.threshold is not None
        self._heat: HeatReferences | None = None
        self._outputs = {o["name"]: n for n, o in enumerate(self.interpreter.output_details)}

    def prepare(self, image: Image) -> npt.NDArray[Any]:
        """Bring an image, `(H, W, 3)` uint8 BGR, into the network's input; in any thread."""
        pixels = self.prepare_picture(image)
        return pixels[:, ::-1] if self.mirrored else pixels

    def prepare_picture(self, image: Image) -> npt.NDArray[Any]:
        """Bring an image into the network's input as it is, where frames are mirrored."""
        if not self.quantised:
            return self.bundle.preprocessing.apply(image)
        square = self.bundle.preprocessing.square(image)
        return square if self._codes is None else self._codes[square]

    def predict_prepared(self, pixels: npt.NDArray[Any]) -> Prediction:
        """Predict from what `prepare` gave."""
        self.asked += 1
        self.interpreter.input_view()[0] = pixels
        try:
            self.interpreter.invoke()
        except RuntimeError as error:
            raise self._unsound(f"fails on a picture ({' '.join(str(error).split())})") from error
        bundle, scores = self.bundle, self.interpreter.output(self._scores)[0]
        if not (scores.min() >= -_SLACK and scores.max() <= 1 + _SLACK):  # NaN is neither
            raise self._unsound("gives scores that are no numbers from 0 to 1")
        if not self._has_similarities:
            return Prediction(bundle.class_names, scores)
        found = familiarity(
            self.interpreter.output(1), scores[None], bundle.neighbours, bundle.hesitation_weight
        )
        similarity = float(found[0])
        if math.isnan(similarity):
            raise self._unsound("gives similarities that are no numbers")
        return Prediction(bundle.class_names, scores, similarity, bundle.threshold)

    def predict(self, image: Image) -> Prediction:
        """Predict from an image, `(H, W, 3)` uint8 BGR, of any size."""
        return self.predict_prepared(self.prepare(image))

    @property
    def feature_dim(self) -> int | None:
        """How many features there are; `None` as with `features`."""
        index = self._outputs.get("features")
        return None if index is None else int(self.interpreter.output_details[index]["shape"][1])

    def features(self) -> npt.NDArray[np.float32] | None:
        """Return the features `(D,)` of what was predicted last, as the head was given them.

        `None` from a bundle of a version that exported none.
        """
        return self._output("features")

    def spatial(self) -> npt.NDArray[np.float32] | None:
        """Return the feature map of what was predicted last, flat, `(h * w * c,)`.

        Features that are not pooled are that map themselves. `None` as with `features`.
        """
        return self._output(self._spatial)

    @property
    def _spatial(self) -> str:
        return "spatial" if "spatial" in self._outputs else "features"

    def use_heat(self) -> None:
        """Get ready to give heat maps.

        Raises:
            BundleError: if the bundle cannot give them, or is damaged.
        """
        references, index = self.bundle.heat(self.model_format), self._outputs.get(self._spatial)
        # Of its shape only: before the first picture it holds whatever was in the memory.
        shape = () if index is None else self.interpreter.output_details[index]["shape"]
        if math.prod(map(int, shape)) != math.prod(references.shape):
            raise BundleError(
                f"{self.bundle.folder}: its {self.model_format} model and its heat references do "
                "not belong together; copy the bundle again."
            )
        self._heat = references

    @property
    def gives_heat(self) -> bool:
        """Whether it is ready to."""
        return self._heat is not None

    def heat(self, prediction: Prediction) -> npt.NDArray[np.float32] | None:
        """Say where what was predicted last is unlike the class of its prediction.

        Returns:
            `(h, w)` in [0, 1], or `None` before `use_heat`, and for a class without pictures.
        """
        spatial = self.spatial() if self._heat else None
        if self._heat is None or spatial is None:
            return None
        return self._heat.heat(spatial, prediction.class_name)

    def _input_codes(self) -> npt.NDArray[np.uint8] | None:
        """Say which byte stands for each value of a pixel, `(256,)`; `None` if it is the value."""
        scale, zero_point = self.interpreter.input_details["quantization"]
        low, high = self.bundle.preprocessing.low, self.bundle.preprocessing.high
        values = np.arange(256)
        if not scale:
            return None
        codes = np.rint((low + values * (high - low) / 255) / scale) + zero_point
        if np.abs(codes - values).max() <= 1:
            return None
        return np.asarray(np.clip(codes, 0, 255), np.uint8)

    def _unsound(self, what: str) -> BundleError:
        return BundleError(
            f"{self.bundle.folder}: its {self.model_format} model {what}, so it is damaged or no "
            "classifier; get it again from where it was made."
        )

    def _output(self, name: str) -> npt.NDArray[np.float32] | None:
        index = self._outputs.get(name)
        if index is None:
            return None
        values: npt.NDArray[np.float32] = self.interpreter.output(index)[0]
        if not np.isfinite(values).all():
            raise self._unsound(f"gives {name} that are no numbers")
        return values
