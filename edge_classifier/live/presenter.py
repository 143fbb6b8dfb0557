"""From what the session knows to what the picture shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.device.source_state import SourceStatus
from edge_classifier.errors import InvalidImageError, ProjectError
from edge_classifier.evaluation.advice import next_hint
from edge_classifier.features.dataset import Dataset
from edge_classifier.languages.text import Text, as_text, joined, plural
from edge_classifier.learning.training import is_enough
from edge_classifier.live.view import UNKNOWN_COLOUR, Activity, Banner, ClassCard, Level, Message
from edge_classifier.project.classes import key_of
from edge_classifier.project.samples import Samples

if TYPE_CHECKING:
    from edge_classifier.device.frame import Clock
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.source_state import SourceState
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.evaluation.validation import Validation
    from edge_classifier.live.learner import Learner
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.values import Colour


class Presenter:
    """Keeps what changes only with the dataset, and adds what changes with every frame."""

    def __init__(self, store: ProjectStore, learner: Learner) -> None:
        self._store = store
        self._name = store.name
        self._learner = learner
        self._thumbnails: dict[str, tuple[str, Image | None]] = {}
        self._cards: tuple[ClassCard, ...] = ()
        self._colours: dict[str, Colour] = {}
        self._dataset = Dataset((), Samples({}))
        self._saved = ""
        self._can_train = False
        self._advised: tuple[Dataset, Validation | None, str] | None = None
        self._hint = ""
        self._validated = ""

    def dataset_changed(self, dataset: Dataset) -> None:
        """Take note of added or removed classes and samples."""
        before, self._dataset = self._dataset, dataset
        self._saved = plural(
            "{count} picture saved", "{count} pictures saved", len(dataset.samples)
        )
        self._can_train = is_enough([dataset.count(name) for name in dataset.class_names])
        self._colours = self._store.colours()
        # Of many classes one has changed, nearly always.
        same = before.class_names == dataset.class_names
        cards = {card.name: card for card in self._cards} if same else {}
        self._cards = tuple(
            cards[name]
            if name in cards and before.of_class(name) is dataset.of_class(name)
            else ClassCard(
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
                picture = self._store.thumbnail(newest.path)
            except (ProjectError, InvalidImageError):
                # The learner, which needs the whole picture, is who reports it.
                picture = None
            self._thumbnails[class_name] = (newest.image_sha256, picture)
        return picture

    def title(self) -> str:
        """Name the project and its backbone; why it is that one was said when it was loaded."""
        backbone = self._learner.backbone
        return f"{self._name} · {backbone.info.name}" if backbone else self._name

    def cards(
        self, prediction: Prediction | None, *, selected: str | None, recording: str | None
    ) -> tuple[ClassCard, ...]:
        """Return the class cards with their live scores."""
        scores: dict[str, float] = {}
        if prediction and _tells(prediction):
            shown = prediction.confidences.tolist()
            scores = dict(zip(prediction.class_names, shown, strict=True))
        return tuple(
            ClassCard(  # not `replace`, which takes five times as long, for each picture
                name=card.name,
                key=card.key,
                colour=card.colour,
                count=card.count,
                score=scores.get(card.name),
                thumbnail=card.thumbnail,
                selected=card.name == selected,
                recording=card.name == recording,
            )
            for card in self._cards
        )

    def banner(self, prediction: Prediction | None) -> Banner | None:
        """Return the verdict; none while there is nothing to tell a class from."""
        if prediction is None or not _tells(prediction):
            return None
        unknown, name = prediction.unknown, prediction.class_name
        return Banner(
            label=Text("unknown") if unknown else name,
            confidence=None if unknown else prediction.confidence,
            unknown=unknown,
            colour=UNKNOWN_COLOUR if unknown else self._colours.get(name, UNKNOWN_COLOUR),
            similarity=prediction.similarity,
            threshold=prediction.threshold,
        )

    def activity(self) -> Activity:
        """Say how far learning is, for a moment when nothing else goes on."""
        learner = self._learner
        if job := learner.job:
            return Activity(job.text, job.progress)
        if learner.backbone is None:
            return Activity(joined(" · ", Text("no network"), self._saved))
        if learner.model is None or not self._can_train:
            return Activity(self._saved)
        state = Text("adapted") if learner.model.unadapted else Text("trained")
        if learner.stale:
            state = Text("T trains anew")
        return Activity(joined(" · ", state, self._saved))

    def hint(self) -> str:
        """Return what to do next; empty where nothing is missing."""
        self._advise()
        return self._hint

    def quality(self) -> str:
        """Say how good what was learned is, as far as that is known."""
        learner = self._learner
        if learner.is_fine_tuned:
            return Text("fine-tuned on these pictures: only others can tell how good it is")
        self._advise()
        if self._validated:
            return self._validated
        checking = learner.evaluator.job and not learner.stale
        return Text("checking how good it is …") if checking else ""

    def _advise(self) -> None:
        """Find the lines that change only with the dataset and what is known of the model."""
        # By identity: comparing thousands of samples would take longer than the frame.
        validation = self._learner.validation
        advised, why = self._advised, self._store.why_read_only
        if (
            advised
            and advised[0] is self._dataset
            and advised[1] is validation
            and advised[2] == why
        ):
            return
        self._advised = (self._dataset, validation, why)
        self._validated = validation.line() if validation else ""
        if why:
            again = Text("open it again")
            way_on = again if self._store.lost else Text("S saves a copy to go on in")
            self._hint = Text("read-only: {why}; {way_on}", why=as_text(why), way_on=way_on)
        else:
            self._hint = next_hint(self._dataset, validation)


def _tells(prediction: Prediction) -> bool:
    """Say whether there is anything that the class could be told from: another one, or unknown."""
    return len(prediction.class_names) > 1 or prediction.similarity is not None


def unknown_setting(steps: int, threshold: float | None) -> Text:
    """Say how strict "unknown" is: above 0 steps, stricter than measured."""
    if steps > 0:
        how = plural(
            "unknown is {count} step stricter than measured",
            "unknown is {count} steps stricter than measured",
            steps,
        )
    elif steps:
        how = plural(
            "unknown is {count} step more lenient than measured",
            "unknown is {count} steps more lenient than measured",
            -steps,
        )
    else:
        how = Text("unknown is as measured")
    if threshold is None:
        return how
    return Text(
        "{how}: what looks less than {percent} % like what you showed",
        how=how,
        percent=max(0, round(threshold * 100)),
    )


def source_message(source: SourceState, *, can_begin_again: bool = False) -> Message | None:
    """Say what is wrong with the camera, if anything; a video that has ended may begin again."""
    if not source.text:
        return None
    if source.status is SourceStatus.ENDED and can_begin_again:
        again = Text("{what}; R begins it again", what=as_text(source.text))
        return Message(again)
    if source.status is SourceStatus.RUNNING:
        return Message(as_text(source.text), Level.WARNING)
    calm = source.status in (SourceStatus.OPENING, SourceStatus.ENDED)
    return Message(as_text(source.text), Level.INFO if calm else Level.ERROR)


_MESSAGE_S: Final = 5.0
_ERROR_S: Final = 12.0


class Messages:
    """Remembers what was said last, and for how long it is shown."""

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
