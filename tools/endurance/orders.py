"""What a victim is told to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    """What a victim is to do.

    Attributes:
        project: The project's folder.
        journal: Where to tell.
        operation: What it is killed at.
        seed: Decides on the rest.
        at_call: At which change of the file system it kills itself; `None` if it is killed.
        sources: What `import` adds.
    """

    project: str
    journal: str
    operation: str
    seed: int
    at_call: int | None = None
    sources: tuple[str, ...] = ()
