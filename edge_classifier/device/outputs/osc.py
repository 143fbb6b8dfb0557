"""An instrument that is told of each answer by Open Sound Control, as Wekinator does it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from ..console import as_text, shortened
from ..errors import InvalidOptionError, InvalidValueError
from .addresses import host_and_port
from .courier import needed

if TYPE_CHECKING:
    from collections.abc import Sequence


class Osc:
    """Sends messages by UDP for each answer; whether anybody hears them nobody knows.

    `/wek/outputs` is what Wekinator sends of a classifier: the number of the label that counts as
    a float, the first class 1.0; unknown, or nothing to answer, is 0.0. `/label` comes when the
    label changes, empty where none counts; `/scores` (one for each class), `/score` and `/familiar`
    with each frame. With regions `/wek/outputs` has a number for each, in their order, and the
    others begin with their names: `/left/label`.

    Args:
        address: `HOST:PORT`.
        regions: Their names, if they have any.

    Raises:
        InvalidOptionError: if `address` is not `HOST:PORT`.
        InvalidValueError: if python-osc is not installed, or there is no such host.
    """

    name = "--osc"
    retries = False

    def __init__(self, address: str, regions: Sequence[str] = ()) -> None:
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
        self._labels = dict.fromkeys(regions or ("",), "")
        self._numbers = dict.fromkeys(self._labels, 0.0)

    def tell(self, news: dict[str, Any]) -> str:
        """Send it; returns what went wrong."""
        held, names = news["held"], list(news.get("scores", ()))
        label = "" if held is None else as_text(held)
        region = news.get("region", "")
        begin = f"/{region}" if region else ""
        told_of = (region,) if region in self._labels else tuple(self._labels)
        for one in told_of:
            self._numbers[one] = float(names.index(held) + 1 if held in names else 0)
        send = self._client.send_message
        try:
            send("/wek/outputs", list(self._numbers.values()))
            if names:
                send(f"{begin}/scores", [float(s) for s in news["scores"].values()])
                send(f"{begin}/score", float(news["score"]))
                if news["similarity"] is not None:
                    send(f"{begin}/familiar", float(news["similarity"]))
            for one in told_of:
                if label != self._labels[one]:
                    send(f"/{one}/label" if one else "/label", label)
                    self._labels[one] = label
        except OSError as error:
            return f"{error.strerror or error}; the next answer is sent all the same."
        return ""

    def stop(self) -> None:
        """Hang up."""
        self._client.close()
