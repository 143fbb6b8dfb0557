"""What the picture shows, as plain data: made by the session, drawn by the overlay."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from edge_classifier.device.framing import Region
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.values import Colour

UNKNOWN_COLOUR: Final[Colour] = (160, 160, 160)


class Mode(Enum):
    """What the keys mean at present."""

    LIVE = "live"
    TYPING = "typing"
    CONFIRMING = "confirming"
    CORRECTING = "correcting"
    REVIEWING = "reviewing"
    CHOOSING = "choosing"
    LOOKING = "looking"
    FRAMING = "framing"


class Level(Enum):
    """How urgent a message is."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, eq=False)
class ClassCard:
    """One class in the picture.

    Attributes:
        name: In any script, at most 100 characters.
        key: What records it: `1` to `9`, `B`, or `None` beyond nine.
        colour: Blue, green, red.
        count: Stored samples.
        score: Live score in [0, 1], or `None` where there is no prediction.
        thumbnail: The newest sample, BGR, at most 96 pixels wide, or `None`.
        selected: Whether the record key (space) records into it.
        recording: Whether a burst of it is running.
    """

    name: str
    key: str | None
    colour: Colour
    count: int
    score: float | None
    thumbnail: Image | None
    selected: bool
    recording: bool


@dataclass(frozen=True, slots=True)
class Banner:
    """The verdict, large.

    Attributes:
        label: A class name, or `unknown`.
        confidence: In [0, 1], or `None` with `unknown`.
        unknown: Whether the frame resembles no class.
        colour: Of the class; grey with `unknown`.
        similarity: How much the frame resembles what was recorded, in [0, 1], or `None` before
            that was measured.
        threshold: The similarity below which a frame is unknown, or `None` likewise.
    """

    label: str
    confidence: float | None
    unknown: bool
    colour: Colour
    similarity: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """Where a frame's time goes, smoothed.

    Attributes:
        fps: Frames inferred per second.
        capture_ms: Milliseconds the source takes per frame.
        inference_ms: Milliseconds for preprocessing, backbone and head.
        drawing_ms: Milliseconds for drawing and showing.
    """

    fps: float
    capture_ms: float
    inference_ms: float
    drawing_ms: float


@dataclass(frozen=True, slots=True)
class Activity:
    """What is going on beside the live picture.

    Attributes:
        text: `recording phone`, `training`, `trained`, `saved`, …
        progress: From 0.0 to 1.0, or `None` where there is nothing to measure.
        recording: Draws the red dot.
    """

    text: str
    progress: float | None = None
    recording: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One line that appears for some seconds."""

    text: str
    level: Level = Level.INFO


class Say(Protocol):
    """Shows a line in the picture for some seconds."""

    def __call__(self, text: str, level: Level = Level.INFO) -> None:
        """Show it from now on."""


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press beside the picture.

    Attributes:
        text: What it says.
        press: The key that does the same, as `display.Press` names it.
    """

    text: str
    press: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Something asked in the window.

    Attributes:
        text: What was typed so far, or `None` for a yes/no question.
        note: Which keys do what.
        error: Why what was typed cannot be taken.
        replaced: Whether the text is replaced by what is typed next.
        picture: What is asked about, BGR, of any size; such a question leaves the live picture
            in sight.
    """

    title: str
    text: str | None
    note: str
    error: str | None = None
    replaced: bool = False
    picture: Image | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, eq=False)
class GalleryPicture:
    """One picture of a gallery.

    Attributes:
        id: What chooses it, with `display.CHOOSE`.
        thumbnail: BGR, or `None` while it is being read, or where it cannot be.
        problem: Why it cannot be read, in one line, or empty.
        class_name: Of the sample.
        colour: Of the class: blue, green, red.
        text: What is to be said of it, or empty.
        chosen: Whether what is pressed acts on it.
    """

    id: str
    thumbnail: Image | None
    problem: str
    class_name: str
    colour: Colour
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True, eq=False)
class GalleryRow:
    """Pictures beside each other.

    Attributes:
        heading: What they are, on the first row of a group and the first in sight; else empty.
        round_of: The id that chooses their whole round, with `display.CHOOSE_ROUND`, or empty.
        pictures: As many as there is room for, or fewer.
    """

    heading: str
    round_of: str
    pictures: tuple[GalleryPicture, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Stored pictures to look at and clean up.

    Attributes:
        title: What they are.
        detail: What is chosen.
        note: Which keys do what.
        rows: Those in sight, and more than there may be room for.
        first: How many rows are above them.
        row_count: How many rows there are.
        captioned: Whether something is said of each picture.
        progress: From 0.0 to 1.0 while they are being looked for, else `None`.
        chosen: The chosen picture, to be shown where there is no live one; or `None`.
    """

    title: str
    detail: str
    note: str
    rows: tuple[GalleryRow, ...] = ()
    first: int = 0
    row_count: int = 0
    captioned: bool = False
    progress: float | None = None
    chosen: Image | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A row of a `Menu`.

    Attributes:
        key: What chooses it, as its key's cap shows it.
        press: That key, as `display.Press` names it.
        text: What it is.
        detail: More of that, or empty.
        where: Where it lies, of which the end tells most, or empty.
    """

    key: str
    press: str
    text: str
    detail: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """Choices that fill the window, before there is anything else to show.

    Attributes:
        title: What is asked.
        note: Which keys do what.
        choices: From the top.
        chosen: Which of them Enter takes.
    """

    title: str
    note: str
    choices: tuple[Choice, ...]
    chosen: int


@dataclass(frozen=True, slots=True)
class Sounds:
    """What is to be heard: a display plays a sound when a count is larger than in the last view.

    Attributes:
        recorded: Pictures that were recorded so far: a click for each, as far as there is time.
        labels: New labels so far.
    """

    recorded: int
    labels: int


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """All that the window shows at one moment.

    Attributes:
        image: The newest picture, `(H, W, 3)` BGR, not mirrored, or `None` before the first.
        mirrored: Whether to draw it mirrored (for the eye only; never for the model).
        title: Project and backbone, one line.
        cards: One a class, in the order of the keys.
        banner: The verdict, or `None` where there is none to give.
        activity: Recording, training, saved.
        rates: Where the time goes, or `None` where nobody has asked for that.
        hint: What to do next, or empty.
        quality: How good what was learned is, in one line, or empty.
        message: Something that just happened, or `None`.
        prompt: A question that waits for an answer, or `None`.
        gallery: Stored pictures instead of the live one, which goes on small, or `None`.
        help_lines: `(keys, meaning, press)` while help is shown, else empty; `press` is the key
            that does it, or empty where there are several.
        buttons: What can be pressed at this moment, beside the cards and the gallery.
        tag: What stays to be seen on the picture: that the camera is no real one; or empty.
        heat: How unlike its class each place of the square that the model sees is, `(h, w)` in
            [0, 1], not mirrored; or `None` where that is not shown.
        menu: What is to be chosen before anything else, in place of all but the buttons, or `None`.
        sounds: What is to be heard, or `None` where it is to be quiet.
        region: The part of the picture that is looked at, or with `Mode.FRAMING` would be; `None`
            where all of it is and nobody chooses.
    """

    image: Image | None
    mirrored: bool
    mode: Mode
    title: str
    cards: tuple[ClassCard, ...]
    banner: Banner | None
    activity: Activity
    rates: Rates | None
    hint: str
    quality: str = ""
    message: Message | None = None
    prompt: Prompt | None = None
    gallery: Gallery | None = None
    help_lines: tuple[tuple[str, str, str], ...] = ()
    buttons: tuple[Button, ...] = ()
    paused: bool = False
    done: bool = False
    tag: str = ""
    heat: npt.NDArray[np.float32] | None = None
    menu: Menu | None = None
    sounds: Sounds | None = None
    region: Region | None = None
