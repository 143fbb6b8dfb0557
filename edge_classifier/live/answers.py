"""Pictures of which a person has said what they show: read beside the loop, stored by it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.console import as_text
from edge_classifier.errors import EdgeClassifierError, InvalidImageError
from edge_classifier.languages.text import Text, text_of
from edge_classifier.live.view import Level
from edge_classifier.project.sources import note_answers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from edge_classifier.learning.alike import Unlabelled
    from edge_classifier.live.editor import Editor
    from edge_classifier.live.learner import Learner
    from edge_classifier.live.view import Say
    from edge_classifier.project.store import ProjectStore
    from edge_classifier.protocols import Executor
    from edge_classifier.values import EncodedImage, Sample

_STORED_PER_STEP: Final = 8
"""Pictures that one step of the loop stores; more would delay what is shown."""

_READ_AHEAD: Final = 16


@dataclass(slots=True, eq=False)
class Answer:
    """What was answered of some pictures.

    Attributes:
        rows: The pictures.
        class_name: What they show, or `None` where they are not wanted.
        before: The groups that there were before.
        burst_id: Of those that are of no recording, once it is known.
        stored: The samples that they are, so far.
    """

    rows: list[int]
    class_name: str | None
    before: list[list[int]]
    burst_id: str = ""
    stored: list[Sample] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class AnsweredPictures:
    """Makes samples of pictures that were answered for, in the order of the answers.

    The pictures of an answer are a burst, but for those of a recording of which there are others:
    all of these are one burst, whatever they show, so that they are held out together.

    Attributes:
        reader: Where `read` reads files.
        given_up: Is told of an answer of which some cannot be stored; its `rows` are the others.
    """

    pictures: Unlabelled
    store: ProjectStore
    editor: Editor
    learner: Learner
    say: Say
    reader: Executor
    read: Callable[[Path], EncodedImage]
    given_up: Callable[[Answer], None]
    _left: deque[tuple[Answer, int]] = field(default_factory=deque)
    _reading: deque[tuple[Answer, int, Future[EncodedImage]]] = field(default_factory=deque)
    _bursts: dict[int, str] = field(default_factory=dict)
    _there: dict[str, Sample] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for sample in (*self.store.samples(), *self.store.held_out()):
            self._there[sample.image_sha256] = sample

    @property
    def busy(self) -> bool:
        """Whether there is something left to store."""
        return bool(self._left or self._reading)

    def add(self, answer: Answer) -> None:
        """Store what was answered, little by little."""
        self._left.extend((answer, row) for row in answer.rows)

    def note(self, rows: Sequence[int], sample: str | None) -> None:
        """Note what became of pictures, as `note_answers` does."""
        paths, hashes = self.pictures.paths, self.pictures.hashes
        sources = [(str(paths[row]), hashes[row]) for row in rows]
        note_answers(self.store.path, sources, sample)

    def take_back(self, answer: Answer) -> None:
        """Move what was stored of an answer to the trash, and store no more of it."""
        self._forget(answer)
        if answer.stored:
            self.editor.remove_samples(answer.stored)
            for sample in answer.stored:
                self._there.pop(sample.image_sha256, None)
        if answer.class_name is None:
            self.note(answer.rows, "")

    def finish(self) -> None:
        """Store all that is left, waiting for it.

        Raises:
            EdgeClassifierError: if some cannot be stored; the other answers are.
        """
        failed: EdgeClassifierError | None = None
        while self.busy:
            try:
                self.poll(wait=True)
            except EdgeClassifierError as error:  # noqa: PERF203 - a few, each of a disk
                failed = error
        if failed:
            raise failed

    def poll(self, *, wait: bool = False) -> None:
        """Store some of what was answered, and have what follows read.

        Raises:
            EdgeClassifierError: if it cannot be stored.
        """
        stored = False
        for _ in range(_STORED_PER_STEP):
            self._read_ahead()
            if not self._reading or not (wait or self._reading[0][2].done()):
                break
            answer, row, reading = self._reading.popleft()
            stored = True
            if sample := self._store(answer, row, reading):
                self.editor.remember([(sample, self.pictures.features[row])])
        if stored and not self.busy:
            self.learner.request_training()

    def _read_ahead(self) -> None:
        while self._left and len(self._reading) < _READ_AHEAD:
            answer, row = self._left.popleft()
            reading = self.reader.submit(self._reads(self.pictures.paths[row]))
            self._reading.append((answer, row, reading))

    def _reads(self, path: Path) -> Callable[[], EncodedImage]:
        return lambda: self.read(path)

    def _store(self, answer: Answer, row: int, reading: Future[EncodedImage]) -> Sample | None:
        """Store a picture; what cannot be read any more is said, and left out."""
        assert answer.class_name is not None  # noqa: S101 - what is not wanted is not read
        try:
            encoded = reading.result()
        except InvalidImageError as error:
            self.say(text_of(error), Level.WARNING)
            return None
        if there := self._there.get(encoded.sha256):  # the same picture twice
            self.note([row], there.path.name)
            if there.class_name != answer.class_name:
                file = as_text(self.pictures.paths[row].name)
                known = Text(
                    "{file} is in the project already, as {name}", file=file, name=there.class_name
                )
                self.say(known, Level.WARNING)
            return None
        try:
            burst_id = self._burst_of(answer, row)
            sample = self.store.add_sample(encoded, answer.class_name, burst_id)
        except EdgeClassifierError:
            left = {row, *self._forget(answer)}
            answer.rows = [row for row in answer.rows if row not in left]
            self.given_up(answer)
            raise
        answer.stored.append(sample)
        self._there[sample.image_sha256] = sample
        self.note([row], sample.path.name)
        return sample

    def _forget(self, answer: Answer) -> list[int]:
        """Store no more of an answer; returns what there was of it."""
        rows = [row for other, row, _ in self._reading if other is answer]
        rows += [row for other, row in self._left if other is answer]
        self._reading = deque(item for item in self._reading if item[0] is not answer)
        self._left = deque(item for item in self._left if item[0] is not answer)
        return rows

    def _burst_of(self, answer: Answer, row: int) -> str:
        """Give the burst of a picture: of its recording, or else of its answer."""
        recordings = self.pictures.recordings
        number = int(recordings[row])
        burst_id = self._bursts.get(number) or self.pictures.bursts.get(number)
        if burst_id is None and np.count_nonzero(recordings == number) > 1:
            burst_id = self.store.next_burst_id()
        if burst_id is not None:
            self._bursts[number] = burst_id
            return burst_id
        if not answer.burst_id:
            answer.burst_id = self.store.next_burst_id()
        return answer.burst_id
