"""Hears from a broker what devices tell of themselves."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from edge_classifier.commands.fleet_devices import Device, Fleet
from edge_classifier.device.console import shortened
from edge_classifier.device.outputs.addresses import MQTT_PASSWORD
from edge_classifier.device.outputs.broker import KEEP_ALIVE_S
from edge_classifier.device.outputs.home_assistant import AVAILABILITY, DEVICE
from edge_classifier.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import paho.mqtt.client as paho
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from edge_classifier.device.outputs.broker import Broker

_PATIENCE_S: Final = 10.0
_QUIET_S: Final = 0.5
"""After so long without a message all that was retained has come."""
_LOOK_S: Final = 0.5
_MOST_LEVELS: Final = 8
"""Of a device's prefix, below the one that is asked for."""
_NOBODY: Final = "edge-classifier/nobody"


class FleetWatch:
    """Hears what devices tell of themselves, in a thread of paho's own, which connects again.

    The broker has `patience_s` seconds to answer. It is not asked to keep huge messages to itself,
    as MQTT 5 can: Mosquitto 2.0 then keeps others back that are retained.

    Attributes:
        fleet: What is known of them; `lock` is for who reads it.
        problem: What is wrong with the broker, or nothing.
    """

    def __init__(self, broker: Broker, patience_s: float = _PATIENCE_S) -> None:
        self.fleet = Fleet()
        self.lock = threading.Lock()
        self.problem = ""
        self._broker, self._patience_s = broker, patience_s
        self._changed = threading.Event()
        self._changes: dict[str, Device] = {}
        self._heard_s = 0.0
        self._answered = threading.Event()
        self._client = broker.client("fleet")
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_unsubscribe = self._on_unsubscribe
        self._client.on_message = self._on_message

    def begin(self) -> None:
        """Connect, and wait for all that is retained.

        Raises:
            BrokerError: if the broker cannot be reached, refuses, or tells nothing.
        """
        try:
            self._client.connect(self._broker.host, self._broker.port, KEEP_ALIVE_S)
        except (OSError, ValueError) as error:  # the latter of a name that can be none
            reason = getattr(error, "strerror", None) or error
            raise BrokerError(
                self._line(f"cannot be reached ({shortened(str(reason))}).")
            ) from error
        self._client.loop_start()
        answered = self._answered.wait(self._patience_s)
        if self.problem or not answered:
            raise BrokerError(self.problem or self._line("does not answer."))
        end_s = time.monotonic() + self._patience_s
        while time.monotonic() < min(end_s, self._heard_s + _QUIET_S):
            time.sleep(_QUIET_S / 5)

    def take(self) -> list[Device]:
        """Return the devices of which something is known anew since the last call."""
        with self.lock:
            changes, self._changes = list(self._changes.values()), {}
        return changes

    def wait(self) -> None:
        """Wait until something has changed, by waits that Ctrl-C ends on Windows too."""
        while not self._changed.wait(_LOOK_S):
            pass
        self._changed.clear()

    def close(self) -> None:
        """Hang up; may be called twice."""
        self._client.on_disconnect = None
        self._client.disconnect()
        self._client.loop_stop()

    def _line(self, what: str) -> str:
        return f"The broker at {self._broker.host}:{self._broker.port} {what}"

    def _say(self, problem: str) -> None:
        self.problem = problem
        self._changed.set()

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _more: object
    ) -> None:
        if reason.is_failure:
            self._say(
                self._line(
                    f"refuses the connection ({reason}); name the user in the address and set "
                    f"{MQTT_PASSWORD}, or see the broker's log."
                )
            )
            self._answered.set()
            return
        self._say("")
        with self.lock:
            self.fleet.lose_touch()
        above = f"{self._broker.prefix}/" if self._broker.prefix else ""
        levels = range(0 if above else 1, _MOST_LEVELS + 1)
        client.subscribe(
            [(f"{above}{'+/' * n}{kind}", 0) for n in levels for kind in (AVAILABILITY, DEVICE)]
        )

    def _on_subscribe(
        self,
        client: paho.Client,
        _data: object,
        _mid: int,
        reasons: Sequence[ReasonCode],
        _more: Properties | None,
    ) -> None:
        if all(reason.is_failure for reason in reasons):
            self._say(self._line("does not let this user hear of devices; see its log."))
            self._answered.set()
        else:  # answered after what is retained
            client.unsubscribe(_NOBODY)

    def _on_unsubscribe(self, *_: object) -> None:
        self._heard_s = time.monotonic()
        self._answered.set()

    def _on_disconnect(self, *_: object) -> None:
        if not self.problem:  # of which this is no more than the end
            self._say(self._line("has gone; it is tried again until it is back."))

    def _on_message(self, _client: paho.Client, _data: object, got: paho.MQTTMessage) -> None:
        try:
            topic = got.topic
        except UnicodeDecodeError:
            return
        with self.lock:
            self._heard_s = time.monotonic()
            device = self.fleet.heard(topic, bytes(got.payload))
            if device is not None:
                self._changes[device.device] = device
        self._changed.set()
