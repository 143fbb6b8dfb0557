"""What Home Assistant is told of a classifier: one message, from which it makes its entities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..console import as_text, one_line, shortened

if TYPE_CHECKING:
    from collections.abc import Collection

AVAILABILITY: Final = "availability"
DEVICE: Final = "device"
"""What topics end with that those who watch many devices hear."""

BIRTH_TOPIC: Final = "homeassistant/status"
BIRTH: Final = "online"
ONLINE: Final = "online"
OFFLINE: Final = "offline"
ON: Final = "ON"
OFF: Final = "OFF"
PRESS: Final = "PRESS"
_LONGEST_STATE: Final = 255
_NO_STATE: Final = ("", "None")
"""What a template gives for a state that is not known."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one classifier.

    Attributes:
        prefix: What all of them begin with, but for the discovery message's.
        identity: Stays the same for this classifier on this machine.
    """

    prefix: str
    identity: str

    @property
    def discovery(self) -> str:
        """Where Home Assistant looks for devices."""
        return f"homeassistant/device/{self.identity}/config"

    @property
    def availability(self) -> str:
        """Whether the classifier runs, `online` or `offline`."""
        return f"{self.prefix}/{AVAILABILITY}"

    @property
    def state(self) -> str:
        """All that is answered, as one JSON object."""
        return f"{self.prefix}/state"

    def of_region(self, region: str) -> str:
        """What is answered of a region, as one JSON object."""
        return f"{self.prefix}/{region}/state"

    @property
    def device(self) -> str:
        """What those who watch many devices are told of this one; see `device_report`."""
        return f"{self.prefix}/{DEVICE}"

    @property
    def pause(self) -> str:
        """Takes `ON` and `OFF`."""
        return f"{self.prefix}/pause"

    @property
    def adapt(self) -> str:
        """Takes `PRESS`."""
        return f"{self.prefix}/adapt"


def as_option(label: str) -> str:
    """Spell a label so that Home Assistant takes it for a state: it strips and bounds them."""
    text = as_text(one_line(label)).strip()
    if text in _NO_STATE:
        text = f"({text})"
    return shortened(text, _LONGEST_STATE - 3)  # which puts three characters in between


def discovery(
    topics: Topics, name: str, labels: Collection[str], regions: Collection[str] = ()
) -> dict[str, Any]:
    """Make the message that describes a classifier and all of its entities.

    Regions that have names have sensors of their own each.

    After https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload.
    """

    def entity(platform: str, key: str, title: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as JSON has it
        return {
            "platform": platform,
            "unique_id": f"{topics.identity}_{key}",
            "name": title,
            **more,
        }

    def answered(region: str) -> dict[str, Any]:
        behind, before = (f"_{region}", f"{region} ") if region else ("", "")
        more = {"state_topic": topics.of_region(region)} if region else {}

        def sensor(key: str, title: str, **about: Any) -> dict[str, Any]:  # noqa: ANN401 - likewise
            template = f"{{{{ value_json.{key} }}}}"
            shown = f"{before}{title}" if region else title.capitalize()
            return entity(
                "sensor", f"{key}{behind}", shown, value_template=template, **about, **more
            )

        measured = {"state_class": "measurement", "suggested_display_precision": 2}
        options = list(dict.fromkeys(map(as_option, labels)))
        return {
            f"label{behind}": sensor("label", "label", device_class="enum", options=options),
            f"score{behind}": sensor("score", "score", **measured),
            f"familiar{behind}": sensor("familiar", "familiarity", **measured),
        }

    return {
        "device": {
            "identifiers": [topics.identity],
            "name": as_option(name),
            "manufacturer": "Edge Classifier",
        },
        "origin": {"name": "Edge Classifier"},
        "availability_topic": topics.availability,
        "state_topic": topics.state,
        "components": {
            **{
                key: about for region in regions or ("",) for key, about in answered(region).items()
            },
            "camera": entity(
                "binary_sensor",
                "camera",
                "Camera",
                device_class="problem",
                entity_category="diagnostic",
                value_template="{{ value_json.camera }}",
            ),
            "adapt": entity("button", "adapt", "Adapt", command_topic=topics.adapt),
            "pause": entity(
                "switch",
                "pause",
                "Pause",
                command_topic=topics.pause,
                value_template="{{ value_json.paused }}",
            ),
        },
    }
