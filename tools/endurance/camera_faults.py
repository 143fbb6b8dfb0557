"""Plays camera faults through the real reader and the real loop, in real time, and measures.

    python tools endurance.camera_faults [--seconds 10]

For each fault: what the window said and how soon, how soon the verdict was gone, the longest gap
between two pictures shown meanwhile, how long after the camera was well again there was a verdict
again, and how many samples were stored during it, with a key held down all the while.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from support.fakes import FakeDisplay, MisbehavingCamera, Misbehaviour

from edge_classifier.demo.scene import TAUGHT, DemoScene
from edge_classifier.device.reader import FrameReader
from edge_classifier.device.sources.named import open_source
from edge_classifier.learning.project_backbone import BackboneChoice, backbone_loader
from edge_classifier.live.display import CLOSE, Press, Release
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.loop import run
from edge_classifier.live.session import Session
from edge_classifier.live.view import Level
from edge_classifier.project.picture_file import encode_image, read_image
from edge_classifier.project.store import ProjectStore
from edge_classifier.screen.overlay import Overlay

if TYPE_CHECKING:
    from edge_classifier.live.view import View

_PATIENCE_S: Final = 60.0
_WELL_S: Final = 1.5
_ONE_COLOUR: Final = 3.0  # levels, after JPEG


@dataclass
class Found:
    """What one fault did.

    Attributes:
        said: The message in the picture, or empty if there was none.
        said_after_s: How long after the fault began.
        verdict_gone_after_s: Likewise, until no verdict was shown any more.
        longest_gap_s: Between two pictures shown, from the fault's beginning to its end.
        back_after_s: From its end to the next verdict.
        stored_during: Samples that are no good picture, or came after the fault was said.
    """

    said: str = ""
    said_after_s: float = float("inf")
    verdict_gone_after_s: float = float("inf")
    longest_gap_s: float = 0.0
    back_after_s: float = float("inf")
    stored_during: int = 0


class Director(FakeDisplay):
    """Stands where the window stands: watches the views, and gives the camera its orders."""

    def __init__(
        self, camera: MisbehavingCamera, how: Misbehaviour, seconds: float, session: Session
    ) -> None:
        super().__init__(keep=1)
        self.found = Found()
        self._camera, self._how, self._seconds = camera, how, seconds
        self._session = session
        self._overlay = Overlay()
        self._well_since_s: float | None = None
        self._began_s: float | None = None
        self._ended_s: float | None = None
        self._shown_s = time.monotonic()
        self._gives_up_s = self._shown_s + _PATIENCE_S + 2 * seconds
        self._stored = self._noticed = set[Path]()

    def show(self, view: View) -> None:
        """Draw, and take note of what is shown; hold the key of class 1 while the fault lasts."""
        self._overlay.draw(view)
        now_s, found = time.monotonic(), self.found
        verdict = view.banner is not None
        if self._began_s is None:
            self._wait_until_all_is_well(now_s, verdict=verdict)
        elif self._ended_s is None:
            found.longest_gap_s = max(found.longest_gap_s, now_s - self._shown_s)
            since_s = now_s - self._began_s
            if not verdict:
                found.verdict_gone_after_s = min(found.verdict_gone_after_s, since_s)
            message = view.message
            if message is not None and message.level is Level.ERROR:
                if not found.said:
                    self._noticed = self._samples()
                found.said_after_s = min(found.said_after_s, since_s)
                found.said = message.text
            if since_s > self._seconds:
                found.stored_during = self._stored_wrongly()
                self._camera.behave()
                self._ended_s = now_s
                self.happens(Release("1"))
        elif verdict:
            found.back_after_s = now_s - self._ended_s
            self.press(CLOSE)
        self._shown_s = now_s
        if now_s > self._gives_up_s:
            self.press(CLOSE)

    def _stored_wrongly(self) -> int:
        """Count what should not have been stored; a last good picture may come with the fault."""
        after = self._samples() - self._noticed
        return len(after) + sum(map(_is_damaged, self._noticed - self._stored))

    def _samples(self) -> set[Path]:
        return {sample.path for sample in self._session.dataset.samples}

    def _wait_until_all_is_well(self, now_s: float, *, verdict: bool) -> None:
        if not verdict or self._session.busy:
            self._well_since_s = None
        elif self._well_since_s is None:
            self._well_since_s = now_s
        elif now_s - self._well_since_s > _WELL_S:
            self._began_s = now_s
            self._stored = self._noticed = self._samples()
            self._camera.misbehave(self._how)
            self.happens(Press("1"))


def _is_damaged(picture: Path) -> bool:
    """Say whether the lower part of a picture is of one colour, as no part of the scene is."""
    image = read_image(picture)
    return bool(image[-len(image) // 4 :].std(axis=(0, 1)).max() < _ONE_COLOUR)


def play(folder: Path, how: Misbehaviour, seconds: float) -> Found:
    """Let a camera misbehave for some seconds while the window runs.

    Args:
        folder: For a project and a device file.
        how: In which way.
        seconds: For how long.
    """
    scene = DemoScene(1)
    devices = folder / "devices"
    devices.mkdir()
    (devices / "video0").touch()
    camera = MisbehavingCamera([scene.image(TAUGHT[0], 2 + n / 30, 0) for n in range(30)])
    with ProjectStore.create(folder / "project", TAUGHT[:2]) as store:
        for name in TAUGHT[:2]:
            burst = store.next_burst_id()
            for n in range(10):
                store.add_sample(encode_image(scene.image(name, n / 5, 0)), name, burst)
        executor = start_worker()
        session = Session(
            store,
            backbone_loader(store, BackboneChoice("built-in")),
            executor=executor,
            clock=time.monotonic,
        )
        director = Director(camera, how, seconds, session)
        with FrameReader(
            lambda: open_source("0", open_capture=camera.open_capture, devices=devices),
            name="camera 0",
            prepare=session.shrink,
            check_pictures=True,
        ) as reader:
            run(session, reader, director)
            camera.behave()
        session.close()
        executor.shutdown()
    return director.found


def main() -> None:
    """Play all faults."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    print(f"{'fault':13} said after  verdict gone  longest gap  back after  stored  message")
    worst = np.zeros(2)
    for how in Misbehaviour:
        with tempfile.TemporaryDirectory() as temporary:
            found = play(Path(temporary), how, options.seconds)
        worst = np.maximum(worst, (found.longest_gap_s, found.back_after_s))
        print(
            f"{how.name.lower():13} {found.said_after_s:8.2f} s"
            f" {found.verdict_gone_after_s:11.2f} s"
            f" {found.longest_gap_s * 1000:9.0f} ms {found.back_after_s:9.2f} s"
            f" {found.stored_during:7d}  {found.said}",
            flush=True,
        )
    print(f"longest gap {worst[0] * 1000:.0f} ms; back after at most {worst[1]:.2f} s; wanted: 2 s")


if __name__ == "__main__":
    main()
