"""What lists say of splits, where folders tell the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge_classifier.errors import NotImportableError
from edge_classifier.project.importers.file_lookup import FileLookup
from edge_classifier.project.importers.label_list import LabelList, read_list
from edge_classifier.project.importers.list_importer import MOST_LISTS, list_paths

if TYPE_CHECKING:
    from edge_classifier.project.importers.tree import FileTree

_ANY_CLASS: Final = "any"  # what is asked for is the split


def held_out_by_lists(tree: FileTree, code_page: str | None = None) -> tuple[set[str], list[str]]:
    """Find the pictures that lists hold out, where folders tell the classes.

    A list may say so of each picture (`file,split`), or by its own name (`meta/test.txt`).

    Returns:
        Their paths; and which lists say so, for the user.
    """
    lookup = FileLookup(tree)
    held_out: set[str] = set()
    sources = []
    for path in list_paths(tree, lookup)[:MOST_LISTS]:
        try:
            found = read_list(tree, path, lookup, _ANY_CLASS, code_page)
        except NotImportableError:
            continue  # it was told already
        if isinstance(found, LabelList):
            said = {
                row.path
                for row in found.rows
                if (found.held_out if row.held_out is None else row.held_out)
            }
            if said:
                held_out |= said
                sources.append(found.source)
    return held_out, sources
