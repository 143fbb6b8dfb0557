"""`edge-classifier demo`: the whole job on a rendered camera, by itself."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.commands import options as shared
from edge_classifier.demo.camera import DemoCamera
from edge_classifier.demo.scene import TAUGHT
from edge_classifier.demo.script import (
    FPS,
    DemoRun,
    Outcome,
    Scene,
    ScriptedClock,
    asking,
    teaching,
)
from edge_classifier.device.console import say
from edge_classifier.errors import EdgeClassifierError, NoDisplayError
from edge_classifier.export.exporter import exporter
from edge_classifier.learning.project_backbone import BackboneChoice, backbone_loader
from edge_classifier.learning.training import head_settings
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.session import Session, SessionSettings
from edge_classifier.project.folder import default_project_path
from edge_classifier.project.store import ProjectStore
from edge_classifier.screen.overlay import Overlay
from edge_classifier.screen.recording import ContactSheet, VideoRecorder
from edge_classifier.screen.window import OpenCVWindow

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.live.view import View
    from edge_classifier.protocols import Display

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
        "--seconds", type=float, default=2.0, help="how long each thing is shown (default: 2)"
    )
    shared.add_backbone_options(parser)


def run(options: argparse.Namespace) -> int:
    """Play the demo in a window, or without a screen into a video."""
    path = options.project or default_project_path()
    choice = shared.backbone_choice(options)
    if not options.no_window:
        try:
            display = OpenCVWindow("Edge Classifier · demo")
        except NoDisplayError as error:
            say(f"{error} Writing a video instead.")
        else:
            try:
                return _play(path, choice, _paced(display), options.seconds)
            finally:
                display.close()
    return run_without_window(path, choice, options.seconds)


def run_without_window(
    path: Path | None = None,
    choice: BackboneChoice | None = None,
    seconds: float = 2.0,
) -> int:
    """Play the demo and write an annotated video and a contact sheet into the project."""
    path = path or default_project_path()
    return _play(path, choice or BackboneChoice(), None, seconds)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is kept of the pictures that were shown."""

    show: Callable[[Image], str | None]
    highlight: Callable[[], None]
    wait: Callable[[], None]
    close: Callable[[], None]


def _paced(display: Display) -> _Shown:
    """Show in a window, at the speed of the demo's own time."""
    due = [time.monotonic()]

    def show(image: Image) -> str | None:
        due[0] = max(due[0] + 1 / FPS, time.monotonic() - 1 / FPS)
        time.sleep(max(0.0, due[0] - time.monotonic()))
        return display.show(image)

    return _Shown(show, lambda: None, lambda: None, lambda: None)


def _recorded(folder: Path) -> _Shown:
    """Write a video, and a contact sheet of its highlights."""
    video = VideoRecorder(folder / VIDEO, FPS)
    sheet = ContactSheet(folder / SHEET)
    newest: list[Image] = []

    def show(image: Image) -> None:
        newest[:] = [image]
        video.write(image)

    def close() -> None:
        video.close()
        sheet.close()

    return _Shown(show, lambda: sheet.add(newest[0]), lambda: time.sleep(1 / FPS), close)


def _play(path: Path, choice: BackboneChoice, shown: _Shown | None, seconds: float) -> int:
    with ProjectStore.create(path, TAUGHT) as store:
        say(f"Project: {path} (new)")
        written = shown is None
        shown = shown or _recorded(path)
        clock = ScriptedClock()
        overlay = Overlay()
        executor = start_worker()
        session = Session(
            store,
            backbone_loader(store, choice),
            executor=executor,
            clock=clock,
            settings=SessionSettings(head=head_settings(store, {})),
            export=exporter(store, choice.weights),
        )
        camera = DemoCamera(paced=False, clock=clock)

        def show(view: View) -> str | None:
            return shown.show(overlay.draw(view))

        demo = DemoRun(camera, session, clock, show, wait=shown.wait)
        try:
            outcomes = _perform(demo, session, shown, seconds)
        finally:
            session.close()
            executor.shutdown(wait=True, cancel_futures=True)
            camera.close()
            shown.close()
        if demo.stopped:
            say("Stopped.")
            return 0
        bundle = path.with_name(f"{path.name}-bundle")
        _print_table(outcomes, session, len(store.samples()), bundle)
        if not bundle.exists():
            say(f"`edge-classifier export {path}` makes the bundle.")
        if written:
            say(f"Look at {path / SHEET} and {path / VIDEO}.")
        say(f"`edge-classifier live {path} --source demo` goes on with what was taught.")
    return 0 if bundle.exists() else 1


def _perform(
    demo: DemoRun, session: Session, shown: _Shown, seconds: float
) -> list[tuple[Scene, Outcome]]:
    """Teach, train, ask."""
    say("loading the backbone …")
    if not demo.wait_for_worker() and not demo.stopped:
        raise EdgeClassifierError("The backbone was not loaded in time; try again.")
    if session.learner.backbone is None and not demo.stopped:
        raise EdgeClassifierError(session.problem or "There is no backbone to learn with.")
    say(session.learner.note)
    for scene in teaching(seconds=seconds):
        if not demo.stopped:
            say(f"{scene.text}: holding key {scene.key}")
            demo.play(scene)
            shown.highlight()
    demo.wait_for_worker()
    outcomes = []
    for scene in asking(seconds=seconds):
        if not demo.stopped:
            outcome = demo.play(scene)
            shown.highlight()
            outcomes.append((scene, outcome))
            say(f"{scene.text}: {outcome.right} of {outcome.frames} frames right")
    if not demo.stopped:
        say("exporting and comparing with the Keras graph …")
        demo.press("e")
        demo.wait_for_worker()
        shown.highlight()
    return outcomes


def _export_line(bundle: Path) -> str:
    """Say where the bundle is and how its file compares with the live picture."""
    measured = json.loads((bundle / "spec.json").read_bytes())["measured"]["float32"]
    return (
        f"export: {bundle}; on {measured['samples']} samples {measured['agreement']:.0%} of labels "
        f"and {measured['unknown_agreement']:.0%} of unknowns as in the Keras graph, scores within "
        f"{measured['largest_score_difference']:.0e}"
    )


def _print_table(
    outcomes: list[tuple[Scene, Outcome]], session: Session, samples: int, bundle: Path
) -> None:
    """Print what was said of each object, over all its takes."""
    lines = ["", f"{'shown':10} {'taught':7} {'frames':>6} {'right':>6}  said"]
    for name in dict.fromkeys(scene.shown for scene, _ in outcomes):
        of_name = [outcome for scene, outcome in outcomes if scene.shown == name]
        frames = sum(outcome.frames for outcome in of_name)
        right = sum(outcome.right for outcome in of_name)
        verdicts: dict[str, int] = {}
        for outcome in of_name:
            for verdict, count in outcome.verdicts.items():
                verdicts[verdict] = verdicts.get(verdict, 0) + count
        said = ", ".join(f"{v} {n}" for v, n in sorted(verdicts.items(), key=lambda x: -x[1]))
        taught = "yes" if name in TAUGHT else "never"
        lines.append(f"{name:10} {taught:7} {frames:6} {right / max(1, frames):6.0%}  {said}")
    lines += [
        "",
        f"{samples} samples in {len(TAUGHT)} classes; judged on takes that were never recorded.",
        "For what was never taught, `unknown` is right.",
        f"backbone: {session.learner.note}",
        _export_line(bundle)
        if bundle.exists()
        else f"export: {session.problem or 'stopped; it got no further for minutes'}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
