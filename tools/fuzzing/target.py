"""What is fuzzed: one class for each kind of file from outside."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


class Target(Protocol):
    """A reader, and inputs for it.

    Attributes:
        name: As in `--target`.
        heavy: Whether it needs TensorFlow, and so more address space than others may have.
        starts_programs: Whether reading starts a process on purpose.
    """

    name: str
    heavy: bool
    starts_programs: bool

    def make(self, rng: Random) -> bytes:
        """Make an input from what chance gives; the same for the same generator."""

    def run(self, data: bytes) -> None:
        """Read it as the program does, and use what was read.

        Raises:
            EdgeClassifierError: if it is refused, as it should be.
        """


MEMORY_LIMIT_MB: Final = 1024
CPU_LIMIT_MS: Final = 5000.0
"""What one input may take."""

TARGETS: Final = {
    "image": "pictures:ImageTarget",
    "project": "projects:ProjectTarget",
    "index": "projects:IndexTarget",
    "features": "projects:FeatureCacheTarget",
    "model": "arrays:ModelTarget",
    "classifier": "arrays:ClassifierTarget",
    "spec": "bundles:SpecTarget",
    "labels": "bundles:LabelsTarget",
    "taught": "adapting:TaughtTarget",
    "adaptation-state": "adapting:StateTarget",
    "imagenet-labels": "bundles:ImageNetLabelsTarget",
    "other-model": "other_models:OtherModelTarget",
    "tflite": "networks:TFLiteTarget",
    "weights": "networks:WeightsTarget",
    "keras": "networks:KerasTarget",
    "csv": "lists:CsvTarget",
    "json-list": "lists:JsonListTarget",
    "zip": "imports:ZipTarget",
    "tar": "archives:TarTarget",
    "nested": "archives:NestedTarget",
    "tm": "imports:TeachableMachineTarget",
    "names": "imports:NamesTarget",
    "video": "pictures:VideoTarget",
}
"""Where each target is; imported by the worker that runs it."""


def make_target(name: str, seeds: Path, arena: Path) -> Target:
    """Make a target.

    Args:
        name: One of `TARGETS`.
        seeds: Honest files, made by `seeds.make_seeds`.
        arena: A folder of its own, the only one that may be written.
    """
    module, _, kind = TARGETS[name].partition(":")
    target: Target = getattr(importlib.import_module(f"fuzzing.{module}"), kind)(seeds, arena)
    return target
