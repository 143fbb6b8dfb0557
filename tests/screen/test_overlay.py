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

from edge_classifier.live.controls import BUTTONS, HELP
from edge_classifier.live.view import (
    Activity,
    Banner,
    ClassCard,
    Level,
    Message,
    Mode,
    PictureStrip,
    Prompt,
    Rates,
    StripPicture,
    View,
)
from edge_classifier.screen import canvas
from edge_classifier.screen.canvas import Box
from edge_classifier.screen.overlay import DESIGN_SIZE, Overlay, scale_of
from edge_classifier.screen.text import TextRenderer

GOLDEN = Path(__file__).parent / "golden"
GREEN, BLUE, ORANGE = (80, 175, 76), (246, 150, 66), (60, 120, 245)
GREY = (128, 128, 128)
NASTY = [
    pytest.param("x" * 100, id="narrow"),
    pytest.param("杯" * 100, id="wide"),
    pytest.param("W i " * 25, id="words"),
    pytest.param("é" * 99 + "\u0301", id="accents"),
    pytest.param("\u202e\u0000", id="controls"),
    pytest.param("คำ" * 40, id="no font"),
    pytest.param("كوب " * 25, id="leftwards"),
]


def scene(width: int = 640, height: int = 480) -> npt.NDArray[np.uint8]:
    """Render a picture without any symmetry, its brightness between 60 and 250."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [60 + x * 190 / width, 60 + y * 190 / height, 250 - (x + y) * 190 / (width + height)]
    image = np.dstack(planes).astype(np.uint8)
    cv2.circle(image, (width // 3, height // 2), height // 6, (40, 60, 220), -1)
    return image


IMAGE = scene()
THUMBNAIL = cv2.resize(IMAGE, (96, 72)).astype(np.uint8)


def card(name: str = "mug", **changes: object) -> ClassCard:
    plain = ClassCard(name, "1", GREEN, 24, 0.5, THUMBNAIL, selected=False, recording=False)
    return replace(plain, **changes)  # type: ignore[arg-type]  # the names of fields are checked at run time


BANNER = Banner("mug", 0.93, unknown=False, colour=GREEN, similarity=0.71, threshold=0.64)


def view(**changes: object) -> View:
    plain = View(
        image=IMAGE,
        mirrored=False,
        mode=Mode.LIVE,
        title="kitchen · MobileNet v3 Small",
        cards=(card(), card("杯子", key="2", colour=BLUE, score=0.3)),
        banner=BANNER,
        activity=Activity("trained"),
        rates=Rates(58, 3.1, 1.6, 0.9),
        hint="add 12 more of 杯子",
        quality="validated 94 % ± 3 on 5 bursts · needs a second burst: 杯子",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # the names of fields are checked at run time


# One for all tests: text is what costs time, and fonts of the machine must not matter here.
TEXT = TextRenderer(find_face=lambda _: None)


def drawn(a_view: View, size: tuple[int, int] = DESIGN_SIZE) -> npt.NDArray[np.uint8]:
    return Overlay(size, TEXT).draw(a_view)


def differing(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8]) -> Box:
    """Return the smallest box around all pixels that differ."""
    rows, columns = np.nonzero((first != second).any(axis=2))
    if not rows.size:
        return Box(0, 0, 0, 0)
    return Box(
        int(columns.min()),
        int(rows.min()),
        int(np.ptp(columns)) + 1,
        int(np.ptp(rows)) + 1,
    )


def lies_within(inner: Box, outer: Box) -> bool:
    return (
        outer.left <= inner.left
        and outer.top <= inner.top
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )


REGIONS = Overlay(DESIGN_SIZE, TEXT).regions


SIZES = [(480, 320), (800, 480), (1024, 600), DESIGN_SIZE, (2080, 1448), (480, 800), (1080, 1920)]


@pytest.mark.parametrize("size", [*SIZES, (320, 240), (3000, 240), (320, 3000)])
def test_the_canvas_has_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    for cards in ((), view().cards, (card(),) * 9, (card(),) * 40):
        canvas = drawn(view(cards=cards, buttons=BUTTONS, help_lines=HELP), size)
        assert canvas.shape == (size[1], size[0], 3)
        assert canvas.dtype == np.uint8


@pytest.mark.parametrize("size", SIZES)
def test_the_places_lie_beside_each_other_and_within_the_window(size: tuple[int, int]) -> None:
    regions = Overlay(size, TEXT).regions
    whole = Box(0, 0, *regions.size)
    places = [
        *(regions.title, regions.activity, regions.rates, regions.video, regions.banner),
        *(regions.cards, regions.hint, regions.quality, regions.buttons),
    ]
    for number, place in enumerate(places):
        assert lies_within(place, whole)
        assert place.width > 60
        assert place.height > 15
        for other in places[:number]:
            across = min(place.right, other.right) > max(place.left, other.left)
            down = min(place.bottom, other.bottom) > max(place.top, other.top)
            assert not (across and down), (place, other)


@pytest.mark.parametrize("size", [(800, 480), (1040, 724), (3840, 2160)])
def test_letters_are_never_smaller_than_they_can_be_read(size: tuple[int, int]) -> None:
    assert scale_of(size) >= 1.0
    assert scale_of(size) == pytest.approx(max(1.0, min(size[0] / 1040, size[1] / 724)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [1, 3, 9, 40])
def test_no_name_leaves_its_place_at_any_size(size: tuple[int, int], count: int) -> None:
    cards = tuple(card(f"class {number}") for number in range(count))
    plain = Overlay(size, TEXT)
    before = plain.draw(view(cards=cards)).copy()
    place = plain._canvas.place(plain.regions.cards)
    for name in ("x" * 60, "杯" * 60, "كوب " * 15, "🙂" * 60):
        renamed = (replace(cards[0], name=name), *cards[1:])
        difference = differing(before, drawn(view(cards=renamed), size))
        assert lies_within(difference, place)
        assert difference.right < place.right - 30, "key and numbers stay as they are"


def press_at(overlay: Overlay, box: Box) -> str:
    """Press the middle of a part of the layout."""
    middle = overlay._canvas.place(box)
    return overlay.target_at(middle.left + middle.width // 2, middle.top + middle.height // 2)


@pytest.mark.parametrize("size", SIZES)
def test_all_that_is_shown_can_be_pressed_at_any_size(size: tuple[int, int]) -> None:
    overlay = Overlay(size, TEXT)
    overlay.draw(view(cards=(card(), card("杯子")), buttons=BUTTONS))
    every = [overlay.target_at(x, y) for x in range(0, size[0], 4) for y in range(0, size[1], 4)]
    wanted = {"record:mug", "record:杯子", "rename:mug", "rename:杯子", "+"}
    assert set(every) == wanted | {button.press for button in BUTTONS} | {""}
    assert all(every.count(press) * 16 > 24 * 24 for press in set(every)), "fingers are wide"
    assert press_at(overlay, overlay.regions.video) == ""


def test_before_anything_was_taught_what_is_said_to_be_held_can_be_held() -> None:
    overlay = Overlay(DESIGN_SIZE, TEXT)
    overlay.draw(view(cards=()))
    column = REGIONS.cards
    assert overlay.target_at(column.left + 9, column.top + 9) == "1"
    assert overlay.target_at(column.left + 9, column.top + 130) == "2"


def test_of_more_classes_than_there_is_room_for_the_others_can_be_had() -> None:
    overlay = Overlay(DESIGN_SIZE, TEXT)
    overlay.draw(view(cards=tuple(card(f"class {n}") for n in range(40))))
    right = REGIONS.cards.right - 9
    assert overlay.target_at(right, REGIONS.cards.bottom - 18) == "pagedown"


def test_the_list_of_keys_and_a_strip_can_be_pressed() -> None:
    overlay = Overlay(DESIGN_SIZE, TEXT)
    overlay.draw(view(help_lines=HELP))
    every = {overlay.target_at(520, y) for y in range(0, DESIGN_SIZE[1], 3)}
    assert {"w", "t", "q"} <= every
    strip = PictureStrip("1 of 2", "", (StripPicture(THUMBNAIL, "mug", GREEN, "blurred"),) * 2, 0)
    overlay.draw(view(strip=strip))
    below = REGIONS.video.bottom - 60
    assert overlay.target_at(REGIONS.video.left + 140, below) == "choose:1"


def test_a_button_that_is_pressed_is_seen() -> None:
    plain, pressed = Overlay(DESIGN_SIZE, TEXT), Overlay(DESIGN_SIZE, TEXT)
    a_view = view(buttons=BUTTONS)
    difference = differing(plain.draw(a_view), pressed.draw(a_view, "u"))
    assert 100 < difference.width < 200
    assert lies_within(difference, REGIONS.buttons)


def test_where_the_time_goes_is_shown_only_where_it_is_asked_for() -> None:
    difference = differing(drawn(view()), drawn(view(rates=None)))
    assert difference.width > 100
    assert lies_within(difference, REGIONS.rates)


def test_text_that_typing_replaces_is_marked() -> None:
    kept, replaced = (
        drawn(view(prompt=Prompt("New name", "class 1", "", replaced=r))) for r in (False, True)
    )
    difference = differing(kept, replaced)
    assert 50 < difference.width < 120
    assert difference.height >= 24


@pytest.mark.parametrize(
    "shape", [(480, 640), (720, 1280), (1080, 1920), (224, 224), (500, 356), (90, 1000), (7, 5)]
)
def test_a_picture_of_any_shape_shows_the_whole_square_that_the_model_sees(
    shape: tuple[int, int],
) -> None:
    image = scene(shape[1], shape[0])
    side = min(shape)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    box = REGIONS.video
    seen = box.height
    expected = cv2.resize(image[top : top + side, left : left + side], (seen, seen))
    start = box.left + (box.width - seen) // 2
    shown = drawn(view(image=image))[box.top : box.bottom, start : start + seen]
    inside = slice(40, seen - 40)
    error = np.abs(shown[inside, inside].astype(float) - expected[inside, inside])
    assert error.mean() < 6


def test_only_what_the_model_does_not_see_is_dimmed() -> None:
    box = REGIONS.video
    canvas = drawn(view(image=np.full((480, 640, 3), 200, np.uint8)))
    middle = box.top + box.height // 2
    assert canvas[middle, box.left + 10].tolist() == [90, 90, 90]
    assert canvas[middle, box.left + box.width // 2].tolist() == [200, 200, 200]
    assert canvas[middle, box.right - 10].tolist() == [90, 90, 90]


def test_mirroring_turns_the_picture_and_not_the_text() -> None:
    straight, mirrored = drawn(view(cards=())), drawn(view(cards=(), mirrored=True))
    part = REGIONS.video.inner(40).of
    assert np.array_equal(part(mirrored), part(straight)[:, ::-1])
    assert lies_within(differing(straight, mirrored), REGIONS.video)


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
        {"strip": PictureStrip(text, text, (StripPicture(THUMBNAIL, text, GREEN, text),) * 6, 5)},
        {"strip": PictureStrip(text, text, progress=0.5)},
        {"help_lines": ((text, text, "q"),) * 16},
        {"paused": True},
    ):
        difference = differing(plain, drawn(view(**changes)))
        assert difference.height > 20
        over = Box(0, 0, DESIGN_SIZE[0], REGIONS.buttons.top)
        assert lies_within(difference, over if "help_lines" in changes else REGIONS.video)


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
    assert columns(0.8, 0.5)[1] - mark == pytest.approx(0.1 * 336, abs=3)


def test_the_live_picture_goes_on_above_the_strip() -> None:
    strip = PictureStrip("1 of 2", "", (StripPicture(THUMBNAIL, "mug", GREEN, "blurred"),) * 2, 0)
    first, second = (
        drawn(view(strip=strip, image=image)) for image in (IMAGE, np.zeros_like(IMAGE))
    )
    difference = differing(first, second)
    assert difference.height > REGIONS.video.height // 2
    assert difference.bottom < REGIONS.video.bottom - 180


def test_the_chosen_picture_of_a_strip_is_seen() -> None:
    pictures = (StripPicture(THUMBNAIL, "mug", GREEN, "blurred"),) * 6
    first, second = (drawn(view(strip=PictureStrip("", "", pictures, n))) for n in (1, 2))
    assert 180 < differing(first, second).width < 230


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
    strip=st.sampled_from(
        [
            None,
            PictureStrip("looking", "Esc", progress=0.3),
            PictureStrip("1 of 1", "", (StripPicture(THUMBNAIL, "mug", GREEN, "blurred"),), 0),
        ]
    ),
    quality=st.sampled_from(["", "validated 94 % ± 3 on 5 bursts"]),
    help_lines=st.sampled_from([(), (("Q", "quit", "q"),)]),
    buttons=st.sampled_from([(), BUTTONS, BUTTONS[:2]]),
    paused=st.booleans(),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(VIEWS, min_size=2, max_size=5), st.sampled_from(SIZES[:4]))
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


def test_what_is_hot_is_red_in_its_place_of_the_square_and_mirrored_with_it() -> None:
    plain = drawn(view())
    heat = np.zeros((5, 5), np.float32)
    assert (drawn(view(heat=heat)) == plain).all()
    heat[0, 0] = 1.0
    for mirrored in (False, True):
        cold = drawn(view(mirrored=mirrored))
        hot = drawn(view(mirrored=mirrored, heat=heat))
        place = differing(hot, cold)
        assert lies_within(place, REGIONS.video)
        assert place.bottom < REGIONS.video.top + REGIONS.video.height // 2
        middle = REGIONS.video.left + REGIONS.video.width // 2
        assert place.left > middle if mirrored else place.right < middle
        top, left = place.top + place.height // 4, place.left + place.width // 2
        redder = hot[top, left].astype(int) - cold[top, left]
        assert redder[2] > redder[0]
