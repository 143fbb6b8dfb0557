"""A classifier on a device that adapts to the light and the place."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from .adaptation import (
    MIN_SEEN,
    PASSING,
    SHOWN,
    asked_difference,
    enough,
    familiar_before_and_after,
    what_changed,
)
from .adaptation_state import AdaptationState
from .console import one_line, say
from .errors import BundleError, InvalidValueError
from .frame_buffer import DIFFERS, SAME, FrameBuffer
from .taught import features_of, read_taught
from .verdict import normalise

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from .bundle import Bundle
    from .classifier import Classifier
    from .frame import Clock
    from .taught import LinearModel, TaughtModel
    from .verdict import Prediction

Mode: TypeAlias = Literal["once", "follow"]

_GROWN_BY: Final = (5, 0.2)
"""It is computed anew when so many frames have come, or such a part of those that are there."""

_SAVE_S: Final = 300.0
_SAVED_BYTES: Final = 4 * 1024 * 1024
"""Of pooled features there are fewer; more are written less often, for the memory card's sake."""

_HARM: Final = "not adapted: adapting to what was shown would do harm; show each class once more."
_TELL_S: Final = 20.0
_MOST_NAMED: Final = 8


def what_can_adapt(classifier: Classifier, mode: Mode) -> TaughtModel:
    """Read what a classifier was taught, as it is adapted in a way.

    Raises:
        BundleError: if it cannot be adapted; says why.
        InvalidValueError: if a single class is to be followed.
    """
    bundle = classifier.bundle
    if mode == "follow" and len(bundle.class_names) < MIN_SEEN:
        raise InvalidValueError(
            f"--adapt follow needs {MIN_SEEN} classes: what changes in frames of the only one "
            "may be the thing itself. --adapt once shows it on purpose."
        )
    taught = read_taught(bundle)
    if classifier.feature_dim != len(taught.model.weights):
        raise BundleError(
            f"{bundle.folder}: its {classifier.model_format} model and what it was taught do "
            "not belong together; copy the bundle again."
        )
    return taught


class Adapter:
    """Turns a classifier's answers into adapted ones, as soon as enough was seen.

    `once`: familiar frames are collected until there are enough of each class, and what was
    adapted to these stays, also over a restart. `follow`: they are collected for good, and it is
    computed anew from the buffer every few frames. Where that would do harm, what was fine before
    stays.

    It begins with what was kept by the last one, unless `anew`.

    With `background` computing and writing are another thread's work, and frames go on meanwhile;
    without it, answers do not depend on how fast a machine is.

    Raises as `what_can_adapt` does.
    """

    def __init__(
        self,
        classifier: Classifier,
        mode: Mode,
        *,
        background: bool,
        anew: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        bundle = classifier.bundle
        self._classifier, self._names = classifier, bundle.class_names
        self._follows, self._evidence = mode == "follow", PASSING if mode == "follow" else SHOWN
        self._taught = what_can_adapt(classifier, mode)
        dim = len(self._taught.model.weights)
        self._clock = clock
        self._enough = enough(len(self._names))
        self._executor = ThreadPoolExecutor(1, "adapting") if background else None
        self._work: Future[None] | None = None
        self._adapted: LinearModel | None = None
        self._buffer = FrameBuffer(dim)
        self._key = f"{bundle.spec['taught']['sha256']} {mode}"
        self._state = AdaptationState(bundle.folder, self._key)
        kept = [] if anew else self._state.load(dim, len(self._names))
        known = ((row, self._taught.model.recognise(row)) for row, _ in kept)
        frames = [(row, class_id) for row, class_id in known if class_id is not None]
        if len(frames) < len(kept) // 2:
            say("the frames that were kept do not resemble what was taught; adapting begins anew.")
            frames = []
        if self._follows and not frames:
            frames = self._exported()
        for row, class_id in frames:
            self._buffer.add(row, class_id, differs=SAME)
        self._new, self._unsaved, self._done = len(self._buffer), False, False
        self._saved_s = self._told_s = -np.inf
        self._told = ""
        if self._is_due():
            self._compute(self._buffer.rows)
            self._new = 0

    def update(self, prediction: Prediction) -> Prediction:
        """Take the answer to what the classifier was asked last; return the adapted one."""
        self._work_on(features_of(self._classifier))
        adapted = self._adapted
        return prediction if adapted is None else adapted.answer_to_last(self._classifier)

    def close(self) -> None:
        """Keep what there is; may be called twice."""
        if self._executor:
            self._executor.shutdown()
        if self._adapted is None:
            self._tell(self._why_not())
        if self._unsaved:
            self._save()

    def give_way(self, bundle: Bundle) -> None:
        """End for the adapter of another bundle, which has what was collected if it fits there."""
        if self._executor:
            self._executor.shutdown()
        if (bundle.spec.get("taught") or {}).get("sha256") == self._key.partition(" ")[0]:
            self._save()  # even what was: with the bundle's folder it may have been taken away

    def _save(self) -> None:
        self._unsaved = False
        self._state.save(self._buffer.rows, self._buffer.class_ids)

    def _exported(self) -> list[tuple[npt.NDArray[np.float32], int]]:
        """Give the frames that the exported model was adapted to, and their classes."""
        rows = self._taught.rows
        return list(zip(rows, self._taught.model.scores(rows).argmax(axis=1).tolist(), strict=True))

    def _work_on(self, features: npt.NDArray[np.float32]) -> None:
        """Take a frame, begin what is due, and tell how it goes."""
        if self._work is not None and self._work.done():
            self._work.result()  # raises what went wrong there
            self._work = None
        idle = self._work is None
        if self._follows or (idle and not self._done):
            self._collect(features)
        if not idle:
            return
        if self._is_due():
            rows, self._new = self._buffer.rows, 0
            self._run(lambda: self._compute(rows))
        elif self._unsaved and (self._done or self._may_save()):
            rows, class_ids = self._buffer.rows, self._buffer.class_ids
            self._unsaved, self._saved_s = False, self._clock()
            self._run(lambda: self._state.save(rows, class_ids))
        if not (self._follows or self._done):
            self._remind()

    def _collect(self, features: npt.NDArray[np.float32]) -> None:
        class_id = self._taught.model.recognise(features)
        if class_id is None:
            return
        differs = DIFFERS
        if not self._follows:
            count = int(self._buffer.counts(len(self._names))[class_id])
            differs = asked_difference(self._names[class_id], count, self._enough)
        if self._buffer.add(normalise(features[None])[0], class_id, differs=differs):
            self._new += 1
            self._unsaved = True

    def _is_due(self) -> bool:
        if self._done:
            return False
        if not self._follows and self._buffer.counts(len(self._names)).min() < self._enough:
            return False
        least, part = _GROWN_BY
        return self._new >= max(least, part * len(self._buffer))

    def _may_save(self) -> bool:
        written = len(self._buffer) * len(self._taught.model.weights) * 4
        interval_s = _SAVE_S * max(1.0, written / _SAVED_BYTES)
        return self._clock() - self._saved_s >= interval_s

    def _run(self, work: Callable[[], None]) -> None:
        if self._executor is None:
            work()
        else:
            self._work = self._executor.submit(work)

    def _compute(self, rows: npt.NDArray[np.float32]) -> None:
        found = self._taught.adapted(rows, self._evidence)
        if found is None:
            if not self._follows:
                self._tell(_HARM)
            return
        if self._adapted is None:
            familiar = familiar_before_and_after(
                self._taught.taught,
                self._taught.model.unknown,
                found[1],
                found[0].unknown,
                rows,
            )
            changed = what_changed(familiar, found[1].seen, self._evidence)
            say(f"adapted to {len(rows)} frames: {changed}.")
        self._adapted = found[0]
        self._done = not self._follows

    def _remind(self) -> None:
        """Say now and then what is still to be shown."""
        missing = self._counted(below=self._enough)
        if missing and self._clock() - self._told_s >= _TELL_S:
            self._tell(
                f"adapting: {missing} of {self._enough} frames so far; show from several sides."
            )

    def _why_not(self) -> str:
        """Say why it has not adapted to what there was."""
        if self._follows:
            return (
                f"not adapted: {self._counted()} frames; following begins with "
                f"{self._evidence.frames} each of {MIN_SEEN} classes, unless it would do harm."
            )
        missing = self._counted(below=self._enough)
        return f"not adapted: {missing} of {self._enough} frames." if missing else _HARM

    def _counted(self, below: float = np.inf) -> str:
        """Name the classes of which there are fewer frames than that, with how many there are."""
        counted = [
            f"{one_line(name)} {count}"
            for name, count in zip(self._names, self._buffer.counts(len(self._names)), strict=True)
            if count < below
        ]
        return ", ".join(counted[:_MOST_NAMED]) + (", …" if counted[_MOST_NAMED:] else "")

    def _tell(self, text: str) -> None:
        """Say something, unless that was said last."""
        if text != self._told:
            self._told, self._told_s = text, self._clock()
            say(text)
