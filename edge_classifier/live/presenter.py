"""From what the session knows to what the picture shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from edge_classifier.device.source_state import SourceStatus
from edge_classifier.errors import InvalidImageError, ProjectError
from edge_classifier.evaluation.coach import counted, next_hint
from edge_classifier.features.dataset import Dataset
from edge_classifier.learning.training import MIN_CLASSES
from edge_classifier.live.view import Activity, Banner, ClassCard, Level, Message, Rates
from edge_classifier.project.classes import key_of
from edge_classifier.values import BACKGROUND

if TYPE_CHECKING:
    from edge_classifier.device.frame import Clock
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.source_state import SourceState
    from edge_classifier.evaluation.validation import Validation
    from edge_classifier.live.learner import Learner
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Backbone
    from edge_classifier.values import Colour, Prediction


class RateMeter:
    """Smooths the figures, and renews what is shown only a few times a second.

    Args:
        shown_every_s: How often the shown figures change; faster cannot be read.
    """

    def __init__(self, shown_every_s: float = 0.5) -> None:
        self._shown_every_s = shown_every_s
        self._since_s: float | None = None
        self._frames = 0
        self._sums = {"capture": 0.0, "inference": 0.0, "drawing": 0.0}
        self._drawings = 0
        self._shown = Rates(0.0, 0.0, 0.0, 0.0)

    def add_frame(self, now_s: float, *, capture_ms: float, inference_ms: float) -> None:
        """Count a frame that was captured and inferred on."""
        if self._since_s is None:
            self._since_s = now_s
        self._frames += 1
        self._sums["capture"] += capture_ms
        self._sums["inference"] += inference_ms

    def add_drawing(self, drawing_ms: float) -> None:
        """Count a picture that was drawn and shown."""
        self._drawings += 1
        self._sums["drawing"] += drawing_ms

    def rates(self, now_s: float) -> Rates:
        """Return the figures to show."""
        if self._since_s is None:
            return self._shown
        elapsed = now_s - self._since_s
        if elapsed >= self._shown_every_s:
            frames, drawings = max(1, self._frames), max(1, self._drawings)
            self._shown = Rates(
                fps=round(self._frames / elapsed, 1),
                capture_ms=round(self._sums["capture"] / frames, 1),
                inference_ms=round(self._sums["inference"] / frames, 1),
                drawing_ms=round(self._sums["drawing"] / drawings, 1),
            )
            self._since_s, self._frames, self._drawings = now_s, 0, 0
            self._sums = dict.fromkeys(self._sums, 0.0)
        return self._shown


_MESSAGE_S: Final = 5.0
_ERROR_S: Final = 12.0


class Messages:
    """Remembers what was said last, and for how long it is shown.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: tuple[Message, float] | None = None
        self._routine: tuple[Message, float] | None = None

    def say(self, text: str, level: Level = Level.INFO) -> None:
        """Show a line from now on; may be called from another thread."""
        until_s = self._clock() + (_ERROR_S if level is Level.ERROR else _MESSAGE_S)
        self._said = (Message(text, level), until_s)  # at once, for the reader's thread

    def say_by_the_way(self, text: str) -> None:
        """Show a line of routine, unless it would hide what was just answered."""
        said = self._said
        if said is None or said is self._routine or self._clock() > said[1]:
            self.say(text)
            self._routine = self._said

    def clear(self) -> None:
        """Take the line away: something is more important than whatever was said before."""
        self._said = None

    def current(self, now_s: float) -> Message | None:
        """Return the line to show, if there is one."""
        said = self._said
        return said[0] if said and now_s <= said[1] else None


_UNKNOWN_COLOUR: Final[Colour] = (160, 160, 160)


class Presenter:
    """Keeps what changes only with the dataset, and adds what changes with every frame.

    Args:
        store: Where colours and thumbnails come from.
    """

    def __init__(self, store: ProjectStore) -> None:
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
                key=key_of(dataset.class_names, name),
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


def read_only_hint(store: ProjectStore) -> str:
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
