"""Does the whole job without a window: live by scripted keys, predict, adapt, export, verify.

python tools arm64.job SCENES PROJECT FORMAT...

Exports to `PROJECT-FORMAT` each. Writes what was said of each frame and picture to `PROJECT.tsv`,
to be compared with another machine; tells on standard output how long each step took, and how much
memory all of it.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import platform
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from arm64.scenes import FPS, PICTURES, SCRIPT, VIDEO
from edge_classifier.commands.cli import main
from edge_classifier.demo.scene import TAUGHT
from edge_classifier.demo.script import ScriptedClock
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.device.sources.named import open_source
from edge_classifier.features.catalogue import AUTO, BUILT_IN
from edge_classifier.features.child_process import has_tensorflow
from edge_classifier.learning.project_backbone import BackboneChoice, backbone_loader
from edge_classifier.live.display import Press, Release
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.session import Session
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_RUNNING = SourceState(SourceStatus.RUNNING)


@contextlib.contextmanager
def _timed(what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - started:.1f} s", flush=True)


def _live(scenes: Path, project: Path) -> list[tuple[str, str]]:
    """Teach by the keys of the script, and tell what the frames are called that come after it."""
    script = json.loads((scenes / SCRIPT).read_text(encoding="utf-8"))
    clock, executor, said = ScriptedClock(), start_worker(), []
    # What `auto` would take here depends on the network and the caches.
    choice = BackboneChoice(BUILT_IN if has_tensorflow() else AUTO)
    with ProjectStore.create(project, TAUGHT) as store:
        session = Session(store, backbone_loader(store, choice), executor=executor, clock=clock)

        def wait() -> None:
            while session.busy:
                session.advance(None, None, _RUNNING)
                clock.now_s += 1 / FPS
                time.sleep(0.02)

        wait()
        held = ""
        print(f"backbone: {session.learner.note}")
        for frame in open_source(str(scenes / VIDEO), paced=False):
            key = script["keys"].get(str(frame.index))
            if (key or "") != held:
                for event in (Release(held), Press(key or "")):
                    session.advance(None, event, _RUNNING)
                held = key or ""
            if frame.index == script["asked"]:
                with _timed("learning"):
                    wait()
            frame = replace(frame, timestamp_s=clock())  # noqa: PLW2901 - the same at another time
            session.advance(frame, None, _RUNNING)
            clock.now_s += 1 / FPS
            if frame.index >= script["asked"]:
                answer = session.prediction
                label = answer and ("unknown" if answer.unknown else answer.class_name)
                said.append((f"live frame {frame.index}", str(label)))
        print(f"recorded: {len(store.samples())} pictures")
        session.close()
    executor.shutdown()
    return said


def _command(*words: object) -> str:
    """Run a command; returns what it printed."""
    printed = io.StringIO()
    with _timed(str(words[0])), contextlib.redirect_stdout(printed):
        code = main([str(word) for word in words])
    if code != 0:
        sys.exit(f"{words[0]} ended with {code}")
    return printed.getvalue()


def _predicted(title: str, text: str) -> list[tuple[str, str]]:
    rows = csv.DictReader(io.StringIO(text))
    return [
        (
            f"{title} {Path(row['path']).name}",
            "unknown" if row["unknown"] == "true" else row["class_name"],
        )
        for row in rows
    ]


def run(arguments: Sequence[str]) -> None:
    """Do the job."""
    scenes, project = map(Path, arguments[:2])
    pictures = scenes / PICTURES
    tensorflow = "with" if has_tensorflow() else "without"
    print(f"{platform.machine()}, Python {platform.python_version()}, {tensorflow} TensorFlow")
    with _timed("live"):
        said = _live(scenes, project)
    _command("train", project)
    said += _predicted("taught", _command("predict", project, pictures, "--csv"))
    _command("adapt", project, pictures)
    said += _predicted("adapted", _command("predict", project, pictures, "--csv"))
    bundles = {name: project.with_name(f"{project.name}-{name}") for name in arguments[2:]}
    for name, bundle in bundles.items():
        sys.stdout.write(_command("export", project, "-o", bundle, "--format", name))
    _command("verify", [*bundles.values()][-1], project)
    known = sum(label != "unknown" for _, label in said)
    print(f"{known} of {len(said)} answers name a thing")
    if known < len(said) / 2:
        sys.exit("Most is called unknown: that shows nothing.")
    lines = "".join(f"{what}\t{label}\n" for what, label in said)
    project.with_name(f"{project.name}.tsv").write_text(lines, encoding="utf-8")
    print(_memory())


def _memory() -> str:
    if sys.platform == "win32":
        return "memory: not measured on Windows"
    import resource  # noqa: PLC0415 - not on Windows

    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    own, child = (resource.getrusage(who).ru_maxrss // 1024 for who in both)
    return f"memory at most: {own} MB, of a child process {child} MB"


if __name__ == "__main__":
    run(sys.argv[1:])
