"""What README.md says in a folder for elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.device.console import one_line
from edge_classifier.export.elsewhere.format import README
from edge_classifier.export.texts import fill_in

if TYPE_CHECKING:
    from edge_classifier.export.elsewhere.format import Original

TEXTS: Final = Path(__file__).with_name("texts")


def text_of(name: str, original: Original, **values: str) -> str:
    """Read one of the texts that come with this package, and fill in what is exported.

    `{name}` and `{classes}` in it are known, others are given in `values`.
    """
    text = (TEXTS / name).read_text(encoding="utf-8")
    classes = ", ".join(original.model.class_names)
    return fill_in(text, name=one_line(original.project.name), classes=classes, **values)


def write_readme(folder: Path, format_name: str, original: Original, **values: str) -> None:
    """Write what is said of the format, and then what is said of all that came from Keras."""
    text = text_of(f"{format_name}.md", original, **values) + text_of("answers.md", original)
    (folder / README).write_text(text, encoding="utf-8")
