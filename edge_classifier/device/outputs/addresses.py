"""Addresses on the command line, and where the secrets are that must not stand there."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from typing import Final

from ..console import shortened
from ..errors import InvalidOptionError

MQTT_PASSWORD: Final = "CLASSIFY_MQTT_PASSWORD"  # noqa: S105 - the variable that holds it


def host_and_port(option: str, address: str) -> tuple[str, int]:
    """Read `HOST:PORT`; without a host it is this machine's own.

    Raises:
        InvalidOptionError: if it is no such address.
    """
    host, _, port = address.rpartition(":")
    # Digits are counted before they are read: Python refuses thousands of them.
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) >= 1 << 16:
        raise InvalidOptionError(
            f"{option} {shortened(address)}: expected HOST:PORT, like 127.0.0.1:8080."
        )
    return host or "127.0.0.1", int(port)


def is_this_machine(host: str) -> bool:
    """Say whether an address is reached from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name: whose, only the network knows
        return False


def cannot_be_used(option: str, address: str, error: Exception) -> str:
    """Say in a line why nobody can be served at an address, and what to do.

    Args:
        option: Where it was given.
        address: As it was given.
        error: What went wrong when it was taken; what is no `OSError` is of a name that is none.
    """
    elsewhere = (
        not isinstance(error, OSError)
        or isinstance(error, socket.gaierror)
        or error.errno == errno.EADDRNOTAVAIL
    )
    other = "name an address of this machine" if elsewhere else "choose another port"
    reason = getattr(error, "strerror", None) or error
    return f"{option} {shortened(address)} cannot be used ({reason}); {other}."
