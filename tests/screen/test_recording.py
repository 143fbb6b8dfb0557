from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from edge_classifier.screen.recording import VideoRecorder


def test_a_video_is_written_into_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    recorder = VideoRecorder(folder / "demo.mp4", 10)
    for _ in range(3):
        recorder.write(np.full((48, 64, 3), 90, np.uint8))
    recorder.close()
    (folder / "demo.mp4").rename(tmp_path / "demo.mp4")
    assert cv2.VideoCapture(str(tmp_path / "demo.mp4")).read()[0]
    assert not list(folder.iterdir())
