"""Who is told of a new label: commands, to which it is data whatever it reads, and one another."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_classifier.device.errors import InvalidOptionError
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.command import Command
from edge_classifier.device.outputs.on_change import OnChange
from edge_classifier.device.verdict import Prediction

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = (
    *("$(touch x)", "`touch x`", "; touch x", "| touch x", "&& touch x", "' ; touch x #", '"; x "'),
    *("-rf", "--help", "a b", "*", "~", "{score}", "{label}", "{0}", "%s", "\\n", "杯子", "növ"),
    *("../x", "/etc/passwd", ".", "", "a=b", "a\nb", "\u01c0", "\u02ba"),
)
"""The last two are letters, which Windows makes a bar and a quote of for some programs."""

PLAIN = ("unknown", "cup", "cup-2", "Tea_time.1", "_", "7")


def change(label: str, score: float = 0.75) -> dict[str, Any]:
    return {"label": label, "score": score, "previous": None}


def show(output: OnChange, label: str) -> None:
    answer = Prediction((label, "other"), np.array([0.75, 0.25], np.float32))
    output.show(Frame(np.zeros((4, 4, 3), np.uint8), 0, 0.0, name="camera 0"), answer)


def keeping(log: Path) -> str:
    """Write a program that keeps what it is told, and give the words that run it."""
    script = log.with_suffix(".py")
    script.write_text(
        "import json, os, sys\n"
        "told = [sys.argv[2:], sys.stdin.buffer.read().decode(),"
        " os.environ['CLASSIFY_LABEL'], os.environ['CLASSIFY_SCORE']]\n"
        "open(sys.argv[1], 'a').write(json.dumps(told) + '\\n')\n",
        encoding="utf-8",
    )
    return f"{sys.executable} {script} {log}"


# The label


@pytest.mark.parametrize("label", HOSTILE)
def test_a_command_finds_any_label_in_its_environment_and_on_standard_input(
    label: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    assert Command(f"{keeping(log)} {{score}}", [label]).tell(change(label)) == ""
    assert json.loads(log.read_text()) == [["0.750"], f"{label}\n", label, "0.750"]
    assert {path.name for path in tmp_path.iterdir()} == {"log", "log.py"}


@pytest.mark.skipif(sys.platform == "win32", reason="sh")
@pytest.mark.parametrize("label", HOSTILE)
def test_a_shell_takes_a_label_from_there_as_it_is(label: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = f"""sh -c 'printf %s "$CLASSIFY_LABEL" > {log}; cat >> {log}'"""
    assert Command(command, [label]).tell(change(label)) == ""
    assert log.read_text(encoding="utf-8") == f"{label}{label}\n"


@pytest.mark.parametrize("label", HOSTILE)
@pytest.mark.parametrize(
    "command", ["notify-send {label}", "sh -c 'echo {label}'", "env -S 'x{label}' {score}"]
)
def test_where_labels_are_arguments_one_that_is_no_plain_word_is_named_at_the_start(
    label: str, command: str
) -> None:
    with pytest.raises(InvalidOptionError, match="CLASSIFY_LABEL") as caught:
        Command(command, [*PLAIN, label])
    assert repr(label) in str(caught.value)


@pytest.mark.parametrize("label", PLAIN)
def test_a_plain_word_is_filled_in(label: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    told = Command(f"{keeping(log)} {{label}} x{{label}}{{score}}", PLAIN).tell(change(label))
    assert told == ""
    assert json.loads(log.read_text())[0] == [label, f"x{label}0.750"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("{label} {score}", "the program itself"),
        ("echo 'not closed", "cannot be read"),
        ("", "expected a command"),
        ("  ", "expected a command"),
    ],
)
def test_what_is_no_command_is_refused(command: str, said: str) -> None:
    with pytest.raises(InvalidOptionError, match=said):
        Command(command, PLAIN)


# Commands that do not do as they should


@pytest.mark.parametrize("label", ["x\0y", "\udcff"])
def test_a_label_that_no_command_can_take_is_told(label: str) -> None:
    command = Command(f"{sys.executable} -c pass", [label])
    assert command.tell(change(label)).startswith(f"{sys.executable}: ")
    assert command.tell(change("fine")) == ""


def test_a_command_that_fails_or_is_not_there_is_told() -> None:
    failing = Command(f'{sys.executable} -c "raise SystemExit(3)"', [])
    assert failing.tell(change("cup")) == f"{sys.executable} ended with status 3."
    assert Command("no-such-command", []).tell(change("cup")).startswith("no-such-command: ")


def spawning(log: Path) -> str:
    """Give a command that waits for a child, which writes that it lives as long as it does."""
    child = (
        f"import time\nfor n in range(600):\n open({str(log)!r}, 'a').write('.')\n time.sleep(0.05)"
    )
    script = log.with_suffix(".py")
    script.write_text(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])")
    return f"{sys.executable} {script}"


def lives(log: Path) -> bool:
    before = log.stat().st_size
    time.sleep(0.3)
    return log.stat().st_size > before


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_has_started(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    said = Command(spawning(log), [], deadline_s=1.5).tell(change("cup"))
    assert said == f"{sys.executable} was ended: it took more than 1.5 s."
    assert not lives(log)


def test_what_still_runs_at_the_end_is_ended_too(tmp_path: Path) -> None:
    log = tmp_path / "log"
    output = OnChange([Command(spawning(log), [])], frames=1, patience_s=1.5)
    show(output, "cup")
    output.close()
    assert not lives(log)
    assert "--on-change" not in {thread.name for thread in threading.enumerate()}


# Several receivers


class Recorder:
    """Keeps labels; takes as long as until `released`, and says what it is told to say."""

    def __init__(self, *, waits: bool = False, says: str = "") -> None:
        self.name, self.retries = "--recorder", False
        self.labels: list[str] = []
        self.says = says
        self.released = threading.Event()
        if not waits:
            self.released.set()

    def tell(self, change: dict[str, Any]) -> str:
        self.released.wait(30)
        self.labels.append(change["label"])
        if self.says == "raise":
            raise RuntimeError("can't start new thread")
        return self.says

    def stop(self) -> None:
        self.released.set()


def test_only_a_label_that_held_is_told() -> None:
    receiver = Recorder()
    output = OnChange([receiver], frames=2)
    for label in ("a", "a", "a", "b", "a", "b", "b"):
        show(output, label)
    output.close()
    assert receiver.labels == ["a", "b"]


def test_a_receiver_that_is_slow_holds_up_no_other_and_is_told_of_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    slow, quick = Recorder(waits=True), Recorder()
    output = OnChange([slow, quick], frames=1, patience_s=0.5)
    labels = [str(n) for n in range(60)]
    for label in labels:
        show(output, label)
        deadline_s = time.monotonic() + 10
        while label not in quick.labels:
            assert time.monotonic() < deadline_s
            time.sleep(0.001)
    output.close()
    assert quick.labels == labels
    assert slow.labels == ["0"]
    assert capsys.readouterr().err == (
        "--recorder: too slow; some changes are not told.\n--recorder: 59 changes were not told.\n"
    )


def test_a_receiver_that_is_too_slow_all_day_fills_no_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    slow = Recorder(waits=True)
    output = OnChange([slow], frames=1)
    for number in range(20):
        show(output, str(number))
    for number in range(20, 200):
        slow.released.set()
        while not slow.labels:
            time.sleep(0.001)
        slow.released.clear()
        slow.labels.clear()
        for more in range(3):
            show(output, f"{number} {more}")
    slow.released.set()
    output.close()
    first, at_the_end = capsys.readouterr().err.splitlines()
    assert first == "--recorder: too slow; some changes are not told."
    assert re.fullmatch(r"--recorder: \d+ changes were not told\.", at_the_end)


@pytest.mark.parametrize(
    ("says", "said"),
    [("not there.", "not there."), ("raise", "RuntimeError: can't start new thread")],
)
def test_what_goes_wrong_is_said_once_and_the_next_change_is_told(
    says: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver = Recorder(says=says)
    output = OnChange([receiver], frames=1)
    for label in "abc":
        show(output, label)
    output.close()
    assert receiver.labels == ["a", "b", "c"]
    assert capsys.readouterr().err == f"--recorder: {said}\n"
