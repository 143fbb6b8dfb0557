"""A pin for each label, on gpiozero's own pins without hardware."""

from __future__ import annotations

import argparse
import errno
import io
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gpiozero
import pytest
from gpiozero.pins.mock import MockPin
from support import exported_project
from support.answers import LABELS, tell, wait_until
from support.exported_project import CLASSES

from edge_classifier.device import cli
from edge_classifier.device.errors import InvalidOptionError, InvalidValueError
from edge_classifier.device.outputs.each_frame import EachFrame
from edge_classifier.device.outputs.gpio import Gpio

if TYPE_CHECKING:
    from collections.abc import Iterator


pytestmark = pytest.mark.usefixtures("pins")


def test_the_pin_of_the_label_that_counts_is_on(pins: Any) -> None:
    output = EachFrame([Gpio(["mug=17", "unknown=GPIO27", "mug=22"], LABELS)], frames=2)

    def on() -> list[int]:
        return [n for n in (17, 22, 27) if pins.pin(n).state]

    assert on() == []
    tell(output, "mug")
    tell(output, "mug")
    wait_until(lambda: on() == [17, 22])
    tell(output, "phone")
    tell(output, "unknown")
    tell(output, "unknown")
    wait_until(lambda: on() == [27])
    for _ in range(2):
        tell(output, "phone")  # which has no pin
    wait_until(lambda: on() == [])
    output.close()


def test_where_nothing_is_answered_all_are_off_and_a_label_has_to_hold_anew(pins: Any) -> None:
    output = EachFrame([Gpio(["mug=17"], LABELS)], frames=2)
    for _ in range(2):
        tell(output, "mug")
    wait_until(lambda: pins.pin(17).state)
    output.wait("camera 0 is lost")
    wait_until(lambda: not pins.pin(17).state)
    tell(output, "mug")
    assert not pins.pin(17).state
    tell(output, "mug")
    wait_until(lambda: pins.pin(17).state)
    output.close()
    output.close()
    assert not pins.pin(17).state
    gpiozero.DigitalOutputDevice(17).close()  # it is free again


def test_a_label_that_holds_switches_once(pins: Any) -> None:
    output = EachFrame([Gpio(["mug=17"], LABELS)], frames=1)
    for _ in range(10):
        tell(output, "mug")
    output.close()
    assert [state.state for state in pins.pin(17).states] == [False, True, False]


class StuckPin(MockPin):  # type: ignore[misc] # gpiozero has no types
    """Cannot be switched off for as long as it is stuck."""

    stuck = False

    def _set_state(self, value: bool) -> None:  # noqa: FBT001 - as inherited
        if self.stuck and not value:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super()._set_state(value)


def test_a_pin_that_cannot_be_switched_keeps_no_other_one_on(pins: Any) -> None:
    pins.pin_class = StuckPin
    gpio = Gpio(["mug=17", "mug=22", "mug=23", "phone=27"], LABELS)
    output = EachFrame([gpio], frames=1)
    tell(output, "mug")
    wait_until(lambda: pins.pin(23).state)
    pins.pin(17).stuck = True
    tell(output, "phone")
    wait_until(lambda: not pins.pin(23).state and pins.pin(27).state)
    pins.pin(17).stuck = False
    tell(output, "phone")
    wait_until(lambda: not pins.pin(17).state)
    tell(output, "mug")
    wait_until(lambda: pins.pin(23).state)
    pins.pin(17).stuck = True
    output.close()
    assert not any(pins.pin(n).state for n in (22, 23, 27))
    for n in (22, 23, 27):
        gpiozero.DigitalOutputDevice(n).close()  # it is free again
    pins.pin(17).stuck = False


def options(bundle: Path, source: Path, *more: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bundle", type=Path, default=bundle)
    cli.add_arguments(parser)
    return parser.parse_args([str(source), "--no-window", "--quiet", "--hold", "1", *more])


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported_project.video(tmp_path_factory.mktemp("video") / "long.avi", 1200)


@pytest.fixture
def signals() -> Iterator[None]:
    """Those of this process, as they were: a runner that was ended leaves them ignored."""
    before = [(n, signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM)]
    yield
    for number, handler in before:
        signal.signal(number, handler)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.usefixtures("signals")
def test_sigterm_switches_them_off(pins: Any, bundle: Path, long_video: Path) -> None:
    def stop_when_on() -> None:
        wait_until(lambda: pins.pin(17).state)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=stop_when_on).start()
    assert cli.run(options(bundle, long_video, "--gpio", f"{CLASSES[0]}=17")) == 143
    assert not pins.pin(17).state


def test_so_does_an_error(
    pins: Any, bundle: Path, long_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullDisk(io.StringIO):
        def write(self, _text: str) -> int:
            wait_until(lambda: pins.pin(17).state)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sys, "stdout", FullDisk())
    asked = options(bundle, long_video, "--gpio", f"{CLASSES[0]}=17")
    asked.quiet = False
    assert cli.run(asked) == 1
    assert not pins.pin(17).state


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["mug"], "expected LABEL=PIN"),
        (["mug="], "expected LABEL=PIN"),
        (["=17"], "expected LABEL=PIN"),
        (["mug=-1"], "expected LABEL=PIN"),
        (["cup=17"], "this model has no label 'cup'; it has mug, phone, växt 🌱, unknown."),
        (["mug=17", "phone=17"], "pin 17 is given twice"),
    ],
)
def test_what_can_never_be_is_told(given: list[str], said: str) -> None:
    with pytest.raises(InvalidOptionError) as caught:
        Gpio(given, LABELS)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["phone=27", "mug=99"], "--gpio mug=99: this pin cannot be used"),
        (["phone=27", "mug=GPIO27"], "--gpio mug=GPIO27: this pin cannot be used"),
        (["phone=27", "mug=5"], "--gpio mug=5: this pin cannot be used"),
    ],
)
def test_a_pin_that_is_none_or_is_taken_is_told_in_a_line_and_the_others_let_go(
    given: list[str], said: str
) -> None:
    with gpiozero.LED(5), pytest.raises(InvalidValueError) as caught:
        Gpio(given, LABELS)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
    gpiozero.LED(27).close()


def test_a_machine_without_pins_is_told_in_a_line() -> None:
    gpiozero.Device.pin_factory = None
    with pytest.raises(InvalidValueError, match="there are no pins here that gpiozero can use"):
        Gpio(["mug=17"], LABELS)
