"""`edge-classifier demo`: the whole job on a rendered camera, by itself."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.commands import options as shared
from edge_classifier.commands.console import table
from edge_classifier.demo.camera import DemoCamera
from edge_classifier.demo.scene import TAUGHT
from edge_classifier.demo.script import (
    FPS,
    DemoRun,
    Scene,
    ScriptedClock,
    VerdictCounts,
    asking,
    teaching,
)
from edge_classifier.device.console import one_line, say
from edge_classifier.device.option_types import number
from edge_classifier.errors import EdgeClassifierError, NoDisplayError
from edge_classifier.export.exporter import export_from_session
from edge_classifier.learning.project_backbone import BackboneChoice, backbone_loader
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.live.display import CLOSE, Press
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.session import Session, SessionSettings
from edge_classifier.project.folder import default_project_path
from edge_classifier.project.store import ProjectStore
from edge_classifier.screen.overlay import Overlay
from edge_classifier.screen.recording import ContactSheet, VideoRecorder
from edge_classifier.screen.window import Window

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.languages.language import Language
    from edge_classifier.live.view import View

VIDEO: Final = "demo.mp4"
SHEET: Final = "demo.jpg"

IF_CANCELLED: Final = "the project stays as far as it got"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `demo`."""
    parser.add_argument(
        "project", nargs="?", type=Path, help="project folder to make; without it a new one"
    )
    parser.add_argument(
        "--no-window",
        action="store_true",
        help=f"write {VIDEO} and {SHEET} instead of opening a window",
    )
    parser.add_argument(
        "--seconds",
        type=number(0.1, 600),
        default=2.0,
        help="how long each thing is taught, and half as long asked about (default: 2)",
    )
    shared.add_language_option(parser)
    shared.add_backbone_options(parser)


def run(options: argparse.Namespace) -> int:
    """Play the demo in a window, or without a screen into a video."""
    path = options.project or default_project_path()
    choice, language = shared.backbone_choice(options), shared.language_of_window(options)
    if not options.no_window:
        try:
            window = _Window("Edge Classifier · demo", language)
        except NoDisplayError as error:
            say(f"{error} Writing a video instead.")
        else:
            try:
                return _play(path, choice, lambda: window, options.seconds)
            finally:
                window.close()
    return run_without_window(path, choice, options.seconds, language)


def run_without_window(
    path: Path | None = None,
    choice: BackboneChoice | None = None,
    seconds: float = 2.0,
    language: Language | None = None,
) -> int:
    """Play the demo and write an annotated video and a contact sheet into the project."""
    path = path or default_project_path()
    return _play(path, choice or BackboneChoice(), lambda: _Recording(path, language), seconds)


class _Window:
    """Shows the demo in a window, at the speed of the demo's own time."""

    def __init__(self, title: str, language: Language) -> None:
        self._window = Window(title, language=language)
        self._due_s = time.monotonic()

    def show(self, view: View) -> bool:
        self._due_s = max(self._due_s + 1 / FPS, time.monotonic() - 1 / FPS)
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        self._window.show(view)
        pressed = [event.name for event in self._window.events() if isinstance(event, Press)]
        return any(name in (CLOSE, "q", "escape") for name in pressed)

    def keep(self) -> None:
        """Keep nothing."""

    def wait(self) -> None:
        """Go on at once, as `show` has waited."""

    def close(self) -> None:
        self._window.close()


class _Recording:
    """Writes the demo into a video, and its highlights onto a contact sheet."""

    def __init__(self, folder: Path, language: Language | None) -> None:
        self._video = VideoRecorder(folder / VIDEO, FPS)
        self._sheet = ContactSheet(folder / SHEET)
        self._overlay = Overlay(language=language)
        self._newest: Image | None = None

    def show(self, view: View) -> bool:
        self._newest = self._overlay.draw(view)
        self._video.write(self._newest)
        return False

    def keep(self) -> None:
        if self._newest is not None:
            self._sheet.add(self._newest)

    def wait(self) -> None:
        time.sleep(1 / FPS)

    def close(self) -> None:
        self._video.close()
        self._sheet.close()


def _play(
    path: Path,
    choice: BackboneChoice,
    make_stage: Callable[[], _Window | _Recording],
    seconds: float,
) -> int:
    with ProjectStore.create(path, TAUGHT) as store:
        say(f"Project: {path} (new)")
        stage = make_stage()  # which may write into the project
        clock = ScriptedClock()
        executor = start_worker()
        session = Session(
            store,
            backbone_loader(store, choice),
            executor=executor,
            clock=clock,
            settings=SessionSettings(head=project_head_settings(store)),
            export=export_from_session,
        )
        session.is_demo = True
        camera = DemoCamera(paced=False, clock=clock)
        demo = DemoRun(camera, session, clock, stage.show, wait=stage.wait)
        try:
            counts = _perform(demo, session, stage, seconds)
        finally:
            session.close()
            executor.shutdown(wait=True, cancel_futures=True)
            camera.close()
            stage.close()
        if demo.stopped:
            say("Stopped.")
            return 0
        bundle = path.with_name(f"{path.name}-bundle")
        sys.stdout.write(_summary(counts, session, len(store.samples()), bundle))
        sys.stdout.flush()
        if not bundle.exists():
            say(f"`edge-classifier export {path}` makes the bundle.")
        if isinstance(stage, _Recording):
            say(f"Look at {path / SHEET} and {path / VIDEO}.")
        say(f"`edge-classifier live {path} --source demo` goes on with what was taught.")
    return 0 if bundle.exists() else 1


def _perform(
    demo: DemoRun, session: Session, stage: _Window | _Recording, seconds: float
) -> list[tuple[Scene, VerdictCounts]]:
    """Teach, train, ask."""
    say("loading the backbone …")
    if not demo.wait_for_worker() and not demo.stopped:
        raise EdgeClassifierError("The backbone was not loaded in time; try again.")
    if session.learner.backbone is None and not demo.stopped:
        raise EdgeClassifierError(session.problem or "There is no backbone to learn with.")
    say(session.learner.note)
    for scene in teaching(seconds):
        if not demo.stopped:
            say(f"{scene}: holding key {scene.key}")
            demo.play(scene)
            stage.keep()
    demo.wait_for_worker()
    asked = []
    for scene in asking(seconds / 2):
        if not demo.stopped:
            counts = demo.play(scene)
            stage.keep()
            asked.append((scene, counts))
            say(f"{scene}: {counts.right} of {counts.frames} frames right")
    if not demo.stopped:
        say("exporting and comparing with the live picture …")
        demo.press("e")
        demo.wait_for_worker()
        stage.keep()
    return asked


def _summary(
    asked: list[tuple[Scene, VerdictCounts]], session: Session, samples: int, bundle: Path
) -> str:
    """Write what was said of each object, over all its takes, and what became of the export."""
    rows = []
    for name in dict.fromkeys(scene.shown for scene, _ in asked):
        total = VerdictCounts(name)
        for scene, counts in asked:
            if scene.shown == name:
                total.verdicts += counts.verdicts
        said = ", ".join(f"{verdict} {n}" for verdict, n in total.verdicts.most_common())
        right = f"{total.right / max(1, total.frames):.0%}"
        taught = "yes" if name in TAUGHT else "never"
        rows.append([name, taught, str(total.frames), right, said])
    lines = [
        "",
        table(["shown", "taught", "frames", "right", "said"], rows, left=(0, 1, 4)),
        f"{samples} samples in {len(TAUGHT)} classes, one burst each; judged in four other lights.",
        "For what was never taught, and for nothing, `unknown` is right.",
        f"backbone: {session.learner.note}",
        _export_line(bundle)
        if bundle.exists()
        else f"export: {session.problem or 'stopped; it got no further for minutes'}",
    ]
    return "\n".join([*lines, ""])


def _export_line(bundle: Path) -> str:
    """Say where the bundle is and how its file compares with the live picture."""
    measured = json.loads((bundle / "spec.json").read_bytes())["measured"]["float32"]
    return one_line(
        f"export: {bundle}; on {measured['samples']} samples {measured['agreement']:.0%} of labels "
        f"and {measured['unknown_agreement']:.0%} of unknowns as on screen, scores within "
        f"{measured['largest_score_difference']:.0e}"
    )
