"""Networks that a user brings along: TFLite files, HDF5 weights."""

from __future__ import annotations

import os
import resource
import sys
import traceback
from typing import TYPE_CHECKING, Any, Final

from edge_classifier.adapters import compile_extractor, weights
from edge_classifier.adapters.built_in import built_in_folder
from edge_classifier.adapters.probe_network import run_once
from edge_classifier.backbones import BUILT_IN, official
from edge_classifier.errors import BackboneError
from fuzzing.base import ByteTarget
from fuzzing.mutate import mutate_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

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
        """Run it in a fork, as `probe_network` does in a process of its own."""
        pid = os.fork()
        if pid == 0:
            os._exit(_child(data))
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status < 0:
            raise BackboneError(f"the probe died of signal {-status}, and nothing else did")
        if status == _REFUSED:
            raise BackboneError("refused")
        assert status == 0, f"the probe ended with status {status}"  # noqa: S101 - what is looked for


def _child(data: bytes) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (4, 4))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        run_once(data)
    except BackboneError:
        return _REFUSED
    except BaseException:  # noqa: BLE001 - what is looked for
        traceback.print_exc()
        return _BROKEN
    return 0


class WeightsTarget(StructuredTarget):
    """HDF5 weights up to the point where Keras takes over."""

    name = "weights"
    heavy = True

    def __init__(self, seeds: Path, arena: Path) -> None:
        self._keras = compile_extractor._import_keras()  # noqa: SLF001 - what the child does
        self._model = self._small_model()
        self._model.save_weights(arena / "seed.weights.h5")
        self._write_legacy(arena / "seed.h5")
        self._files = [arena / "seed.weights.h5", arena / "seed.h5"]
        super().__init__(seeds, arena)

    def paths(self) -> Sequence[Path]:
        """A file as Keras 3 writes it, and one of the older layout."""
        return self._files

    def run(self, data: bytes) -> None:
        """Look at it as the program does before TensorFlow is started."""
        found = weights.obtain_weights(
            official("v1-0.25"),
            given=self.write("given.h5", data),
            folders=weights.CacheFolders(self.arena, self.arena),
            progress=lambda _size, _total: None,
            cancelled=lambda: False,
        )
        compile_extractor._is_legacy(found.path, "v1-0.25")  # noqa: SLF001 - same

    def _small_model(self) -> Any:  # noqa: ANN401 - Keras publishes no types
        keras = self._keras
        layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.Flatten()]
        return keras.Sequential([*layers, keras.layers.Dense(2)])

    def _write_legacy(self, path: Path) -> None:
        import h5py  # noqa: PLC0415 - comes with Keras

        with h5py.File(path, "w") as file:
            names = [layer.name for layer in self._model.layers]
            file.attrs["layer_names"] = [name.encode() for name in names]
            file.attrs["backend"] = b"tensorflow"
            file.attrs["keras_version"] = b"2.2.4"
            for layer in self._model.layers:
                group = file.create_group(layer.name)
                arrays = layer.get_weights()
                group.attrs["weight_names"] = [f"w{n}".encode() for n in range(len(arrays))]
                for number, array in enumerate(arrays):
                    group.create_dataset(f"w{number}", data=array)


class KerasTarget(WeightsTarget):
    """HDF5 weights, loaded by Keras into a network."""

    name = "keras"

    def run(self, data: bytes) -> None:
        """Load them, as the child process does."""
        path = self.write("given.h5", data)
        compile_extractor._load_weights(self._model, path, "v1-0.25")  # noqa: SLF001 - what the child does
        sys.stdout.flush()


def _is_table(window: bytes) -> bool:
    return window.count(0) > _STRUCTURED * len(window)
