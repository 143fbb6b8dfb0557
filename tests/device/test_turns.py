from __future__ import annotations

import threading
from contextlib import suppress

from support.reading import wait_until

from edge_classifier.device.turns import Turns


def test_the_first_waits_for_one_turn_of_the_others_however_many_wait() -> None:
    turns, order, go_on = Turns(), list[str](), threading.Event()

    def other() -> None:
        with turns.other():
            order.append("other")
            go_on.wait(10)

    def first() -> None:
        with turns.first():
            order.append("first")

    others = [threading.Thread(target=other) for _ in range(5)]
    others[0].start()
    wait_until(lambda: order == ["other"])
    for thread in others[1:]:
        thread.start()
    camera = threading.Thread(target=first)
    camera.start()
    wait_until(lambda: turns._first_waits)
    go_on.set()
    for thread in (camera, *others):
        thread.join(10)
    assert order == ["other", "first", *["other"] * 4]


def test_a_turn_that_fails_is_given_back() -> None:
    turns = Turns()
    for turn in (turns.first, turns.other):
        with suppress(ValueError), turn():
            int("no number")
    with turns.first():
        pass
