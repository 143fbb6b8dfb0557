"""Look through an HDF5 file of weights before Keras does; for child processes.

HDF5 can point to other files, claim terabytes in a kilobyte, and, damaged, keep its library busy
for ever (found with `tools/fuzzing --target keras`). So everything that Keras would read is read
here first: links lead nowhere else, sizes are added up, memory is limited, and the processor time
is limited by a timer of the system that ends this process; nothing else can interrupt the library.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from edge_classifier.device.trial import limited_memory
from edge_classifier.errors import WeightsMismatchError
from edge_classifier.features.child_process import say_failure, take_back_failure
from edge_classifier.features.download import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LIMIT_S: Final = 2.0
"""Of processor time; a file of 100 MB takes a quarter of a second."""
_LIMIT_BYTES: Final = 2 * MAX_BYTES
_MOST_OBJECTS: Final = 20_000


def is_legacy(path: Path, name: str) -> bool:
    """Read a weights file through, and say whether it is of Keras 1 and 2, as official ones are.

    Where reading it does not end, this process does, after a line for its parent. The name is that
    of the backbone that the file should belong to, for messages.

    Raises:
        WeightsMismatchError: if it is damaged, or holds what no weights file does.
    """
    import h5py  # noqa: PLC0415 - comes with Keras, for child processes only

    endless = WeightsMismatchError(f"{path} is damaged: reading it does not end.")
    try:
        with _limited(endless), limited_memory(_LIMIT_BYTES), h5py.File(path, "r") as file:
            _read_through(file, path)
            return "layer_names" in file.attrs or "model_weights" in file
    except WeightsMismatchError:
        raise
    except Exception as error:  # h5py raises whatever comes to hand
        raise mismatch(path, name, error) from error


def mismatch(weights: Path, name: str, error: Exception) -> WeightsMismatchError:
    """Say that a file does not hold the weights of a backbone, and why."""
    return WeightsMismatchError(
        f"{weights} does not hold the weights of {name}: {first_line(error)}. Pass the file that "
        f"belongs to {name}, or choose the backbone that the file belongs to."
    )


def first_line(error: Exception) -> str:
    """The part of an error of Keras' or h5py's that fits on a line, without its full stop."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].partition(" Example error")[0].rstrip(".")[:300]


def _read_through(file: Any, path: Path) -> None:  # noqa: ANN401 - h5py publishes no types
    import h5py  # noqa: PLC0415 - as above

    waiting, seen, total = [file], set(), 0
    while waiting:
        item = waiting.pop()
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            continue
        seen.add(address)
        if len(seen) > _MOST_OBJECTS:
            raise WeightsMismatchError(f"{path} holds more arrays than any network has.")
        for value in item.attrs.values():
            del value  # it can be read
        if isinstance(item, h5py.Dataset):
            total += item.nbytes
            if item.external or item.is_virtual or total > MAX_BYTES:
                raise WeightsMismatchError(
                    f"{path} points to other files, or claims more than {MAX_BYTES:,} bytes."
                )
            item[()]
        elif isinstance(item, h5py.Group):
            for name in item:
                if not isinstance(item.get(name, getlink=True), h5py.HardLink):
                    raise WeightsMismatchError(f"{path} holds a link, {name!r:.60}.")
                waiting.append(item[name])


@contextmanager
def _limited(endless: WeightsMismatchError) -> Iterator[None]:
    """End this process if the block takes too much processor time; where the system can."""
    if sys.platform == "win32":  # which has no such timer
        yield
        return
    say_failure(endless)  # before it is too late
    before = signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, _LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        take_back_failure()
