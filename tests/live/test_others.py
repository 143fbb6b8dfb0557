"""Who is told of a session's answers, and heard, beside who sits before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pythonosc.udp_client import SimpleUDPClient
from support.answers import wait_until
from support.live_session import RUNNING, LiveSession, scene

from edge_classifier.device.errors import InvalidOptionError, InvalidValueError
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.base import Output
from edge_classifier.device.outputs.osc_listener import OscListener
from edge_classifier.device.requests import ADAPT, PAUSED, RECORD, STOP, TRAIN, Requests
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.live.display import Press, Release
from edge_classifier.live.others import Others

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_classifier.device.verdict import Prediction


class Told(Output):
    """Keeps labels and troubles."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def show(self, frame: Frame, prediction: Prediction) -> bool:  # noqa: ARG002 - as inherited
        self.heard.append(prediction.label)
        return True

    def wait(self, trouble: str) -> bool:
        self.heard.append(f"({trouble})")
        return True


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def others(told: Told, requests: Requests) -> Others:
    return Others([told], requests)


def let_pass(live: LiveSession, others: Others, frames: int, source: SourceState = RUNNING) -> None:
    """Let frames pass, as the loop does."""
    for _ in range(frames):
        for event in tuple(others.events(live.session)):
            live.session.advance(None, event)
        frame = None
        if not source.in_trouble:
            frame = Frame(scene(live.thing, live.index), live.index, live.clock())
        live.session.advance(frame, None, source)
        others.tell(live.session, frame, source)
        live.index += 1
        live.clock.advance(1 / 30)
    live.view = live.session.view()


def test_outputs_are_told_of_each_answer(live: LiveSession, others: Others, told: Told) -> None:
    let_pass(live, others, 1)
    assert told.heard == [f"({PAUSED})"]  # nothing was taught
    names = live.store.class_names()
    live.hold("1", 1)
    live.hold("2", 2)
    told.heard.clear()
    live.thing = 1
    let_pass(live, others, 30)
    assert told.heard[-1] == names[0]
    lost = SourceState(SourceStatus.LOST, "camera 0 is lost")
    let_pass(live, others, 1, lost)
    assert told.heard[-1] == "(camera 0 is lost)"


def test_a_pause_is_asked_for_or_pressed_and_each_knows_of_the_other(
    live: LiveSession, others: Others, told: Told, requests: Requests
) -> None:
    live.hold("1", 1)
    live.hold("2", 2)
    requests.paused = True
    let_pass(live, others, 2)
    assert live.session.paused
    assert told.heard[-1] == f"({PAUSED})"
    for event in (Press("p"), Release("p")):
        live.session.advance(None, event)
    let_pass(live, others, 2)
    assert not live.session.paused
    assert not requests.paused


def test_what_others_ask_for_never_answers_a_question_or_moves_a_picture(
    live: LiveSession, others: Others, requests: Requests, capsys: pytest.CaptureFixture[str]
) -> None:
    live.hold("1", 1)
    live.hold("2", 2)
    counts, names = live.counts, live.store.class_names()
    live.tap("g")
    for what in (RECORD, RECORD, TRAIN, ADAPT):
        requests.ask(what, 1)
    let_pass(live, others, 2)
    assert live.counts == counts
    assert capsys.readouterr().err.count("while a question or pictures are open") == 1
    live.tap("escape")
    live.tap("n")
    requests.ask(ADAPT)
    requests.paused = True
    let_pass(live, others, 2)
    assert live.view.prompt is not None
    assert live.view.prompt.text == names[1]
    assert not live.session.paused
    live.tap("escape")
    let_pass(live, others, 1)
    assert live.session.paused, "which has waited for its answer"
    assert live.counts == counts


def test_a_class_is_recorded_until_the_next_one_or_the_end(
    live: LiveSession, others: Others, requests: Requests
) -> None:
    for number in (1, 2):
        live.thing = number
        requests.ask(RECORD, number)
        let_pass(live, others, 45)
    requests.ask(STOP)
    let_pass(live, others, 1)
    counts = live.counts
    assert min(counts[:2]) > 5
    let_pass(live, others, 45)
    assert live.counts == counts
    requests.ask(TRAIN)
    let_pass(live, others, 60)
    assert live.session.prediction is not None


def test_a_class_that_is_asked_for_again_and_again_is_one_burst(
    live: LiveSession, others: Others, requests: Requests
) -> None:
    for _ in range(45):  # as a slider does that sends where it is
        requests.ask(RECORD, 1)
        let_pass(live, others, 1)
    assert len(live.store.samples()) > 5
    assert len({sample.burst_id for sample in live.store.samples()}) == 1
    live.tap("h")  # the help; a question ends what is recorded
    live.tap("escape")
    live.type("n", "escape")
    requests.ask(RECORD, 1)
    let_pass(live, others, 45)
    assert len({sample.burst_id for sample in live.store.samples()}) == 2


def test_a_class_that_there_is_not_is_said_once_and_ends_what_was_recorded(
    live: LiveSession, others: Others, requests: Requests, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (0, 99, -1):
        requests.ask(RECORD, number)
    let_pass(live, others, 5)
    count = len(live.store.class_names())
    assert capsys.readouterr().err == (
        f"/record 0: there are {count} classes, the first of which is 1.\n"
    )
    assert sum(live.counts) == 0


# What instruments ask for


def message(address: bytes) -> bytes:
    return address + b"\0" * (4 - len(address) % 4) + b",\0\0\0"


def bundle(time_tag: bytes, content: bytes) -> bytes:
    return b"#bundle\0" + time_tag + len(content).to_bytes(4, "big") + content


def nested(depth: int) -> bytes:
    content = message(b"/train")
    for _ in range(depth):
        content = bundle(b"\0" * 7 + b"\1", content)
    return content


@pytest.mark.parametrize(
    "packet",
    [
        bundle(b"\xff" * 8, message(b"/train")),  # to be done in years
        message(b"/" + b"[!a]*" * 40),  # a pattern that takes as long to be compared
        message(b"/[z-a]"),
        nested(2000),
        b"/record\0,i\0\0",
        b"/record\0,b\0\0\xff\xff\xff\xff",
        b"/record\0,[[[\0\0\0\0",
        b"/\xff\xfe\0,\0\0\0",
        b"#bundle\0",
        b"",
        b"/" * 60_000,
    ],
)
def test_no_packet_stops_the_ear_or_fills_the_log(
    packet: bytes,
    instrument: SimpleUDPClient,
    requests: Requests,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for _ in range(3):
        instrument._sock.sendto(packet, (instrument._address, instrument._port))
    instrument.send_message("/stop", [])
    heard: list[tuple[str, int]] = []
    wait_until(lambda: heard.extend(requests.take()) or (STOP, 0) in heard)  # type: ignore[func-returns-value] # so that it is asked again
    assert capsys.readouterr().err.count("\n") <= 1


@pytest.fixture
def listener(requests: Requests) -> Iterator[OscListener]:
    listener = OscListener("127.0.0.1:0", requests)
    yield listener
    listener.close()
    listener.close()


@pytest.fixture
def instrument(listener: OscListener) -> Iterator[SimpleUDPClient]:
    instrument = SimpleUDPClient("127.0.0.1", listener.port)
    yield instrument
    instrument.close()


def test_instruments_are_heard(instrument: SimpleUDPClient, requests: Requests) -> None:
    sent: tuple[tuple[str, int | float | None], ...] = (
        *(("/record", 2), ("/record", 1.0)),
        *(("/stop", None), ("/train", 1), ("/adapt", None)),
    )
    for address, value in sent:
        instrument.send_message(address, [] if value is None else value)
    heard: list[tuple[str, int]] = []
    wait_until(lambda: heard.extend(requests.take()) or len(heard) == len(sent))  # type: ignore[func-returns-value] # so that it is asked again
    assert heard == [("record", 2), ("record", 1), ("stop", 0), ("train", 0), ("adapt", 0)]


def test_what_is_none_of_it_is_said_once(
    instrument: SimpleUDPClient, requests: Requests, capsys: pytest.CaptureFixture[str]
) -> None:
    instrument._sock.sendto(b"no OSC", (instrument._address, instrument._port))
    for value in ("x", 0.5, float("inf")):
        instrument.send_message("/record", value)
    instrument.send_message("/\x1b[2J", [])
    instrument.send_message("/stop", [])
    wait_until(lambda: requests.take() == [(STOP, 0)])
    assert capsys.readouterr().err == (
        "--osc-listen: expected /record N, /stop, /train or /adapt, received '/record x'.\n"
    )


def test_a_port_that_is_taken_and_one_that_is_none_are_told(
    listener: OscListener, requests: Requests
) -> None:
    with pytest.raises(InvalidValueError, match="choose another port"):
        OscListener(f":{listener.port}", requests)
    with pytest.raises(InvalidValueError, match="cannot be used"):
        OscListener("..:0", requests)
    with pytest.raises(InvalidOptionError, match="expected HOST:PORT"):
        OscListener("x", requests)
