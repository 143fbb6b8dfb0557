"""What a device tells those who watch many of them: its model, its health, what it has counted."""

from __future__ import annotations

import json
import platform
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from ..console import shortened
from ..requests import PAUSED
from .base import Output
from .home_assistant import as_option

if TYPE_CHECKING:
    from ..classifier import Classifier
    from ..frame import Clock, Frame
    from ..verdict import Prediction

REPORT_VERSION: Final = 1
MOST_BYTES: Final = 1 << 16
"""Of a report; no device makes one so long."""

OK: Final = "ok"
_EVERY_S: Final = 30.0
_MOST_LABELS: Final = 50
_LONGEST_NAME: Final = 100


class DeviceReport(Output):
    """Counts what a device answers, and says when and what those who watch it are to be told.

    Counted are `frames`, `answers` by label, and `dropped`: the frames that came while it was busy
    with another one, and were left out.

    Args:
        classifier: Who answers.
        clock: By which it has been running since now.
    """

    def __init__(self, classifier: Classifier, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._began_s = clock()
        self._lock = threading.Lock()
        self._frames = self._dropped = 0
        self._answers: Counter[str] = Counter()
        self._index: int | None = None
        self._told: tuple[object, ...] = ()
        self._told_s = 0.0
        self.exchanged(classifier)

    def exchanged(self, classifier: Classifier) -> None:
        """Be told that another model answers from now on; what was counted stays."""
        bundle = classifier.bundle
        self._about = {
            "name": _short(bundle.spec.get("name")),
            "bundle": _short(bundle.folder.name),
            "model": bundle.spec["models"][classifier.model_format]["sha256"],
            "format": classifier.model_format,
            "version": _short((bundle.spec.get("made_with") or {}).get("edge-classifier")),
        }

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Count an answer, and its frame if that has not been counted yet."""
        with self._lock:
            self._answers[prediction.label] += 1
            if frame.index != self._index:
                self._frames += 1
                if self._index is not None:
                    self._dropped += max(0, frame.index - self._index - 1)
                self._index = frame.index
        return True

    def wait(self, trouble: str) -> bool:
        """Leave out what goes by meanwhile: it is not dropped for want of time."""
        if trouble:
            self._index = None
        return True

    def due(self, health: str, now_s: float, *, anew: bool = False) -> str | None:
        """Write a report if it is time to; may be called in any thread.

        It is, where the model or the health has changed, every half minute if anything was
        counted, and `anew` in any case.

        Args:
            health: `OK`, `PAUSED` or what is wrong with the camera.
            now_s: Of any clock.
            anew: Whether nobody knows of any before.
        """
        with self._lock:
            # What is wrong is told in other words from one second to the next.
            state = (self._about["model"], health if health in (OK, PAUSED) else "trouble")
            rarely = (*state, self._frames)
            changed = self._told[: len(state)] != state
            late = rarely != self._told and now_s - self._told_s >= _EVERY_S
            if not (anew or changed or late):
                return None
            self._told, self._told_s = rarely, now_s
            return json.dumps(self._report(health), ensure_ascii=False)

    def _report(self, health: str) -> dict[str, Any]:
        return {
            "report": REPORT_VERSION,
            **self._about,
            "host": _short(platform.node()),
            "health": _short(health),
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "uptime_s": round(self._clock() - self._began_s),
            "frames": self._frames,
            "dropped": self._dropped,
            "answers": {
                _short(label): count for label, count in self._answers.most_common(_MOST_LABELS)
            },
        }


def _short(text: object) -> str:
    return shortened(as_option(str(text)), _LONGEST_NAME) if text else ""
