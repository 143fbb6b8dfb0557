"""The live classifier in a window of its own process, telling on stdout what it shows.

Usage: live_window_program.py PROJECT VIDEO
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from edge_classifier.device.frame import Frame
from edge_classifier.device.reader import FrameReader
from edge_classifier.device.source_state import SourceState
from edge_classifier.device.sources.named import open_source
from edge_classifier.errors import EdgeClassifierError
from edge_classifier.learning.project_backbone import BackboneChoice, backbone_loader
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.loop import run
from edge_classifier.live.session import Session
from edge_classifier.live.view import View
from edge_classifier.project.store import ProjectStore
from edge_classifier.screen.window import Window


class ToldFeed:
    """Remembers which frame was taken last."""

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader
        self.index = -1

    @property
    def state(self) -> SourceState:
        """How the source is doing."""
        return self._reader.state

    @property
    def first_error(self) -> EdgeClassifierError | None:
        """Why there is no source."""
        return self._reader.first_error

    def take(self, timeout_s: float) -> Frame | None:
        """Take a frame."""
        frame = self._reader.take(timeout_s)
        self.index = frame.index if frame else self.index
        return frame


class ToldWindow(Window):
    """Tells what each picture shows."""

    def __init__(self, feed: ToldFeed) -> None:
        super().__init__("live window test")
        self._feed = feed

    def show(self, view: View) -> None:
        """Show, and tell."""
        super().show(view)
        pictures = [p for row in view.gallery.rows for p in row.pictures] if view.gallery else []
        line = {
            "frame": self._feed.index,
            "label": view.banner.label if view.banner else None,
            "counts": {card.name: card.count for card in view.cards},
            "activity": view.activity.text,
            "mode": view.mode.value,
            "message": view.message.text if view.message else None,
            "gallery": view.gallery.title if view.gallery else None,
            "read": sum(p.thumbnail is not None for p in pictures),
            "chosen": [p.id for p in pictures if p.chosen],
            "size": self.size,
            "places": self._places(),
            "region": view.region and view.region.edges,
            "picture": self._picture(),
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    def _picture(self) -> tuple[int, int, int, int] | None:
        """Say where the picture is in which a region is chosen, in pixels."""
        framed = self._overlay._framed
        return framed and (framed[0].left, framed[0].top, framed[0].width, framed[0].height)

    def _places(self) -> dict[str, tuple[int, int]]:
        """Say where each thing can be pressed, in pixels."""
        places = [(press, self._overlay._canvas.place(b)) for b, press in self._overlay._targets]
        return {n: (b.left + b.width // 2, b.top + b.height // 2) for n, b in places}


def main(project: Path, video: str) -> None:
    """Run until the window is closed or Q is pressed."""
    executor, thumbnailer = start_worker(), start_worker()
    with ProjectStore.open_or_create(project, ["zero", "five"]) as store:
        session = Session(
            store,
            backbone_loader(store, BackboneChoice("built-in")),
            executor=executor,
            thumbnailer=thumbnailer,
            clock=time.monotonic,
        )
        with FrameReader(lambda: open_source(video), name="the video") as reader:
            feed = ToldFeed(reader)
            display = ToldWindow(feed)
            run(session, feed, display)
        session.close()
        executor.shutdown()
        thumbnailer.shutdown()
        display.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
