"""A real server and real websockets: who sees what, and who is heard."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import cv2
import numpy as np
import pytest
from support.views import GREEN, IMAGE, THUMBNAIL, card, scene, view
from support.visiting import Guest, get, page_on_free_port, wait_until
from websockets.exceptions import ConnectionClosed

from edge_classifier.device.framing import Region
from edge_classifier.live.display import CLOSE, Drag, Press, Release, Room
from edge_classifier.live.view import (
    Choice,
    Gallery,
    GalleryPicture,
    GalleryRow,
    Menu,
    Message,
    Mode,
    Prompt,
)
from edge_classifier.page.display import Page


def heard(page: Page, count: int) -> list[Any]:
    events: list[Any] = []

    def enough() -> bool:
        events.extend(page.events())
        return len(events) >= count

    wait_until(enough)
    return events


def teaching(words: dict[str, Any]) -> bool:
    return bool(words["you"]["teaching"])


def watching(words: dict[str, Any]) -> bool:
    return not teaching(words)


def test_a_visitor_sees_the_words_and_the_picture_of_the_newest_view(page: Page) -> None:
    page.show(view(message=Message("saved")))
    guest = Guest(page)
    words = guest.hear()
    assert words["view"]["banner"]["label"] == "mug"
    assert [card["name"] for card in words["view"]["cards"]] == ["mug", "杯子"]
    assert words["view"]["message"] == {"text": "saved", "level": "info"}
    picture = cv2.imdecode(np.frombuffer(guest.picture(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == IMAGE.shape
    assert np.abs(picture.astype(int) - IMAGE).mean() < 4


def test_a_small_picture_is_sent_once_for_as_long_as_it_is_in_sight(page: Page) -> None:
    page.show(view())
    guest = Guest(page)
    first = guest.see(lambda _: True)
    (name,) = first["pictures"]
    assert first["pictures"][name].startswith("data:image/jpeg;base64,")
    page.show(view(hint="go on"))
    second = guest.see(lambda words: words["view"]["hint"] == "go on")
    assert second["pictures"] == {}
    assert second["view"]["cards"][0]["thumbnail"] == name


def test_the_first_visitor_teaches_and_what_another_one_presses_is_not_heard(page: Page) -> None:
    page.show(view())
    first = Guest(page)
    first.see(teaching)
    second = Guest(page)
    second.see(watching)
    second.say({"type": "press", "name": "u"})
    first.say({"type": "press", "name": "p", "text": "p"})
    first.say({"type": "release", "name": "p"})
    assert heard(page, 2) == [Press("p", "p"), Release("p")]


def test_another_visitor_takes_over_and_what_the_first_one_held_is_let_go(
    page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    page.show(view())
    first = Guest(page)
    first.see(teaching)
    first.say({"type": "press", "name": "record:mug"})
    assert heard(page, 1) == [Press("record:mug")]
    second = Guest(page)
    second.see(watching)
    second.say({"type": "teach"})
    assert heard(page, 1) == [Release("record:mug")]
    first.see(watching)
    second.say({"type": "press", "name": "1"})
    assert heard(page, 1) == [Press("1")]
    assert capsys.readouterr().err == "Page: another visitor teaches now.\n"


def test_a_gallery_is_told_how_much_room_the_page_has_within_reason(page: Page) -> None:
    page.show(view())
    guest = Guest(page)
    guest.say({"type": "room", "columns": 3, "rows": 4})
    guest.say({"type": "room", "columns": 0, "rows": 10**9})
    assert heard(page, 2) == [Room(3, 4), Room(1, 20)]


def test_a_drag_over_the_picture_is_heard_while_a_region_is_chosen(page: Page) -> None:
    guest = Guest(page)
    drag = {"type": "drag", "from": [0.25, 0], "to": [1, 0.5]}
    page.show(view())
    assert guest.see(teaching)["view"]["region"] is None
    guest.say(drag)
    guest.say({"type": "press", "name": "r"})
    assert heard(page, 1) == [Press("r")]
    page.show(view(mode=Mode.FRAMING, region=Region(0.0, 0.0, 0.5, 1.0)))
    words = guest.see(lambda words: words["view"]["mode"] == "framing")
    assert words["view"]["region"] == [0.0, 0.0, 0.5, 1.0]
    guest.say(drag)
    guest.say({"type": "press", "name": "enter"})
    assert heard(page, 2) == [Drag(0.25, 0, 1, 0.5), Press("enter")]


def test_pictures_of_a_gallery_are_shown_and_can_be_chosen(page: Page) -> None:
    picture = GalleryPicture("mug/b1.jpg", THUMBNAIL, "", "mug", GREEN, "", chosen=True)
    gone = GalleryPicture("mug/b2.jpg", None, "cannot be read", "mug", GREEN, "", chosen=False)
    row = GalleryRow("round 1", "mug/b1.jpg", (picture, gone))
    page.show(view(mode=Mode.LOOKING, gallery=Gallery("mug", "1 of 2", "", (row,), 0, 1)))
    guest = Guest(page)
    words = guest.see(teaching)
    (shown,) = words["view"]["gallery"]["rows"]
    assert [each["id"] for each in shown["pictures"]] == ["mug/b1.jpg", "mug/b2.jpg"]
    assert shown["pictures"][0]["thumbnail"] in words["pictures"]
    assert shown["pictures"][1]["problem"] == "cannot be read"
    for name in ("choose:mug/b2.jpg", "round:mug/b1.jpg"):
        guest.say({"type": "press", "name": name})
    assert heard(page, 2) == [Press("choose:mug/b2.jpg"), Press("round:mug/b1.jpg")]


def test_projects_to_choose_from_are_shown_before_there_is_a_session(page: Page) -> None:
    menu = Menu("Go on", "", (Choice("1", "1", "mugs", "2 classes", "~/mugs"),), 0)
    page.show(view(mode=Mode.CHOOSING, menu=menu, image=None, cards=(), banner=None))
    guest = Guest(page)
    shown = guest.see(teaching)["view"]["menu"]
    assert shown["choices"] == [
        {"press": "1", "text": "mugs", "detail": "2 classes", "where": "~/mugs"}
    ]


def test_what_is_held_is_let_go_when_the_teacher_goes_away(page: Page) -> None:
    page.show(view())
    guest = Guest(page)
    guest.say({"type": "press", "name": "b"})
    assert heard(page, 1) == [Press("b")]
    guest.close()
    assert heard(page, 1) == [Release("b")]


def test_a_teacher_who_loads_the_page_again_goes_on_teaching(page: Page) -> None:
    page.show(view())
    first = Guest(page)
    first.see(teaching)
    other = Guest(page)
    other.see(watching)
    again = Guest(page, first.visitor)
    again.see(teaching)
    with pytest.raises(ConnectionClosed) as closed:
        first.see(lambda _: False)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4000, "which the page takes for being open twice"


def test_a_visitor_who_never_reads_gets_two_pictures_and_keeps_nobody_waiting(page: Page) -> None:
    sleeper, reader = Guest(page), Guest(page)
    for number in range(30):
        page.show(view(image=scene(64 + number, 48)))
        width = 0
        while width != 64 + number:
            picture = cv2.imdecode(np.frombuffer(reader.picture(), np.uint8), cv2.IMREAD_COLOR)
            assert picture is not None
            width = picture.shape[1]
    came: list[str | bytes] = []

    def wait_for_more() -> None:
        while True:
            came.append(sleeper.socket.recv(timeout=0.5))

    with pytest.raises(TimeoutError):
        wait_for_more()
    assert len([words for words in came if isinstance(words, str)]) == 2
    assert len([picture for picture in came if isinstance(picture, bytes)]) in (1, 2)


def test_a_text_that_was_edited_in_the_page_takes_the_place_of_the_one_asked_for(
    page: Page,
) -> None:
    page.show(view(mode=Mode.TYPING, prompt=Prompt("Name", "mug", "")))
    guest = Guest(page)
    guest.say({"type": "answer", "text": "マグ"})
    presses = [event for event in heard(page, 12) if isinstance(event, Press)]
    assert presses == [
        Press("end"), *[Press("backspace")] * 3, Press("", "マグ"), Press("enter"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        "[1",
        "[]",
        "[" * 2000,
        {"type": "press"},
        {"type": "press", "name": CLOSE},
        {"type": "press", "name": "a", "text": "x" * 201},
        {"type": "press", "name": ["a"]},
        {"type": "answer", "text": None},
        {"type": "drag", "from": [0, 0], "to": [2, 1]},
        {"type": "drag", "from": [0, True], "to": [1, 1]},
        {"type": "drag", "from": "ab", "to": "cd"},
        {"type": "drag"},
        {"type": "jump"},
    ],
)
def test_who_sends_nonsense_is_hung_up_on_and_nothing_of_it_is_heard(
    page: Page, nonsense: object
) -> None:
    page.show(view())
    guest = Guest(page)
    guest.see(teaching)
    if nonsense == b"":
        guest = Guest(page, hello={"type": "hello", "visitor": "../..", "version": "1"})
    else:
        guest.say(nonsense)
    with pytest.raises(ConnectionClosed):
        guest.see(lambda _: False)
    assert page.events() == []


@pytest.mark.parametrize(
    "name", ["rename:ghost", "select:ghost", "choose:x", "round:mug/9", "look:ghost", "eat:mug"]
)
def test_what_is_not_shown_cannot_be_pressed(page: Page, name: str) -> None:
    page.show(view())
    guest = Guest(page)
    guest.say({"type": "press", "name": name})
    guest.say({"type": "press", "name": "u"})
    assert heard(page, 1) == [Press("u")]


def test_who_sends_too_much_is_hung_up_on(page: Page) -> None:
    page.show(view())
    guest = Guest(page)

    def send_on() -> None:
        for _ in range(100_000):
            guest.say({"type": "shown"})

    with pytest.raises(ConnectionClosed):
        send_on()


def test_visitors_are_told_that_the_session_has_ended(page: Page) -> None:
    page.show(view())
    guest = Guest(page)
    guest.hear()
    page.close()
    assert guest.hear() == {"type": "quit"}


def test_a_page_of_another_version_is_told_so(
    page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    guest = Guest(page, hello={"type": "hello", "visitor": "0" * 32, "version": "of yesterday"})
    assert guest.hear() == {"type": "outdated"}
    assert capsys.readouterr().err == "Page: a page of another version was told to load again.\n"


def test_no_more_than_a_few_can_look_on(page: Page) -> None:
    page.show(view())
    guests = [Guest(page) for _ in range(16)]
    for guest in guests:
        guest.hear()
    assert Guest(page).hear() == {"type": "full"}
    guests[0].close()
    wait_until(lambda: Guest(page).hear()["type"] == "view")


def test_a_class_of_any_name_comes_to_the_page_and_back(page: Page) -> None:
    names = ['"quoted" <b>', "\\u0000", "zażółć 杯子 👍🏽", "a:b:c"]
    page.show(view(cards=tuple(card(name) for name in names)))
    guest = Guest(page)
    shown = guest.see(teaching)["view"]["cards"]
    assert [each["name"] for each in shown] == names
    for name in names:
        guest.say({"type": "press", "name": f"record:{name}"})
    assert heard(page, 4) == [Press(f"record:{name}") for name in names]


def test_a_teacher_who_has_gone_without_a_word_records_nothing_more(page: Page) -> None:
    page.show(view())
    guest = Guest(page)
    guest.see(teaching)
    guest.say({"type": "press", "name": "record:mug"})
    assert heard(page, 1) == [Press("record:mug")]
    events: list[Any] = []
    shown = itertools.count()

    def let_go() -> bool:  # from here on the guest reads nothing
        page.show(view(hint=str(next(shown))))
        events.extend(page.events())
        return bool(events)

    wait_until(let_go)
    assert events == [Release("record:mug")]


def test_nobody_holds_more_than_hands_can(page: Page) -> None:
    page.show(view())
    guest = Guest(page)
    for number in range(100):
        guest.say({"type": "press", "name": f"key {number}"})
    guest.say({"type": "release", "name": "key 0"})
    *pressed, last = heard(page, 21)
    assert last == Release("key 0")
    assert len(pressed) == 20


def test_many_who_hang_and_many_who_ask_nonsense_leave_the_page_and_the_terminal_as_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = page_on_free_port()
    page.show(view())
    guest = Guest(page)
    guest.see(teaching)
    generator = np.random.default_rng(1)

    def ask(count: int) -> None:
        for _ in range(count):
            path = "/" + bytes(generator.integers(33, 127, 30, dtype=np.uint8)).decode()
            try:
                get(page, path, method=str(generator.choice(["GET", "POST", "PUT"])), body=b"x" * 9)
            except OSError:
                continue  # there were too many at that moment

    askers = [threading.Thread(target=ask, args=(40,)) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    page.show(view(hint="still here"))
    guest.see(lambda words: words["view"]["hint"] == "still here")
    page.close()
    assert capsys.readouterr().err == ""
