"""From what the session knows to what the picture shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from edge_classifier.coach import key_of, next_hint
from edge_classifier.dataset import Dataset
from edge_classifier.errors import InvalidImageError, ProjectError
from edge_classifier.frame import BACKGROUND
from edge_classifier.source_state import SourceStatus
from edge_classifier.training import MIN_CLASSES
from edge_classifier.view import Activity, Banner, ClassCard, Level, Message
from edge_classifier.words import counted

if TYPE_CHECKING:
    from edge_classifier.frame import Colour, Image, Prediction
    from edge_classifier.learner import Learner
    from edge_classifier.protocols import Backbone, SampleStore
    from edge_classifier.source_state import SourceState
    from edge_classifier.validation import Validation

_UNKNOWN_COLOUR: Final[Colour] = (160, 160, 160)


class Presenter:
    """Keeps what changes only with the dataset, and adds what changes with every frame.

    Args:
        store: Where colours and thumbnails come from.
    """

    def __init__(self, store: SampleStore) -> None:
        self._store = store
        self._thumbnails: dict[str, tuple[str, Image | None]] = {}
        self._cards: tuple[ClassCard, ...] = ()
        self._colours: dict[str, Colour] = {}
        self._dataset = Dataset((), ())
        self._advised: tuple[Dataset, Validation | None] | None = None
        self._hint = ""

    def hint(self, validation: Validation | None) -> str:
        """Return what to do next; empty where nothing is missing.

        Args:
            validation: How good the model is, where that is known.
        """
        # By identity: comparing thousands of samples would take longer than the frame.
        if self._advised is None or not (
            self._advised[0] is self._dataset and self._advised[1] is validation
        ):
            self._advised = (self._dataset, validation)
            self._hint = read_only_hint(self._store) or next_hint(
                self._dataset, BACKGROUND, validation
            )
        return self._hint

    def dataset_changed(self, dataset: Dataset) -> None:
        """Take note of added or removed classes and samples."""
        self._dataset = dataset
        self._colours = {name: self._store.colour(name) for name in dataset.class_names}
        self._cards = tuple(
            ClassCard(
                name=name,
                key=key_of(dataset.class_names, name, BACKGROUND),
                colour=self._colours[name],
                count=dataset.count(name),
                score=None,
                thumbnail=self._thumbnail(dataset, name),
                selected=False,
                recording=False,
            )
            for name in dataset.class_names
        )

    def _thumbnail(self, dataset: Dataset, class_name: str) -> Image | None:
        newest = dataset.newest(class_name)
        if newest is None:
            return None
        known, picture = self._thumbnails.get(class_name, ("", None))
        if known != newest.image_sha256:
            try:
                picture = self._store.thumbnail(newest)
            except (ProjectError, InvalidImageError):
                # The learner, which needs the whole picture, is who reports it.
                picture = None
            self._thumbnails[class_name] = (newest.image_sha256, picture)
        return picture

    def cards(
        self, prediction: Prediction | None, *, selected: str | None, recording: str | None
    ) -> tuple[ClassCard, ...]:
        """Return the class cards with their live scores."""
        scores: dict[str, float] = {}
        if prediction and len(prediction.class_names) >= MIN_CLASSES:
            scores = dict(zip(prediction.class_names, prediction.scores.tolist(), strict=True))
        return tuple(
            replace(
                card,
                score=scores.get(card.name),
                selected=card.name == selected,
                recording=card.name == recording,
            )
            for card in self._cards
        )

    def banner(self, prediction: Prediction | None) -> Banner | None:
        """Return the verdict; none while there is nothing to tell a class from."""
        if prediction is None or len(prediction.class_names) < MIN_CLASSES:
            return None
        name = "unknown" if prediction.unknown else prediction.class_name
        return Banner(
            label=name,
            confidence=None if prediction.unknown else prediction.confidence,
            unknown=prediction.unknown,
            colour=_UNKNOWN_COLOUR
            if prediction.unknown
            else self._colours.get(name, _UNKNOWN_COLOUR),
            similarity=prediction.similarity,
            threshold=prediction.threshold,
        )


def read_only_hint(store: SampleStore) -> str:
    """Say why nothing can be captured; empty where it can."""
    why = store.why_read_only
    return f"read-only: {why}; S saves a copy to go on in" if why else ""


def project_title(name: str, backbone: Backbone | None) -> str:
    """Name the project and its backbone; why it is that one was said when it was loaded."""
    return f"{name} · {backbone.info.name}" if backbone else name


def learning_activity(learner: Learner, dataset: Dataset) -> Activity:
    """Say how far learning is, for a moment when nothing else goes on."""
    if job := learner.job:
        return Activity(job.text, job.progress)
    saved = f"{pictures(len(dataset.samples))} saved"
    if learner.backbone is None:
        return Activity(f"no backbone · {saved}")
    if learner.model is None or len(dataset.captured_classes) < MIN_CLASSES:
        return Activity(saved)
    if learner.stale:
        return Activity(f"T trains anew · {saved}")
    return Activity(f"trained · {saved}")


def quality_line(learner: Learner) -> str:
    """Say how good what was learned is, as far as that is known."""
    if learner.is_fine_tuned:
        return "fine-tuned on these pictures: only others can tell how good it is"
    if learner.validation is not None:
        return learner.validation.line()
    return "validating …" if learner.assessing and not learner.stale else ""


def unknown_setting(steps: int, threshold: float | None) -> str:
    """Say how strict "unknown" is.

    Args:
        steps: Of the user's: above 0 is stricter than measured.
        threshold: The similarity below which a frame is unknown, or `None` before it is known.
    """
    if not steps:
        how = "as measured"
    else:
        unit = "step" if abs(steps) == 1 else "steps"
        way = "stricter" if steps > 0 else "more lenient"
        how = f"{abs(steps)} {unit} {way} than measured"
    where = "" if threshold is None else f": what is less than {threshold:.2f} familiar is unknown"
    return f"unknown is {how}{where}"


def source_message(source: SourceState) -> Message | None:
    """Say what is wrong with the camera, if anything."""
    if not source.text:
        return None
    if source.status is SourceStatus.RUNNING:
        return Message(source.text, Level.WARNING)
    calm = source.status in (SourceStatus.OPENING, SourceStatus.ENDED)
    return Message(source.text, Level.INFO if calm else Level.ERROR)


def pictures(count: int) -> str:
    """Count pictures in words: `1 picture`, `12 pictures`."""
    return counted(count, "picture")
