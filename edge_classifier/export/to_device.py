"""A bundle on another machine, by ssh: whole and verified there, or not at all."""

from __future__ import annotations

import posixpath
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tarfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from edge_classifier.device import adaptation_state
from edge_classifier.device.bundle import BUNDLE_FORMAT
from edge_classifier.device.console import shortened
from edge_classifier.errors import ExportError, InvalidValueError
from edge_classifier.export.bundle import BUNDLE, REQUIREMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_classifier.protocols import Progress

_SCRIPT: Final = Path(__file__).with_suffix(".sh")
_PLACE: Final = re.compile(r"(?:([^@:/\[\]\s]+)@)?(\[[0-9A-Fa-f:.%\w]+\]|[^@:/\[\]\s]+):(.*)")
_SSH: Final = (
    *("ssh", "-T"),
    # One that is away is given up, before as after it was reached.
    *("-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"),
)
_SSH_FAILED: Final = 255
_SOMETHING_ELSE, _NOT_WRITABLE, _NOT_WHOLE, _NO_PYTHON, _NO_RUNTIME, _NOT_RIGHT, _STUCK = range(
    20, 27
)
"""How `to_device.sh` ends."""

_AS_IT_WAS: Final = "what was there is as it was"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder on another machine.

    Attributes:
        host: As ssh takes it: a name, an address or an alias of its configuration, with the user
            in front where one was named.
        folder: Absolute, or from the home folder there on.
        text: As it was given.
    """

    host: str
    folder: str
    text: str

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read `[user@]host:DIR`; an IPv6 address stands in brackets.

        Raises:
            InvalidValueError: if that is none, or no folder of its own.
        """
        found = _PLACE.fullmatch(text) if text.isprintable() else None
        user, host, folder = found.groups() if found else (None, "", "")
        folder = posixpath.normpath(folder.removeprefix("~/") or ".")
        named = (user or host)[:1] != "-" and host
        if not named or posixpath.basename(folder) in ("", ".", "..", "~"):
            raise InvalidValueError(
                f"{shortened(text)}: expected [user@]host:DIR with a folder for the bundle alone, "
                "like pi@raspberrypi.local:classifier."
            )
        host = f"{user}@{host.strip('[]')}" if user else host.strip("[]")
        return cls(host, folder if folder.startswith("/") else f"./{folder}", text)


def copy_to_device(bundle: Path, place: Place, progress: Progress) -> str:
    """Copy a bundle to another machine, verify it there, and let it take the place's name.

    Only ssh is needed here, and there what every Linux has: one connection, so that a password is
    asked for once. The bundle that is there is replaced when all of the new one has arrived and
    answers as here; what somebody has put into its folder moves along.

    Returns:
        What `--verify` says there.

    Raises:
        ExportError: saying why that was not possible; what was there is as it was then.
    """
    ssh = shutil.which("ssh")
    if ssh is None:
        raise ExportError("--to needs ssh, which is not installed here (OpenSSH's client).")
    # Where nobody can be asked, ssh must not try to.
    batch = () if sys.stdin is not None and sys.stdin.isatty() else ("-o", "BatchMode=yes")
    command = f"sh -c {shlex.quote(_script())}"
    progress(0.0, f"copying to {place.host}")
    with (
        subprocess.Popen(  # noqa: S603 - a place never begins with a dash
            [ssh, *_SSH[1:], *batch, "--", place.host, command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process
    ):
        assert process.stdin is not None  # noqa: S101 - asked for
        try:
            with suppress(BrokenPipeError):  # it has ended, and says why
                _send(bundle, place, process.stdin, progress)
            progress(1.0, f"verifying on {place.host}")
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.stdin = None
            told, trouble = (t.decode("utf-8", "replace") for t in process.communicate())
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise ExportError(_reason(place, process.returncode, _lines(told), _lines(trouble)))
    return told.strip()


def _script() -> str:
    """Give what runs there, in which all words of ours are filled in."""
    text = _SCRIPT.read_text(encoding="utf-8").replace("BUNDLE_FORMAT", BUNDLE_FORMAT)
    return text.replace("OWNS", "|".join((".lock", *BUNDLE.owns)))


def _send(bundle: Path, place: Place, stdin: IO[bytes], progress: Progress) -> None:
    """Send where a bundle goes and all of its files; the place's name never passes a shell."""
    owned = (path for pattern in BUNDLE.owns for path in bundle.glob(pattern))
    files = sorted(file for path in owned for file in _files(path))
    total = sum(path.stat().st_size for path in files) or 1
    head = f"{place.folder}\n{secrets.token_hex(4)}\n{len(files)}\n"
    stdin.write(head.encode("utf-8", "surrogateescape"))
    sent = 0
    with tarfile.open(mode="w|", fileobj=stdin, format=tarfile.USTAR_FORMAT) as archive:
        for path in files:
            about = tarfile.TarInfo(path.relative_to(bundle).as_posix())
            about.size, about.mode = path.stat().st_size, 0o644
            with path.open("rb") as content:
                archive.addfile(about, content)
            sent += about.size
            progress(sent / total)
    stdin.flush()


def _files(path: Path) -> Iterable[Path]:
    found = path.rglob("*") if path.is_dir() else [path]
    made_here = {"__pycache__", adaptation_state.NAME}
    return (file for file in found if file.is_file() and made_here.isdisjoint(file.parts))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _reason(place: Place, status: int, told: list[str], trouble: list[str]) -> str:
    """Say in one line why it was not possible."""
    last = shortened(trouble[-1] if trouble else told[-1] if told else "no reason given")
    of_tools = [t for t in trouble if re.match(r"(tar|mkdir|mv): (?!Exiting)", t)]
    what = shortened(of_tools[-1] if of_tools else last)
    if status == _SSH_FAILED:
        return f"{place.host} cannot be reached by ssh ({last}); try `ssh {place.host}`."
    install = " ".join(re.findall(r"^[\w-]+", REQUIREMENTS, re.MULTILINE))
    folder = shlex.quote(place.folder)
    reasons = {
        _SOMETHING_ELSE: f"{place.text} holds something else than a bundle; name another folder.",
        _NOT_WRITABLE: f"{place.text} cannot be written ({what}); {_AS_IT_WAS}.",
        _NOT_WHOLE: f"{place.text}: not all of the bundle has arrived; {_AS_IT_WAS}.",
        _NO_PYTHON: f"{place.host} has no Python that runs (there: sudo apt install python3-venv); "
        f"{_AS_IT_WAS}.",
        _NO_RUNTIME: f"{place.host} lacks {told[-1] if told else 'its runtime'}; there: python3 -m "
        f"venv {folder}/.venv && {folder}/.venv/bin/pip install {install}",
        _NOT_RIGHT: f"{place.text}: the bundle does not answer there as here "
        f"({shortened(next((t for t in told if 'FAILED' in t), last))}); {_AS_IT_WAS}.",
        _STUCK: f"{place.text} has the new bundle, but not all that was beside the old one could "
        f"be moved to it ({what}).",
    }
    unknown = f"{place.host} has ended with status {status} ({last}); {_AS_IT_WAS}."
    return reasons.get(status, unknown)
