"""Which project to open, where none was named: one of those that are known, or a new one."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from edge_classifier.device.console import as_text
from edge_classifier.languages.text import Text, joined, plural
from edge_classifier.live.display import CLOSE, Press
from edge_classifier.live.view import Activity, Button, Choice, Menu, Mode, View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge_classifier.live.display import Display, Event
    from edge_classifier.project.known import KnownProject

_REFRESH_S: Final = 1 / 60


class Opening:
    """Asks which project to open, as a pure state machine: events in, views out.

    Attributes:
        path: The project that was chosen, or `None`.
        done: Whether something was chosen, or the window is to be closed (`path` is `None`).
    """

    def __init__(self, known: Sequence[KnownProject], new: Path, now: datetime) -> None:
        self.path: Path | None = None
        self.done = False
        self._paths = {str(number): each.path for number, each in enumerate(known, start=1)}
        self._paths["n"] = new
        choices = [
            Choice(
                key=str(number),
                press=str(number),
                text=as_text(each.name),
                detail=described(each, now),
                where=as_text(str(each.path.parent)),
            )
            for number, each in enumerate(known, start=1)
        ]
        choices.append(Choice("N", "n", Text("A new project"), where=as_text(str(new))))
        self._choices = tuple(choices)
        self._chosen = 0

    def handle(self, event: Event) -> None:
        """Take what was pressed or let go."""
        if self.done or not isinstance(event, Press):
            return
        if event.name in ("up", "down", "tab"):
            by = -1 if event.name == "up" else 1
            self._chosen = (self._chosen + by) % len(self._choices)
        elif event.name in (CLOSE, "q", "escape"):
            self.done = True
        else:
            pressed = self._choices[self._chosen].press if event.name == "enter" else event.name
            if pressed in self._paths and not event.repeated:
                self.path, self.done = self._paths[pressed], True

    def view(self) -> View:
        """Say what to show now."""
        note = Text("Press a number, or ↑ ↓ and Enter · N begins a new project · Q quits")
        return View(
            image=None,
            mirrored=False,
            mode=Mode.CHOOSING,
            title="",
            cards=(),
            banner=None,
            activity=Activity(Text("")),
            rates=None,
            hint="",
            buttons=(Button(Text("Quit"), "q"),),
            menu=Menu(
                Text("Go on with a project, or begin a new one"),
                note,
                self._choices,
                self._chosen,
            ),
        )


def described(project: KnownProject, now: datetime) -> Text:
    """Say how large a project is and when it was changed: `3 classes, yesterday 14:02`."""
    classes = plural("{count} class", "{count} classes", project.classes)
    try:
        changed = datetime.fromtimestamp(project.changed_s).astimezone()
    except (OverflowError, OSError, ValueError):  # beyond what can be told, as of a lost clock
        return classes
    when: str = f"{changed:%Y-%m-%d %H:%M}"
    if changed.date() == now.date():
        when = Text("today {time}", time=f"{changed:%H:%M}")
    elif changed.date() == now.date() - timedelta(days=1):
        when = Text("yesterday {time}", time=f"{changed:%H:%M}")
    return joined(", ", classes, when)


def choose_project(
    display: Display,
    known: Sequence[KnownProject],
    new: Path,
    *,
    wait: Callable[[float], object] = time.sleep,
) -> Path | None:
    """Ask in the window which project to open; returns none where its user has closed it."""
    opening = Opening(known, new, datetime.now().astimezone())
    while not opening.done:
        display.show(opening.view())
        for event in display.events():
            opening.handle(event)
        wait(_REFRESH_S)
    return opening.path
