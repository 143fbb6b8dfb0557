"""Where `adapt` takes unlabelled frames from: pictures, videos, or a camera until it has enough."""

from __future__ import annotations

import time
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.commands.console import stopped_by_ctrl_c
from edge_classifier.device.console import say
from edge_classifier.device.framing import NO_FRAMING
from edge_classifier.device.incoming import TroubleLog, frames_of
from edge_classifier.device.looking import told
from edge_classifier.device.reader import FrameReader
from edge_classifier.device.sources.named import SourceKind, kind_of, open_source, source_name
from edge_classifier.errors import NotImportableError, ProjectError
from edge_classifier.features.bulk import compute_all
from edge_classifier.learning.familiar_frames import MOST_LOOKED_AT
from edge_classifier.project.files import describe
from edge_classifier.project.importers.base import LabelledPicture, Refusal
from edge_classifier.project.importers.video import Stretch, VideoImporter
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.picture_paths import is_video, picture_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from edge_classifier.device.frame import FrameSource
    from edge_classifier.device.framing import Framing
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.learning.familiar_frames import FamiliarFrames
    from edge_classifier.protocols import Backbone, Progress

DEMO: Final = "demo"
"""What names the rendered camera."""

_SAY_EVERY_S: Final = 2.0


class Unlabelled:
    """Pictures and videos, thinned out evenly to a bounded number of frames.

    Attributes:
        found: How many frames there are, about.
        taken: How many of them are looked at.
        refused: Why others cannot be, one line each.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.refused: list[str] = []
        videos = [p for p in paths if is_video(p)]
        others = [p for p in paths if p not in videos]
        most = MOST_LOOKED_AT // max(1, len(videos) + bool(others))
        pictures, self.found = thinned(picture_paths(others, self._refuse_folder), most)
        self.taken = len(pictures)
        self._items: list[Iterable[Path | LabelledPicture | Refusal]] = [pictures]
        for video in videos:
            self._items.append(self._frames(video, most))

    def look(
        self, frames: FamiliarFrames, backbone: Backbone, progress: Progress, threads: int | None
    ) -> None:
        """Let `frames` look at all of them."""
        found = compute_all(
            chain.from_iterable(self._items), _read, backbone.extract, threads=threads
        )
        for done, result in enumerate(found, start=1):
            if result.values is None:
                self.refused.append(str(result.problem))
            else:
                frames.add(result.values)
            progress(min(1.0, done / max(1, self.taken)))

    def _refuse_folder(self, path: Path, error: OSError) -> None:
        self.refused.append(f"Cannot read {path}: {describe(error)}.")

    def _frames(self, video: Path, most: int) -> Iterable[LabelledPicture | Refusal]:
        """Open a video; of one that does not know how long it is, its begin is taken."""
        try:
            count = VideoImporter(video, "", Stretch(every=1)).count
            every = Stretch().every if count is None else -(-count // most)
            frames = VideoImporter(video, "", Stretch(every=max(1, every)))
        except NotImportableError as error:
            self.refused.append(str(error))
            return []
        self.found += count or most
        self.taken += min(most, frames.count or most)
        return islice(frames, most)


def thinned(paths: Iterator[Path], most: int) -> tuple[list[Path], int]:
    """Choose at most so many, evenly, with no more than twice as many in memory; count all."""
    kept: list[Path] = []
    count, every = 0, 1
    for path in paths:
        if count % every == 0:
            kept.append(path)
        count += 1
        if len(kept) >= 2 * most:
            del kept[1::2]
            every *= 2
    step = -(-len(kept) // most)
    return kept[:: max(1, step)], count


def _read(item: Path | LabelledPicture | Refusal) -> Image:
    """Read a picture, or take a video's frame, `(H, W, 3)` uint8 BGR.

    Raises:
        InvalidImageError: if it is no picture.
        ProjectError: if it cannot be read.
    """
    if isinstance(item, Path):
        return read_image(item)
    if isinstance(item, Refusal):
        raise ProjectError(item.reason)
    assert not callable(item.content)  # noqa: S101 - frames of videos are there
    return item.content


def look_at_source(spec: str, frames: FamiliarFrames, backbone: Backbone, framing: Framing) -> None:
    """Let `frames` look at a camera, a video or a stream until there are enough of each class.

    It also ends where the source does, at Ctrl-C and at SIGTERM; what is there and what is missing
    is said meanwhile. A video is looked at as it is, all else as `framing` says, which is told.

    Raises:
        CameraError: if the source cannot be used.
    """
    kind = SourceKind.CAMERA if spec == DEMO else kind_of(spec)
    name = "the demo camera" if spec == DEMO else source_name(spec)
    is_file = kind is SourceKind.FILE
    taught, framing = framing, NO_FRAMING if is_file else framing
    if taught != framing:
        say(f"{name} is {told(framing)}; where it was taught it was {told(taught)}.")
    elif framing != NO_FRAMING:
        say(f"{name} is {told(framing)}.")
    say(
        f"Show each class from several sides; done at {frames.enough} frames of each. Ctrl-C ends "
        "it before, with what there is by then; a second one gives it up."
    )
    with (
        stopped_by_ctrl_c(or_sigterm=True) as stop,
        FrameReader(
            lambda: _open(spec),
            name=name,
            drop=not is_file,
            reopen=not is_file,
            check_pictures=not is_file,
            upright=framing.upright if framing.turns else None,
        ) as reader,
    ):
        status, trouble = _Status(frames), ""
        for frame in frames_of(reader, TroubleLog(name), lambda _trouble: not stop.is_set()):
            if not trouble and (trouble := framing.trouble(frame.image)):
                say(f"{trouble}: choose it anew by R in `edge-classifier live`.")
            frames.add(backbone.extract([framing.region.of(frame.image)])[0])
            status.say_now_and_then()
            if stop.is_set() or not frames.missing:
                break


def _open(spec: str) -> FrameSource:
    if spec != DEMO:
        return open_source(spec, paced=False)
    from edge_classifier.demo.camera import DemoCamera  # noqa: PLC0415 - who has a camera needs none

    return DemoCamera()


class _Status:
    """Says what there is and what is missing: where that has changed, and not all the time."""

    def __init__(self, frames: FamiliarFrames) -> None:
        self._frames = frames
        self._said = ""
        self._next_s = time.monotonic() + _SAY_EVERY_S

    def say_now_and_then(self) -> None:
        now_s = time.monotonic()
        line = self._line()
        if line != self._said and (now_s >= self._next_s or not self._frames.missing):
            self._said, self._next_s = line, now_s + _SAY_EVERY_S
            say(line)

    def _line(self) -> str:
        if not len(self._frames):
            return "Nothing that was seen so far resembles what was taught."
        missing = ", ".join(self._frames.missing)
        wanted = (
            f"; {self._frames.enough} of each are wanted: show {missing}" if missing else ": enough"
        )
        return f"{self._frames}{wanted}"
