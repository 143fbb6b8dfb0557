"""Fine-tune a project's backbone on its samples, so that it sees what tells its classes apart.

Takes some ten seconds to a minute, in a child process; the picture goes on meanwhile. It always
starts from the backbone as it came, never from one that was tuned before: so the result depends
on the samples alone, and a class that was removed leaves nothing behind.

What it gains, with our default head, on eight episodes of the four sets of `tools/fewshots` (ten
pictures a class): accuracy 0.833 to 0.860 with `v2-0.35`, 0.748 to 0.780 with `built-in`; known
frames accepted 86 % to 85 % and 96 % to 86 %, unrelated pictures 11 % to 12 % and 7 % to 9 %,
other classes of the same set 74 % to 61 % and 76 % to 63 %.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from edge_classifier.errors import CancelledError, InvalidValueError, NotEnoughSamplesError
from edge_classifier.features.backbone import (
    LiteRTBackbone,
    choose_backbone,
    load_backbone,
    weights_file,
)
from edge_classifier.features.bulk import read_pictures
from edge_classifier.features.catalogue import AUTO, BUILT_IN
from edge_classifier.features.child_process import require_tensorflow, run_child
from edge_classifier.features.dataset import Dataset
from edge_classifier.features.subsample import spread_samples
from edge_classifier.features.tuned import (
    EXTRACTOR,
    FROZEN_UP_TO,
    JOB,
    VIEWS,
    forget_tuned,
    keep_tuned,
    new_folder,
    tuned_info,
)
from edge_classifier.features.variants import make_variants
from edge_classifier.languages.text import Text, plural
from edge_classifier.learning.project_backbone import (
    ChooseBackbone,
    LoadedBackbone,
    OpenBackbone,
    backbone_loader,
    may_be_built_in,
)
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.learning.tuning_gain import Gain, compare, newest_bursts
from edge_classifier.project.files import reported
from edge_classifier.protocols import ignore_progress, part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image, Preprocessing
    from edge_classifier.learning.project_backbone import BackboneChoice
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Cancelled, Progress
    from edge_classifier.values import BackboneInfo, Features, Sample

MIN_CLASSES: Final = 2
"""Nothing is to be learned of a network that is to tell one class from itself."""

_MOST_SAMPLES: Final = 300
"""Spread over classes and bursts; with their variants 180 MB at 224 px, and a minute's work."""

_PREPARED: Final = 0.1
_SEED: Final = 0
_STOPPED: Final = "Fine-tuning was cancelled; the backbone is as it was."

FineTune: TypeAlias = "Callable[[tuple[Sample, ...], Progress, Cancelled], str]"
"""Fine-tunes a project's backbone on these samples, and returns what to say of it."""


def fine_tune(
    store: ProjectStore,
    choice: BackboneChoice,
    progress: Progress,
    cancelled: Cancelled,
    samples: Sequence[Sample] | None = None,
) -> BackboneInfo:
    """Fine-tune the last blocks of a project's backbone, and let the project use the result.

    Features and model have to be computed anew after it: `project_backbone.backbone_loader` gives
    the tuned backbone from then on, with a cache of its own.

    `auto` starts from the project's own backbone. `samples` are the project's at one moment, for a
    caller whose other thread may change them meanwhile; by default all that it has. `cancelled` is
    asked ten times a second.

    Returns:
        What the project uses now.

    Raises:
        NotEnoughSamplesError: with fewer than two classes.
        InvalidValueError: if this backbone cannot be tuned.
        BackboneError: if it cannot be had, or tuned.
        ProjectError: if the project is read-only, or the result cannot be kept; then nothing has
            changed.
        CancelledError: if asked to stop; then nothing has changed either.
    """
    base = _tunable(store, choice, progress, cancelled).info
    with _tuned(
        store, choice, base, store.samples() if samples is None else samples, progress, cancelled
    ) as made:
        store.check_writable()
        info = keep_tuned(store.path, made, base)
    store.set_backbone(info, replace=True)
    forget_tuned(store.path, but=info)
    return info


def measure_gain(
    store: ProjectStore,
    choice: BackboneChoice,
    progress: Progress,
    cancelled: Cancelled,
    samples: Sequence[Sample],
) -> Gain | None:
    """Fine-tune without the newest bursts, which takes as long, and ask about those.

    Nothing in the project changes. The arguments are those of `fine_tune`, which raises the same.

    Returns:
        `None` where there are no two classes of several bursts.
    """
    chosen = {sample.path for sample in spread_samples(samples, _MOST_SAMPLES)}
    samples = [sample for sample in samples if sample.path in chosen]
    held_out = newest_bursts(samples)
    if held_out is None:
        return None
    base = _tunable(store, choice, progress, cancelled)
    is_held = dict(zip((sample.path for sample in samples), held_out.tolist(), strict=True))
    taught = [sample for sample in samples if not is_held[sample.path]]
    known: list[Sample] = []
    rows: list[tuple[Features, Features]] = []
    with _tuned(store, choice, base.info, taught, progress, cancelled) as made:
        tuned = LiteRTBackbone(tuned_info(made, base.info), made / EXTRACTOR)
        for sample, image in read_pictures(samples, ignore_progress, cancelled, _STOPPED):
            if not isinstance(image, Exception):  # named where the features are computed
                known.append(sample)
                rows.append((base.extract([image])[0], tuned.extract([image])[0]))
    held_out = np.array([is_held[sample.path] for sample in known], np.bool_)
    if not held_out.any():
        return None
    dataset = Dataset.of(store, known)
    before, after = (dataset.labelled(known, np.stack(each)) for each in zip(*rows, strict=True))
    return compare(before, after, held_out, project_head_settings(store), cancelled)


@contextmanager
def _tuned(
    store: ProjectStore,
    choice: BackboneChoice,
    base: BackboneInfo,
    samples: Sequence[Sample],
    progress: Progress,
    cancelled: Cancelled,
) -> Iterator[Path]:
    """Fine-tune on samples, into a folder in the project that is gone after the block."""
    samples = spread_samples(samples, _MOST_SAMPLES)
    made = new_folder(store.path)
    try:
        progress(0.0, "reading samples")
        reading = part_of(progress, 0.0, _PREPARED)
        pictures = read_pictures(samples, reading, cancelled, _STOPPED)
        views = _views(pictures, base.preprocessing)
        weights = weights_file(base, choice.weights)
        with reported("write in", made):
            _tune(made, base, weights, views, part_of(progress, _PREPARED, 1.0), cancelled)
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _tunable(
    store: ProjectStore, choice: BackboneChoice, progress: Progress, cancelled: Cancelled
) -> LiteRTBackbone:
    """Load the backbone as it came, if it can be tuned."""
    # First of all: what lies in its folder may be the work of the program that has it open.
    store.check_writable()
    name = _base_name(store, choice)
    if name not in FROZEN_UP_TO:
        raise InvalidValueError(
            f"{name} cannot be fine-tuned; choose one of {', '.join(FROZEN_UP_TO)} with --backbone."
        )
    require_tensorflow("Fine-tuning")
    return _base(store, choice, progress, cancelled)


def _tune(
    made: Path,
    base: BackboneInfo,
    weights: Path,
    views: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]],
    progress: Progress,
    cancelled: Cancelled,
) -> None:
    """Let a child process write what it makes of a backbone and views, as of `_views`."""
    np.savez(made / VIEWS, views=views[0], class_ids=views[1])
    job = {"backbone": base.as_json(), "weights": str(weights.resolve()), "seed": _SEED}
    (made / JOB).write_text(json.dumps(job), encoding="utf-8")
    failure = run_child(
        "edge_classifier.graphs.fine_tune_backbone",
        [str(made.resolve())],
        progress=progress,
        cancelled=cancelled,
        stopped=_STOPPED,
    )
    if failure:
        raise failure.as_error(f"TensorFlow could not fine-tune {base.name}")
    for name in (VIEWS, JOB):
        (made / name).unlink()


def undo_fine_tuning(
    store: ProjectStore, choice: BackboneChoice, progress: Progress, cancelled: Cancelled
) -> BackboneInfo:
    """Go back to the backbone as it came, and delete what was fine-tuned.

    Features computed with it before are still in the cache. The arguments are those of
    `fine_tune`.

    Raises:
        BackboneError: if it cannot be had; then nothing has changed.
        ProjectError: if the project cannot be written.
        CancelledError: if asked to stop.
    """
    info = _base(store, choice, progress, cancelled).info
    store.set_backbone(info, replace=True)
    forget_tuned(store.path)
    return info


def _base_name(store: ProjectStore, choice: BackboneChoice) -> str:
    """Say which backbone is meant, as it came."""
    known = store.backbone
    wanted = known.name if known and choice.name == AUTO else choice.name
    return choose_backbone(wanted, weights=choice.weights).name


def _base(
    store: ProjectStore, choice: BackboneChoice, progress: Progress, cancelled: Cancelled
) -> LiteRTBackbone:
    """Load the backbone as it came."""
    kind = choice.feature_kind or (store.backbone.feature_kind if store.backbone else "pooled")
    return load_backbone(
        _base_name(store, choice),
        weights=choice.weights,
        feature_kind=kind,
        progress=progress,
        cancelled=cancelled,
    )


def _views(
    pictures: Iterable[tuple[Sample, Image | Exception]], preprocessing: Preprocessing
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Cut the views `(N, S, S, 3)` RGB out of samples, with their class ids `(N,)`."""
    squares, names = [], []
    for sample, image in pictures:
        if isinstance(image, Exception):  # named where the features are computed
            continue
        views = [image, *make_variants(image)]
        squares += [preprocessing.square(view) for view in views]
        names += [sample.class_name] * len(views)
    classes, class_ids = np.unique(names, return_inverse=True)
    if len(classes) < MIN_CLASSES:
        raise NotEnoughSamplesError(
            f"Fine-tuning teaches the network to tell classes from each other: it needs samples of "
            f"at least {MIN_CLASSES}, there {'is' if len(classes) == 1 else 'are'} {len(classes)}."
        )
    return np.stack(squares), class_ids.astype(np.int64)


def tunable_backbone(
    store: ProjectStore,
    choice: BackboneChoice,
    *,
    choose: ChooseBackbone = choose_backbone,
    open_backbone: OpenBackbone = load_backbone,
) -> tuple[Callable[[Progress, Cancelled], LoadedBackbone], FineTune]:
    """Return what loads a session's backbone, and what fine-tunes it for the loads to come.

    Both are to be run on the worker thread. Where loading is stopped in a new project that left
    the backbone to us, the next one loads the built-in.
    """
    wanted = [choice]

    def load(progress: Progress, cancelled: Cancelled) -> LoadedBackbone:
        try:
            return backbone_loader(store, wanted[-1], choose=choose, open_backbone=open_backbone)(
                progress, cancelled
            )
        except CancelledError:
            if may_be_built_in(store, wanted[-1]):
                wanted.append(replace(choice, name=BUILT_IN))
                raise CancelledError(
                    Text("stopped loading the network; T goes on with {name}", name=BUILT_IN)
                ) from None
            raise CancelledError(Text("stopped loading the network; T begins again")) from None

    def tune(samples: tuple[Sample, ...], progress: Progress, cancelled: Cancelled) -> Text:
        gain = measure_gain(store, choice, part_of(progress, 0.0, 0.5), cancelled, samples)
        rest = part_of(progress, 0.5, 1.0) if gain else progress
        info = fine_tune(store, choice, rest, cancelled, samples)
        # One that was asked for by name would replace what was just made of it.
        wanted.append(replace(choice, name=AUTO))
        return _told(info.name, gain)

    return load, tune


def _told(name: str, gain: Gain | None) -> Text:
    """Say what fine-tuning a backbone has gained, as far as that was measured."""
    if gain is None:
        return Text(
            "fine-tuned the network ({name}) to your classes; what that gains is measured where "
            "two classes have two rounds",
            name=name,
        )
    return plural(
        "fine-tuned: {before} % right before, {after} % now, on {count} held-out round",
        "fine-tuned: {before} % right before, {after} % now, on {count} held-out rounds",
        gain.bursts,
        before=round(gain.before * 100),
        after=round(gain.after * 100),
    )
