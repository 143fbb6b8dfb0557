"""What an importer gives: pictures with their labels, and what it had to refuse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers.labels import labels_of
from edge_classifier.project.importers.layout import NO_LABEL
from edge_classifier.project.picture_file import (
    decode_image,
    encode_file,
    encode_image,
    read_image_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.values import EncodedImage


class SingleFileImporter:
    """A picture whose class is in its name, or was said.

    Args:
        path: The file.
        class_name: What it shows, if the user has said so.

    Raises:
        NotImportableError: if nothing tells its class.
    """

    def __init__(self, path: Path, class_name: str | None = None) -> None:
        label = class_name or labels_of([path.stem])[0]
        if not label:
            raise NotImportableError(f"{path}: {NO_LABEL}.")
        source = str(path)
        picture = FilePicture(source, partial(read_image_bytes, path))
        self._candidate = Candidate(source, label, picture)

    @property
    def description(self) -> str:
        """What was found, for the user."""
        return "a picture"

    @property
    def count(self) -> int:
        """One."""
        return 1

    @property
    def left_alone(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def __iter__(self) -> Iterator[Item]:
        """Give it."""
        yield self._candidate


class Picture(Protocol):
    """A picture that is read when it is needed."""

    def image(self) -> Image:
        """Read it: `(H, W, 3)` uint8, BGR.

        Raises:
            InvalidImageError: if it cannot be read, or is none.
        """

    def encoded(self) -> EncodedImage:
        """Read it and turn it into what is stored.

        Raises:
            InvalidImageError: likewise.
        """


@dataclass(frozen=True, slots=True)
class FilePicture:
    """A picture file, on disk or in an archive.

    Attributes:
        name: For the user.
        read: Gives its bytes; raises `InvalidImageError` where it cannot.
    """

    name: str
    read: Callable[[], bytes]

    def image(self) -> Image:
        """Read it, BGR."""
        return decode_image(self.read(), self.name)

    def encoded(self) -> EncodedImage:
        """Read it and turn it into what is stored, without loss."""
        return encode_file(self.read(), self.name)


@dataclass(frozen=True, slots=True, eq=False)
class FramePicture:
    """A frame of a video.

    Attributes:
        frame: `(H, W, 3)` uint8, BGR.
    """

    frame: Image

    def image(self) -> Image:
        """Give it."""
        return self.frame

    def encoded(self) -> EncodedImage:
        """Turn it into what is stored, as a captured frame is."""
        return encode_image(self.frame)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that could become a sample.

    Attributes:
        source: Where it comes from, for the user: a path, a path in an archive, a time.
        class_name: Its label as found, not yet checked.
        picture: Reads it.
        group: Candidates of one class and one group are likely near-duplicates, so they become
            one burst; `None` for a picture by itself.
        held_out: Whether whoever made the data set it aside to measure on.
    """

    source: str
    class_name: str
    picture: Picture
    group: str | None = None
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that looks as if it were to be imported, and cannot be.

    Attributes:
        source: What it is, for the user.
        reason: Why, in one line.
    """

    source: str
    reason: str


Item: TypeAlias = Candidate | Refusal


class Importer(Protocol):
    """Finds labelled pictures in one kind of source.

    Making one looks at names only; pictures are read by whoever takes a candidate.
    """

    @property
    def description(self) -> str:
        """What was found, for the user: `a folder per class`."""

    @property
    def count(self) -> int | None:
        """How many items will come, where that is known."""

    @property
    def left_alone(self) -> tuple[str, ...]:
        """Files that are not meant to be pictures."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know about how the source was understood."""

    def __iter__(self) -> Iterator[Item]:
        """Give candidates and refusals, one after the other."""
