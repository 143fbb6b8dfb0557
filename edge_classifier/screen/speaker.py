"""Sounds of a session, by SDL's mixer: a click at each recorded picture, a tone at a new label."""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.screen.sdl import pygame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edge_classifier.live.display import Display, Event
    from edge_classifier.live.view import Sounds, View

_RATE: Final = 44_100
_BUFFER: Final = 512
"""Samples of sound that wait to be played: 12 ms."""
_LOUDNESS: Final = 0.25
_CLICK: Final = ((1800.0, 0.012),)
_TONE: Final = ((660.0, 0.07), (880.0, 0.09))
"""Hertz and seconds, one note after the other."""


class Speaker:
    """Plays what a session asks for, once it does for the first time.

    Opening a device takes up to seconds, and is done in a thread of its own; until then it is
    quiet. Where there is none, `on_trouble` is told in one line, from that thread, and it stays so.

    Attributes:
        ready: Whether sounds are heard.
    """

    def __init__(self, on_trouble: Callable[[str], None]) -> None:
        self.ready = False
        self._on_trouble = on_trouble
        self._opening: threading.Thread | None = None
        self._heard: Sounds | None = None
        self._click: Any = None
        self._tone: Any = None

    def follow(self, sounds: Sounds | None) -> None:
        """Play what has become due since the last call; `None` is to be quiet."""
        before, self._heard = self._heard, sounds
        if sounds is None:
            return
        if self._opening is None:
            self._opening = threading.Thread(target=self._open, name="speaker", daemon=True)
            self._opening.start()
        if before is None or not self.ready:
            return
        if sounds.recorded > before.recorded:
            self._click.play()
        elif sounds.labels > before.labels:
            self._tone.play()

    def close(self) -> None:
        """Give the device back; may be called twice."""
        if self.ready:
            self.ready = False
            pygame.mixer.quit()

    def _open(self) -> None:
        _quieten_alsa()
        try:
            pygame.mixer.init(_RATE, -16, 1, _BUFFER, allowedchanges=0)
        except (pygame.error, NotImplementedError) as error:
            self._on_trouble(f"There are no sounds: {str(error).rstrip('.')}.")
            return
        self._click = pygame.mixer.Sound(buffer=_notes(_CLICK))
        self._tone = pygame.mixer.Sound(buffer=_notes(_TONE))
        self.ready = True


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


def _notes(notes: tuple[tuple[float, float], ...]) -> bytes:
    """Make notes that die away, 16 bits a sample."""
    waves = []
    for hertz, seconds in notes:
        time_s = np.arange(round(seconds * _RATE)) / _RATE
        fading = np.minimum(1.0, time_s / 0.001) * np.exp(-4 * time_s / seconds)
        waves.append(np.sin(2 * np.pi * hertz * time_s) * fading)
    return (np.concatenate(waves) * _LOUDNESS * 32_767).astype(np.int16).tobytes()


def _ignore(*_: object) -> None:
    """Take note of nothing."""


_quiet: Final = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)(_ignore)


def _quieten_alsa() -> None:
    """Let Linux's sound library write no lines of its own to the terminal."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another library may be in its place
            ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_quiet)
