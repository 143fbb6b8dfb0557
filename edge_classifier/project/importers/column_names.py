"""What the columns of tables are usually called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE_COLUMNS: Final = (
    "filename", "file", "filepath", "path", "image", "imagepath", "imagefile", "imagename",
    "imagefilename", "img", "imgpath", "imgname", "imgfile", "picture", "photo", "fname",
    "imageuri", "imagegcsuri", "sourceref", "imageurl", "url", "uri", "src", "externalid",
    "imageid", "imgid", "photoid", "id",
)  # fmt: skip
LABEL_COLUMNS: Final = (
    "label", "labels", "class", "classname", "classlabel", "labelname", "category",
    "categoryname", "choice", "choices", "target", "groundtruth", "displayname", "diagnosis", "dx",
    "tag", "species", "breed", "name", "classid", "labelid", "categoryid",
)  # fmt: skip
SPLIT_COLUMNS: Final = (
    "split", "set", "subset", "partition", "usage", "phase", "dataset", "mluse",
)  # fmt: skip


def names_files(header: Sequence[str]) -> bool:
    """Say whether one of these is the usual name of a column with files."""
    return any(plain_name(name) in FILE_COLUMNS for name in header)


def plain_name(name: str) -> str:
    """Give a column's name without case and signs; of what was nested, the innermost."""
    return "".join(c for c in name.rpartition(".")[2].casefold() if c.isalnum())


def rank_of(name: str, known: tuple[str, ...]) -> int:
    """Give the place of a plain name among those that are usual, the best one 0."""
    return known.index(name) if name in known else len(known)
