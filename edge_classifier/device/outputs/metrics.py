"""What is counted of a service, in Prometheus' text format."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
CAMERA: Final = "camera"
SENT: Final = "sent"
"""Where a picture came from."""

_BOUNDS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """Counts answers, refusals and troubles; may be told and asked in any thread.

    Args:
        labels: All that can be answered.
        model: What tells the model from others, by names that Prometheus takes.
    """

    def __init__(self, labels: Iterable[str], model: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._model = model
        self._answers = Counter({(origin, name): 0 for origin in (CAMERA, SENT) for name in labels})
        self._refused: Counter[int] = Counter()
        self._troubles = 0
        self._buckets = {origin: [0] * (len(_BOUNDS_S) + 1) for origin in (CAMERA, SENT)}
        self._seconds = {CAMERA: 0.0, SENT: 0.0}

    def answered(self, origin: str, label: str, seconds: float) -> None:
        """Count an answer, and how long after its picture it came."""
        with self._lock:
            self._answers[origin, label] += 1
            self._buckets[origin][bisect_left(_BOUNDS_S, seconds)] += 1
            self._seconds[origin] += seconds

    def refused(self, status: int) -> None:
        """Count a picture that was sent and not answered."""
        with self._lock:
            self._refused[status] += 1

    def trouble_began(self) -> None:
        """Count that the camera gives nothing from now on."""
        with self._lock:
            self._troubles += 1

    def text(self, *, uptime_s: float, healthy: bool, rested: int = 0) -> str:
        """Write all of it, and how many of the camera's answers were kept while all was still."""
        with self._lock:
            lines = list(self._lines(uptime_s, healthy=healthy, rested=rested))
        return "".join(f"{line}\n" for line in lines)

    def _lines(self, uptime_s: float, *, healthy: bool, rested: int) -> Iterator[str]:
        yield from _head("model_info", "gauge", "Which model answers.")
        yield _sample("model_info", 1, **self._model)
        yield from _head("uptime_seconds", "gauge", "For how long it has been running.")
        yield _sample("uptime_seconds", round(uptime_s, 3))
        yield from _head("healthy", "gauge", "1 if /healthz says so.")
        yield _sample("healthy", int(healthy))
        yield from _head("troubles_total", "counter", "How often the camera stopped giving frames.")
        yield _sample("troubles_total", self._troubles)
        yield from _head("answers_total", "counter", "Answers by where the picture came from.")
        for (origin, label), count in self._answers.items():
            yield _sample("answers_total", count, source=origin, label=label)
        yield from _head("rested_total", "counter", "Frames that showed what the last one did.")
        yield _sample("rested_total", rested)
        yield from _head("refused_total", "counter", "Pictures sent and not answered, by status.")
        for status, count in sorted(self._refused.items()):
            yield _sample("refused_total", count, status=str(status))
        yield from _head("answer_seconds", "histogram", "From a picture to its answer.")
        for origin, buckets in self._buckets.items():
            total = 0
            for bound, count in zip((*map(str, _BOUNDS_S), "+Inf"), buckets, strict=True):
                total += count
                yield _sample("answer_seconds_bucket", total, source=origin, le=bound)
            yield _sample("answer_seconds_sum", round(self._seconds[origin], 6), source=origin)
            yield _sample("answer_seconds_count", total, source=origin)


def _head(name: str, kind: str, what: str) -> tuple[str, str]:
    return f"# HELP classify_{name} {what}", f"# TYPE classify_{name} {kind}"


def _sample(name: str, value: float, /, **labels: str) -> str:
    told = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"classify_{name}{{{told}}} {value}" if told else f"classify_{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
