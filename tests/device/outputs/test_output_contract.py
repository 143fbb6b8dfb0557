"""What each output does where whoever is told is not there, or takes nothing more."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory
from support.answers import LABELS, NAMES, tell
from support.broker import free_port

from edge_classifier.device.outputs.broker import Broker
from edge_classifier.device.outputs.command import Command
from edge_classifier.device.outputs.courier import MOST_WAITING
from edge_classifier.device.outputs.csv_log import CsvLog
from edge_classifier.device.outputs.each_frame import EachFrame
from edge_classifier.device.outputs.gpio import Gpio
from edge_classifier.device.outputs.mqtt import Mqtt
from edge_classifier.device.outputs.on_change import OnChange
from edge_classifier.device.outputs.osc import Osc
from edge_classifier.device.outputs.serial_port import SerialPort
from edge_classifier.device.outputs.webhook import Webhook
from edge_classifier.device.requests import Requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_classifier.device.outputs.base import Output
    from edge_classifier.device.outputs.courier import Receiver

FRAMES = 300


@dataclass
class Recorder:
    """The fake: hangs for as long as nobody stops it."""

    name: str = "--recorder"
    retries: bool = False
    told: threading.Event = field(default_factory=threading.Event)

    def tell(self, news: dict[str, Any]) -> str:  # noqa: ARG002 - as the protocol has it
        self.told.wait(600)
        return "it was stopped."

    def stop(self) -> None:
        self.told.set()


@contextlib.contextmanager
def silent_server() -> Iterator[int]:
    """Takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@contextlib.contextmanager
def mock_pins() -> Iterator[None]:
    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, MockFactory()
    try:
        yield
    finally:
        gpiozero.Device.pin_factory = before


def mqtt(port: int) -> Mqtt:
    return Mqtt(Broker("127.0.0.1", port, "kitchen"), "things", LABELS, Requests())


def changes(receiver: Receiver) -> OnChange:
    return OnChange([receiver], 1, patience_s=0.2)


def each(receiver: Receiver) -> EachFrame:
    return EachFrame([receiver], 1)


OUTPUTS: dict[str, Callable[[Path, contextlib.ExitStack], Output]] = {
    "recorder that hangs": lambda _, __: changes(Recorder()),
    "command that hangs": lambda _, __: changes(
        Command(f"{sys.executable} -c 'import time; time.sleep(600)'", LABELS)
    ),
    "webhook that is away": lambda _, __: changes(Webhook(f"http://127.0.0.1:{free_port()}/")),
    "webhook that is silent": lambda _, s: changes(
        Webhook(f"http://127.0.0.1:{s.enter_context(silent_server())}/")
    ),
    "serial port that is away": lambda folder, _: changes(SerialPort(f"{folder}/ttyACM0")),
    "table in no folder": lambda folder, _: changes(CsvLog(folder / "nowhere" / "log.csv")),
    "pins": lambda _, s: (s.enter_context(mock_pins()), each(Gpio(["mug=17"], LABELS)))[1],
    "instrument that is away": lambda _, __: each(Osc(f"127.0.0.1:{free_port()}")),
    "broker that is away": lambda _, __: each(mqtt(free_port())),
    "broker that is silent": lambda _, s: each(mqtt(s.enter_context(silent_server()))),
}
if sys.platform != "win32":
    import termios

    @contextlib.contextmanager
    def stopped_port(folder: Path) -> Iterator[Path]:
        """A port that takes nothing, as of a device that has hung up itself."""
        ends = os.openpty()
        termios.tcflow(ends[1], termios.TCOOFF)
        (folder / "port").symlink_to(os.ttyname(ends[1]))
        try:
            yield folder / "port"
        finally:
            for end in ends:
                os.close(end)

    OUTPUTS["serial port that takes nothing"] = lambda folder, s: changes(
        SerialPort(str(s.enter_context(stopped_port(folder))), boot_s=0.0)
    )


@pytest.fixture(params=OUTPUTS)
def output(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Output]:
    with contextlib.ExitStack() as stack:
        output = OUTPUTS[request.param](tmp_path, stack)
        yield output
        output.close()


def test_it_goes_on_takes_all_says_its_trouble_once_and_ends(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    done = threading.Event()

    def work() -> None:
        for number in range(FRAMES):
            assert tell(output, NAMES[number % len(NAMES)])
            assert output.wait("camera 0 is lost" if number % 50 == 0 else "")
        output.close()
        output.close()
        done.set()

    # In a thread: one that waited for ever would hold up the test as it would the picture.
    threading.Thread(target=work, daemon=True).start()
    assert done.wait(60)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(set(lines)) <= 3
    assert all(line.startswith("--") for line in lines)
    left = {t.name for t in threading.enumerate()} & {line.partition(":")[0] for line in lines}
    assert not left


def test_of_what_waits_the_newest_is_kept() -> None:
    recorder = Recorder()
    output = OnChange([recorder], 1, patience_s=0.0)
    for number in range(FRAMES):
        tell(output, NAMES[number % len(NAMES)])
    waiting = list(output._couriers[0]._waiting)
    assert [news["label"] for news in waiting] == [
        NAMES[n % len(NAMES)] for n in range(FRAMES - MOST_WAITING, FRAMES)
    ]
    output.close()
