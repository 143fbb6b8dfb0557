"""The keys of the window, as its help and the README list them."""

from __future__ import annotations

from typing import Final

HELP: Final = (
    ("1 … 9", "hold to record a class, tap for one picture"),
    ("B", "hold to record the background: the empty scene"),
    ("↑ ↓  space", "select a class, hold space to record it"),
    ("N", "name a new class, or rename (Tab)"),
    ("W", "that was wrong: then the key of the right class"),
    ("U", "undo the last burst or removal, and so on"),
    ("Z", "put back what was undone or removed last"),
    ("X", "remove the selected class"),
    ("V", "review pictures that look wrong: ← → X Z"),
    ("[  ]", "unknown less often, or more often"),
    ("T", "train now (it also happens by itself)"),
    ("F", "fine-tune the network (a minute or so)"),
    ("M", "steady label on or off"),
    ("P", "pause or resume prediction"),
    ("S", "save a copy of the project"),
    ("E", "export for the Raspberry Pi"),
    ("H", "show or hide these keys"),
    ("Q", "quit; everything is on disk"),
)
"""Key and meaning; the README's table is checked against this."""
