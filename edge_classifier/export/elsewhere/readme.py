"""What README.md says in a folder for elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_classifier.export.elsewhere.format import README

if TYPE_CHECKING:
    from edge_classifier.export.elsewhere.format import Original

TEXTS: Final = Path(__file__).with_name("texts")


def text_of(name: str, original: Original) -> str:
    """Read one of the texts that come with this package, and fill in what is exported."""
    text = (TEXTS / name).read_text(encoding="utf-8")
    classes = ", ".join(original.model.class_names)
    return text.replace("{name}", original.project.name).replace("{classes}", classes)


def write_readme(folder: Path, format_name: str, original: Original) -> None:
    """Write what is said of the format, and then what is said of all that came from Keras."""
    text = text_of(f"{format_name}.md", original) + text_of("answers.md", original)
    (folder / README).write_text(text, encoding="utf-8")
