"""Networks that a user brings along: TFLite files, HDF5 weights."""

from __future__ import annotations

import faulthandler
import os
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.trial import run_within_limits
from edge_classifier.errors import BackboneError
from edge_classifier.features.built_in import built_in_folder
from edge_classifier.features.catalogue import BUILT_IN, official
from edge_classifier.features.weights import CacheFolders, obtain_weights
from edge_classifier.graphs.backbones import import_keras, load_weights
from edge_classifier.graphs.hdf5_check import is_legacy
from fuzzing.base import ByteTarget
from fuzzing.mutate import mutate_bytes
from fuzzing.target import CPU_LIMIT_MS, MEMORY_LIMIT_MB

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

if sys.platform == "win32":
    raise ImportError("Windows does not fork.")

_WINDOW: Final = 256
_STRUCTURED: Final = 0.3  # tables hold more zeros than weights do
_REFUSED: Final = 3
_BROKEN: Final = 4


class StructuredTarget(ByteTarget):
    """A large file of numbers: most of what is spoilt is between the numbers."""

    def __init__(self, seeds: Path, arena: Path) -> None:
        super().__init__(seeds, arena)
        self._windows = [
            [n for n in range(0, len(data), _WINDOW) if _is_table(data[n : n + _WINDOW])]
            for data in self.samples
        ]

    def make(self, rng: Random) -> bytes:
        """Spoil a table or two, and keep the length."""
        number = rng.randrange(len(self.samples))
        data = self.samples[number]
        if rng.random() < 0.1:  # noqa: PLR2004 - rarely
            return mutate_bytes(rng, data, self.samples)
        for _ in range(rng.choice((1, 1, 2, 3))):
            start = rng.choice(self._windows[number])
            window = data[start : start + _WINDOW]
            spoilt = mutate_bytes(rng, window, [window])[:_WINDOW].ljust(len(window), b"\0")
            data = data[:start] + spoilt + data[start + _WINDOW :]
        return data


class TFLiteTarget(StructuredTarget):
    """A TFLite file that a user gives, in a process that may die of it."""

    name = "tflite"
    starts_programs = True

    def paths(self) -> Sequence[Path]:
        """An exported model, and the built-in extractor."""
        folder = built_in_folder()
        assert folder is not None  # noqa: S101 - it comes with the package
        return [self.seeds / "bundle" / "model.tflite", folder / f"{BUILT_IN}.tflite"]

    def run(self, data: bytes) -> None:
        """Run it, as `check_model` does."""
        in_a_fork(lambda: run_within_limits(data))


class WeightsTarget(StructuredTarget):
    """HDF5 weights, read through as it is done before Keras loads them."""

    name = "weights"

    def __init__(self, seeds: Path, arena: Path) -> None:
        self._files = [arena / "seed.weights.h5", arena / "seed.h5"]
        for path in self._files:
            write_weights(path, legacy=path.name == "seed.h5")
        super().__init__(seeds, arena)
        self._reader = Reader()  # now: TensorFlow makes each fork take ten times as long

    def paths(self) -> Sequence[Path]:
        """A file as Keras 3 writes it, and one of the older layout."""
        return self._files

    def run(self, data: bytes) -> None:
        """Look at it, in a process that may end of it."""
        found = obtain_weights(
            official("v1-0.25"),
            given=self.write("given.h5", data),
            folders=CacheFolders(self.arena, self.arena),
            progress=lambda _size, _total: None,
            cancelled=lambda: False,
        )
        self._reader.read(found.path)


class KerasTarget(WeightsTarget):
    """HDF5 weights, loaded by Keras into a network."""

    name = "keras"
    heavy = True

    def __init__(self, seeds: Path, arena: Path) -> None:
        super().__init__(seeds, arena)
        keras = import_keras()
        layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, name="conv2d")]
        layers += [keras.layers.Flatten(), keras.layers.Dense(2, name="dense")]
        self._model = keras.Sequential(layers)

    def run(self, data: bytes) -> None:
        """Load them, as the child process does."""
        super().run(data)
        load_weights(self._model, self.arena / "given.h5", "v1-0.25")


class Reader:
    """A small process that reads weights files through, each in a fork of its own."""

    def __init__(self) -> None:
        self._questions, self._answers = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.close(self._questions[1])
            with os.fdopen(self._questions[0]) as questions:
                for line in questions:
                    os.write(self._answers[1], f"{_looked_through(line.rstrip())}\n".encode())
            os._exit(0)
        os.close(self._questions[0])
        os.close(self._answers[1])
        self._lines = os.fdopen(self._answers[0])

    def read(self, path: Path) -> None:
        """Have a file read.

        Raises:
            BackboneError: if it was refused, or the fork was ended by a signal.
            AssertionError: if it ended in any other way, or took long.
        """
        os.write(self._questions[1], f"{path}\n".encode())
        kind, _, why = self._lines.readline().strip().partition(" ")
        if kind == BackboneError.__name__:
            raise BackboneError(why)
        assert kind == "read", why  # noqa: S101 - what is looked for


def _looked_through(path: str) -> str:
    try:
        in_a_fork(lambda: is_legacy(Path(path), "v1-0.25"))
    except (BackboneError, AssertionError) as error:
        return f"{type(error).__name__} {error}"
    return "read"


def write_weights(path: Path, *, legacy: bool) -> None:
    """Write the weights of a small network in the layout of Keras 3, or of Keras 1 and 2."""
    import h5py  # noqa: PLC0415 - comes with Keras

    layers = {"conv2d": [(3, 3, 3, 4), (4,)], "dense": [(144, 2), (2,)]}
    with h5py.File(path, "w") as file:
        if legacy:
            file.attrs["layer_names"] = [name.encode() for name in layers]
            file.attrs["backend"] = b"tensorflow"
            file.attrs["keras_version"] = b"2.2.4"
        for name, shapes in layers.items():
            group = file.create_group(name if legacy else f"layers/{name}/vars")
            if legacy:
                group.attrs["weight_names"] = [b"w%d" % n for n in range(len(shapes))]
            for number, shape in enumerate(shapes):
                array = np.full(shape, 0.1, np.float32)
                group.create_dataset(f"w{number}" if legacy else str(number), data=array)


def in_a_fork(read: Callable[[], object]) -> None:
    """Read something in a process that may die of it.

    Raises:
        BackboneError: if it was refused, or if that process was ended by a signal.
        AssertionError: if it ended in any other way, or took long.
    """
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os._exit(_child(read))
    _, status, used = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    seconds = used.ru_utime + used.ru_stime
    assert seconds < CPU_LIMIT_MS / 1000, f"the fork took {seconds:.1f} s"  # noqa: S101 - what is looked for
    peak_mb = used.ru_maxrss / 1024
    assert peak_mb < MEMORY_LIMIT_MB, f"the fork took {peak_mb:.0f} MB"  # noqa: S101 - same
    if code < 0:
        raise BackboneError(f"ended by signal {-code} after {time.monotonic() - started:.1f} s")
    if code == _REFUSED:
        raise BackboneError("refused")
    assert code == 0, f"the fork ended with status {code}"  # noqa: S101 - same


def _child(read: Callable[[], object]) -> int:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        read()
    except (BackboneError, ValueError):
        return _REFUSED
    except BaseException:  # noqa: BLE001 - what is looked for
        traceback.print_exc()
        return _BROKEN
    return 0


def _is_table(window: bytes) -> bool:
    return window.count(0) > _STRUCTURED * len(window)
