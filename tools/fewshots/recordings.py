"""The hour after: taught on the first frames of recordings, asked about the last ones.

Sets are folders of frames of one recording a class, in the order of capture. A model learns from
some of the first 40 % of each class, as one burst, and is asked about the last 40 %: as it is,
adapted to some of these without their labels, and following them as they come. The features of the
class that was left out are near strangers; those of sets of another kind are far ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from edge_classifier.device.adaptation import PASSING, adapt, is_familiar
from edge_classifier.device.frame_buffer import FrameBuffer
from edge_classifier.device.verdict import normalise
from edge_classifier.errors import AdaptationError
from edge_classifier.learning.adaptation import adapt_model, taught_of
from edge_classifier.learning.training import train
from edge_classifier.values import FeatureSet, Variants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from edge_classifier.learning.model import Model
    from edge_classifier.values import Features

TAUGHT_PART: Final = 0.4
ASKED_PART: Final = 0.4
LEAST_FRAMES: Final = 25
"""A class with fewer is not taken: there is no hour after."""

EACH: Final = (2, 4, 8)
"""Unlabelled frames a class."""

_UNBALANCED: Final = (24, 2)
"""Frames of the class that comes most, and of each other one."""

_VISIT: Final = 10
_FIRST_TIME: Final = 5
_GROWN: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One set.

    Attributes:
        name: Short name.
        class_names: Its C classes, two or more.
        frames: For each class `(n, D)` features in the order of capture.
        variants: For each class `(m, V, D)` features of variants of its first m frames, those that
            may be taught.
        kind: What it shows; sets of one kind are no far strangers to each other.
    """

    name: str
    class_names: tuple[str, ...]
    frames: tuple[Features, ...]
    variants: tuple[Features, ...]
    kind: str


class Task(NamedTuple):
    """What is taught and asked.

    Attributes:
        taught: One burst a class.
        asked: `(M, D)`, class after class, each in the order of capture.
        asked_ids: `(M,)`.
        near: `(K, D)` later frames of the class that was left out.
    """

    taught: FeatureSet
    asked: Features
    asked_ids: npt.NDArray[np.int64]
    near: Features


@dataclass(frozen=True, slots=True)
class Draw:
    """How tasks are drawn.

    Attributes:
        shots: Frames of each class that are taught.
        ways: Classes at most.
        in_a_row: Whether the shots follow each other, as a short press gives them.
        singly: Whether each counts as a burst of its own, as pictures that were added do.
    """

    shots: int
    ways: int
    in_a_row: bool = False
    singly: bool = False


def draw_task(
    one: Recording, strangers: Features, how: Draw, generator: np.random.Generator
) -> Task:
    """Draw what is taught and asked; of three or more classes one is left out."""
    order = generator.permutation(len(one.class_names)).tolist()
    left_out = order.pop() if len(order) > 2 else None  # noqa: PLR2004 - two have to be left
    chosen = sorted(order[: how.ways])
    rows = [_shots(len(one.variants[c]), how, generator) for c in chosen]
    ids = np.repeat(np.arange(len(chosen)), [len(r) for r in rows])
    varied = np.concatenate([one.variants[c][r] for c, r in zip(chosen, rows, strict=True)])
    asked = [_last(one.frames[c]) for c in chosen]
    return Task(
        FeatureSet(
            np.concatenate([one.frames[c][r] for c, r in zip(chosen, rows, strict=True)]),
            ids,
            np.array([f"{c} {n if how.singly else ''}" for n, c in enumerate(ids.tolist())]),
            tuple(one.class_names[c] for c in chosen),
            Variants(
                varied.reshape(-1, varied.shape[-1]),
                np.repeat(np.arange(len(varied)), varied.shape[1]),
            ),
            strangers,
        ),
        np.concatenate(asked),
        np.repeat(np.arange(len(chosen)), [len(a) for a in asked]),
        asked[0][:0] if left_out is None else _last(one.frames[left_out]),
    )


def _shots(count: int, how: Draw, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    if not how.in_a_row:
        return np.sort(generator.permutation(count)[: how.shots])
    first = int(generator.integers(max(1, count - how.shots + 1)))
    return np.arange(first, min(count, first + how.shots))


def _last(frames: Features) -> Features:
    return frames[len(frames) - int(len(frames) * ASKED_PART) :]


def taught_count(frames: int) -> int:
    """Say how many of the first frames of a class may be taught."""
    return int(frames * TAUGHT_PART)


def far_of(sets: Sequence[Recording], one: Recording, others: Features) -> Features:
    """Collect far strangers: `others`, and the last frames of sets of another kind."""
    found = [_last(f)[::4] for s in sets if s.kind != one.kind for f in s.frames]
    return np.concatenate([others, *found])


def shown(
    task: Task, generator: np.random.Generator
) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """Give what the model may adapt to: names, and rows of `task.asked`."""
    classes = len(task.taught.class_names)
    of_class = [generator.permutation(np.flatnonzero(task.asked_ids == c)) for c in range(classes)]
    for count in EACH:
        yield f"{count} a class", np.concatenate([rows[:count] for rows in of_class])
    yield "all", np.arange(len(task.asked))
    most = int(generator.integers(classes))
    yield (
        "one class 80 %",
        np.concatenate([rows[: _UNBALANCED[c != most]] for c, rows in enumerate(of_class)]),
    )
    if classes > 2:  # noqa: PLR2004 - half of them are two at least
        half = generator.permutation(classes)[: max(2, classes // 2)].tolist()
        yield "half of the classes", np.concatenate([of_class[c][:8] for c in half])
    yield "one class only", of_class[most][:20]


def orders(
    task: Task, generator: np.random.Generator
) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """Give the orders in which the frames come while the model follows: rows of `task.asked`."""
    of_class = [np.flatnonzero(task.asked_ids == c) for c in range(len(task.taught.class_names))]
    yield "mixed", generator.permutation(len(task.asked))
    visits = [r[n : n + _VISIT] for r in of_class for n in range(0, len(r), _VISIT)]
    yield "visits", np.concatenate([visits[n] for n in generator.permutation(len(visits))])
    yield "blocks", np.concatenate([of_class[c] for c in generator.permutation(len(of_class))])


def measure(task: Task, far: Features, generator: np.random.Generator) -> dict[str, float]:
    """Teach, ask, adapt and follow.

    Returns:
        Accuracies, what they gain (`gain: …`), and parts of frames (`known refused: …`,
        `near accepted: …`, `far accepted: …`).
    """
    plain = train(replace(task.taught, variants=None))
    model = train(task.taught)
    right = _right(model, task)
    figures = {
        "accuracy": float(right.mean()),
        "accuracy without varied views": float(_right(plain, task).mean()),
        **_verdicts(model, task, task.asked, far, "as it is"),
    }
    for name, rows in shown(task, generator):
        adapted = _adapted(model, task.asked[rows])
        others = np.ones(len(task.asked), np.bool_)
        if name != "all":
            others[rows] = False
        now = _right(adapted, task)
        figures[f"accuracy: {name}"] = float(now[others].mean())
        figures[f"gain: {name}"] = float(now[others].mean() - right[others].mean())
        if name in {"8 a class", "all"}:
            figures |= _verdicts(adapted, task, task.asked[others], far, f"adapted, {name}")
    lost = _right(_adapted(model, far), task)
    figures["gain: strangers only"] = float(lost.mean() - right.mean())
    for name, order in orders(task, generator):
        now = follow(model, task.asked[order]) == task.asked_ids[order]
        gain = now.astype(float) - right[order]
        figures[f"gain: follow, {name}"] = float(gain.mean())
        figures[f"gain: follow, {name}, last third"] = float(gain[2 * len(gain) // 3 :].mean())
    return figures


def _right(model: Model, task: Task) -> npt.NDArray[np.bool_]:
    right: npt.NDArray[np.bool_] = model.head.scores(task.asked).argmax(axis=1) == task.asked_ids
    return right


def _adapted(model: Model, features: Features) -> Model:
    """Adapt as the window does; the model stays as it is where that is refused."""
    try:
        return adapt_model(model, features).model
    except AdaptationError:
        return model


def follow(model: Model, features: Features) -> npt.NDArray[np.int64]:
    """Answer frames `(N, D)` one by one, adapting to those before as a device does, `(N,)`."""
    scores = model.head.scores(features)
    answers: list[int] = scores.argmax(axis=1).tolist()
    if model.unknown is None:
        return np.array(answers)
    taught, rows = taught_of(model), normalise(features)
    takes_part = is_familiar(model.unknown, features, scores)
    weights, bias = taught.weights, taught.bias
    buffer, due = FrameBuffer(features.shape[1]), _FIRST_TIME
    for n, row in enumerate(rows):
        own, answers[n] = answers[n], int((row @ weights + bias).argmax())
        if takes_part[n] and buffer.add(row, own) and len(buffer) >= due:
            found = adapt(taught, buffer.rows, PASSING)
            weights, bias = (found.weights, found.bias) if found else (taught.weights, taught.bias)
            due = len(buffer) + max(_FIRST_TIME, len(buffer) // _GROWN)
    return np.array(answers)


def _verdicts(
    model: Model, task: Task, known: Features, far: Features, how: str
) -> dict[str, float]:
    if model.unknown is None:
        return {}
    threshold = model.unknown.threshold
    familiar, strange, distant = (
        model.unknown.similarity(rows, model.head.scores(rows)) for rows in (known, task.near, far)
    )
    figures = {f"known refused: {how}": float((familiar < threshold).mean())}
    if len(strange):
        figures[f"near accepted: {how}"] = float((strange >= threshold).mean())
        level = np.quantile(familiar, 0.05)
        figures[f"near accepted at 95 % of known: {how}"] = float((strange >= level).mean())
    if len(distant):
        figures[f"far accepted: {how}"] = float((distant >= threshold).mean())
    return figures
