"""`edge-classifier live`: the main job."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edge_classifier.commands import browser
from edge_classifier.commands import options as shared
from edge_classifier.commands.console import BUNDLE_WRITTEN, as_word, open_or_create
from edge_classifier.commands.turning import framing_in_project
from edge_classifier.device.console import say
from edge_classifier.device.looking import add_turning_arguments
from edge_classifier.device.outputs.asked_for import add_output_arguments, asked_for
from edge_classifier.device.outputs.osc_listener import OscListener
from edge_classifier.device.reader import FrameReader
from edge_classifier.device.requests import Requests
from edge_classifier.device.sources.cameras import default_source
from edge_classifier.device.sources.named import (
    SourceKind,
    check_source,
    kind_of,
    open_source,
    source_name,
)
from edge_classifier.device.verdict import UNKNOWN
from edge_classifier.errors import (
    BackboneError,
    CameraNotFoundError,
    NoDisplayError,
    WeightsNotFoundError,
)
from edge_classifier.evaluation.advice import counted
from edge_classifier.languages.text import Text
from edge_classifier.learning.fine_tuning import tunable_backbone
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.loop import run as run_app
from edge_classifier.live.opening import choose_project, described
from edge_classifier.live.others import Others
from edge_classifier.live.session import Session, SessionSettings
from edge_classifier.live.view import Level
from edge_classifier.project.folder import checked_project, default_project_path
from edge_classifier.project.known import known_projects, remember_opened
from edge_classifier.project.unused import missing_folders, remove_unused
from edge_classifier.screen.speaker import AudibleDisplay, Speaker
from edge_classifier.screen.window import Window

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from edge_classifier.device.frame import FrameSource
    from edge_classifier.export.exporter import Export
    from edge_classifier.live.display import Display
    from edge_classifier.page.display import Page
    from edge_classifier.project.store import ProjectStore

NO_CAMERA: Final = Text("No camera can be opened here; going on with the rendered demo camera.")

IF_CANCELLED: Final = "everything that was captured is on disk; the same command goes on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `live`."""
    parser.add_argument(
        "project",
        nargs="?",
        type=Path,
        help="project folder; without it those of last time are offered beside a new one",
    )
    parser.add_argument(
        "--source",
        metavar="0|picamera|PATH|URL|browser|demo",
        help="camera number, picamera (the Raspberry Pi's own), video file, stream, the camera of "
        "whoever teaches from the page, or the rendered demo camera (default: the first camera, or "
        "the Raspberry Pi's own)",
    )
    parser.add_argument(
        "--classes", nargs="+", default=[], metavar="NAME", help="classes the project is to have"
    )
    mirror = parser.add_mutually_exclusive_group()
    mirror.add_argument(
        "--mirror",
        dest="mirror",
        action="store_true",
        default=None,
        help="draw the picture mirrored (default for cameras); never what is learned from",
    )
    mirror.add_argument("--no-mirror", dest="mirror", action="store_false")
    add_turning_arguments(parser)
    parser.add_argument(
        "--no-smoothing", action="store_true", help="let the label follow every single frame"
    )
    parser.add_argument(
        "--unpaced",
        action="store_true",
        help="play a video file as fast as its frames can be predicted",
    )
    parser.add_argument(
        "--sounds",
        action="store_true",
        help="a click at each recorded picture, a tone at a new label (key L switches them)",
    )
    parser.add_argument(
        "--loop", action="store_true", help="let a video file begin again whenever it ends"
    )
    add_output_arguments(parser)
    parser.add_argument(
        "--osc-listen",
        metavar="[HOST]:PORT",
        help="hear /record N (of a class, until another one or /stop), /train and /adapt there; "
        "without a host from this machine only (needs python-osc)",
    )
    browser.add_arguments(parser)
    shared.add_language_option(parser)
    shared.add_backbone_options(parser)
    shared.add_head_options(parser)


def run(options: argparse.Namespace) -> int:
    """Run the live window, or without a screen the demo."""
    if options.weights is not None and not options.weights.is_file():
        raise WeightsNotFoundError(f"There is no file {options.weights} to load weights from.")
    browser.check(options)
    if options.source not in (None, "demo", browser.CAMERA):
        check_source(options.source)
    try:
        display = browser.open_page(options) or Window(
            "Edge Classifier", language=shared.language_of_window(options)
        )
    except NoDisplayError as error:
        if options.source is not None or options.project is not None:
            raise NoDisplayError(
                f"{error} `edge-classifier demo --no-window` needs none."
            ) from error
        say(f"{error} Playing the demo without a window instead.")
        for last in known_projects()[:1]:
            what = described(last, datetime.now().astimezone())
            say(f"Your last project is {last.path} ({what}); a screen is needed to go on with it.")
        from edge_classifier.commands.demo import run_without_window  # noqa: PLC0415 - for this only

        return run_without_window(
            choice=shared.backbone_choice(options), language=shared.language_of_window(options)
        )
    try:
        path = options.project or _chosen_project(options, display)
        return _teach(options, path, display) if path else 0
    finally:
        display.close()


def _chosen_project(options: argparse.Namespace, display: Display) -> Path | None:
    """Ask which project to open, where there is a choice; returns none where that is cancelled."""
    new = default_project_path()
    known = [] if options.classes else known_projects()  # classes are those of a new one
    path = choose_project(display, known, new) if known else new
    if path in {each.path for each in known}:
        checked_project(path)  # its disk may have gone since it was offered
    return path


def _teach(options: argparse.Namespace, path: Path, display: Window | Page) -> int:
    """Open or make a project, run its session, and say what there is at the end."""
    if isinstance(display, Window):  # a page has it from what it shows
        display.rename(f"Edge Classifier · {path.name}")
    made = missing_folders(path)
    exported: list[Path] = []
    try:
        with open_or_create(path, options.classes, as_possible=True) as store:
            why = store.why_read_only  # also of a new one, where another program was faster
            state = f" (read-only: {why})" if why else " (new)" if made else ""
            say(f"Project: {path}{state}")
            remember_opened(path)
            with _others(options, store) as others:
                problem = _run_window(options, store, display, exported, others)
            if store.lost:
                store.check_writable()  # which says how
            samples, classes = len(store.samples()), len(store.class_names())
    finally:
        display.close()
        removed = remove_unused(path, made)
    if removed:
        say("Nothing was recorded, so no project was kept.")
    else:
        say(
            f"{counted(samples, 'picture')} of {counted(classes, 'class', 'classes')} are in "
            f"{path}; `edge-classifier live {as_word(path)}` goes on."
        )
    for bundle in dict.fromkeys(exported):
        say(BUNDLE_WRITTEN.format(folder=bundle))
    if problem:
        raise BackboneError(problem)
    return 0


def _run_window(
    options: argparse.Namespace,
    store: ProjectStore,
    display: Window | Page,
    exported: list[Path],
    others: Others | None,
) -> str:
    """Run the session; returns why it had no backbone, or nothing.

    The bundles that its user has exported are added to `exported`.
    """
    kind = kind_of(options.source or default_source())  # the demo's name is that of a file
    is_camera = kind.is_camera or options.source == browser.CAMERA
    mirrored = options.mirror if options.mirror is not None else is_camera
    settings = SessionSettings(
        mirrored=mirrored,
        smoothing_s=0.0 if options.no_smoothing else SessionSettings().smoothing_s,
        head=project_head_settings(store, shared.head_changes(options)),
        sounds=options.sounds,
    )
    whose_camera = kind is not SourceKind.FILE or options.source == browser.CAMERA
    framing = framing_in_project(options, store, is_camera=whose_camera)
    page = None if isinstance(display, Window) else display
    executor, thumbnailer = start_worker(), start_worker()
    load, tune = tunable_backbone(store, shared.backbone_choice(options))
    session = Session(
        store,
        load,
        executor=executor,
        thumbnailer=thumbnailer,
        clock=time.monotonic,
        settings=settings,
        export=browser.offering(_exporting(exported), page),
        fine_tune=tune,
    )
    name, open_source = browser.source(page) or _source(options, session)
    if page:
        page.attach(session, store, follow_camera=options.mirror is None)
    reader = FrameReader(
        open_source,
        name=name,
        drop=not options.unpaced,
        loop=options.loop,
        prepare=session.shrink,
        check_pictures=kind is not SourceKind.FILE,  # what is in a file is there on purpose
        upright=framing.upright if framing.turns else None,
    )
    session.may_begin_again(reader.begin_again)

    def tell(trouble: str) -> None:
        say(trouble)
        session.messages.say(trouble, Level.WARNING)

    speaker = Speaker(tell)
    try:
        run_app(session, reader, page or AudibleDisplay(display, speaker), others=others)
    finally:
        speaker.close()
        unfinished = session.unfinished
        session.close()
        reader.close()
        thumbnailer.shutdown(wait=True, cancel_futures=True)
        executor.shutdown(wait=True, cancel_futures=True)
        if unfinished:
            say(f"Stopped before its end: {unfinished}; nothing of it was kept.")
    return session.problem if session.learner.backbone is None else ""


@contextmanager
def _others(options: argparse.Namespace, store: ProjectStore) -> Iterator[Others | None]:
    """Make who is told and heard beside the display, for as long as the block lasts."""
    requests = Requests()
    labels = (*store.class_names(), UNKNOWN)
    with ExitStack() as stack:
        if options.osc_listen is not None:
            listener = OscListener(options.osc_listen, requests)
            stack.callback(listener.close)
        outputs = [
            stack.enter_context(closing(output))
            for output in asked_for(options, store.path.name, labels, requests)
        ]
        asked = outputs or options.osc_listen is not None
        yield Others(outputs, requests) if asked else None


def _source(options: argparse.Namespace, session: Session) -> tuple[str, Callable[[], FrameSource]]:
    """Return the source's name for the user, and what opens it."""
    if options.source == "demo":
        session.is_demo = True
        return "the demo camera", _demo_camera
    if options.source is not None:
        spec = options.source
        return source_name(spec), lambda: open_source(spec, paced=not options.unpaced)
    camera_spec = default_source()
    seen = [False]

    def camera_or_demo() -> FrameSource:
        try:
            camera = open_source(camera_spec)
        except CameraNotFoundError as error:
            if seen[0]:  # It was there before: wait for it, the demo is not what was meant.
                raise
            say(f"{error} {NO_CAMERA}")
            session.messages.say(NO_CAMERA, Level.WARNING)
            session.is_demo = True
            if options.mirror is None:  # a rendered scene is nobody's mirror
                session.mirrored = False
            return _demo_camera()
        seen[0] = True
        return camera

    return source_name(camera_spec), camera_or_demo


def _demo_camera() -> FrameSource:
    from edge_classifier.demo.camera import DemoCamera  # noqa: PLC0415 - who has a camera needs none

    return DemoCamera()


def _exporting(exported: list[Path]) -> Export:
    """Return what exports, and notes where."""

    def export(*job: Any) -> Path:  # noqa: ANN401 - as `Export` says
        from edge_classifier.export.exporter import export_from_session  # noqa: PLC0415 - at `E`

        exported.append(export_from_session(*job))
        return exported[-1]

    return export
