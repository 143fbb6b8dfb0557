"""`edge-classifier add --unlabelled`: asks what pictures show, a group of like ones at a time."""

from __future__ import annotations

import hashlib
import json
import re
import time
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.commands import browser
from edge_classifier.commands import options as shared
from edge_classifier.commands.console import as_word, open_or_create
from edge_classifier.device.console import say
from edge_classifier.device.files import read_regular, start_of
from edge_classifier.device.media import Medium, kind_named, kind_of, not_read
from edge_classifier.device.outputs.unsure_frames import FORMAT
from edge_classifier.device.source_state import SourceState, SourceStatus
from edge_classifier.errors import (
    CancelledError,
    EdgeClassifierError,
    InvalidOptionError,
    NoDisplayError,
    NotImportableError,
)
from edge_classifier.evaluation.advice import counted
from edge_classifier.features.bulk import compute_all
from edge_classifier.languages.text import Text
from edge_classifier.learning.alike import Unlabelled, recorded_together
from edge_classifier.learning.fine_tuning import tunable_backbone
from edge_classifier.learning.settings import project_head_settings
from edge_classifier.live.jobs import start_worker
from edge_classifier.live.loop import run as run_app
from edge_classifier.live.session import Session, SessionSettings
from edge_classifier.project.files import describe
from edge_classifier.project.natural_order import natural_key
from edge_classifier.project.picture_file import decode_image, encode_file, read_image_bytes
from edge_classifier.project.picture_paths import picture_paths
from edge_classifier.project.sample_files import burst_id_of, captured_as
from edge_classifier.project.sources import answered_before
from edge_classifier.screen.window import Window

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from edge_classifier.device.frame import Frame
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.learning.project_backbone import BackboneChoice
    from edge_classifier.live.display import Display
    from edge_classifier.page.display import Page
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Backbone, Cancelled, Progress
    from edge_classifier.values import EncodedImage

_OF_LABELLED: Final = ("dry_run", "class_name", "code_page", "split", "bursts", "every", "from_s")
"""Options that say what labelled pictures are."""

_MOST_TEXT_BYTES: Final = 1_000_000
_SAME_RECORDING_S: Final = 60.0
_OF_A_VIDEO: Final = re.compile(
    r"(.*(?:frame|\.(?:mp4|mkv|avi|mov|webm|m4v)).*?)[^0-9]*\d+(?:\.\d+)?s?", re.IGNORECASE
)
"""How the names of a video's frames begin: `clip.mp4-000123`, `walk_frame_12`."""

_WAIT_S: Final = 0.02


def run(options: argparse.Namespace) -> int:
    """Ask what the pictures show, and add them."""
    for option in _OF_LABELLED:
        if getattr(options, option) not in (None, False):
            name = {"class_name": "class", "from_s": "from"}.get(option, option.replace("_", "-"))
            raise InvalidOptionError(f"--unlabelled asks what pictures show; leave out --{name}.")
    browser.check(options)
    pictures = Pictures(options.paths)
    try:
        page = browser.open_page(options)
        display = page or Window("Edge Classifier", language=shared.language_of_window(options))
    except NoDisplayError as error:
        raise NoDisplayError(
            f"{error} --unlabelled shows pictures and asks what they are; add --browser for a page."
        ) from error
    try:
        with open_or_create(options.project) as store:
            say(f"Project: {options.project}")
            before = len(store.samples())
            problem = ask(pictures, store, shared.backbone_choice(options), display, page)
            added = len(store.samples()) - before
    finally:
        display.close()
    say(
        f"{counted(added, 'picture')} added; the same command asks about the others, and "
        f"`edge-classifier train {as_word(options.project)}` learns."
    )
    if problem:
        raise EdgeClassifierError(problem)
    return 0


def ask(
    pictures: Pictures,
    store: ProjectStore,
    choice: BackboneChoice,
    display: Display,
    page: Page | None = None,
) -> str:
    """Run a session without a camera; returns why it had no backbone, or could not store all.

    `page` is the display, if it is one.
    """
    executor, reader = start_worker(), start_worker()
    load, _ = tunable_backbone(store, choice)
    session = Session(
        store,
        load,
        executor=executor,
        thumbnailer=reader,
        clock=time.monotonic,
        settings=SessionSettings(head=project_head_settings(store, {})),
    )
    if page:
        page.attach(session, store, follow_camera=False)
    session.label(Source(pictures, store))
    try:
        run_app(session, _NoCamera(), display)
    finally:
        shown, session.problem = session.problem, ""
        session.close()
        reader.shutdown(wait=True, cancel_futures=True)
        executor.shutdown(wait=True, cancel_futures=True)
    return session.problem or (shown if session.learner.backbone is None else "")


class _NoCamera:
    """Gives no frames."""

    state = SourceState(SourceStatus.RUNNING)
    first_error = None

    def take(self, timeout_s: float) -> Frame | None:
        """Wait a little."""
        time.sleep(min(timeout_s, _WAIT_S))
        return None


class Pictures:
    """Files of pictures, those of a folder in the order of their names.

    Raises:
        NotImportableError: if there are none.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths: list[Path] = []
        for path in filter(self._may_be_some, paths):
            found = picture_paths([path], self._refuse)
            self.paths += sorted(found, key=lambda p: (p.parent, natural_key(p.name)))
        if not self.paths:
            raise NotImportableError(f"There are no pictures in {', '.join(map(str, paths))}.")

    def _may_be_some(self, path: Path) -> bool:
        """Refuse a file that is none before anything is opened."""
        if path.is_dir():
            return True
        try:
            kind = kind_of(start_of(path)) or kind_named(path.name)
        except OSError as error:
            self._refuse(path, error)
            return False
        if kind is None or kind.medium is not Medium.PICTURE:
            say(f"refused: {not_read(str(path), kind)}")
            return False
        return True

    def _refuse(self, path: Path, error: OSError) -> None:
        say(f"refused: {path}: {describe(error)}")


class Source:
    """What a session is given of them; an `UnlabelledSource`."""

    def __init__(self, pictures: Pictures, store: ProjectStore) -> None:
        self._project = store.path
        own = store.path.resolve()
        folders = {p.parent for p in pictures.paths}
        outside = {f for f in folders if not f.resolve().is_relative_to(own)}
        self._paths = [p for p in pictures.paths if p.parent in outside]
        if count := len(pictures.paths) - len(self._paths):
            say(f"Left out: {counted(count, 'picture')} of the project itself.")
        held_out = store.held_out()
        self._samples = {s.image_sha256: s.path.name for s in (*store.samples(), *held_out)}
        self._held_out = {s.path.name for s in held_out}

    def find(self, backbone: Backbone, progress: Progress, cancelled: Cancelled) -> Unlabelled:
        """Look at all of them."""
        every = self._paths
        hashes: dict[Path, str] = {}
        paths, rows, refused = list[Path](), [], list[str]()
        looked_at = compute_all(every, partial(_read_and_note, hashes), backbone.extract)
        for done, result in enumerate(looked_at, start=1):
            if cancelled():
                raise CancelledError(
                    Text("Stopped: {work}.", work=Text("looking for pictures that are alike"))
                )
            if result.values is None:
                refused.append(str(result.problem))
            else:
                paths.append(result.item)
                rows.append(result.values)
            progress(done / len(every))
        for line in refused:
            say(f"refused: {line}")
        features = np.array(rows, np.float32).reshape(len(rows), -1)
        recordings = recorded_together(features, [p.parent for p in paths], _marks(paths))
        before, names = answered_before(self._project), set(self._samples.values())
        asked, bursts = np.ones(len(paths), np.bool_), dict[int, str]()
        held_out = set[int]()
        for row, path in enumerate(paths):
            sha = hashes[path]
            name = self._samples.get(sha) or before.get(sha, "")
            asked[row] = name is not None and name not in names
            number = captured_as(name)[0] if name in names and name else None
            if name in self._held_out:
                held_out.add(int(recordings[row]))
            elif number is not None:
                bursts.setdefault(int(recordings[row]), burst_id_of(number))
        not_to_learn = asked & np.isin(recordings, list(held_out))
        if count := int(not_to_learn.sum()):
            say(f"Left out: {counted(count, 'picture')} recorded with some that are held out.")
        asked &= ~not_to_learn
        return Unlabelled(
            paths, [hashes[p] for p in paths], features, recordings, asked, bursts, refused
        )

    def read(self, path: Path) -> EncodedImage:
        """Read one as it will be stored."""
        return encode_file(read_image_bytes(path), str(path))


def _read_and_note(hashes: dict[Path, str], path: Path) -> Image:
    data = read_image_bytes(path)
    hashes[path] = hashlib.sha256(data).hexdigest()
    return decode_image(data, str(path))


def _marks(paths: Iterable[Path]) -> list[str]:
    """Say what names and times tell of the recording that each picture is of."""
    marks: list[str] = []
    last_s: dict[str, float] = {}
    begun: dict[str, int] = {}
    for path in paths:
        if kept := _kept_frame(path):
            run, time_s = kept  # in the order of their names, which is that of time
            if abs(time_s - last_s.get(run, -np.inf)) > _SAME_RECORDING_S:
                begun[run] = begun.get(run, 0) + 1
            last_s[run] = time_s
            marks.append(f"run {run} {begun[run]}")
        elif found := _OF_A_VIDEO.fullmatch(path.stem):
            marks.append(f"video {path.parent}/{found[1]}")
        else:
            marks.append("")
    return marks


def _kept_frame(path: Path) -> tuple[str, float] | None:
    """Read of a frame that a device has kept in which run, and when, in seconds."""
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        about = json.loads(read_regular(path.with_suffix(".json"), _MOST_TEXT_BYTES))
        if about["format"] == FORMAT:
            return str(about["run"]), datetime.fromisoformat(about["time"]).timestamp()
    return None
