"""The program that is killed: the real session, store, worker, caches and export child.

`python -m endurance.victim` is a nursery: it imports everything once and forks a victim for each
line on its standard input, so that a kill does not wait for imports. A line is an `Order` as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from edge_classifier.commands import add as _  # noqa: F401 - imported here, not in every victim
from edge_classifier.commands import cli
from edge_classifier.device.reader import FrameReader
from edge_classifier.export.exporter import export_from_session
from edge_classifier.learning.project_backbone import BackboneChoice, backbone_loader
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.loop import run
from edge_classifier.live.session import Session
from edge_classifier.project.store import ProjectStore
from endurance.camera import ScriptedCamera
from endurance.journal import Journal, Order
from endurance.script import User
from endurance.watch import Fuse, Watch

if sys.platform == "win32":
    raise ImportError("Windows does not fork.")


def live(order: Order, journal: Journal) -> None:
    """Run the live program as `edge-classifier live` does, with a script at the keys."""
    fuse = Fuse(order.at_call)
    watch = Watch(journal, fuse, order.operation)
    watch.begin("start")
    project = Path(order.project)
    executor = start_worker()
    with ProjectStore.open_or_create(project) as store:
        session = Session(
            store,
            backbone_loader(store, BackboneChoice("built-in")),
            executor=executor,
            clock=time.monotonic,
            export=export_from_session,
        )
        camera = ScriptedCamera(order.seed)
        user = User(watch, camera, order.seed, project.parent)
        watch.look_at(session, user.do(order.operation))
        with FrameReader(lambda: camera, prepare=session.shrink) as reader:
            run(session, reader, watch)
        session.close()
        executor.shutdown()


def add(order: Order, journal: Journal) -> None:
    """Run `edge-classifier add`."""
    fuse = Fuse(order.at_call)
    journal.tell("begin", "import", list(order.sources))
    fuse.armed = True
    started = time.monotonic()
    status = cli.main(["add", order.project, *order.sources])
    journal.tell("end", "import", time.monotonic() - started, fuse.calls)
    if status:
        journal.tell("problem", f"add ended with {status}")
    signal.pause()


def main() -> None:
    """Be the nursery."""
    for line in sys.stdin:
        order = Order(**json.loads(line))
        journal = Journal(Path(order.journal))
        pid = os.fork()
        if pid == 0:
            os.setsid()
            os.dup2(2, 1)  # the nursery's own answers go to standard output
            with contextlib.suppress(SystemExit):
                try:
                    (add if order.operation == "import" else live)(order, journal)
                except BaseException:  # noqa: BLE001 - told like everything else
                    journal.tell("problem", traceback.format_exc())
            os._exit(0)
        print(pid, flush=True)
        journal.tell("ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    main()
