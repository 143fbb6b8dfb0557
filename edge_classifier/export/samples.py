"""Which samples model files are rounded on, and on which others they are compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.errors import CancelledError, NotEnoughSamplesError
from edge_classifier.export.formats import DYNAMIC, INT8
from edge_classifier.export.replay import STOPPED, VERIFIED
from edge_classifier.features.bulk import read_pictures
from edge_classifier.features.subsample import spread_samples
from edge_classifier.learning.heat import heat_samples
from edge_classifier.project.sample_files import recording_of
from edge_classifier.protocols import ignore_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image, Preprocessing
    from edge_classifier.project.store import Snapshot
    from edge_classifier.protocols import Cancelled
    from edge_classifier.values import Sample

HELD_OUT: Final = "held-out samples"

_VERIFIED_FLOATS: Final = 60
"""Samples that files in floats are compared on, which hold the same numbers as the live path."""

_PLACES_PER_CLASS: Final = 12
"""Pictures of a class that heat maps are measured on: half of the window's, nearly as good."""

_CALIBRATING: Final = (20, 100)
"""As few and as many samples calibrate, two a class between: ten do as well as a hundred, as long
as every class is among them."""


@dataclass(frozen=True, slots=True)
class ChosenSamples:
    """Which samples a model file is calibrated on, and on which others it is compared.

    Attributes:
        calibrating: For rounding; none where no format needs it.
        verifying: Held-out ones if there are any.
        verified_on: What these are, in words.
        places: For what heat maps need.
    """

    calibrating: tuple[Sample, ...]
    verifying: tuple[Sample, ...]
    verified_on: str
    places: tuple[Sample, ...]

    @property
    def all_to_see(self) -> list[Sample]:
        """What the live path has to see: those to verify on, then the others."""
        return list({s.path: s for s in (*self.verifying, *self.places)}.values())


def choose_samples(project: Snapshot, formats: Sequence[str]) -> ChosenSamples:
    """Part a project's samples: what was rounded on a burst shows no error there."""
    calibrating: tuple[Sample, ...] = ()
    verifying, what = project.samples, "samples that were trained on"
    if not {DYNAMIC, INT8}.isdisjoint(formats):
        classes = len({sample.class_name for sample in project.samples})
        half = _every_second_recording(project.samples)
        count = int(np.clip(2 * classes, *_CALIBRATING))
        calibrating = tuple(spread_samples(half, count))
        used = {sample.path for sample in half}
        verifying = tuple(sample for sample in project.samples if sample.path not in used)
    if project.held_out:
        verifying, what = project.held_out, HELD_OUT
    if not verifying:
        verifying, what = project.samples, f"{what}, and rounded on"
    count = VERIFIED if calibrating else _VERIFIED_FLOATS
    places = heat_samples(project.samples, _PLACES_PER_CLASS)
    return ChosenSamples(calibrating, tuple(spread_samples(verifying, count)), what, tuple(places))


def _every_second_recording(samples: Sequence[Sample]) -> list[Sample]:
    """Choose every second recording of a class, or sample of its only one, the first among them.

    One that has parts in several classes, since some were moved, is chosen with all of them or not.
    """
    by_class: dict[str, dict[str, list[Sample]]] = {}
    for sample in samples:
        recordings = by_class.setdefault(sample.class_name, {})
        recordings.setdefault(recording_of(sample.burst_id), []).append(sample)
    classes = Counter(chain.from_iterable(by_class.values()))
    is_chosen = {next(iter(recordings)): True for recordings in by_class.values()}
    half: list[Sample] = []
    for recordings in by_class.values():
        for number, (recording, several) in enumerate(recordings.items()):
            alone = len(recordings) == 1 and classes[recording] == 1
            if is_chosen.setdefault(recording, number % 2 == 0):
                half += several[::2] if alone else several
    return half


class Calibration:
    """Pictures as a network's float input `(S, S, 3)`, to see what goes through it: `Inputs`.

    Iterating raises a `CancelledError` if asked to stop.

    Raises:
        NotEnoughSamplesError: if no picture can be read.
    """

    def __init__(
        self, samples: Sequence[Sample], preprocessing: Preprocessing, cancelled: Cancelled
    ) -> None:
        self._cancelled = cancelled
        self._preprocessing = preprocessing
        self._squares: list[Image] = [
            preprocessing.shrink(picture)
            for _, picture in read_pictures(samples, ignore_progress, cancelled, STOPPED)
            if isinstance(picture, np.ndarray)  # others are named where evidence is collected
        ]
        if not self._squares:
            raise NotEnoughSamplesError("There is no sample that can be read.")

    def __len__(self) -> int:
        return len(self._squares)

    def __iter__(self) -> Iterator[npt.NDArray[np.float32]]:
        for square in self._squares:
            if self._cancelled():
                raise CancelledError(STOPPED)
            yield self._preprocessing.apply(square)
