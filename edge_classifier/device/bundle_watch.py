"""Whether the folder of a bundle that runs holds another one by now."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .bundle import Bundle
from .console import say, shortened
from .errors import EdgeClassifierError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .classifier import Classifier
    from .frame import Clock

_LOOK_S: Final = 0.25
_SETTLED_S: Final = 5.0
"""For how long nothing has changed in a folder that is not, or not yet, in order before that is
said: copying file by file stops now and then."""

_STOP_S: Final = 2.0
_PARTS: Final = ("spec.json", "labels.txt", "taught.npz", "model*", "heat-*", "reference/*")
"""What a model comes with; a user's own files beside it may change all the time."""

_CODE: Final = Path(__file__).parent


class BundleWatch:
    """Looks some times a second, in a thread of its own, and makes a classifier of what is new.

    A bundle that is exported over another one takes its name at once; one that is copied over it,
    file by file, is whole when its hashes agree. One that is refused is told in one line, and not
    looked at again before it changes.

    Args:
        running: The bundle that runs.
        make: Makes a classifier of another one, verified; raises an `EdgeClassifierError`.
        clock: Measures how long nothing has changed.
    """

    def __init__(
        self,
        running: Bundle,
        make: Callable[[Bundle], Classifier],
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self._folder = running.folder.absolute()
        self._running = running.spec
        self._here = Path("/")
        with contextlib.suppress(OSError):  # it is gone already
            self._here = Path.cwd()
        self._make, self._clock = make, clock
        self._in_order: tuple[int, ...] | None = None
        self._seen: list[tuple[int, ...]] | None = None
        self._since_s = 0.0
        self._is_tried = False
        self._why = ""
        self._found: Classifier | None = None
        self._code = b""
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._run, name="bundle-watch", daemon=True)
        self._thread.start()

    def take(self) -> Classifier | None:
        """Return a classifier that was found, once."""
        if self._found is None:
            return None
        found, self._found = self._found, None
        return found

    def close(self) -> None:
        """Look no more; may be called twice."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(_STOP_S)

    def look(self) -> None:
        """Look once."""
        spec = _about(self._folder / "spec.json")
        if spec == self._in_order and spec:
            return
        seen = [about for part in _PARTS for about in map(_about, self._folder.glob(part))]
        if seen != self._seen:
            self._stay_here()
            self._seen, self._since_s, self._is_tried = seen, self._clock(), False
        elif not self._is_tried:  # it was the same for a while, and may be whole
            self._is_tried, self._why = True, self._try()
            self._in_order = None if self._why else spec
        elif self._why and self._clock() - self._since_s >= _SETTLED_S:
            why, self._why = shortened(self._try()), ""  # once more: it may have been the machine
            self._in_order = None if why else spec
            if why:
                say(f"the model that is new there is not taken up: {why} The one before goes on.")
                self._compare_code()

    def _try(self) -> str:
        """Make a classifier of what there is; returns why that is not possible."""
        try:
            bundle = Bundle.open(self._folder)
            if bundle.spec != self._running:
                found = self._make(bundle)
                self._running, self._found = bundle.spec, found
                self._compare_code()
        except EdgeClassifierError as error:
            return str(error)
        except OSError as error:
            return f"{error.filename or self._folder}: {error.strerror or error}."
        except MemoryError:
            return "there is not enough memory for two models."
        return ""

    def _stay_here(self) -> None:
        """Work in the folder of that name, where the one that it was has been taken away."""
        if self._folder in (self._here, *self._here.parents):
            with contextlib.suppress(OSError):  # there is none now
                os.chdir(self._here)

    def _run(self) -> None:
        # What is imported only when it is needed would come from another version later on.
        from . import adapter, checks  # noqa: F401, PLC0415 - start-up counts on a small device

        self._code = self._code_now()
        while not self._stopped.wait(_LOOK_S):
            self.look()

    def _code_now(self) -> bytes:
        """Return a hash of the program, where it lies in the bundle and may be replaced."""
        found = hashlib.sha256()
        if _CODE.parent == self._folder.resolve():
            for path in sorted(_CODE.rglob("*.py")):
                found.update(path.read_bytes())
        return found.digest()

    def _compare_code(self) -> None:
        if self._code and self._code_now() != self._code:
            self._code = b""
            say("the program in this bundle is another one, too: start it again to use that.")


def _about(path: Path) -> tuple[int, ...]:
    """Return what is different of a file that was written anew; nothing where there is none."""
    try:
        about = path.stat()
    except OSError:
        return ()
    return about.st_ino, about.st_size, about.st_mtime_ns
