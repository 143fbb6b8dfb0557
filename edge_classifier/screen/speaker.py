"""Sounds of a session, by SDL's mixer: a click at each recorded picture, a tone at a new label.

They are played by a child process: to open a device holds all of Python up, for as long as that
takes, and a sound server that does not answer can take for ever.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import numpy as np

from edge_classifier.device.bounded_child import BoundedChild, standard_streams
from edge_classifier.languages.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_classifier.live.display import Display, Event
    from edge_classifier.live.view import Sounds, View

_RATE: Final = 44_100
_BUFFER: Final = 512
"""Samples of sound that wait to be played: 12 ms."""
_LOUDNESS: Final = 0.25
_CLICK: Final = b"c"
_TONE: Final = b"t"
_NOTES: Final = {_CLICK: ((1800.0, 0.012),), _TONE: ((660.0, 0.07), (880.0, 0.09))}
"""Hertz and seconds, one note after the other."""


class Speaker:
    """Plays what a session asks for, from when it does for the first time.

    Until the device is open it is quiet; where there is none, `on_trouble` is told so in one line,
    from another thread, and it stays quiet.

    Attributes:
        ready: Whether sounds are heard.
    """

    def __init__(self, on_trouble: Callable[[str], None]) -> None:
        self.ready = False
        self._on_trouble = on_trouble
        self._opening: threading.Thread | None = None
        self._child: BoundedChild | None = None
        self._heard: Sounds | None = None

    def follow(self, sounds: Sounds | None) -> None:
        """Play what has become due since the last call; `None` is to be quiet."""
        before, self._heard = self._heard, sounds
        if sounds is None:
            return
        if self._opening is None:
            self._opening = threading.Thread(target=self._open, name="speaker", daemon=True)
            self._opening.start()
        if before is None or not self.ready or self._child is None:
            return
        try:
            if sounds.recorded > before.recorded:
                self._child.ask(_CLICK)
            elif sounds.labels > before.labels:
                self._child.ask(_TONE)
        except EOFError:
            self.ready = False

    def close(self) -> None:
        """Give the device back; may be called twice."""
        self.ready = False
        if self._child is not None:
            self._child.end()

    def _open(self) -> None:
        try:
            self._child = child = BoundedChild(__name__)
            reason = child.read(child.read(1)[0]).decode()
        except (EOFError, OSError) as error:
            reason = str(error) or "what plays them has ended"
        if reason:
            self._on_trouble(Text("There are no sounds: {reason}.", reason=reason.rstrip(".")))
        self.ready = not reason


class AudibleDisplay:
    """A display whose views are heard, too."""

    def __init__(self, display: Display, speaker: Speaker) -> None:
        self._display = display
        self._speaker = speaker

    def show(self, view: View) -> None:
        """Show a view, and play what it asks for."""
        self._display.show(view)
        self._speaker.follow(view.sounds)

    def events(self) -> Sequence[Event]:
        """Return what was pressed and let go since the last call."""
        return self._display.events()

    def close(self) -> None:
        """Take both away; may be called twice."""
        self._speaker.close()
        self._display.close()


# The child's end


def serve() -> None:
    """Say why there is no device, or nothing, with the length before it; then play what is asked.

    One letter asks for each sound.
    """
    from edge_classifier.screen.sdl import pygame  # noqa: PLC0415 - the parent needs none of it

    asked, said = standard_streams()
    reason = ""
    try:
        pygame.mixer.init(_RATE, -16, 1, _BUFFER, allowedchanges=0)
    except (pygame.error, NotImplementedError) as error:
        reason = str(error)
    told = reason.encode()[:255]
    said.write(bytes([len(told)]) + told)
    said.flush()
    if reason:
        return
    sounds = {key: pygame.mixer.Sound(buffer=_wave(notes)) for key, notes in _NOTES.items()}
    while letter := asked.read(1):
        sounds[letter].play()


def _wave(notes: tuple[tuple[float, float], ...]) -> bytes:
    """Make notes that die away, 16 bits a sample."""
    waves = []
    for hertz, seconds in notes:
        time_s = np.arange(round(seconds * _RATE)) / _RATE
        fading = np.minimum(1.0, time_s / 0.001) * np.exp(-4 * time_s / seconds)
        waves.append(np.sin(2 * np.pi * hertz * time_s) * fading)
    return (np.concatenate(waves) * _LOUDNESS * 32_767).astype(np.int16).tobytes()
