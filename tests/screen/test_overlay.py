"""What the person sees is where it belongs, whatever the names are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.views import (
    BANNER,
    GREEN,
    GREY,
    IMAGE,
    ORANGE,
    REGIONS,
    TEXT,
    THUMBNAIL,
    card,
    differing,
    drawn,
    gallery,
    lies_within,
    scene,
    view,
)

from edge_classifier.live.buttons import BUTTONS
from edge_classifier.live.controls import HELP
from edge_classifier.live.presenter import unknown_setting
from edge_classifier.live.view import (
    Activity,
    Banner,
    ClassCard,
    Gallery,
    Level,
    Message,
    Mode,
    Prompt,
    Rates,
    View,
)
from edge_classifier.screen import canvas
from edge_classifier.screen.canvas import Box
from edge_classifier.screen.overlay import DESIGN_SIZE, Overlay
from edge_classifier.screen.popups import draw_message, draw_prompt

GOLDEN = Path(__file__).parent / "golden"

NASTY = [
    pytest.param("x" * 100, id="narrow"),
    pytest.param("杯" * 100, id="wide"),
    pytest.param("W i " * 25, id="words"),
    pytest.param("é" * 99 + "\u0301", id="accents"),
    pytest.param("\u202e\u0000", id="controls"),
    pytest.param("คำ" * 40, id="no font"),
    pytest.param("كوب " * 25, id="leftwards"),
]


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("count", [1, 5, 6, 9, 12, 19])
def test_no_name_leaves_its_place_on_its_card(name: str, count: int) -> None:
    cards = tuple(card(f"class {number}") for number in range(count))
    renamed = (*cards[:-1], replace(cards[-1], name=name))
    difference = differing(drawn(view(cards=cards)), drawn(view(cards=renamed)))
    assert lies_within(difference, REGIONS.cards)
    assert difference.height <= 30, "only the line with the name changes"
    assert difference.right <= REGIONS.cards.right - 40, "key and numbers stay as they are"


@pytest.mark.parametrize("name", NASTY)
def test_no_label_touches_the_confidence(name: str) -> None:
    other = replace(BANNER, label=name)
    difference = differing(drawn(view()), drawn(view(banner=other)))
    assert lies_within(difference, REGIONS.banner)
    assert difference.right <= REGIONS.banner.right - 100


@pytest.mark.parametrize("text", [*NASTY, "word " * 60])
def test_messages_questions_and_help_stay_on_the_video(text: str) -> None:
    plain = drawn(view())
    for changes in (
        {"message": Message(text, Level.ERROR)},
        {"prompt": Prompt(text, text, text, text)},
        {"prompt": Prompt(text, None, text)},
        {"prompt": Prompt(text, None, text, text, picture=scene(300, 500))},
        {"help_lines": ((text, text, "q"),) * 16},
        {"paused": True},
    ):
        difference = differing(plain, drawn(view(**changes)))
        assert difference.height > 20
        over = Box(0, 0, DESIGN_SIZE[0], REGIONS.buttons.top)
        assert lies_within(difference, over if "help_lines" in changes else REGIONS.video)


@pytest.mark.parametrize("size", [(800, 480), (480, 800), DESIGN_SIZE])
def test_a_question_is_not_covered_by_a_message(size: tuple[int, int]) -> None:
    why = "kitchen is read-only (it is open in another edge-classifier): nothing in it can change"
    overlay = Overlay(size, TEXT)
    canvas, video = overlay._canvas, overlay.regions.video
    message = draw_message(canvas, video, Message(why, Level.ERROR))
    prompt = Prompt("New name of mug", "cup", "Enter renames", why)
    question = draw_prompt(canvas, video, prompt, mirrored=False, above=message.top)
    assert question.top >= 0
    assert question.bottom <= message.top


@pytest.mark.parametrize("text", NASTY)
def test_the_lines_around_stay_in_their_boxes(text: str) -> None:
    plain = drawn(view())
    for place, changes in (
        (REGIONS.title, {"title": text}),
        (REGIONS.hint, {"hint": text}),
        (REGIONS.quality, {"quality": text}),
        (REGIONS.quality, {"quality": f"{text} · {text}"}),
        (REGIONS.activity, {"activity": Activity(text, 0.4)}),
        (REGIONS.banner, {"banner": Banner(text, 0.93, unknown=False, colour=GREEN)}),
    ):
        assert lies_within(differing(plain, drawn(view(**changes))), place)


def ink(part: npt.NDArray[np.uint8], colour: tuple[int, int, int]) -> int:
    """Count the pixels that have exactly this colour."""
    return int((part == colour).all(axis=2).sum())


def test_a_scores_bar_is_as_long_as_the_score() -> None:
    def bar_length(score: float) -> int:
        cards = (card(colour=(90, 200, 60), score=score),)
        return ink(REGIONS.cards.of(drawn(view(cards=cards))), (90, 200, 60))

    none = bar_length(0.0)
    half, whole = bar_length(0.5) - none, bar_length(1.0) - none
    assert whole > 500
    assert 0.45 < half / whole < 0.55


def test_a_class_without_a_prediction_has_no_bar() -> None:
    with_score, without = (drawn(view(cards=(card(score=score),))) for score in (0.5, None))
    assert differing(with_score, without).width > 100


def test_the_mark_of_the_threshold_is_left_of_the_end_of_what_is_familiar_enough() -> None:
    def columns(similarity: float, threshold: float) -> tuple[int, int]:
        """Return where the bar ends and where the mark stands, from the bar's left end."""
        banner = Banner(
            "mug", 0.5, unknown=False, colour=GREEN, similarity=similarity, threshold=threshold
        )
        row = drawn(view(banner=banner))[REGIONS.banner.bottom - 21 : REGIONS.banner.bottom - 11]
        track = row[:, REGIONS.banner.left + 300 : REGIONS.banner.right - 20]
        mark = np.flatnonzero((track[1] == canvas.TEXT).all(axis=1))
        filled = np.flatnonzero((track[5] == canvas.MUTED).all(axis=1))
        return int(filled.max()), int(mark.mean())

    end, mark = columns(0.8, 0.4)
    assert mark < end
    assert columns(0.3, 0.4)[0] < columns(0.3, 0.4)[1]
    assert columns(0.8, 0.5)[1] - mark == pytest.approx(0.1 * 270, abs=3)


def test_nothing_is_less_than_not_at_all_like_what_was_shown() -> None:
    opposite, unlike = (
        Banner("mug", 0.5, unknown=False, colour=GREEN, similarity=similarity, threshold=threshold)
        for similarity, threshold in ((-0.2, -0.5), (0.0, 0.0))
    )
    assert np.array_equal(drawn(view(banner=opposite)), drawn(view(banner=unlike)))
    assert unknown_setting(-7, -0.5).endswith("less than 0 % like what you showed")


def test_a_question_about_a_picture_shows_it_as_the_live_one_is_shown() -> None:
    prompt = Prompt("What is it?", None, "", picture=IMAGE)
    live, mirrored = (
        drawn(view(prompt=prompt, image=np.zeros_like(IMAGE), mirrored=m)) for m in (False, True)
    )
    tile = Box(REGIONS.video.left + 40 + 18 + 4, REGIONS.video.top + 16 + 18 + 4, 140, 103)
    assert np.array_equal(tile.of(live), tile.of(mirrored)[:, ::-1])
    assert tile.of(live).std() > 20


def test_a_long_title_is_broken_into_two_lines() -> None:
    note = "built-in: v2-0.35 could not be downloaded (no name server answers here), so " * 2
    one, two = (drawn(view(title=title)) for title in ("kitchen", note))
    assert lies_within(differing(one, two), REGIONS.title)
    assert differing(one, two).height > 25


@pytest.mark.parametrize("banner", [None, BANNER])
def test_the_end_of_a_long_hint_is_shown_whatever_the_names_are(banner: Banner | None) -> None:
    name = "a cup with a very long name that goes on " * 3
    one, two = (
        drawn(view(banner=banner, hint=f"{name} and {name} are confused: record {name}: hold {n}"))
        for n in (1, 2)
    )
    difference = differing(one, two)
    assert 0 < difference.width < 15
    assert lies_within(difference, REGIONS.banner if banner is None else REGIONS.hint)


def test_unknown_is_grey_and_a_class_has_its_colour() -> None:
    def colourfulness(banner: Banner) -> int:
        part = REGIONS.banner.of(drawn(view(banner=banner))).astype(int)
        return int((part.max(axis=2) - part.min(axis=2)).max())

    assert colourfulness(Banner("mug", 0.9, unknown=False, colour=GREEN)) > 80
    assert colourfulness(Banner("unknown", None, unknown=True, colour=GREEN)) < 30


def test_a_dark_class_colour_is_lightened_until_it_can_be_read() -> None:
    banner = Banner("mug", 0.9, unknown=False, colour=(60, 0, 0))
    label = REGIONS.banner.of(drawn(view(banner=banner)))[:60, :150]
    assert cv2.cvtColor(label, cv2.COLOR_BGR2GRAY).max() >= 110


def test_without_a_verdict_the_banner_says_what_to_do_next() -> None:
    first, second = (drawn(view(banner=None, hint=hint)) for hint in ("one", "two words"))
    difference = differing(first, second)
    assert difference.width > 20
    assert lies_within(difference, REGIONS.banner)


def test_recording_and_selection_are_seen_on_the_card() -> None:
    plain, selected, recording = (
        drawn(view(cards=(card(selected=chosen, recording=running),)))
        for chosen, running in ((False, False), (True, False), (True, True))
    )
    assert differing(plain, selected).height > 90
    assert differing(selected, recording).height > 90


def test_recording_marks_the_square_and_shows_a_dot() -> None:
    difference = differing(
        drawn(view(activity=Activity("recording mug"))),
        drawn(view(activity=Activity("recording mug", recording=True))),
    )
    assert difference.top < REGIONS.video.top
    assert difference.bottom > REGIONS.video.bottom - 20


def test_up_to_nineteen_classes_are_all_seen_and_of_more_the_selected_one_is() -> None:
    def changed(count: int, which: int, chosen: int = 0) -> Box:
        cards = [card(f"class {n}", key=None, selected=n == chosen) for n in range(count)]
        before = drawn(view(cards=tuple(cards)))
        cards[which] = replace(cards[which], name="another name")
        return differing(before, drawn(view(cards=tuple(cards))))

    assert all(changed(19, which).height > 5 for which in range(19))
    assert changed(40, 39).height == 0
    assert changed(40, 39, chosen=39).height > 5
    assert changed(40, 25, chosen=25).height > 5


def test_a_lost_camera_leaves_everything_else_in_place() -> None:
    difference = differing(drawn(view()), drawn(view(image=None)))
    assert lies_within(difference, REGIONS.video)


NAMES = st.sampled_from(["mug", "杯子", "x" * 100, "spoon"])
CARDS = st.lists(
    st.builds(
        ClassCard,
        name=NAMES,
        key=st.sampled_from(["1", "B", None]),
        colour=st.sampled_from([GREEN, ORANGE]),
        count=st.integers(0, 2000),
        score=st.sampled_from([None, 0.0, 0.01, 0.5, 1.0]),
        thumbnail=st.sampled_from([None, THUMBNAIL]),
        selected=st.booleans(),
        recording=st.booleans(),
    ),
    max_size=24,
).map(tuple)
VIEWS = st.builds(
    View,
    image=st.sampled_from([None, IMAGE, scene(224, 224), scene(300, 500)]),
    mirrored=st.booleans(),
    mode=st.just(Mode.LIVE),
    title=NAMES,
    cards=CARDS,
    banner=st.sampled_from(
        [
            None,
            Banner("mug", 0.9, unknown=False, colour=GREEN),
            Banner("mug", 0.9, unknown=False, colour=GREEN, similarity=0.7, threshold=0.5),
            Banner("unknown", None, unknown=True, colour=GREY, similarity=0.3, threshold=0.5),
        ]
    ),
    activity=st.builds(
        Activity, NAMES, st.sampled_from([None, 0.0, 0.7, 1.0]), recording=st.booleans()
    ),
    rates=st.sampled_from([Rates(58, 3.1, 1.6, 0.9), None]),
    hint=st.sampled_from(["", "hold 1"]),
    message=st.sampled_from([None, Message("saved")]),
    prompt=st.sampled_from(
        [None, Prompt("Name", "mu", "Enter adds it", "taken"), Prompt("?", None, "", picture=IMAGE)]
    ),
    gallery=st.sampled_from(
        [
            None,
            Gallery("looking", "", "Esc", progress=0.3),
            gallery(1, text="blurred"),
            gallery(40, row_count=90, first=3),
        ]
    ),
    quality=st.sampled_from(["", "94 % right, ± 3, on 5 held-out rounds"]),
    help_lines=st.sampled_from([(), (("Q", "quit", "q"),)]),
    buttons=st.sampled_from([(), BUTTONS, BUTTONS[:2]]),
    paused=st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(VIEWS, min_size=2, max_size=5),
    st.sampled_from([(480, 320), (800, 480), DESIGN_SIZE, (480, 800)]),
)
def test_what_was_drawn_before_leaves_no_trace(views: list[View], size: tuple[int, int]) -> None:
    overlay = Overlay(size, TEXT)
    for a_view in views:
        canvas = overlay.draw(a_view)
    assert np.array_equal(canvas, drawn(views[-1], size))


@pytest.mark.parametrize(
    ("name", "size", "a_view"),
    [
        (
            "live",
            DESIGN_SIZE,
            view(cards=(card(selected=True), *view().cards[1:]), buttons=BUTTONS),
        ),
        ("small", (800, 480), view(cards=(card(),) * 9, buttons=BUTTONS, rates=None)),
        ("upright", (480, 800), view(cards=(card(),) * 3, buttons=BUTTONS, rates=None)),
        ("help", (800, 480), view(buttons=BUTTONS, help_lines=HELP)),
        ("gallery", DESIGN_SIZE, view(gallery=gallery(20, first=3, row_count=40), buttons=BUTTONS)),
        ("suspects", (800, 480), view(gallery=gallery(4, text="looks like phone"), rates=None)),
        (
            "typing",
            DESIGN_SIZE,
            view(
                prompt=Prompt(
                    "Name of the new class", "tasse à café", "Enter adds it · Esc leaves"
                ),
                activity=Activity("training", 0.6),
                paused=True,
            ),
        ),
    ],
)
def test_the_picture_looks_as_it_did_when_it_was_last_looked_at(
    name: str, size: tuple[int, int], a_view: View, tmp_path: Path
) -> None:
    half = (size[0] // 2, size[1] // 2)
    small = cv2.resize(drawn(a_view, size), half, interpolation=cv2.INTER_AREA)
    golden = cv2.imread(str(GOLDEN / f"overlay_{name}.png"))
    cv2.imwrite(str(tmp_path / f"overlay_{name}.png"), small)
    assert golden is not None, f"no golden picture; look at {tmp_path} and store it"
    error = np.abs(small.astype(float) - golden).mean()
    assert error < 1.5, f"differs by {error:.2f} levels on average; look at {tmp_path}"
