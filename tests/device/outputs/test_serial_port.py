"""A line for each new label, on a pair of pseudo terminals as on a cable."""

from __future__ import annotations

import os
import select
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from support.answers import Said, tell, wait_until

from edge_classifier.device.errors import InvalidOptionError
from edge_classifier.device.outputs.on_change import OnChange
from edge_classifier.device.outputs.serial_port import SerialPort

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform == "win32":
    pytest.skip("pseudo terminals", allow_module_level=True)

import pty
import tty

_TAKEN_IN = 4096
"""Bytes that the other end of a cable has taken in, before it is read."""


class Cable:
    """A port at a path, whose other end reads; may be unplugged and plugged in again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ends: tuple[int, int] | None = None

    def plug_in(self) -> None:
        self._ends = pty.openpty()
        tty.setraw(self._ends[1])
        self.path.symlink_to(os.ttyname(self._ends[1]))

    def unplug(self) -> None:
        self.path.unlink(missing_ok=True)
        for end in self._ends or ():
            os.close(end)
        self._ends = None

    @property
    def end(self) -> int:
        assert self._ends
        return self._ends[0]


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    cable = Cable(tmp_path / "ttyACM0")
    yield cable
    cable.unplug()


def output_to(cable: Cable) -> OnChange:
    return OnChange([SerialPort(f"{cable.path}:9600", boot_s=0.0)], frames=2, first_wait_s=0.01)


def read_until(cable: Cable, wanted: str) -> None:
    read = ""
    while read != wanted:
        wait_until(lambda: select.select([cable.end], [], [], 0)[0])
        read += os.read(cable.end, 4096).decode()
        assert wanted.startswith(read)


def test_each_new_label_is_a_line(cable: Cable) -> None:
    cable.plug_in()
    output = output_to(cable)
    for label in ("mug", "mug", "mug", "phone", "mug", "växt 🌱", "växt 🌱", "unknown", "unknown"):
        tell(output, label)
    output.close()
    read_until(cable, "mug\nväxt 🌱\nunknown\n")


def test_a_port_that_comes_later_is_told_all(
    cable: Cable, capsys: pytest.CaptureFixture[str]
) -> None:
    output = output_to(cable)
    for label in ("mug", "mug", "phone", "phone"):
        tell(output, label)
    said = Said(capsys)
    wait_until(lambda: said.lines)
    cable.plug_in()
    read_until(cable, "mug\nphone\n")
    output.close()
    away = f"{cable.path} cannot be written to (No such file or directory)"
    assert said.lines == [
        f"--serial: {away}; it is tried again until it can.",
        "--serial: goes on.",
    ]


def test_unplugged_and_plugged_in_again_it_goes_on(
    cable: Cable, capsys: pytest.CaptureFixture[str]
) -> None:
    cable.plug_in()
    output = output_to(cable)
    for label in ("mug", "mug"):
        tell(output, label)
    read_until(cable, "mug\n")
    cable.unplug()
    for label in ("phone", "phone"):
        tell(output, label)
    said = Said(capsys)
    wait_until(lambda: said.lines)
    cable.plug_in()
    read_until(cable, "\nphone\n")  # a line that was cut off would be ended by the first character
    output.close()
    assert [line.partition(" (")[0] for line in said.lines] == [
        f"--serial: {cable.path} cannot be written to",
        "--serial: goes on.",
    ]


def test_a_label_stays_one_line(cable: Cable) -> None:
    cable.plug_in()
    port = SerialPort(str(cable.path), boot_s=0.0)
    assert port.tell({"label": "a\nb\udcff"}) == ""
    read_until(cable, "a\\nb\\udcff\n")
    port.stop()
    port.stop()


def test_what_is_stuck_is_dropped_at_the_end(cable: Cable) -> None:
    # A port waits at its close until all is sent, up to half a minute.
    cable.plug_in()
    port = SerialPort(str(cable.path), boot_s=0.0)
    label = {"label": "x" * 100_000}  # more than anything holds
    telling = threading.Thread(target=port.tell, args=(label,))
    telling.start()
    wait_until(lambda: select.select([cable.end], [], [], 0)[0])
    port.stop()
    telling.join()
    left = 0
    while select.select([cable.end], [], [], 0)[0]:
        left += len(os.read(cable.end, 4096))
    assert left <= _TAKEN_IN


@pytest.mark.parametrize("place", ["", ":9600", "/dev/ttyACM0:0", "COM3:9999999", "\0"])
def test_what_can_be_no_port_is_refused(place: str) -> None:
    with pytest.raises(InvalidOptionError, match="expected PORT or PORT:BAUD"):
        SerialPort(place)


def test_what_is_no_port_is_told_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    port = SerialPort(str(tmp_path / "file"))
    said = port.tell({"label": "mug"})
    assert said.startswith(f"{tmp_path / 'file'} cannot be written to (")
    assert "\n" not in said
