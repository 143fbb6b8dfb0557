"""A broker that is told of each answer, and through it Home Assistant."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..console import say, shortened
from ..requests import ADAPT, PAUSED
from ..verdict import UNKNOWN
from .addresses import MQTT_PASSWORD
from .broker import KEEP_ALIVE_S
from .device_report import OK
from .home_assistant import (
    BIRTH,
    BIRTH_TOPIC,
    OFF,
    OFFLINE,
    ON,
    ONLINE,
    PRESS,
    Topics,
    as_option,
    discovery,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import paho.mqtt.client as paho
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from ..frame import Clock
    from ..requests import Requests
    from .broker import Broker
    from .device_report import DeviceReport

_SCORE_S: Final = 1.0
"""So often scores are told, unless something else changes."""
_STOP_S: Final = 2.0
_NO_ANSWER: Final[dict[str, Any]] = {"label": None, "score": None, "familiar": None}
_MOST_SAID: Final = 8
"""Of different things in a row: what others send must not fill the log."""


class Mqtt:
    """Keeps a broker told of the newest answer, retained, and Home Assistant of what there is.

    A change of the label or a trouble is told at once, scores once a second. paho's own thread
    connects, and again after each loss, with waits that grow to a minute; then all is told anew,
    as it is when Home Assistant has started, and when the model was exchanged.

    Args:
        name: Of the classifier.
        labels: All that can come.
        requests: Where what others ask for goes.
        regions: Their names, if they have any: each has a state of its own.
        report: What those who watch many devices are told beside.

    Raises:
        InvalidValueError: if paho-mqtt is not installed, or the certificate cannot be used.
    """

    name = "--mqtt"
    retries = False

    def __init__(
        self,
        broker: Broker,
        name: str,
        labels: Sequence[str],
        requests: Requests,
        regions: Sequence[str] = (),
        *,
        clock: Clock = time.monotonic,
        report: DeviceReport | None = None,
    ) -> None:
        own = f"{_machine()} {broker.prefix or name}"
        identity = f"edge_classifier_{hashlib.sha256(own.encode()).hexdigest()[:12]}"
        self.topics = Topics(broker.prefix or identity.replace("_", "-"), identity)
        self._broker, self._name, self._labels = broker, name, tuple(labels)
        self._requests, self._clock = requests, clock
        self._lock = threading.Lock()
        self._model = ""
        self._regions = tuple(regions)
        self._answers = dict.fromkeys(regions or ("",), _NO_ANSWER)
        self._trouble = ""
        self._told: dict[str, tuple[dict[str, Any], float]] = {}
        self._connected = False
        self._said: set[str] = set()
        self._report = report
        self._client = broker.client(self.name)
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.will_set(self.topics.availability, OFFLINE, qos=1, retain=True)
        self._client.connect_async(broker.host, broker.port, keepalive=KEEP_ALIVE_S)
        self._client.loop_start()

    def tell(self, news: dict[str, Any]) -> str:
        """Take the newest answer, and tell it if it is time to; never waits for the broker."""
        with self._lock:
            held, scores = news["held"], news.get("scores", {})
            self._trouble = "" if news["trouble"] == PAUSED else news["trouble"]
            answer = {
                "label": None if held is None else as_option(held),
                "score": _rounded(news.get("score")),
                "familiar": _rounded(news.get("similarity")),
            }
            region = news.get("region")
            self._answers |= dict.fromkeys((region,) if region else self._answers, answer)
            labels = (*scores, UNKNOWN) if scores else self._labels
            model = news.get("model", "")
            if (labels, model) != (self._labels, self._model):
                self._labels, self._model = labels, model
                can_be = {None, *map(as_option, labels)}
                self._answers = {
                    one: about if about["label"] in can_be else _NO_ANSWER
                    for one, about in self._answers.items()
                }
                self._tell_all()
            else:
                self._tell_state()
        return ""

    def stop(self) -> None:
        """Say that it is off, and hang up."""
        with self._lock:
            if self._connected:
                told = self._client.publish(self.topics.availability, OFFLINE, retain=True)
                with contextlib.suppress(RuntimeError, ValueError):  # it has just gone
                    told.wait_for_publish(_STOP_S)
            self._connected = False
        self._client.disconnect()
        # It may be looking for the broker's name; who ends waits no longer for that.
        stopping = threading.Thread(target=self._client.loop_stop, daemon=True)
        stopping.start()
        stopping.join(_STOP_S)

    def _tell_all(self) -> None:
        if self._connected:
            about = discovery(self.topics, self._name, self._labels, self._regions)
            self._client.publish(self.topics.discovery, json.dumps(about), retain=True)
            self._client.publish(self.topics.availability, ONLINE, retain=True)
        self._told = {}
        self._tell_state()

    def _tell_report(self, *, anew: bool) -> None:
        if self._report and self._connected:
            health = PAUSED if self._requests.paused else self._trouble or OK
            if (report := self._report.due(health, self._clock(), anew=anew)) is not None:
                self._client.publish(self.topics.device, report, retain=True)

    def _tell_state(self) -> None:
        self._tell_report(anew=not self._told)
        state = {
            **self._answers.get("", {}),
            "camera": ON if self._trouble else OFF,
            "trouble": self._trouble,
            "paused": ON if self._requests.paused else OFF,
        }
        self._tell(self.topics.state, state)
        for region in self._regions:
            self._tell(self.topics.of_region(region), self._answers[region])

    def _tell(self, topic: str, state: dict[str, Any]) -> None:
        now_s = self._clock()
        told, told_s = self._told.get(topic, ({}, 0.0))
        rarely = ("score", "familiar")
        urgent = any(state[n] != told.get(n, self) for n in state if n not in rarely)
        if not self._connected or state == told:
            return
        if urgent or now_s - told_s >= _SCORE_S:
            # Of QoS 0: what is lost with a connection is told anew by the next one, and nothing
            # older can come after it.
            self._client.publish(topic, json.dumps(state), retain=True)
            self._told[topic] = state, now_s

    def _on_connect(
        self, client: paho.Client, _data: object, _flags: object, reason: ReasonCode, _more: object
    ) -> None:
        if reason.is_failure:
            self._say(
                f"refuses the connection ({reason}); name the user in the address and set "
                f"{MQTT_PASSWORD}, or see the broker's log. It is tried again."
            )
            return
        client.subscribe([(topic, 0) for topic in (BIRTH_TOPIC, self.topics.pause)])
        client.subscribe(self.topics.adapt)
        with self._lock:
            self._connected = True
            self._tell_all()
        if self._said:
            self._said.clear()
            say("--mqtt: connected.")

    def _on_connect_fail(self, _client: paho.Client, _data: object) -> None:
        error = sys.exc_info()[1]  # paho calls this where it has caught it
        reason = getattr(error, "strerror", None) or error or "no answer"
        self._say(f"cannot be reached ({shortened(str(reason))}); it is tried again until it can.")

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: object,
        _reason: ReasonCode,
        _more: Properties | None,
    ) -> None:
        with self._lock:
            lost, self._connected = self._connected, False
        if lost:
            self._say("has gone; it is tried again until it is back.")

    def _on_message(self, _client: paho.Client, _data: object, got: paho.MQTTMessage) -> None:
        text = got.payload[:100].decode("utf-8", "backslashreplace")
        if got.topic == BIRTH_TOPIC:
            if text == BIRTH:
                with self._lock:
                    self._tell_all()
            return
        can_be = (PRESS,) if got.topic == self.topics.adapt else (ON, OFF)
        if text not in can_be or got.retain:  # a retained one would be asked for at each start
            what = "a retained one" if got.retain else repr(text)
            self._say(f"sent {what} to {got.topic}; expected {' or '.join(can_be)}, not retained.")
        elif got.topic == self.topics.adapt:
            self._requests.ask(ADAPT)
        else:
            self._requests.paused = text == ON
            with self._lock:
                self._tell_state()

    def _say(self, what: str) -> None:
        """Say it once, until all is well again."""
        if what not in self._said and len(self._said) < _MOST_SAID:
            self._said.add(what)
            say(f"--mqtt: the broker at {self._broker.host}:{self._broker.port} {what}")


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 3)


def _machine() -> str:
    """Give what tells this machine from others, also after a restart."""
    with contextlib.suppress(OSError):
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    return f"{uuid.getnode():x}"
