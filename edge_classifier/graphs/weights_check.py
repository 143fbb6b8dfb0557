"""Look through an HDF5 file of weights before Keras does; for child processes.

HDF5 can point to other files, claim terabytes in a kilobyte, and, damaged, keep its library busy
for ever (found with `tools/fuzzing --target keras`). So everything that Keras would read is read
here first: links lead nowhere else, sizes are added up, and the processor time is limited by a
timer of the system that ends this process; nothing else can interrupt the library.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from edge_classifier.errors import WeightsMismatchError
from edge_classifier.features.download import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LIMIT_S: Final = 4.0
_MOST_OBJECTS: Final = 20_000


def is_legacy(path: Path, say: Callable[[str], object]) -> bool:
    """Read a weights file through, and say which layout it has.

    Args:
        path: The file.
        say: Told what the user is to be told if this process ends in here.

    Returns:
        Whether it is of Keras 1 and 2, as the official files are.

    Raises:
        WeightsMismatchError: if it holds what no weights file does.
        Exception: whatever h5py raises for a damaged file.
    """
    import h5py  # noqa: PLC0415 - comes with Keras, for child processes only

    endless = f"mismatch {path} is damaged: reading it does not end."
    with _limited(lambda: say(endless)), h5py.File(path, "r") as file:
        _read_through(file, path)
        return "layer_names" in file.attrs or "model_weights" in file


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
def _limited(announce: Callable[[], object]) -> Iterator[None]:
    """End this process if the block takes too much processor time; where the system can."""
    if sys.platform == "win32":  # which has no such timer
        yield
        return
    announce()  # before it is too late; what is said after it takes its place
    before = signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, _LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
