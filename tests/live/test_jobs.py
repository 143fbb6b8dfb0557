from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.fakes import ImmediateExecutor, ManualExecutor

from edge_classifier.errors import CancelledError, EdgeClassifierError, ExportError
from edge_classifier.live.jobs import Job, Stage
from edge_classifier.protocols import Cancelled, Progress


def test_a_job_tells_how_far_it_is_and_what_it_does() -> None:
    def work(progress: Progress, _cancelled: Cancelled) -> int:
        progress(0.5, "downloading")
        return 7

    job = Job("loading", work, ImmediateExecutor())
    assert (job.progress, job.text, job.done, job.result()) == (0.5, "downloading", True, 7)


def test_a_job_that_was_not_begun_never_runs_once_cancelled() -> None:
    ran: list[bool] = []
    executor = ManualExecutor()
    job = Job("waiting", lambda _p, _c: ran.append(True), executor)
    job.cancel()
    executor.run_all()
    assert ran == []
    with pytest.raises(CancelledError, match="waiting"):
        job.result()


def test_a_running_job_is_asked_to_stop() -> None:
    def work(_progress: Progress, cancelled: Cancelled) -> str:
        while not cancelled():
            pass
        return "stopped"

    with ThreadPoolExecutor(1) as executor:
        job = Job("endless", work, executor)
        job.cancel()
        with contextlib.suppress(CancelledError):  # raised where it had not begun yet
            assert job.result() == "stopped"


def test_an_error_of_ours_comes_out_of_the_result_as_it_is() -> None:
    def work(_progress: Progress, _cancelled: Cancelled) -> None:
        raise ExportError("the disk is full")

    with pytest.raises(ExportError, match="the disk is full"):
        Job("exporting", work, ImmediateExecutor()).result()


def test_a_surprise_becomes_an_error_that_the_window_can_show() -> None:
    def work(_progress: Progress, _cancelled: Cancelled) -> None:
        raise MemoryError("no room")

    with pytest.raises(EdgeClassifierError, match="training failed"):
        Job("training", work, ImmediateExecutor()).result()


def test_a_stage_hands_over_what_its_job_gave_once() -> None:
    executor = ManualExecutor()
    stage: Stage[int] = Stage(executor)
    stage.wanted = True
    stage.begin("counting", lambda _p, _c: 7)
    assert not stage.wanted
    assert stage.poll() is None
    executor.run_all()
    assert stage.poll() == 7
    assert stage.poll() is None
    assert stage.job is None


def test_a_stage_that_was_stopped_gives_nothing_and_can_begin_again() -> None:
    executor = ManualExecutor()
    stage: Stage[int] = Stage(executor)
    stage.begin("counting", lambda _p, _c: 7)
    stage.cancel()
    executor.run_all()
    assert stage.job is not None  # nobody took note of its end yet
    assert stage.poll() is None
    stage.begin("counting", lambda _p, _c: 8)
    executor.run_all()
    assert stage.poll() == 8


def test_a_stage_fails_as_its_job_does() -> None:
    def work(_progress: Progress, _cancelled: Cancelled) -> None:
        raise ExportError("the disk is full")

    stage: Stage[None] = Stage(ImmediateExecutor())
    stage.begin("exporting", work)
    with pytest.raises(ExportError, match="the disk is full"):
        stage.poll()
    assert stage.job is None


@pytest.mark.parametrize("running", [False, True])
def test_a_stage_that_is_out_of_date_is_wanted_again_only_where_it_ran(*, running: bool) -> None:
    stage: Stage[int] = Stage(ManualExecutor())
    if running:
        stage.begin("counting", lambda _p, _c: 7)
    stage.restart()
    assert stage.job is None
    assert stage.wanted is running
