"""What an importer gives: pictures with their labels, and what it had to refuse."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from edge_classifier.project.picture_file import encode_file, encode_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.values import EncodedImage


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPicture:
    """A picture that could become a sample.

    Attributes:
        source: Where it comes from, for the user: a path, a path in an archive, a time.
        class_name: Its label as found, not yet checked.
        content: What reads the bytes of its file, and raises `InvalidImageError` where it
            cannot; or the frame of a video, `(H, W, 3)` uint8, BGR.
        group: Pictures of one class and one group are likely near-duplicates, so they become
            one burst; `None` for a picture by itself.
        held_out: Whether whoever made the data set it aside to measure on.
    """

    source: str
    class_name: str
    content: Callable[[], bytes] | Image
    group: str | None = None
    held_out: bool = False

    def encoded(self) -> EncodedImage:
        """Give what is stored: of a file without loss, of a frame as if it were captured.

        Raises:
            InvalidImageError: if it cannot be read, or is no picture.
        """
        if callable(self.content):
            return encode_file(self.content(), self.source)
        return encode_image(self.content)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that looks as if it were to be imported, and cannot be.

    Attributes:
        source: What it is, for the user.
        reason: Why, in one line.
    """

    source: str
    reason: str


Item: TypeAlias = LabelledPicture | Refusal


class Importer(ABC):
    """Finds labelled pictures in one kind of source.

    Making one looks at names only; pictures are read by whoever takes an item.

    Attributes:
        description: What was found, for the user: `a folder per class`.
        count: How many items will come, about; `None` where that is not known.
        left_alone: Files that are not meant to be pictures.
        notes: What the user should know about how the source was understood.
    """

    description: str
    count: int | None
    left_alone: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @abstractmethod
    def __iter__(self) -> Iterator[Item]:
        """Give pictures and refusals, one after the other."""
