"""The data that everything else is about: samples, features.

All types are frozen and validated when made. Images are `(H, W, 3)` uint8 in **BGR** order,
as OpenCV gives them; only the preprocessing, which is stored with the model, turns them to RGB.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from edge_classifier.device import verdict
from edge_classifier.device.preprocessing import Preprocessing
from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image


Features: TypeAlias = npt.NDArray[np.float32]
"""`(N, D)` float32, one row an image."""

Colour: TypeAlias = tuple[int, int, int]
"""Blue, green, red, each 0 to 255."""

FeatureKind: TypeAlias = Literal["pooled", "spatial"]

_MAX_SIZE: Final = 65_536

BACKGROUND: Final = verdict.BACKGROUND
"""The name of the ordinary class that key B records: the empty scene."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A stored, labelled image.

    Attributes:
        class_name: The class it was captured for.
        burst_id: The burst it belongs to: what is undone, and what is split, as a whole.
        path: The picture file.
        image_sha256: Hash of the file's bytes, hexadecimal: the key of its features.
    """

    class_name: str
    burst_id: str
    path: Path
    image_sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class EncodedImage:
    """A picture as it will be stored, before it belongs to a class.

    Attributes:
        data: The bytes of the picture file.
        image: The same bytes decoded again, BGR: what features are computed from, so that a
            sample has the same features when it is captured and when it is read back.
        sha256: Hash of `data`, hexadecimal.
        suffix: How a file of these bytes is named: `.jpg` or `.png`.
        note: What the user should know of the file that it comes from, or empty.
    """

    data: bytes
    image: Image
    sha256: str
    suffix: str = ".jpg"
    note: str = ""


@dataclass(frozen=True, slots=True)
class BackboneInfo:
    """What a backbone is, as far as features depend on it.

    Attributes:
        name: As in `--backbone`, for example `v2-0.35`.
        feature_shape: `(h, w, c)` of the last convolution's output.
        feature_kind: `pooled` gives `(c,)` per image, `spatial` the flattened `(h * w * c,)`.
        weights_sha256: Hash of the weights, hexadecimal.
        preprocessing: How an image becomes the network's input.
        root_offset: Where given, pooled features `x`, which must not be negative, become
            `x / sqrt(x + root_offset)`: about their square roots, so that many weak features
            count beside a few strong ones (the power transform of Hu, Gripon and Pateux,
            "Leveraging the Feature Distribution in Transfer-based Few-Shot Learning", ICANN
            2021), but of finite slope at 0, and of operators that have integer kernels.
    """

    name: str
    feature_shape: tuple[int, int, int]
    feature_kind: FeatureKind
    weights_sha256: str
    preprocessing: Preprocessing
    root_offset: float | None = None

    def __post_init__(self) -> None:
        if len(self.feature_shape) != 3 or min(self.feature_shape) < 1:  # noqa: PLR2004 - h, w, c
            raise InvalidValueError(
                f"Expected a feature shape (h, w, c) of positive sizes, "
                f"received {self.feature_shape}."
            )
        if self.root_offset is not None and not 0 < self.root_offset < math.inf:
            raise InvalidValueError(f"Expected a root offset above 0, received {self.root_offset}.")

    @property
    def feature_dim(self) -> int:
        """D, the number of features per image."""
        height, width, channels = self.feature_shape
        return channels if self.feature_kind == "pooled" else height * width * channels

    @property
    def key(self) -> str:
        """A hash of all that features depend on; features of another key are never mixed in."""
        depends: list[object] = [self.weights_sha256, self.feature_kind, asdict(self.preprocessing)]
        if self.root_offset is not None:  # without one the keys of older caches stay as they are
            depends.append(self.root_offset)
        return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """What `from_json` reads: all fields by their names, those of the preprocessing within."""
        return asdict(self) | {"feature_shape": list(self.feature_shape)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> BackboneInfo:
        """Read what `as_json` gave, from a file that a stranger may have written.

        Raises:
            ValueError: if it describes no backbone; says what is wrong in a few words.
        """
        shape = checked(list, fields.get("feature_shape"), "feature_shape")
        sizes = tuple(checked(int, size, "a size") for size in shape)
        if len(sizes) != 3 or max(sizes) > _MAX_SIZE:  # noqa: PLR2004 - h, w, c
            raise ValueError(f"feature_shape is {shape}")
        kind = fields.get("feature_kind")
        if kind not in ("pooled", "spatial"):
            raise ValueError(f"feature_kind is {kind!r}")
        offset = fields.get("root_offset")
        preprocessing = checked(dict, fields.get("preprocessing"), "preprocessing")
        expected = set(Preprocessing.__dataclass_fields__)
        if set(preprocessing) != expected:
            # A step that is not known cannot be replayed; left out, it would be wrong in silence.
            raise ValueError(f"preprocessing has other fields than {', '.join(sorted(expected))}")
        return cls(
            name=checked(str, fields.get("name"), "the backbone's name"),
            feature_shape=sizes,
            feature_kind=kind,
            weights_sha256=checked(str, fields.get("weights_sha256"), "weights_sha256"),
            preprocessing=Preprocessing(
                input_size=checked(int, preprocessing["input_size"], "input_size"),
                resize=preprocessing["resize"],
                low=float(checked((int, float), preprocessing["low"], "low")),
                high=float(checked((int, float), preprocessing["high"], "high")),
            ),
            root_offset=None
            if offset is None
            else float(checked((int, float), offset, "root_offset")),
        )


def checked(kind: type | tuple[type, ...], value: object, what: str) -> Any:  # noqa: ANN401 - JSON is untyped, and this is where it gets types
    """Return a value out of JSON if it is of a type, or of one of several; never a `bool`.

    Raises:
        ValueError: if it is of another type; names it by `what`.
    """
    if not isinstance(value, kind) or isinstance(value, bool):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        expected = " or ".join(k.__name__ for k in kinds)
        raise ValueError(f"{what} is {type(value).__name__}, expected {expected}")  # noqa: TRY004 - of a file, not of a caller
    return value


@dataclass(frozen=True, slots=True, eq=False)
class Variants:
    """Features of samples seen a little otherwise: cropped, tilted, in other light.

    A head learns from them beside the samples themselves. Nothing is ever measured on them.

    Attributes:
        features: `(M, D)` float32.
        rows: `(M,)` int64, which row of the feature set each was made of.
    """

    features: Features
    rows: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or self.rows.shape != self.features.shape[:1]:  # noqa: PLR2004 - (M, D)
            raise InvalidValueError(
                f"Expected variants of shape (M, D) and M rows, received {self.features.shape} "
                f"and {self.rows.shape}."
            )

    def of(self, rows: npt.NDArray[np.int64]) -> Variants:
        """Take the variants of some rows, `(K,)`; they then count from 0 to K."""
        kept = [np.flatnonzero(self.rows == row) for row in rows.tolist()]
        chosen = np.concatenate([np.empty(0, np.int64), *kept])
        new_rows = np.repeat(np.arange(len(rows)), [len(k) for k in kept])
        return Variants(self.features[chosen], new_rows)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSet:
    """Labelled features, ready to train on.

    Attributes:
        features: `(N, D)` float32.
        class_ids: `(N,)` int64, each an index into `class_names`.
        burst_ids: `(N,)` strings, which burst each row came from.
        class_names: The C classes, in the order of the scores.
        variants: More to learn from, or `None`.
        strangers: `(K, D)` features of pictures of nothing in particular, to set the level of
            "unknown" by, or `None`.
        reviewed: `(N,)` whether a person has said of a row that it is right, or `None`.
    """

    features: Features
    class_ids: npt.NDArray[np.int64]
    burst_ids: npt.NDArray[np.str_]
    class_names: tuple[str, ...]
    variants: Variants | None = None
    strangers: Features | None = None
    reviewed: npt.NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or self.features.dtype != np.float32:  # noqa: PLR2004 - (N, D)
            raise InvalidValueError(
                "Expected features of shape (N, D) and dtype float32, "
                f"received {self.features.shape} and {self.features.dtype}."
            )
        rows = self.features.shape[0]
        if self.class_ids.shape != (rows,) or self.burst_ids.shape != (rows,):
            raise InvalidValueError(
                f"Expected {rows} class ids and burst ids, one a row of features, "
                f"received {self.class_ids.shape} and {self.burst_ids.shape}."
            )
        reviewed = self.reviewed
        if reviewed is not None and (reviewed.shape != (rows,) or reviewed.dtype != np.bool_):
            raise InvalidValueError(
                f"Expected {rows} booleans that say what was reviewed, received "
                f"{reviewed.dtype} of shape {reviewed.shape}."
            )
        if rows and not 0 <= int(self.class_ids.min()) <= int(self.class_ids.max()) < len(
            self.class_names
        ):
            raise InvalidValueError(
                f"Expected class ids from 0 to {len(self.class_names) - 1}, received "
                f"{int(self.class_ids.min())} to {int(self.class_ids.max())}."
            )

    def __len__(self) -> int:
        """N, the number of samples."""
        return int(self.features.shape[0])

    def subset(self, rows: npt.NDArray[np.int64]) -> FeatureSet:
        """Take some samples, with their variants; the classes stay."""
        return FeatureSet(
            self.features[rows],
            self.class_ids[rows],
            self.burst_ids[rows],
            self.class_names,
            self.variants and self.variants.of(rows),
            self.strangers,
            None if self.reviewed is None else self.reviewed[rows],
        )

    @property
    def counts(self) -> tuple[int, ...]:
        """Samples per class, in the order of `class_names`."""
        return tuple(int(n) for n in np.bincount(self.class_ids, minlength=len(self.class_names)))
