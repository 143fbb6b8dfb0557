"""The certificate that https needs: the user's, or one of our own that is kept."""

from __future__ import annotations

import hashlib
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from edge_classifier.device.console import say
from edge_classifier.errors import InvalidOptionError
from edge_classifier.page.display import own_address

if TYPE_CHECKING:
    from collections.abc import Sequence

_DAYS: Final = 800
"""Browsers of phones take none that is valid for longer than 825 days."""
_RENEWED: Final = 700
_PATIENCE_S: Final = 60


def certificate_for(files: Sequence[Path], folder: Path | None = None) -> tuple[Path, Path]:
    """Return the files of certificate and key to serve by.

    Args:
        files: The user's: a certificate and its key, or both in one; empty for one of our own.
        folder: Where our own is kept; the user's data folder if not given.

    Raises:
        InvalidOptionError: if they cannot be used, or none can be made.
    """
    if len(files) > 2:  # noqa: PLR2004 - the certificate and its key
        raise InvalidOptionError("--https takes a certificate and its key, or both in one file.")
    if not files:
        return _our_own(folder or Path(platformdirs.user_data_dir("edge-classifier")) / "page")
    certificate, key = files[0], files[-1]
    for file in files:
        if not file.is_file():
            raise InvalidOptionError(f"--https: there is no file {file}.")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            certificate, key, password=lambda: ""
        )
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error
        raise InvalidOptionError(
            f"--https: {certificate} is no certificate in PEM format with its key ({reason})."
        ) from error
    return certificate, key


def _our_own(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine's names and addresses, unless one was kept."""
    name = socket.gethostname()
    names = sorted({"localhost", name, f"{name}.local"})
    addresses = sorted({"127.0.0.1", own_address()} - set(names))
    subjects = ",".join([*(f"DNS:{n}" for n in names), *(f"IP:{a}" for a in addresses)])
    stem = hashlib.sha256(subjects.encode()).hexdigest()[:12]
    certificate, key = folder / f"{stem}.pem", folder / f"{stem}.key"
    try:
        fresh = time.time() - certificate.stat().st_mtime < _RENEWED * 86_400 and key.is_file()
    except OSError:
        fresh = False
    if not fresh:
        _make(certificate, key, subjects)
    say(
        f"https with a certificate of our own ({certificate}), which no authority vouches for: a "
        "browser warns once; choose to go on."
    )
    return certificate, key


def _make(certificate: Path, key: Path, subjects: str) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        raise InvalidOptionError(
            "--https needs the program openssl to make a certificate; install it, or name a "
            "certificate and its key: --https CERTIFICATE KEY."
        )
    try:
        certificate.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = subprocess.run(  # noqa: S603 - a program of this machine, by words of our own
            [
                openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-days", str(_DAYS), "-subj", "/CN=Edge Classifier", "-addext",
                f"subjectAltName={subjects}", "-addext", "extendedKeyUsage=serverAuth",
                "-keyout", str(key), "-out", str(certificate),
            ],
            capture_output=True, text=True, check=False, timeout=_PATIENCE_S,
        )  # fmt: skip
        problem = made.stderr.strip().rpartition("\n")[2] if made.returncode else ""
        if not problem:
            key.chmod(0o600)
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        raise InvalidOptionError(f"--https: openssl made no certificate ({problem}).")
