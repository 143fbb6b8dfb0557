"""Where a broker is, and a client of it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from ..errors import InvalidOptionError, InvalidValueError
from ..files import read_regular
from .addresses import MQTT_PASSWORD
from .courier import needed

if TYPE_CHECKING:
    from pathlib import Path

    import paho.mqtt.client as paho

KEEP_ALIVE_S: Final = 30
_CONNECT_S: Final = 5.0
_LONGEST_WAIT_S: Final = 60
_LONGEST_PREFIX: Final = 200
_LONGEST_PASSWORD: Final = 4096
_PORT: Final = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is, and who one is to it.

    Attributes:
        prefix: What all topics begin with; empty for one of the machine's own.
        user: Empty for nobody.
        password: Likewise.
        ca: What signs the certificates that are believed; `None` for whom the system believes.
    """

    host: str
    port: int
    prefix: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca: Path | None = None

    @classmethod
    def parse(
        cls,
        address: str,
        password: str | None = None,
        password_file: Path | None = None,
        ca: Path | None = None,
        *,
        option: str = "--mqtt",
    ) -> Broker:
        """Read `mqtt[s]://[user@]host[:port][/prefix]`.

        A `password_file` goes before a `password`, which is that of the environment; `option` is
        where the address was given.

        Raises:
            InvalidOptionError: if that is no such address; a password in it is not repeated.
            InvalidValueError: if a file cannot be read.
        """
        # Not repeated: it may hold a password.
        no_address = InvalidOptionError(
            f"{option}: expected mqtt[s]://[user@]host[:port][/prefix], like "
            "mqtt://pi@broker.local/kitchen; a prefix has no +, # or $."
        )
        try:
            parts = urlsplit(address)
            scheme, host, port = parts.scheme, parts.hostname or "", parts.port
        except ValueError as error:
            raise no_address from error
        if parts.password is not None:
            raise InvalidOptionError(
                f"{option}: others on this machine can read what is on a command line; leave the "
                f"password to the environment variable {MQTT_PASSWORD} or to --mqtt-password-file."
            )
        prefix, user = unquote(parts.path).strip("/"), unquote(parts.username or "")
        more = parts.query or parts.fragment
        if scheme not in _PORT or not host or port == 0 or more or not _is_prefix(prefix):
            raise no_address
        if ca is not None and scheme != "mqtts":
            raise InvalidOptionError("--mqtt-ca is for mqtts://, and this is mqtt://.")
        if password_file is not None:
            password = _read_password(password_file)
            if not user:
                raise InvalidOptionError(
                    "--mqtt-password-file: a password needs its user: mqtt://USER@host."
                )
        secret = (password or "") if user else ""
        return cls(host, port or _PORT[scheme], prefix, user, secret, scheme == "mqtts", ca)

    def client(self, option: str) -> paho.Client:
        """Make a client that is to connect, for an `option`; after losses it waits up to a minute.

        Raises:
            InvalidValueError: if paho-mqtt is not installed, or the certificate cannot be used.
        """
        with needed(option, "paho-mqtt"):
            import paho.mqtt.client as paho  # noqa: PLC0415 - an optional library
            from paho.mqtt.enums import CallbackAPIVersion  # noqa: PLC0415 - same

        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = _CONNECT_S
        client.reconnect_delay_set(1, _LONGEST_WAIT_S)
        if self.user:
            client.username_pw_set(self.user, self.password or None)
        if self.tls:
            try:
                client.tls_set(None if self.ca is None else str(self.ca))
            except (OSError, ssl.SSLError) as error:
                raise InvalidValueError(f"--mqtt-ca {self.ca}: {error}.") from error
        return client


def _is_prefix(prefix: str) -> bool:
    return (
        len(prefix) <= _LONGEST_PREFIX
        and prefix.isprintable()
        and not any(c in prefix for c in "+#$")
        and "" not in prefix.split("/")[1:]
    )


def _read_password(path: Path) -> str:
    try:
        return read_regular(path, _LONGEST_PASSWORD).decode().strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidValueError(f"--mqtt-password-file {path}: {reason}.") from error
