"""Lets a Python on Linux, and its children, meet what our package would meet on Windows.

Put this folder on PYTHONPATH. Our own modules then find no POSIX module and no function of `os`
or `signal` that Windows lacks, `msvcrt` in place of `fcntl`, and the platform `win32`; other
libraries see the system as it is. For everybody, files are renamed, replaced and deleted as
Windows does: not while this process has them open, and never by `rename` onto another one. A
file or folder that is made below AS_WINDOWS_FOLDER under a name that Windows refuses raises an
error. A text file that is opened in the encoding of the country raises one, too.
"""

from __future__ import annotations

import builtins
import errno
import fcntl
import os
import re
import signal
import stat
import sys
import types
import warnings
from contextlib import suppress
from typing import Any, Final

if sys.platform == "win32":
    raise ImportError("On Windows there is nothing to stand for.")

OURS: Final = {"edge_classifier", "edge_device"}
ABSENT_MODULES: Final = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty"}
ABSENT: Final = {
    os: (
        "O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK chown fchmod fork forkpty getegid geteuid "
        "getgid getgroups getloadavg getpgid getuid killpg mkfifo nice openpty posix_fadvise "
        "pread pwrite sched_getaffinity sched_setaffinity setpgid setsid statvfs sync sysconf "
        "uname wait4"
    ),
    signal: (
        "ITIMER_PROF ITIMER_REAL SIGALRM SIGHUP SIGKILL SIGPIPE SIGPROF SIGUSR1 alarm pause "
        "pthread_kill setitimer sigwait"
    ),
}
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_FORBIDDEN: Final = re.compile(
    r'[<>:"|?*\x00-\x1f\\]|[. ]$'
    r"|^(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³]|conin\$|conout\$)\s*(\.|$)",
    re.IGNORECASE,
)
_FOLDER: Final = os.environ["AS_WINDOWS_FOLDER"]
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _locking(descriptor: int, mode: int, _count: int) -> None:
    try:
        fcntl.flock(descriptor, mode)
    except OSError:  # what Windows says of what is taken
        raise PermissionError(errno.EACCES, "Permission denied") from None


def _as_on_windows(module: types.ModuleType, **others: object) -> types.ModuleType:
    """Copy a module without what Windows lacks."""
    copy = types.ModuleType(module.__name__)
    absent = ABSENT.get(module, "").split()
    copy.__dict__.update({k: v for k, v in vars(module).items() if k not in absent}, **others)
    return copy


class _Sys(types.ModuleType):
    """The module `sys` of Windows: its streams may be exchanged at any time."""

    platform = "win32"

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(sys, name, value)


_MODULES: Final = {
    "msvcrt": _as_on_windows(
        types.ModuleType("msvcrt"), LK_NBLCK=fcntl.LOCK_EX | fcntl.LOCK_NB, locking=_locking
    ),
    "os": _as_on_windows(os, O_BINARY=0, name="nt"),
    "signal": _as_on_windows(signal),
    "sys": _Sys("sys"),
}
_import = builtins.__import__


def _import_on_windows(name: str, *arguments: Any, **options: Any) -> Any:
    namespace = options.get("globals", arguments[0] if arguments else None) or {}
    # `__main__` is a module of ours, too, when it runs as a program
    importer = getattr(namespace.get("__spec__"), "name", namespace.get("__name__")) or ""
    if importer.partition(".")[0] in OURS:
        if name in ABSENT_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r} (as on Windows)")
        if name in _MODULES:
            return _MODULES[name]
    return _import(name, *arguments, **options)


def _open_files() -> set[str]:
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the one of the listing itself is closed by now
            if stat.S_ISREG(os.stat(f"/proc/self/fd/{number}").st_mode):
                found.add(os.readlink(f"/proc/self/fd/{number}"))
    return found


def _place(path: Any, folder: int = -1) -> str:
    text = os.fsdecode(path)
    if folder not in (-1, None) and not os.path.isabs(text):
        text = f"{os.readlink(f'/proc/self/fd/{folder}')}/{text}"
    return os.path.abspath(text)


def _refuse_open(place: str) -> None:
    for name in _open_files():
        if name == place or name.startswith(place + "/"):
            raise PermissionError(errno.EACCES, f"as on Windows: {name} is open", place)


def _refuse_name(place: str, source: str = "") -> None:
    if not place.startswith(_FOLDER):
        return
    folder, name = os.path.split(place)
    if _FORBIDDEN.search(name) or len(name.encode("utf-16-le", "surrogatepass")) > 2 * 255:
        raise OSError(errno.EINVAL, f"as on Windows: no file is called {name!r}", place)
    for other in os.listdir(folder):
        same = other != name and other.casefold() == name.casefold()
        if same and f"{folder}/{other}" != source:
            raise FileExistsError(errno.EEXIST, f"as on Windows: {other!r} is there", place)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if (
        event == "open"
        and (arguments[2] or 0) & _WRITING
        and isinstance(arguments[0], (str, bytes))
    ):
        _refuse_name(_place(arguments[0]))
    elif event == "os.mkdir":
        _refuse_name(_place(arguments[0], arguments[2]))
    elif event == "os.rename":
        source, target = _place(arguments[0], arguments[2]), _place(arguments[1], arguments[3])
        _refuse_name(target, source)
        _refuse_open(source)
        _refuse_open(target)
    elif event in ("os.remove", "os.rmdir"):
        _refuse_open(_place(arguments[0], arguments[1]))
    elif event in ("os.symlink", "os.link"):
        raise OSError(errno.EPERM, "as on Windows: a required privilege is not held")


_rename = os.rename


def _rename_on_windows(source: Any, target: Any, **options: Any) -> None:
    if os.path.lexists(target) and not os.path.samefile(source, target):
        raise FileExistsError(errno.EEXIST, "as on Windows: it exists", os.fspath(target))
    _rename(source, target, **options)


for _module in (os, _MODULES["os"]):
    vars(_module)["rename"] = _rename_on_windows
builtins.__import__ = _import_on_windows
warnings.filterwarnings("ignore", category=EncodingWarning)
warnings.filterwarnings("error", category=EncodingWarning, module="edge_classifier")
sys.addaudithook(_audit)
