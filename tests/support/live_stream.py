"""A live picture at an address, as of a camera in the network."""

from __future__ import annotations

import threading

import numpy as np

from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.page import LivePage
from edge_classifier.device.verdict import Prediction
from support import exported_project
from support.exported_project import CLASSES

FRAME_S = 0.04
"""Between the stream's frames: so long the reader's thread is in OpenCV, not in Python."""


class Stream:
    """A live picture at an address, that can fall silent."""

    def __init__(self) -> None:
        self._page = LivePage("127.0.0.1:0")
        self.url = f"{self._page.url}stream"
        self.silent = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(10)
        self._page.close()

    def _show(self) -> None:
        answer = Prediction(CLASSES, np.full(len(CLASSES), 1 / len(CLASSES), np.float32))
        number = 0
        while not self._ended.wait(FRAME_S):
            if not self.silent.is_set():
                picture = exported_project.picture(number // 15 % 2, number)
                self._page.show(Frame(picture, number, 0.0), answer)
                number += 1
