"""An instrument that is told of each answer by Open Sound Control, as Wekinator does it."""

from __future__ import annotations

import socket
from typing import Any

from ..console import as_text, shortened
from ..errors import InvalidOptionError, InvalidValueError
from .addresses import host_and_port
from .courier import needed


class Osc:
    """Sends messages by UDP for each answer; whether anybody hears them nobody knows.

    `/wek/outputs` is what Wekinator sends of a classifier: the number of the label that counts as
    a float, the first class 1.0; unknown, or nothing to answer, is 0.0. `/label` comes when the
    label changes, empty where none counts; `/scores` (one for each class), `/score` and `/familiar`
    with each frame.

    Raises:
        InvalidOptionError: if `address` is not `HOST:PORT`.
        InvalidValueError: if python-osc is not installed, or there is no such host.
    """

    name = "--osc"
    retries = False

    def __init__(self, address: str) -> None:
        host, port = host_and_port(self.name, address)
        if port == 0:
            raise InvalidOptionError(f"--osc {shortened(address)}: expected a port of 1 or more.")
        with needed(self.name, "python-osc"):
            from pythonosc.udp_client import SimpleUDPClient  # noqa: PLC0415 - an optional library
        try:
            # Once: it may take seconds, and python-osc would look the name up with each message.
            family, *_, place = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_DGRAM)[
                0
            ]
            self._client = SimpleUDPClient(str(place[0]), port, family=family)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InvalidValueError(
                f"--osc {shortened(address)} cannot be used ({reason}); name a host that is there."
            ) from error
        self._label: str | None = None

    def tell(self, news: dict[str, Any]) -> str:
        """Send it; returns what went wrong."""
        held, names = news["held"], list(news.get("scores", ()))
        label = "" if held is None else as_text(held)
        try:
            self._client.send_message(
                "/wek/outputs", float(names.index(held) + 1 if held in names else 0)
            )
            if names:
                self._client.send_message("/scores", [float(s) for s in news["scores"].values()])
                self._client.send_message("/score", float(news["score"]))
                if news["similarity"] is not None:
                    self._client.send_message("/familiar", float(news["similarity"]))
            if label != (self._label or ""):
                self._client.send_message("/label", label)
                self._label = label
        except OSError as error:
            return f"{error.strerror or error}; the next answer is sent all the same."
        return ""

    def stop(self) -> None:
        """Hang up."""
        self._client.close()
