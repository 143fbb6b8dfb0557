"""What the window says fits where it is said, in each language, at the smallest sizes too."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from support.views import BANNER, GREEN, IMAGE, REGIONS, THUMBNAIL, card, drawn, view
from typing_extensions import Self

from edge_classifier.device.preprocessing import Image
from edge_classifier.languages.language import LANGUAGES, Language
from edge_classifier.languages.text import Text, joined, plural
from edge_classifier.live.buttons import BUTTONS
from edge_classifier.live.controls import HELP
from edge_classifier.live.opening import Opening
from edge_classifier.live.translation import in_language
from edge_classifier.live.view import (
    Activity,
    Button,
    Gallery,
    GalleryPicture,
    GalleryRow,
    Message,
    Prompt,
)
from edge_classifier.project.known import KnownProject
from edge_classifier.screen.canvas import WINDOW, Box, Canvas
from edge_classifier.screen.overlay import DESIGN_SIZE, Overlay
from edge_classifier.screen.popups import draw_message
from edge_classifier.screen.text import REGULAR, TextRenderer
from edge_classifier.values import Colour

SIZES = [(480, 320), (800, 480), (480, 800), DESIGN_SIZE]


class Witness(TextRenderer):
    """Draws texts, and notes those that had to be cut."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__(find_face=lambda _: None, scale=scale)
        self.cut: list[str] = []

    def at(self, scale: float) -> Self:
        other = type(self)(scale)
        other.cut = self.cut
        return other

    def bitmap(
        self,
        text: str,
        size: int,
        colour: Colour,
        background: Colour,
        *,
        weight: int = REGULAR,
        max_width: int | None = None,
    ) -> Image:
        if max_width is not None and self.width(text, size, weight) > max_width:
            self.cut.append(text)
        return super().bitmap(text, size, colour, background, weight=weight, max_width=max_width)


QUALITY = joined(
    " · ",
    plural(
        "{percent} % right, ± {margin}, on {count} held-out round",
        "{percent} % right, ± {margin}, on {count} held-out rounds",
        12, percent="94", margin="3",
    ),
    Text("needs a second round: {names}", names="phone"),
)  # fmt: skip
SAVED = plural("{count} picture saved", "{count} pictures saved", 240)
UNRELIABLE = Text(
    '"unknown" is not reliable yet: record {name} again elsewhere ({how})',
    name="phone",
    how=Text("hold {key}", key="2"),
)
LEAVE = joined(" · ", Text("1 … 9, B, or ↑ ↓ space ({name})", name="phone"), Text("Esc leaves it"))
SUSPECT = GalleryPicture(
    "mug/1", THUMBNAIL, "", "mug", GREEN, Text("looks like {name}", name="phone"), chosen=True
)
STRANGE = Gallery(
    plural(
        "{place} of {count} picture that looks wrong",
        "{place} of {count} pictures that look wrong",
        12, place=10,
    ),
    "",
    Text("arrows choose · X removes · K keeps · 1 … 9 or M moves · Z takes back · V closes"),
    (GalleryRow("", "", (SUSPECT,) * 3),),
    row_count=1,
    captioned=True,
)  # fmt: skip
ROUND = joined(
    " · ", Text("round {number}", number=12), plural("{count} picture", "{count} pictures", 24)
)
STORED = Gallery(
    plural("{name}: {count} picture", "{name}: {count} pictures", 240, name="mug"),
    plural("the whole round: {count} picture", "the whole round: {count} pictures", 24),
    Text("arrows choose · space the round · X removes · 1 … 9 or M moves · U takes back"),
    (GalleryRow(ROUND, "mug/1", (replace(SUSPECT, text="", thumbnail=None, problem="x"),) * 3),),
    row_count=1,
)
REVIEW = tuple(Button(Text(t), "x") for t in ("Remove", "Keep", "Move", "Take back", "Close"))
LOOK = tuple(
    Button(Text(t), "x")
    for t in ("Whole round", "Remove", "Move", "Take back", "Next class", "Close")
)
NOW = datetime.now().astimezone()
LAST = KnownProject(Path("kitchen"), 3, (NOW - timedelta(days=1)).timestamp())
PLAIN = view(title="kitchen", quality=QUALITY, hint=UNRELIABLE, buttons=BUTTONS)
VIEWS = {
    "beginning": view(
        title="kitchen",
        cards=(),
        banner=None,
        hint=Text("show the first thing to the camera and hold 1"),
        quality="",
    ),
    "help": view(title="kitchen", quality=QUALITY, buttons=BUTTONS, help_lines=HELP),
    "stale": view(
        title="kitchen",
        quality=QUALITY,
        cards=(card(selected=True, key=None), *(card(),) * 8),
        activity=Activity(joined(" · ", Text("T trains anew"), SAVED)),
        tag=Text("demo camera"),
        paused=True,
    ),
    "busy": view(
        title="kitchen",
        quality=QUALITY,
        rates=None,
        image=None,
        activity=Activity(
            Text("preparing {name}: {what}", name="v2-0.35", what=Text("building the network")), 0.4
        ),
    ),
    "review": view(
        title="kitchen", quality=QUALITY, gallery=STRANGE, cards=(card(),) * 40, buttons=REVIEW
    ),
    "looking": view(title="kitchen", quality=QUALITY, gallery=STORED, buttons=LOOK),
    "naming": view(
        title="kitchen",
        quality=QUALITY,
        prompt=Prompt(
            Text("Save a copy as (folder)"),
            "mug",
            Text("Enter saves · Esc cancels; the project itself is always saved"),
        ),
    ),
    "correcting": view(
        title="kitchen",
        quality=QUALITY,
        prompt=Prompt(Text("{said} is wrong. What is it?", said="mug"), None, LEAVE, picture=IMAGE),
        buttons=(Button(Text("Background"), "b"), Button(Text("Leave it"), "escape")),
    ),
    "opening": Opening([LAST] * 5, Path("new"), NOW).view(),
}


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_that_the_window_says_is_cut(size: tuple[int, int], code: str) -> None:
    text, language = Witness(), Language.load(code)
    for a_view in VIEWS.values():
        Overlay(size, text, language).draw(a_view)
    assert text.cut == []


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_each_message_is_shown_to_its_end_in_a_small_window(code: str) -> None:
    text = Witness()
    canvas = Canvas(np.full((320, 480, 3), WINDOW, np.uint8), text, 0.75)
    for form in Language.load(code).texts.values():
        for words in [form] if isinstance(form, str) else form:
            draw_message(canvas, Box(8, 38, 400, 240), Message(words))
    assert text.cut == []


def test_all_that_a_view_says_is_translated_and_no_name_is() -> None:
    class Marked(Language):
        def of(self, text: str) -> str:
            return f"<{text}>" if isinstance(text, Text) else text

    shown = in_language(VIEWS["stale"], Marked("xx", {}))
    assert (shown.activity.text, shown.tag) == (
        "<T trains anew · 240 pictures saved>",
        "<demo camera>",
    )
    assert (shown.title, shown.cards) == (VIEWS["stale"].title, VIEWS["stale"].cards)
    assert shown.banner == BANNER
    keys = in_language(VIEWS["help"], Marked("xx", {})).help_lines
    assert all(meaning == f"<{row[1]}>" for (_, meaning, _), row in zip(keys, HELP, strict=True))


def test_a_camera_that_is_no_real_one_stays_tagged_on_the_picture() -> None:
    plain, tagged = drawn(PLAIN), drawn(replace(PLAIN, tag=Text("demo camera")))
    rows, columns = np.nonzero((plain != tagged).any(axis=2))
    video = REGIONS.video
    assert columns.max() < video.right
    assert columns.min() > video.left + video.width // 2
    assert rows.max() < video.top + 50
