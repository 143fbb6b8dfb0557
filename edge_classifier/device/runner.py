"""The loop of an exported bundle: frames from a source, predictions to outputs."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from .adapter_on_demand import AdapterOnDemand
from .bundle_watch import BundleWatch
from .classifier import Classifier
from .console import SOME_REFUSED, shortened
from .errors import InvalidOptionError
from .exchange import Exchange
from .heat import with_heat
from .incoming import TroubleLog, frames_of, unpaused, waiting
from .looking import Looks, asked_regions, framing_of
from .outputs.asked_for import asked_for, check_labels
from .outputs.benchmark import Benchmark
from .outputs.json_lines import JsonLines
from .outputs.window import Window
from .reader import FrameReader
from .requests import Requests
from .sources.cameras import default_source
from .sources.named import kind_of, open_source_or_pictures
from .sources.pictures import PictureFiles
from .turns import Turns
from .verdict import UNKNOWN

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from .adapter import Adapter
    from .bundle import Bundle
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
    *("adapt", "benchmark", "changes", "csv", "every_frame", "flip", "frames", "gpio", "heat"),
    *("interval", "keep_unsure", "mqtt", "on_change", "osc", "region", "rotate", "serial"),
    "webhook",
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
    turns = Turns()
    if options.no_camera:
        _serve(options, classifier, turns, stack, stop)
    if options.heat:
        classifier.use_heat()
    shown = not (options.no_window or options.benchmark) and Window.possible()
    spec = options.source or default_source()
    # First what needs nothing of the source, which may take seconds.
    asked_regions(options)
    labels = (*classifier.bundle.class_names, UNKNOWN)
    requests = Requests()
    name = classifier.bundle.folder.name
    outputs = [
        stack.enter_context(contextlib.closing(output))
        for output in chain(
            _page(options, classifier, turns),
            asked_for(options, name, labels, requests, classifier),
        )
    ]

    def opened() -> VideoSource | PictureFiles:
        source = _open(spec, options.interval, paced=shown)
        unseen = not (shown or options.benchmark)
        if source.live and unseen and not isinstance(source, PictureFiles):
            source.rest_while(lambda: looks.settled(options.hold))
        return source

    source = opened()
    stack.callback(source.close)
    stop.endless = source.live
    classifier.mirrored = classifier.bundle.mirrored and kind_of(spec).is_camera
    date = None if options.no_smoothing else _dating(source)
    every_frame = options.every_frame or not source.live  # in files each picture counts
    looks = Looks(
        classifier.bundle,
        lambda kept, before: framing_of(options, kept, before, source.name, live=source.live),
        date,
        every_frame=every_frame,
    )
    exchange = stack.enter_context(
        contextlib.closing(_exchange(options, classifier, live=source.live))
    )
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
        for output in _local_outputs(options, window_title, classifier, live=source.live)
    ]
    followers = (looks.exchanged, adapting.exchanged, *(output.exchanged for output in outputs))
    for follower in followers:
        exchange.follow(follower)
    reader = stack.enter_context(
        _reader(
            source,
            opened,
            lambda image: looks.prepare(exchange.current, image),
            looks,
            options.interval,
        )
    )

    def idle(trouble: str) -> bool:
        exchange.take()
        return waiting(trouble, requests, outputs)

    frames = exchange.between(
        frames_of(reader, TroubleLog(source.name), idle), lambda: looks.turned
    )
    frames = islice(unpaused(frames, requests, outputs), options.frames or None)
    _loop(exchange, looks, turns, adapting, frames, outputs)
    return SOME_REFUSED if isinstance(source, PictureFiles) and source.refused else 0


def _serve(
    options: argparse.Namespace,
    classifier: Classifier,
    turns: Turns,
    stack: contextlib.ExitStack,
    stop: StopSignals,
) -> NoReturn:
    """Answer what is sent, until the program is stopped."""
    stop.endless = True
    exchange = stack.enter_context(contextlib.closing(_exchange(options, classifier)))
    for output in _page(options, classifier, turns):
        stack.enter_context(contextlib.closing(output))
        exchange.follow(output.exchanged)
    while True:
        threading.Event().wait(_LOOK_S)  # by waits that Ctrl-C ends on Windows too
        exchange.take()


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
    looks: Looks,
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
        upright=looks.upright,
    )


def _exchange(
    options: argparse.Namespace, classifier: Classifier, *, live: bool = True
) -> Exchange:
    """Give the classifier that answers, now and once its bundle is replaced.

    What a file says does not depend on when it is asked, and other programs' models are no bundles.
    """
    if not live or classifier.bundle.contents:
        return Exchange(classifier)
    watch = BundleWatch(classifier.bundle, maker(options, classifier))
    watch.start()
    return Exchange(classifier, watch)


def maker(options: argparse.Namespace, before: Classifier) -> Callable[[Bundle], Classifier]:
    """Give what makes a classifier of a bundle that was put in place of another one's.

    It raises an `EdgeClassifierError` where that does not answer as it should, and where this
    command line would be refused with it at the next start.
    """

    def make(bundle: Bundle) -> Classifier:
        from .checks import check  # noqa: PLC0415 - start-up counts on a small device

        found = Classifier(bundle, options.format, options.threads)
        check(found)
        found.mirrored = before.mirrored
        # Also what this command line would refuse at the next start.
        check_labels(options, (*bundle.class_names, UNKNOWN))
        if options.heat:
            found.use_heat()
        if options.keep_unsure is not None:
            from .outputs.unsure_frames import check_features  # noqa: PLC0415 - as above

            check_features(found)
        if options.adapt != "off":
            from .adapter import what_can_adapt  # noqa: PLC0415 - as above

            what_can_adapt(found, options.adapt)
        return found

    return make


def _adapter(
    mode: Literal["off", "once", "follow"], classifier: Classifier, *, in_time: bool
) -> Adapter | None:
    """Make what adapts; `in_time` if frames must not wait for it."""
    if mode == "off":
        return None
    from .adapter import Adapter  # noqa: PLC0415 - start-up counts on a small device

    return Adapter(classifier, mode, background=in_time)


def _page(options: argparse.Namespace, classifier: Classifier, turns: Turns) -> Iterator[Output]:
    """Make the server on the network that is asked for."""
    if options.mjpeg is None and options.serve is None:
        return
    from .outputs.page import LivePage  # noqa: PLC0415 - start-up counts on a small device

    if options.serve is None:
        yield LivePage(options.mjpeg, options.token)
        return
    from .outputs.service import Service  # noqa: PLC0415 - as above

    service = Service(classifier, turns, with_camera=not options.no_camera)
    yield service
    yield LivePage(options.serve, options.token, option="--serve", routes=service.routes)


def _local_outputs(
    options: argparse.Namespace, window_title: str, classifier: Classifier, *, live: bool
) -> Iterator[Output]:
    """Make the outputs on this machine that are asked for."""
    if options.keep_unsure is not None:
        from .outputs.unsure_frames import UnsureFrames  # noqa: PLC0415 - as above

        yield UnsureFrames(options.keep_unsure, classifier, options.most, live=live)
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
    exchange: Exchange,
    looks: Looks,
    turns: Turns,
    adapting: AdapterOnDemand,
    frames: Iterator[Frame],
    outputs: list[Output],
) -> None:
    benchmark = next((output for output in outputs if isinstance(output, Benchmark)), None)
    for frame in frames:
        shown, classifier, pixels = frame, exchange.current, exchange.prepared(frame)
        for number, look in enumerate(looks.all):
            part, rest = look.part(frame), look.rest
            prepared = None if pixels is None else pixels[number]
            with turns.first():  # until all is read of what the classifier was asked last
                started_s = time.perf_counter()
                read = adapting.adapts or classifier.gives_heat
                prediction = rest.prediction_of(classifier, part.image, prepared, read=read)
                inferred_s = time.perf_counter()
                prediction = adapting.update(prediction)
                rest.answered(prediction)
                if benchmark:
                    adapting_s = time.perf_counter() - inferred_s if adapting.adapts else None
                    benchmark.add(None if rest.resting else inferred_s - started_s, adapting_s)
                if not rest.resting:
                    for output in outputs:
                        output.consider(part, prediction)
                prediction = looks.answer(look, prediction, frame)
                heat = classifier.heat(prediction)
            if heat is not None:
                shown = replace(shown, image=with_heat(shown.image, heat, look.region))
        going_on = [output.show_all(shown, looks.all) for output in outputs]
        if not all(going_on):
            return
