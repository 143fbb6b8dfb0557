"""Frames of a video file, decoded in a child process that can be ended: both ends.

Only those that are asked for come over, so that it costs an honest video nothing.
"""

from __future__ import annotations

import json
import os
import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_classifier.device.bounded_child import BoundedChild, limit, standard_streams
from edge_classifier.device.sources.named import open_source
from edge_classifier.errors import CameraError, CameraNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from edge_classifier.device.preprocessing import Image

_LENGTH: Final = struct.Struct(">I")


class VideoFrames:
    """Every n-th frame of a stretch of a video.

    Attributes:
        fps: Frames per second, on average.
        count: How many frames the whole video has, about; `None` where the file does not know.

    Raises:
        CameraNotFoundError: if it cannot be played, or takes too long to open.
    """

    def __init__(self, path: str, every: int, from_s: float, to_s: float | None) -> None:
        self._name = path
        self._child = BoundedChild(__name__)
        try:
            with self._child.deadline():
                question = json.dumps([path, every, from_s, to_s]).encode()
                self._child.ask(_LENGTH.pack(len(question)), question)
                answer = self._answer()
        except EOFError:
            answer = {"refused": self._too_much()}
        if "refused" in answer:
            self.close()
            raise CameraNotFoundError(answer["refused"])
        self.fps: float = answer["fps"]
        self.count: int | None = answer["count"]

    def __iter__(self) -> Iterator[tuple[float, Image]]:
        """Give each frame with its time in seconds.

        Raises:
            CameraError: if it is damaged, or takes too long.
        """
        while True:
            with self._child.deadline():
                try:
                    answer = self._answer()
                    if "shape" not in answer:
                        break
                    image = np.empty(answer["shape"], np.uint8)
                    self._child.read_into(image.data.cast("B"))
                except EOFError:
                    raise CameraError(self._too_much()) from None
            yield answer["time_s"], image
        if "refused" in answer:
            raise CameraError(answer["refused"])

    def close(self) -> None:
        """Give no more of them; may be called twice."""
        self._child.end()

    def _answer(self) -> dict[str, Any]:
        (length,) = _LENGTH.unpack(self._child.read(_LENGTH.size))
        answer: dict[str, Any] = json.loads(self._child.read(length))
        return answer

    def _too_much(self) -> str:
        return (
            f"{self._name!r} takes more than 5 s or 1 GB for a frame; it may be damaged. Save it "
            "again, or smaller."
        )


# The child's end


def serve() -> None:
    """Be the child: give the frames that are asked for."""
    stdin, stdout = standard_streams()
    (length,) = _LENGTH.unpack(stdin.read(_LENGTH.size))
    path, every, from_s, to_s = json.loads(stdin.read(length))
    limit()
    try:
        source = open_source(path, paced=False)
        _say(stdout, fps=source.fps, count=source.frame_count)
        first: int | None = None
        for frame in source:
            limit()
            time_s = source.time_s
            if to_s is not None and time_s >= to_s:
                break
            if time_s < from_s:
                continue
            first = frame.index if first is None else first
            if (frame.index - first) % every == 0:
                _say(stdout, shape=frame.image.shape, time_s=time_s)
                stdout.write(frame.image.data)
        _say(stdout, ended=True)
    except CameraError as error:
        _say(stdout, refused=str(error))
    except BrokenPipeError:  # the parent has enough
        os._exit(0)


def _say(stdout: IO[bytes], **what: object) -> None:
    text = json.dumps(what).encode()
    stdout.write(_LENGTH.pack(len(text)) + text)
    stdout.flush()
