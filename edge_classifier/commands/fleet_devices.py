"""What devices tell of themselves by a broker, read as from strangers: anybody may write there."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Final

from edge_classifier.device.console import as_text, one_line, shortened
from edge_classifier.device.outputs.device_report import MOST_BYTES, OK, REPORT_VERSION
from edge_classifier.device.outputs.home_assistant import AVAILABILITY, DEVICE, OFFLINE, ONLINE
from edge_classifier.device.requests import PAUSED

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_DEVICES: Final = 10_000
_LONGEST_PREFIX: Final = 200
_LONGEST_NAME: Final = 120
_MOST_LABELS: Final = 50
_MOST: Final = 1 << 53
"""That JSON's readers agree on."""
_MOST_MODELS: Final = 5
_HASH: Final = 8
"""Characters of a model's hash that are shown."""

HEADER: Final = (
    *("device", "health", "bundle", "model", "version", "frames", "dropped", "up", "answers"),
)
LEFT: Final = (0, 1, 2, 3, 4, 8)
"""Columns of that table that are text."""


@dataclass(frozen=True, slots=True)
class Device:
    """What is known of a device; texts are escaped and bounded.

    Attributes:
        device: Its prefix.
        online: Whether it is connected to the broker; what it told last stays when it is not.
        model: SHA-256 of its model file, hexadecimal.
        version: Of the package that exported the bundle, whose code it runs.
        health: `ok`, `paused`, or what is wrong with the camera.
        time: When it told so, by its own clock.
        answers: How often each label, the most frequent first.
    """

    device: str
    online: bool = False
    host: str = ""
    name: str = ""
    bundle: str = ""
    model: str = ""
    format: str = ""
    version: str = ""
    health: str = ""
    time: str = ""
    uptime_s: int = 0
    frames: int = 0
    dropped: int = 0
    answers: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, device: str, payload: bytes, *, online: bool) -> Device | None:
        """Read what a device told of itself; `None` if that is no such report."""
        try:
            told = json.loads(payload) if len(payload) <= MOST_BYTES else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(told, dict) or told.get("report") != REPORT_VERSION:
            return None
        answers = told.get("answers")
        counted = list(answers.items())[:_MOST_LABELS] if isinstance(answers, dict) else []
        return cls(
            device,
            online=online,
            host=_text(told.get("host")),
            name=_text(told.get("name")),
            bundle=_text(told.get("bundle")),
            model=_text(told.get("model")),
            format=_text(told.get("format")),
            version=_text(told.get("version")),
            health=_text(told.get("health")),
            time=_text(told.get("time")),
            uptime_s=_count(told.get("uptime_s")),
            frames=_count(told.get("frames")),
            dropped=_count(told.get("dropped")),
            answers={_text(label): _count(count) for label, count in counted},
        )

    @property
    def state(self) -> str:
        """Its health, or that it is offline."""
        return (self.health or "?") if self.online else OFFLINE

    @property
    def row(self) -> tuple[str, ...]:
        """The cells of a table's row, as `HEADER` names them."""
        answers = ", ".join(f"{label} {count}" for label, count in self.answers.items())
        counts = (str(self.frames), str(self.dropped), _lasting(self.uptime_s))
        about = (self.bundle, self.model[:_HASH], self.version)
        return (self.device, self.state, *about, *counts, shortened(answers, _LONGEST_NAME))

    def json(self) -> str:
        """Write all of it as one line."""
        return json.dumps(asdict(self))


class Fleet:
    """The devices that a broker knows of; no more than so many, whatever is written there."""

    def __init__(self, most: int = MOST_DEVICES) -> None:
        self._most = most
        self._devices: dict[str, Device] = {}
        self._online: dict[str, bool] = {}
        self.strangers = 0
        """Messages that were no report, though their topic is that of one."""
        self.left_out = 0
        """Messages of devices beyond those that are kept."""

    def heard(self, topic: str, payload: bytes) -> Device | None:
        """Take a message; returns the device of which something is known anew, if there is one."""
        prefix, _, kind = topic.rpartition("/")
        device = one_line(prefix)
        if not prefix or len(device) > _LONGEST_PREFIX:
            return None
        if kind == AVAILABILITY:
            return self._heard_availability(device, payload)
        return self._heard_report(device, payload) if kind == DEVICE else None

    def lose_touch(self) -> None:
        """Take no device for online until it is said so anew."""
        self._online.clear()
        self._devices = {n: replace(d, online=False) for n, d in self._devices.items()}

    @property
    def devices(self) -> list[Device]:
        """All of them, those first that need to be looked after."""
        well = (OFFLINE, PAUSED, OK)

        def order(device: Device) -> tuple[int, str]:
            return (well.index(device.state) if device.state in well else -1, device.device)

        return sorted(self._devices.values(), key=order)

    @property
    def summary(self) -> str:
        """Count them: how they are, and which model how many have."""
        devices = self._devices.values()
        states = Counter(
            d.state if d.state in (OK, PAUSED, OFFLINE) else "in trouble" for d in devices
        )
        models = Counter(d.model[:_HASH] or "?" for d in devices)
        one = len(devices) == 1
        count = f"{len(devices):,} device{'' if one else 's'}"
        lines = [f"{count}: {_counted(states)}. Models: {_counted(models)}."] if devices else []
        if self.left_out:
            lines.append(f"More than {self._most:,} devices; name a prefix to see others.")
        if self.strangers:
            lines.append(f"Left out as no report of a device: {self.strangers:,}.")
        return "\n".join(lines)

    def _heard_availability(self, device: str, payload: bytes) -> Device | None:
        if payload not in (ONLINE.encode(), OFFLINE.encode()):
            return None  # other programs have such topics, too
        online = payload == ONLINE.encode()
        # It may come before the report, and may be of anything; so these are bounded as well.
        if device in self._online or len(self._online) < 2 * self._most:
            self._online[device] = online
        known = self._devices.get(device)
        if known is None or known.online == online:
            return None
        self._devices[device] = changed = replace(known, online=online)
        return changed

    def _heard_report(self, device: str, payload: bytes) -> Device | None:
        if not payload:  # it was removed
            self._devices.pop(device, None)
            return None
        report = Device.read(device, payload, online=self._online.get(device, False))
        if report is None:
            self.strangers += 1
            return None
        if device not in self._devices and len(self._devices) >= self._most:
            self.left_out += 1
            return None
        self._devices[device] = report
        return report


def _text(value: object) -> str:
    return one_line(as_text(shortened(value, _LONGEST_NAME))) if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value <= _MOST else 0


def _lasting(seconds: int) -> str:
    """Write a time in its two largest units."""
    minutes, hours = seconds // 60, seconds // 3600
    if hours >= 24:  # noqa: PLR2004 - a day
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min {seconds % 60} s"


def _counted(counter: Counter[str]) -> str:
    """List what is most frequent with its count, and count the rest."""
    most = counter.most_common(_MOST_MODELS)
    rest = counter.total() - sum(count for _, count in most)
    return ", ".join(
        [*(f"{what} {count:,}" for what, count in most), *([f"others {rest:,}"] if rest else [])]
    )
