"""A real sshd on loopback, as the user who runs the tests, with keys of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.answers import wait_until
from support.broker import free_port

SSHD = shutil.which("sshd", path=os.pathsep.join((os.environ["PATH"], "/usr/sbin")))
SSH = shutil.which("ssh")
MISSING = sys.platform == "win32" or not SSHD or not SSH or shutil.which("ssh-keygen") is None
REASON = "sshd is not installed (apt install openssh-server)"

HOST = "the-pi"
"""An alias of the configuration, which has the port."""


class SshServer:
    """The server, and a `bin` with an `ssh` that knows its port, keys and alias only."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        for name in ("host", "own", "other"):
            subprocess.run(  # noqa: S603 - our own words
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)],  # noqa: S607 - wherever it is
                check=True,
            )
        (folder / "authorized").write_bytes((folder / "own.pub").read_bytes())
        (folder / "sshd.conf").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\n"
            f"HostKey {folder}/host\nPidFile none\n"
            f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\n",
            encoding="utf-8",
        )
        self.configure()
        if os.access("/run", os.W_OK):  # where root's has its privilege separation
            Path("/run/sshd").mkdir(exist_ok=True)
        assert SSHD is not None
        self._process = subprocess.Popen(  # noqa: S603 - our own words
            [SSHD, "-D", "-e", "-f", str(folder / "sshd.conf")], stderr=subprocess.PIPE
        )
        wait_until(self._answers)

    @property
    def bin(self) -> Path:
        """Where that `ssh` is."""
        return self.folder / "bin"

    def configure(self, *, key: str = "own", host_key: str = "host", **more: str) -> None:
        """Configure `ssh`: which key it shows and which one it expects, and more of its options."""
        expected = (self.folder / f"{host_key}.pub").read_text(encoding="utf-8")
        known = f"[127.0.0.1]:{self.port} {expected}"
        (self.folder / "known").write_text(known, encoding="utf-8")
        options = {
            "HostName": "127.0.0.1",
            "IdentityFile": self.folder / key,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "UserKnownHostsFile": self.folder / "known",
            "Port": self.port,
            **more,
        }
        lines = "".join(f"  {key} {value}\n" for key, value in options.items())
        config = self.folder / "ssh.conf"
        config.write_text(f"Host {HOST}\n{lines}", encoding="utf-8")
        ssh = self.bin / "ssh"
        ssh.parent.mkdir(exist_ok=True)
        ssh.write_text(f'#!/bin/sh\nexec {SSH} -F {config} "$@"\n', encoding="utf-8")
        ssh.chmod(0o755)

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()

    def _answers(self) -> bool:
        asked = subprocess.run(  # noqa: S603 - our own words
            [str(self.bin / "ssh"), "-o", "BatchMode=yes", HOST, "true"],
            check=False,
            capture_output=True,
        )
        assert self._process.poll() is None, "sshd has ended"
        return asked.returncode == 0
