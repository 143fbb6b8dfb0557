"""What all have in common who are told: newest first to stay, troubles once, an end in time."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from support.answers import wait_until

from edge_classifier.device.errors import InvalidValueError
from edge_classifier.device.outputs.courier import MOST_WAITING, Courier, needed


class Port:
    """Takes numbers while it is there; may hang."""

    name = "--port"
    retries = True

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.away = ""
        self.tries = 0
        self.free = threading.Event()
        self.free.set()
        self.stopped = 0

    def tell(self, news: dict[str, Any]) -> str:
        self.tries += 1
        self.free.wait(30)
        if not self.away:
            self.numbers.append(news["number"])
        return self.away

    def stop(self) -> None:
        self.stopped += 1
        self.free.set()


@pytest.fixture
def port() -> Port:
    return Port()


def test_what_was_told_while_it_was_away_comes_in_order_and_both_is_said_once(
    port: Port, capsys: pytest.CaptureFixture[str]
) -> None:
    courier = Courier(port, first_wait_s=0.01)
    port.away = "it is not there."
    for number in range(5):
        courier.hand_over({"number": number})
    wait_until(lambda: port.tries > 3)
    port.away = ""
    wait_until(lambda: len(port.numbers) == 5)
    courier.close(time.monotonic() + 30)
    assert port.numbers == [0, 1, 2, 3, 4]
    assert capsys.readouterr().err == "--port: it is not there.\n--port: goes on.\n"


def test_the_oldest_gives_way_and_is_counted(
    port: Port, capsys: pytest.CaptureFixture[str]
) -> None:
    courier = Courier(port, first_wait_s=0.01)
    port.away = "it is not there."
    courier.hand_over({"number": 0})
    wait_until(lambda: port.tries > 1)
    for number in range(1, 100):
        courier.hand_over({"number": number})
    port.away = ""
    wait_until(lambda: port.numbers[-1:] == [99])
    courier.close(time.monotonic() + 30)
    assert port.numbers == list(range(100 - MOST_WAITING, 100))
    assert capsys.readouterr().err.splitlines() == [
        "--port: it is not there.",
        "--port: goes on; 84 changes were not told.",
    ]


def test_at_the_end_what_is_away_is_tried_once_more_and_what_was_not_told_is_counted(
    port: Port, capsys: pytest.CaptureFixture[str]
) -> None:
    courier = Courier(port, first_wait_s=1000.0)
    port.away = "it is not there."
    courier.hand_over({"number": 0})
    wait_until(lambda: port.tries)
    courier.hand_over({"number": 1})
    courier.close(time.monotonic() + 30)
    courier.close(time.monotonic() + 30)
    assert (port.tries, port.stopped) == (2, 1)
    assert capsys.readouterr().err.splitlines() == [
        "--port: it is not there.",
        "--port: 2 changes were not told.",
    ]


def test_what_is_back_by_the_end_is_told_all_of_it(port: Port) -> None:
    courier = Courier(port, first_wait_s=1000.0)
    port.away = "it is not there."
    courier.hand_over({"number": 0})
    wait_until(lambda: port.tries)
    courier.hand_over({"number": 1})
    port.away = ""
    courier.close(time.monotonic() + 30)
    assert port.numbers == [0, 1]


def test_waits_grow_while_it_is_away(port: Port) -> None:
    courier = Courier(port, first_wait_s=0.01)
    port.away = "it is not there."
    courier.hand_over({"number": 0})
    wait_until(lambda: port.tries >= 6)
    assert courier._wait_s >= 0.01 * 2**4
    courier.close(time.monotonic())


def test_one_that_hangs_holds_up_nobody_and_is_broken_off_at_the_end(port: Port) -> None:
    port.free.clear()
    courier = Courier(port)
    for number in range(1000):
        courier.hand_over({"number": number})
    courier.close(time.monotonic())
    assert port.stopped == 1
    assert "--port" not in {thread.name for thread in threading.enumerate()}


def test_a_library_that_is_missing_is_named_with_what_installs_it() -> None:
    with (
        pytest.raises(
            InvalidValueError,
            match=r"^--x needs no-such, which is not installed here: pip install no-such$",
        ),
        needed("--x", "no-such"),
    ):
        import no_such  # type: ignore[import-not-found]  # noqa: F401, PLC0415 - it is not there
