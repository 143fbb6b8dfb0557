"""The backbones there are: names, shapes, and the official files with their hashes.

Source of file names, addresses and MD5 hashes: `keras.applications` of Keras 3.15
(`mobilenet.py`, `mobilenet_v2.py`, `mobilenet_v3.py`), so that a file that Keras has already
downloaded is found and used. A SHA-256 is pinned where it is known: that of v1-0.25 is the one
that Keras' own sources pin since, and was computed here from the file; that of v2-0.35 is the
one that public code pins for the same address. For v3 Keras pins the MD5. For v2-1.0 no pin was
published: see `edge_classifier.features.weights` for how it is checked then.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from edge_classifier.device.preprocessing import Preprocessing
from edge_classifier.errors import InvalidValueError
from edge_classifier.values import BackboneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_classifier.values import FeatureKind

AUTO: Final = "auto"
"""Not a backbone, but the wish for the best one that can be had here."""

BUILT_IN: Final = "built-in"
"""The backbone that comes with the package; what it is stands in its own JSON file."""

DEFAULT: Final = "v2-0.35"
"""What `auto` means wherever the official weights can be had."""

Architecture: TypeAlias = Literal[
    "MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"
]

_KERAS: Final = "https://storage.googleapis.com/tensorflow/keras-applications"
_V2: Final = f"{_KERAS}/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels"
_V3: Final = f"{_KERAS}/mobilenet_v3/weights_mobilenet_v3"
_INPUT_SIZE: Final = 224


@dataclass(frozen=True, slots=True)
class OfficialBackbone:
    """A MobileNet of `keras.applications` with its ImageNet weights.

    Attributes:
        name: As in `--backbone`.
        architecture: Which function of `keras.applications` makes the network.
        alpha: Width multiplier.
        feature_shape: `(h, w, c)` of the last convolution's output after its activation.
        layer: Name of that layer, or `None` where Keras numbers it: then it is the last one.
        url: Where Keras downloads the weights without the top from.
        sha256: Of that file, hexadecimal, or `None` where nobody published it.
        md5: Likewise.
        low: Input value of a black pixel; v3 brings its own rescaling and expects 0 to 255.
        high: Input value of a white pixel.
    """

    name: str
    architecture: Architecture
    alpha: float
    feature_shape: tuple[int, int, int]
    layer: str | None
    url: str
    sha256: str | None = None
    md5: str | None = None
    low: float = -1.0
    high: float = 1.0

    @property
    def file_name(self) -> str:
        """The weights file's name in Keras' cache."""
        return self.url.rpartition("/")[2]

    @property
    def preprocessing(self) -> Preprocessing:
        """How an image becomes this network's input."""
        return Preprocessing(_INPUT_SIZE, low=self.low, high=self.high)

    def info(self, feature_kind: FeatureKind, weights_sha256: str) -> BackboneInfo:
        """Describe the backbone with the weights that were found for it."""
        return BackboneInfo(
            self.name, self.feature_shape, feature_kind, weights_sha256, self.preprocessing
        )


_OFFICIAL: Final = (
    OfficialBackbone(
        name="v1-0.25",
        architecture="MobileNet",
        alpha=0.25,
        feature_shape=(7, 7, 256),
        layer="conv_pw_13_relu",
        url=f"{_KERAS}/mobilenet/mobilenet_2_5_224_tf_no_top.h5",
        sha256="dbdb03ee2a22fd895301636cd328b234bb3a9952358f436d82f46b81e0d5b0bf",
    ),
    OfficialBackbone(
        name="v2-0.35",
        architecture="MobileNetV2",
        alpha=0.35,
        feature_shape=(7, 7, 1280),
        layer="out_relu",
        url=f"{_V2}_0.35_224_no_top.h5",
        sha256="df1c3db1d0d9193719c4c70f707c56f7021f999f825bdc57454c275cf6def19f",
    ),
    OfficialBackbone(
        name="v2-1.0",
        architecture="MobileNetV2",
        alpha=1.0,
        feature_shape=(7, 7, 1280),
        layer="out_relu",
        url=f"{_V2}_1.0_224_no_top.h5",
    ),
    OfficialBackbone(
        name="v3-small",
        architecture="MobileNetV3Small",
        alpha=1.0,
        feature_shape=(7, 7, 576),
        layer=None,
        url=f"{_V3}_small_224_1.0_float_no_top_v2.h5",
        md5="d3e8ec802a04aa4fc771ee12a9a9b836",
        low=0.0,
        high=255.0,
    ),
    OfficialBackbone(
        name="v3-large",
        architecture="MobileNetV3Large",
        alpha=1.0,
        feature_shape=(7, 7, 960),
        layer=None,
        url=f"{_V3}_large_224_1.0_float_no_top_v2.h5",
        md5="07fb09a5933dd0c8eaafa16978110389",
        low=0.0,
        high=255.0,
    ),
)

OFFICIAL: Final[Mapping[str, OfficialBackbone]] = MappingProxyType({b.name: b for b in _OFFICIAL})
"""The official backbones by name, smallest first."""

NAMES: Final = (*OFFICIAL, BUILT_IN)
"""Every backbone that can be asked for by name."""


def official(name: str) -> OfficialBackbone:
    """Look up an official backbone.

    Raises:
        InvalidValueError: if there is none of this name; names those that there are.
    """
    try:
        return OFFICIAL[name]
    except KeyError:
        raise InvalidValueError(
            f"Expected a backbone out of {', '.join(NAMES)} (or {AUTO}), received {name!r}."
        ) from None
