"""What most targets share: some files to start from, spoilt byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzzing.mutate import mutate_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random


class ByteTarget:
    """A target whose inputs are honest files with spoilt bytes.

    Args:
        seeds: Where the honest files are.
        arena: The folder that may be written.
    """

    name = ""
    heavy = False
    starts_programs = False

    def __init__(self, seeds: Path, arena: Path) -> None:
        self.seeds = seeds
        self.arena = arena
        self.samples: Sequence[bytes] = [path.read_bytes() for path in self.paths()]

    def paths(self) -> Sequence[Path]:
        """Name the honest files."""
        raise NotImplementedError

    def make(self, rng: Random) -> bytes:
        """Spoil one of them."""
        return mutate_bytes(rng, rng.choice(self.samples), self.samples)

    def write(self, name: str, data: bytes) -> Path:
        """Write an input into the arena."""
        path = self.arena / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path
