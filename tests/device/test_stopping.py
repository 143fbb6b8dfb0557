"""The end of a runner that is asked to stop, as the process that systemd knows it as."""

from __future__ import annotations

import gc
import importlib
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import pytest
from support import exported_project
from support.live_stream import FRAME_S, Stream
from support.runners import TIMEOUT_S, Runner

from edge_classifier.device.stop import StopSignals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform == "win32":
    pytest.skip("Windows ends a process without asking it", allow_module_level=True)

_WORK_WITH_LOCK: Final = """
def work(seconds):
    lock.acquire()
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        time.time()
        time.time()
        time.time()
        time.time()
    lock.release()
"""


@pytest.fixture
def stream() -> Iterator[Stream]:
    stream = Stream()
    yield stream
    stream.close()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return exported_project.video(tmp_path / "clip.avi", 400)


@pytest.fixture
def fast_switches() -> Iterator[None]:
    """Let threads take turns often, and leave signals as they were.

    Nothing is collected meanwhile: Hypothesis listens to that, and what a signal raises there is
    dropped.
    """
    gc.disable()
    interval_s = sys.getswitchinterval()
    before = [(n, signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM)]
    sys.setswitchinterval(1e-5)
    yield
    gc.enable()
    sys.setswitchinterval(interval_s)
    for number, handler in before:
        signal.signal(number, handler)


def _signal_after(seconds: float, number: signal.Signals) -> threading.Timer:
    """Make what sends this thread a signal once it is started."""
    return threading.Timer(seconds, signal.pthread_kill, (threading.get_ident(), number))


@pytest.mark.parametrize("gap_s", [0.0, 0.0005, 0.005, 0.03])
def test_signals_that_follow_the_first_change_nothing(
    bundle: Path, stream: Stream, gap_s: float
) -> None:
    runner = Runner(bundle, stream.url)
    signals = [signal.SIGTERM] * 6
    assert runner.stop(*signals, gap_s=gap_s) == (0, [])


def test_ctrl_c_counts_when_it_comes_first(bundle: Path, stream: Stream) -> None:
    runner = Runner(bundle, stream.url)
    assert runner.stop(signal.SIGINT, signal.SIGTERM) == (130, [])


def test_a_service_that_adapts_keeps_it_whatever_comes_while_it_does(
    copy: Path, stream: Stream
) -> None:
    runner = Runner(copy, stream.url, "--adapt", "follow", answers=20)
    status, _ = runner.stop(*[signal.SIGTERM] * 4, gap_s=0.005)
    assert status == 0
    assert (copy / "adaptation-state.npz").exists()


def test_what_has_an_end_of_its_own_was_cut_short(bundle: Path, video: Path) -> None:
    assert Runner(bundle, video).stop(signal.SIGTERM) == (143, [])


def test_a_source_that_has_fallen_silent_does_not_hold_up_the_end(
    bundle: Path, stream: Stream
) -> None:
    runner = Runner(bundle, stream.url)
    stream.silent.set()
    time.sleep(3 * FRAME_S)
    began_s = time.monotonic()
    assert runner.stop(signal.SIGTERM, signal.SIGTERM) == (0, [])
    assert time.monotonic() - began_s < 4.0


def test_ctrl_c_before_anything_is_open_ends_at_once(bundle: Path) -> None:
    process = subprocess.Popen(  # noqa: S603 - our own file
        [sys.executable, "-X", "importtime", "-I", str(bundle / "classify.py"), "--verify"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while "numpy" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == -signal.SIGINT
    assert "Traceback" not in err
    assert out == ""


def test_the_journal_has_each_new_label_as_it_comes(bundle: Path, stream: Stream) -> None:
    """Read from a pipe while the runner goes on: nothing waits in a buffer."""
    runner = Runner(bundle, stream.url, "--changes", answers=3)
    labels = [answer["label"] for answer in runner.answers]
    assert all(before != after for before, after in pairwise(labels))
    assert runner.stop(signal.SIGTERM) == (0, [])


def test_signals_are_the_programs_own_again_afterwards() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    with StopSignals():
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before


def test_signals_stay_ignored_where_a_block_within_was_ended_by_one() -> None:
    before = [(n, signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM)]
    try:
        with StopSignals(), suppress(KeyboardInterrupt), StopSignals():
            signal.raise_signal(signal.SIGTERM)
        assert [signal.getsignal(n) for n, _ in before] == [signal.SIG_IGN] * 2
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@pytest.mark.usefixtures("fast_switches")
def test_a_signal_never_leaves_a_lock_held() -> None:
    """Python code of the standard library takes locks, and can be interrupted with one in hand."""
    ended = threading.Event()

    def be_busy() -> None:
        while not ended.is_set():
            pass

    def ask_until_a_signal(future: Future[None], sender: threading.Timer) -> None:
        sender.start()
        while True:
            future.done()

    busy = threading.Thread(target=be_busy)
    busy.start()
    try:
        for round_ in range(100):
            future: Future[None] = Future()
            sender = _signal_after(0.001 + round_ % 10 / 3000, signal.SIGTERM)
            with pytest.raises(KeyboardInterrupt), StopSignals() as stop:
                ask_until_a_signal(future, sender)
            assert stop.status == 143
            answering = threading.Thread(target=future.set_result, args=(None,), daemon=True)
            answering.start()
            answering.join(10.0)
            assert not answering.is_alive(), f"the lock stayed held in round {round_}"
            sender.join()
    finally:
        ended.set()
        busy.join()


@pytest.mark.usefixtures("fast_switches")
def test_a_lock_is_let_go_first_however_long_its_holder_works() -> None:
    names: dict[str, Any] = {"__name__": "threading", "time": time, "lock": threading.Lock()}
    exec(_WORK_WITH_LOCK, names)  # noqa: S102 - a function as that module could have it
    began_s = time.monotonic()
    _signal_after(0.05, signal.SIGTERM).start()

    def work_and_wait() -> None:
        names["work"](1.0)
        time.sleep(20.0)

    with pytest.raises(KeyboardInterrupt), StopSignals():
        work_and_wait()
    assert not names["lock"].locked()
    assert 1.0 <= time.monotonic() - began_s < 15.0


@pytest.mark.usefixtures("fast_switches")
def test_a_signal_while_modules_are_imported_is_neither_lost_nor_in_the_way_of_others() -> None:
    """Python drops what is raised where it throws a module's lock away."""

    def import_once() -> None:
        sys.modules.pop("_stat", None)
        importlib.import_module("_stat")

    def import_until_a_signal(sender: threading.Timer) -> None:
        sender.start()
        until_s = time.monotonic() + 20.0
        while time.monotonic() < until_s:
            import_once()

    for round_ in range(40):
        sender = _signal_after(0.001 + round_ % 10 / 3000, signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt), StopSignals():
            import_until_a_signal(sender)
        other = threading.Thread(target=import_once, daemon=True)
        other.start()
        other.join(10.0)
        assert not other.is_alive(), f"the lock stayed held in round {round_}"
        sender.join()


@pytest.mark.usefixtures("fast_switches")
def test_a_wait_is_ended_at_once() -> None:
    began_s = time.monotonic()
    _signal_after(0.1, signal.SIGINT).start()
    with pytest.raises(KeyboardInterrupt), StopSignals():
        threading.Event().wait(20.0)
    assert time.monotonic() - began_s < 5.0


@pytest.mark.usefixtures("fast_switches")
def test_a_signal_that_comes_while_an_object_is_thrown_away_is_not_lost() -> None:
    """Python drops what is raised there."""

    class Closing:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def throw_away_and_wait() -> None:
        Closing()
        time.sleep(20.0)

    began_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt), StopSignals():
        throw_away_and_wait()
    assert time.monotonic() - began_s < 5.0


def test_a_background_job_leaves_ctrl_c_to_the_others() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopSignals():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_signals_are_left_alone() -> None:
    failures: list[BaseException] = []

    def enter() -> None:
        try:
            with StopSignals():
                pass
        except ValueError as error:
            failures.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert failures == []


@pytest.mark.parametrize(("daemon", "printed"), [("True", ""), ("False", "waited for\n")])
def test_a_thread_that_waits_for_a_device_is_left_behind_but_no_other(
    daemon: str,
    printed: str,
) -> None:
    program = f"""
import sys, threading, time
from edge_classifier.device.stop import leave
def work():
    time.sleep(0.3)
    print("waited for")
threading.Thread(target=work, daemon={daemon}).start()
sys.stdout.write("what was said\\n")
leave(3)
"""
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, f"what was said\n{printed}", "")


def test_python_does_not_end_under_a_thread_that_is_left_behind_once_the_others_have_ended() -> (
    None
):
    program = """
import threading, time
from edge_classifier.device.stop import leave
class Last:
    def __del__(self):
        print("Python is at its end")
last = Last()
threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
threading.Thread(target=time.sleep, args=(0.3,)).start()
leave(3)
"""
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
