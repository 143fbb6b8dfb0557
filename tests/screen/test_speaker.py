"""Sounds by the real mixer, into a file instead of a device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

# SDL opens sound once in a process, by what its environment says.
PROGRAM = """
import time
from edge_classifier.live.view import Sounds
from edge_classifier.screen.speaker import Speaker

speaker = Speaker(print)
speaker.follow(Sounds(5, 5))  # what was before is not made up for
speaker._opening.join()
if speaker.ready:
    for sounds in (Sounds(5, 5), Sounds(6, 5), Sounds(8, 5), None, Sounds(9, 9), Sounds(9, 10)):
        speaker.follow(sounds)
        time.sleep(0.3)
speaker.close()
speaker.close()
"""


def heard(driver: str, file: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "SDL_AUDIODRIVER": driver,
        "SDL_DISKAUDIOFILE": str(file),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    return subprocess.run(  # noqa: S603 - this interpreter, this file's program
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_a_click_for_pictures_and_a_longer_tone_for_a_label(tmp_path: Path) -> None:
    done = heard("disk", tmp_path / "sound.raw")
    assert done.stdout == ""
    sound = np.fromfile(tmp_path / "sound.raw", np.int16)
    loud = np.flatnonzero(np.abs(sound) > 300)
    starts = np.flatnonzero(np.diff(loud, prepend=-99_999) > 4_000)  # with 90 ms of quiet before
    lengths = [part[-1] - part[0] for part in np.split(loud, starts[1:])]
    assert len(lengths) == 3, "two clicks, and nothing for what came while it was to be quiet"
    assert max(lengths[:2]) * 3 < lengths[2]
    assert 3_000 < np.abs(sound).max() < 12_000, "it is heard, and startles nobody"


@pytest.mark.parametrize("driver", ["nosuch", "alsa"])
def test_without_a_device_that_is_one_line(tmp_path: Path, driver: str) -> None:
    if driver == "alsa" and (sys.platform != "linux" or Path("/dev/snd").exists()):
        pytest.skip("a device may be there")
    done = heard(driver, tmp_path / "none")
    assert done.stdout.startswith("There are no sounds: ")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
