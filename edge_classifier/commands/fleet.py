"""`edge-classifier fleet`: many devices at a glance, by the broker that they tell of themselves."""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Final

from edge_classifier.commands.console import table
from edge_classifier.commands.fleet_devices import HEADER, LEFT, MOST_DEVICES, Device
from edge_classifier.commands.fleet_watch import FleetWatch
from edge_classifier.device.console import say
from edge_classifier.device.outputs.addresses import MQTT_PASSWORD
from edge_classifier.device.outputs.asked_for import add_broker_arguments
from edge_classifier.device.outputs.broker import Broker

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

IF_CANCELLED: Final = "the devices go on"
_LOOK_S: Final = 0.5
"""So often the table is drawn at most."""
_AROUND: Final = 6
"""Lines of a screen that no device has."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    parser.add_argument(
        "broker",
        metavar="URL",
        help="mqtt[s]://[user@]host[:port][/prefix], as with --mqtt; with a prefix only of the "
        f"devices below it; the password is in the environment variable {MQTT_PASSWORD} (needs "
        "paho-mqtt)",
    )
    parser.add_argument(
        "--once", action="store_true", help="say how they are now, and end; else it goes on"
    )
    add_broker_arguments(parser)
    parser.epilog = (
        "A table on a terminal; to a file or a program a JSON line for each device, and another "
        "for each change."
    )


def run(options: argparse.Namespace) -> int:
    """Show how the devices are."""
    password, file = os.environ.get(MQTT_PASSWORD), options.mqtt_password_file
    broker = Broker.parse(options.broker, password, file, options.mqtt_ca, option="fleet")
    terminal = sys.stdout.isatty()
    with closing(FleetWatch(broker)) as watch:
        watch.begin()
        if not watch.fleet.devices:
            say("edge-classifier: no device has told of itself there; one does with --mqtt.")
        if options.once and terminal:
            sys.stdout.write(_screen(watch, MOST_DEVICES))
        elif terminal:
            _show(watch)
        else:
            _write(watch, once=options.once)
    return 0


def _show(watch: FleetWatch) -> None:
    """Keep a table on the terminal up to date, until Ctrl-C."""
    from rich.live import Live  # noqa: PLC0415 - 50 ms that only a terminal pays
    from rich.text import Text as Screenful  # noqa: PLC0415 - as above

    with Live(auto_refresh=False) as live:
        while True:
            text = _screen(watch, shutil.get_terminal_size().lines - _AROUND)
            watch.take()  # what has changed is in the table; it must not heap up
            live.update(Screenful(text, no_wrap=True, overflow="crop"), refresh=True)
            time.sleep(_LOOK_S)
            watch.wait()


def _screen(watch: FleetWatch, most: int) -> str:
    """Write the table with so many devices, and what there is to say beside."""
    with watch.lock:
        devices, summary = watch.fleet.devices, watch.fleet.summary
    more = len(devices) - most
    lines = [_table(devices[:most])]
    if more > 0:
        lines.append(f"… and {more:,} more; --once shows all.\n")
    return "".join(lines) + f"\n{summary}\n{watch.problem}"


def _table(devices: Sequence[Device]) -> str:
    return table(HEADER, [device.row for device in devices], LEFT)


def _write(watch: FleetWatch, *, once: bool) -> None:
    """Write a line for each device, and unless it is for `once` another one for each change."""
    said = ""
    while True:
        for device in watch.take():
            sys.stdout.write(f"{device.json()}\n")
        sys.stdout.flush()
        if once:
            return
        watch.wait()
        if said != watch.problem:
            said = watch.problem
            say(f"edge-classifier: {said or 'the broker is back.'}")
