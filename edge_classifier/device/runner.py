"""The loop of an exported bundle: frames from a source, predictions to outputs."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, Literal

from .adapter_on_demand import AdapterOnDemand
from .console import SOME_REFUSED, shortened
from .errors import InvalidOptionError
from .heat import with_heat
from .incoming import TroubleLog, frames_of, unpaused
from .outputs.asked_for import asked_for
from .outputs.benchmark import Benchmark
from .outputs.json_lines import JsonLines
from .outputs.window import Window
from .reader import FrameReader
from .requests import Requests
from .rest import Rest
from .sources.cameras import default_source
from .sources.named import kind_of, open_source_or_pictures
from .sources.pictures import PictureFiles
from .turns import Turns
from .verdict import UNKNOWN, Smoother

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from .adapter import Adapter
    from .classifier import Classifier
    from .frame import Frame, FrameSource
    from .outputs.base import Output
    from .preprocessing import Image
    from .sources.video_source import VideoSource
    from .stop import StopSignals

_AHEAD: Final = 4
_STALLED_AFTER_S: Final = 2.0
_HUNG_AFTER_S: Final = 30.0
_LOOK_S: Final = 0.5
_OF_FRAMES: Final = (
    *("adapt", "benchmark", "changes", "csv", "every_frame", "frames", "gpio", "heat", "interval"),
    *("mqtt", "on_change", "osc", "serial", "webhook"),
)
"""Options that need a source of frames."""


def run(options: argparse.Namespace, classifier: Classifier, stop: StopSignals) -> int:
    """Classify what the source gives; returns the exit status, 0 or `SOME_REFUSED`.

    Raises:
        EdgeClassifierError: if the source or an output cannot be used.
    """
    with contextlib.ExitStack() as stack:
        try:
            return _run(options, classifier, stack, stop)
        finally:
            stop.closing()


def _run(
    options: argparse.Namespace,
    classifier: Classifier,
    stack: contextlib.ExitStack,
    stop: StopSignals,
) -> int:
    """Do so; what is to be closed at the end goes onto the stack."""
    _check(options)
    turns, rest = Turns(), Rest()
    if options.no_camera:
        stop.endless = True
        for output in _page(options, classifier, turns, rest):
            stack.enter_context(contextlib.closing(output))
        while not threading.Event().wait(_LOOK_S):  # by waits that Ctrl-C ends on Windows too
            pass
    if options.heat:
        classifier.use_heat()
    shown = not (options.no_window or options.benchmark) and Window.possible()
    spec = options.source or default_source()
    # First what needs nothing of the source, which may take seconds.
    labels = (*classifier.bundle.class_names, UNKNOWN)
    requests = Requests()
    name = classifier.bundle.folder.name
    outputs = [
        stack.enter_context(contextlib.closing(output))
        for output in chain(
            _page(options, classifier, turns, rest), asked_for(options, name, labels, requests)
        )
    ]

    def opened() -> VideoSource | PictureFiles:
        return _open(spec, options.interval, paced=shown)

    source = opened()
    stack.callback(source.close)
    stop.endless = source.live
    rest.every_frame = options.every_frame or not source.live  # in files each picture counts
    classifier.mirrored = classifier.bundle.mirrored and kind_of(spec).is_camera
    title = f"{name} on {source.name}"
    window_title = title if shown and not isinstance(source, PictureFiles) else ""
    if options.heat and not (window_title or options.mjpeg or options.serve):
        raise InvalidOptionError(
            "--heat colours what the window and the page show, and here is neither; add "
            "--mjpeg 127.0.0.1:8000 for the page."
        )
    adapter = _adapter(options.adapt, classifier, in_time=source.live or bool(window_title))
    adapting = AdapterOnDemand(classifier, adapter, requests, follows=options.adapt == "follow")
    stack.enter_context(contextlib.closing(adapting))
    outputs += [
        stack.enter_context(contextlib.closing(output))
        for output in _local_outputs(options, window_title, live=source.live)
    ]
    reader = stack.enter_context(
        _reader(
            source,
            opened,
            lambda image: None if rest.resting else classifier.prepare(image),
            options.interval,
        )
    )
    frames = frames_of(
        reader,
        TroubleLog(source.name),
        lambda trouble: all(output.wait(trouble) for output in outputs),
    )
    date = None if options.no_smoothing else _dating(source)
    frames = islice(unpaused(frames, requests, outputs), options.frames or None)
    _loop(classifier, turns, adapting, rest, frames, outputs, date)
    return SOME_REFUSED if isinstance(source, PictureFiles) and source.refused else 0


def _open(spec: str, interval_s: float, *, paced: bool) -> VideoSource | PictureFiles:
    """Open the source.

    Raises:
        InvalidOptionError: if it has an end, and `interval_s` is not 0.
        CameraError: if it cannot be opened.
    """
    source = open_source_or_pictures(spec, paced=paced)
    if interval_s and not source.live:
        source.close()
        raise InvalidOptionError(
            f"--interval is for cameras, and {shortened(spec)} has an end: all of it is answered."
        )
    if interval_s and not isinstance(source, PictureFiles):
        source.give_every(interval_s)
    return source


def _check(options: argparse.Namespace) -> None:
    """Refuse options that make no sense together.

    Raises:
        InvalidOptionError: if they do not.
    """
    if options.serve is not None and options.mjpeg is not None:
        raise InvalidOptionError("--serve has the page of --mjpeg; leave out one of them.")
    if not options.no_camera:
        return
    if options.serve is None:
        raise InvalidOptionError("--no-camera is for --serve, which answers what is sent to it.")
    if options.source is not None:
        raise InvalidOptionError(
            f"--no-camera looks at nothing, also not at {shortened(options.source)}; leave out one."
        )
    if what := next((o for o in _OF_FRAMES if getattr(options, o) not in (None, 0, "off")), None):
        raise InvalidOptionError(
            f"--{what.replace('_', '-')} is for the frames of a source, and with --no-camera there "
            "are none."
        )


def _reader(
    source: VideoSource | PictureFiles,
    open_again: Callable[[], FrameSource],
    prepare: Callable[[Image], npt.NDArray[Any] | None],
    interval_s: float,
) -> FrameReader:
    """Read an opened source; one that is live is opened again when it is lost."""
    opened: list[FrameSource] = [source]
    return FrameReader(
        lambda: opened.pop() if opened else open_again(),
        name=source.name,
        stall_s=_STALLED_AFTER_S + interval_s if source.live else math.inf,
        drop=source.live,
        ahead=_AHEAD,
        reopen=source.live,
        hung_s=_HUNG_AFTER_S + interval_s if source.live else math.inf,
        prepare=prepare,
        check_pictures=source.live,
    )


def _adapter(
    mode: Literal["off", "once", "follow"], classifier: Classifier, *, in_time: bool
) -> Adapter | None:
    """Make what adapts; `in_time` if frames must not wait for it."""
    if mode == "off":
        return None
    from .adapter import Adapter  # noqa: PLC0415 - start-up counts on a small device

    return Adapter(classifier, mode, background=in_time)


def _page(
    options: argparse.Namespace, classifier: Classifier, turns: Turns, rest: Rest
) -> Iterator[Output]:
    """Make the server on the network that is asked for."""
    if options.mjpeg is None and options.serve is None:
        return
    from .outputs.page import LivePage  # noqa: PLC0415 - start-up counts on a small device

    if options.serve is None:
        yield LivePage(options.mjpeg, options.token)
        return
    from .outputs.service import Service  # noqa: PLC0415 - as above

    service = Service(
        classifier, turns, with_camera=not options.no_camera, rested=lambda: rest.rested
    )
    yield service
    yield LivePage(options.serve, options.token, option="--serve", routes=service.routes)


def _local_outputs(
    options: argparse.Namespace, window_title: str, *, live: bool
) -> Iterator[Output]:
    """Make the outputs on this machine that are asked for."""
    if window_title:
        yield Window(window_title)
    if options.benchmark:
        yield Benchmark()
    elif not options.quiet:
        yield JsonLines(flush=live, hold=options.hold if options.changes else None)


def _dating(source: VideoSource | PictureFiles) -> Callable[[Frame], float] | None:
    """Give what dates a frame, in seconds; `None` where frames do not follow each other in time.

    A file's are dated by its own rate, so that its labels are the same on any machine.
    """
    if isinstance(source, PictureFiles):
        return None
    if source.live:
        return lambda frame: frame.timestamp_s
    fps = source.fps
    return lambda frame: frame.index / fps


def _loop(
    classifier: Classifier,
    turns: Turns,
    adapting: AdapterOnDemand,
    rest: Rest,
    frames: Iterator[Frame],
    outputs: list[Output],
    date: Callable[[Frame], float] | None,
) -> None:
    benchmark = next((output for output in outputs if isinstance(output, Benchmark)), None)
    smoother = Smoother(classifier.bundle.smoothing_s)
    for frame in frames:
        with turns.first():  # until all is read of what the classifier was asked last
            started_s = time.perf_counter()
            read = adapting.adapts or classifier.gives_heat
            prediction = rest.prediction_of(classifier, frame.image, frame.prepared, read=read)
            inferred_s = time.perf_counter()
            prediction = adapting.update(prediction)
            rest.answered(prediction)
            if benchmark:
                adapting_ms = (time.perf_counter() - inferred_s) * 1000 if adapting.adapts else None
                inference_ms = None if rest.resting else (inferred_s - started_s) * 1000
                benchmark.add(frame, inference_ms, adapting_ms)
            if date:
                prediction = smoother.update(prediction, date(frame))
            heat = classifier.heat(prediction)
        if heat is not None:
            frame = replace(frame, image=with_heat(frame.image, heat))  # noqa: PLW2901 - as shown
        going_on = [output.show(frame, prediction) for output in outputs]
        if not all(going_on):
            return
