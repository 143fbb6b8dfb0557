"""Let Home Assistant's own code read what `--mqtt` tells it, and the states that follow.

Home Assistant needs a Python and an environment of its own (2025.4 and 3.13 were tried, with what
its parts import beside it), so this is run by that:

    HOME_ASSISTANT_PYTHON tools/check_home_assistant.py

The message is parsed as one that has come from a broker, each entity is checked by the schema of
its platform, and each of its templates is rendered with states as `--mqtt` sends them. Exit code:
0 if all is taken, nothing of it is unknown there, and every label is one of the options.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import homeassistant.const  # type: ignore[import-not-found,import-untyped,unused-ignore]
from homeassistant.components.mqtt import binary_sensor, button, discovery, sensor, switch  # type: ignore[import-not-found,import-untyped,unused-ignore]
from homeassistant.core import HomeAssistant  # type: ignore[import-not-found,import-untyped,unused-ignore]

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from edge_classifier.device.outputs import home_assistant as ours  # noqa: E402 - as there is no package

PLATFORMS: Final = {
    "binary_sensor": binary_sensor,
    "button": button,
    "sensor": sensor,
    "switch": switch,
}
LABELS: Final = (
    *("mug", "växt 🌱", " spaced ", "None", "1", "true", "[1, 2]", "a\nb", "{{ 1 }}", "x" * 400),
    *("{% raw %}", '"', "unknown"),
)


def state(label: str | None) -> str:
    """Make a state as `--mqtt` sends it."""
    shown = None if label is None else ours.as_option(label)
    known = None if label is None else 0.875
    about = {"label": shown, "score": known, "familiar": known}
    return json.dumps({**about, "camera": ours.OFF, "trouble": "", "paused": ours.OFF})


def problems(hass: Any) -> Iterator[str]:  # noqa: ANN401 - of a package that is not there
    """Say what Home Assistant does not take."""
    topics = ours.Topics("kitchen", "edge_classifier_1")
    told = ours.discovery(topics, "things", LABELS)
    device = discovery._parse_device_payload(hass, json.dumps(told), topics.identity, None)  # noqa: SLF001 - the very reader
    if not device:
        yield "the message is not taken"
        return
    for key, entity in device["components"].items():
        platform = entity.pop("platform")
        given = set(entity)
        discovery._merge_common_device_options(entity, device)  # noqa: SLF001 - the very reader
        taken = PLATFORMS[platform].DISCOVERY_SCHEMA(entity)
        if lost := given - set(taken):
            yield f"{key}: {', '.join(sorted(lost))} is not known there"
        template = taken.get("value_template")
        if template is None:
            continue
        template.hass = hass
        for label in (*LABELS, None):
            shown = template.async_render_with_possible_json_value(state(label), "error")
            if key == "label" and shown not in (*taken["options"], "None"):
                yield f"{label!r} is shown as {shown!r}, which is no option"
            if key == "label" and (shown == "None") != (label is None):
                yield f"{label!r} is taken for no label"
            if shown == "error" or len(shown) > homeassistant.const.MAX_LENGTH_STATE_STATE:
                yield f"{key}: {label!r} is shown as {shown!r}"


async def main() -> int:
    """Check; returns the exit status."""
    hass = HomeAssistant("/tmp")  # noqa: S108 - nothing is written
    try:
        found = list(problems(hass))
    finally:
        await hass.async_stop(force=True)
    for problem in found:
        print(problem)
    version = homeassistant.const.__version__
    print(f"Home Assistant {version}: {'FAILED' if found else 'ok'}, {len(LABELS)} labels")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
