"""How the camera hangs: asked for on the command line, and kept with the project."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edge_classifier.device.console import say
from edge_classifier.device.framing import NO_FRAMING, WHOLE, Framing
from edge_classifier.device.looking import turned
from edge_classifier.project.framing import FRAMING_SETTING, stored_framing

if TYPE_CHECKING:
    import argparse

    from edge_classifier.project.store import ProjectStore


def framing_in_project(
    options: argparse.Namespace, store: ProjectStore, *, is_camera: bool
) -> Framing:
    """Say how pictures are turned, by the options or else as the project has kept it of a camera.

    What the options say is kept. A region that was chosen in pictures that lay otherwise is
    dropped where that can be kept; either is told.

    Raises:
        ProjectError: if it cannot be kept.
    """
    kept = stored_framing(store.settings)
    framing = turned(options, kept)
    if framing == kept:
        return kept if is_camera or _is_asked(options) else NO_FRAMING
    if not framing.region.is_whole:
        turned_since = "The region was chosen in pictures that were turned otherwise"
        if store.read_only:
            say(f"{turned_since}; it may show another part.")
        else:
            framing = replace(framing, region=WHOLE, aspect=None)
            say(f"{turned_since}: R chooses it anew.")
    if store.samples():
        say("What was recorded before was turned otherwise: record it again.")
    if not store.read_only:
        store.update_settings(**{FRAMING_SETTING: framing.as_json()})
    return framing


def _is_asked(options: argparse.Namespace) -> bool:
    return options.rotate is not None or options.flip is not None
