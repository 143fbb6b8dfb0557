"""R, the region: the part of the picture that is looked at, chosen in it, kept by the project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from edge_classifier.device.framing import LEAST, WHOLE, Region
from edge_classifier.languages.text import Text
from edge_classifier.live.dialogs import Dialog
from edge_classifier.live.editor import Change
from edge_classifier.live.view import Button, Level, Mode
from edge_classifier.project.framing import FRAMING_SETTING, stored_framing

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.frame import Clock, Frame
    from edge_classifier.device.framing import Framing
    from edge_classifier.device.preprocessing import Image
    from edge_classifier.live.display import Drag, Press
    from edge_classifier.live.editor import Editor
    from edge_classifier.live.view import Say
    from edge_classifier.project.store import ProjectStore

_STEP: Final = 0.02
_MOVES: Final = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
_SIZES: Final = {"+": 1, "-": -1}

RECORD_AGAIN: Final = Text(
    "it looks at another part of the picture than when the classes were shown: record them again"
)

OTHER_SHAPE: Final = Text(
    "the part of the picture to look at was chosen in pictures of another shape: R chooses it anew"
)


class LiveFraming:
    """Cuts the region out of each frame; samples are what was cut out, so that none knows of it.

    `mirrored` says whether the picture is drawn so.

    Attributes:
        shown: The newest frame, whole, or `None` before the first.
    """

    def __init__(
        self,
        store: ProjectStore,
        editor: Editor,
        clock: Clock,
        say: Say,
        mirrored: Callable[[], bool],
    ) -> None:
        self._store = store
        self._editor = editor
        self._clock = clock
        self._say = say
        self._mirrored = mirrored
        self._framing = stored_framing(store.settings)
        self._since_s = float("-inf")
        self._changed = False
        self._told = ""
        self.shown: Frame | None = None

    @property
    def region(self) -> Region:
        """What is looked at; may be asked for in any thread."""
        return self._framing.region

    def look(self, frame: Frame) -> Frame:
        """Return what is looked at of a frame, which is the newest now."""
        self.shown = frame
        trouble = self._framing.trouble(frame.image)
        if trouble and trouble != self._told:
            self._say(OTHER_SHAPE, Level.WARNING)
        self._told = trouble
        stale = frame.timestamp_s < self._since_s
        return replace(
            frame,
            image=self.region.of(frame.image),
            prepared=None if stale else frame.prepared,  # it is of what was looked at before
        )

    def look_again(self) -> Frame | None:
        """Return what is looked at of the newest frame, if that has changed since it came."""
        changed, self._changed = self._changed, False
        return self.look(replace(self.shown, prepared=None)) if changed and self.shown else None

    def dialog(self) -> RegionDialog | None:
        """Ask for the region; `None` while there is no picture to choose it in."""
        if self.shown is None:
            self._say(Text("there is no picture to choose a part of yet"), Level.WARNING)
            return None
        return RegionDialog(self.region, self._choose, self._mirrored)

    def _choose(self, region: Region) -> None:
        before = self._framing
        if self.shown is None:
            return
        image = self.shown.image
        if region == before.region and not before.trouble(image):
            return
        aspect = _aspect(image)
        after = replace(before, region=region, aspect=aspect)
        self._set(after)

        def set_and_tell(framing: Framing, done: Callable[[], None]) -> None:
            self._set(framing)
            done()
            self._say(Text("it looks at the part of the picture that it did before"))

        change = Change(
            lambda done: set_and_tell(before, done), lambda done: set_and_tell(after, done)
        )
        self._editor.changed(change)
        if self._editor.dataset.samples:
            self._say(RECORD_AGAIN, Level.WARNING)
        else:
            self._say(Text("it looks at this part of the picture only"))

    def _set(self, framing: Framing) -> None:
        self._store.update_settings(**{FRAMING_SETTING: framing.as_json()})
        self._framing, self._since_s, self._changed = framing, self._clock(), True


def _aspect(image: Image) -> float:
    height, width = image.shape[:2]
    return float(round(width / height, 4))


@dataclass(slots=True)
class RegionDialog(Dialog):
    """Lets a region be dragged, or moved and sized by keys, and hands it to `accept`."""

    mode = Mode.FRAMING

    region: Region
    accept: Callable[[Region], None]
    mirrored: Callable[[], bool]

    def handle(self, press: Press) -> RegionDialog | None:
        """Take what was pressed and return the dialog that is open afterwards, or `None`."""
        if press.name in _MOVES:
            across, down = _MOVES[press.name]
            across = -across if self.mirrored() else across  # as it is seen
            self.region = _moved(self.region, across * _STEP, down * _STEP)
        elif press.name in _SIZES:
            self.region = _sized(self.region, _SIZES[press.name] * _STEP)
        elif press.name == "w":
            self.region = WHOLE
        elif press.name == "enter" and not press.repeated:
            self.accept(self.region)
            return None
        return None if press.name == "escape" else self

    def drag(self, drag: Drag) -> None:
        """Take what was dragged over, unless it is next to nothing, as of a click."""
        left, right = sorted((round(drag.from_x, 3), round(drag.to_x, 3)))
        top, bottom = sorted((round(drag.from_y, 3), round(drag.to_y, 3)))
        if min(right - left, bottom - top) >= LEAST:
            self.region = Region(left, top, right, bottom)

    def chosen(self) -> Region:
        """Return what would be looked at."""
        return self.region

    def hint(self) -> Text:
        """Say what can be done."""
        return Text(
            "drag over the part of the picture to look at · arrows move it, + and - size it · W the"
            " whole picture · Enter takes it · Esc leaves it"
        )

    def buttons(self) -> tuple[Button, ...]:
        """Return what can be pressed meanwhile."""
        return (
            Button(Text("OK"), "enter"),
            Button(Text("Whole picture"), "w"),
            Button(Text("Cancel"), "escape"),
        )


def _moved(region: Region, across: float, down: float) -> Region:
    """Move a region, up to the edge of the picture."""
    across = min(max(across, -region.left), 1 - region.right)
    down = min(max(down, -region.top), 1 - region.bottom)
    return Region(
        round(region.left + across, 3),
        round(region.top + down, 3),
        round(region.right + across, 3),
        round(region.bottom + down, 3),
    )


def _sized(region: Region, by: float) -> Region:
    """Move all edges outwards, or inwards as long as something is left."""
    left, top, right, bottom = region.edges
    if by < 0 and min(right - left, bottom - top) + 2 * by < LEAST:
        return region
    return Region(
        round(max(0.0, left - by), 3),
        round(max(0.0, top - by), 3),
        round(min(1.0, right + by), 3),
        round(min(1.0, bottom + by), 3),
    )
