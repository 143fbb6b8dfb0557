"""The Raspberry Pi's own camera, by Picamera2."""

from __future__ import annotations

import importlib.util
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

import cv2

from ..errors import CameraHungError, CameraNotFoundError
from .video_source import FPS, HEIGHT, LOST_AFTER_S, WIDTH, VideoSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Answer = TypeVar("_Answer")

PI_CAMERA: Final = "picamera"
"""What names it."""

PI_CAMERA_NAME: Final = "the Pi camera"

_HUNG_AFTER_S: Final = 5.0
"""For how long a picture may be waited for: a camera that has timed out never gives one again."""

_OPEN_S: Final = 20.0
_CLOSE_S: Final = 2.0

_SAME_VIEW: Final = 0.99
"""Modes that see this part of what the widest one sees are as wide: some leave out a few rows."""

_FAST_ENOUGH: Final = 0.8 * FPS
_ALIGNED: Final = 16
"""Widths are multiples of so many pixels, which its hardware likes."""


def pi_camera_can_be() -> bool:
    """Whether Picamera2 is installed; it is not imported, which takes a second."""
    return importlib.util.find_spec("picamera2") is not None


def open_pi_camera(*, wait_for_first: bool = False) -> VideoSource:
    """Open the Pi's own camera (apt install python3-picamera2).

    Raises:
        CameraNotFoundError: if there is none, or Picamera2 is not installed.
    """
    return VideoSource(
        PiCapture(),
        name=PI_CAMERA_NAME,
        no_picture=f"{PI_CAMERA_NAME} opens but gives no picture; is its cable right?",
        lost_after_s=LOST_AFTER_S,
        wait_for_first=wait_for_first,
    )


class PiCapture:
    """Picamera2 with the methods of `cv2.VideoCapture`, seeing all that the lens shows.

    Left alone, Picamera2 takes the sensor's mode whose size is nearest to the picture's, which is
    often one of the sensor's middle only.

    Attributes:
        model: What the sensor is called, or empty.
        is_own: Whether it is the Pi's own, and not a USB camera that Picamera2 knows as well.

    Args:
        hung_after_s: Seconds without a picture after which it counts as hung.

    Raises:
        CameraNotFoundError: if there is none that can be opened.
    """

    def __init__(self, *, hung_after_s: float = _HUNG_AFTER_S) -> None:
        try:
            from picamera2 import Picamera2  # noqa: PLC0415 - only on a Raspberry Pi
        except ImportError as error:
            raise CameraNotFoundError(
                "The Pi camera needs Picamera2: sudo apt install python3-picamera2, and a virtual "
                "environment made with --system-site-packages."
            ) from error
        except Exception as error:  # made for another NumPy, it raises a ValueError
            raise CameraNotFoundError(
                f"Picamera2 cannot be imported ({_reason(error)}); in a virtual environment with "
                "--system-site-packages, pip install 'numpy<2' where the system has that."
            ) from error
        self.model, self.is_own = "", False
        self._hung_after_s = hung_after_s
        self._size = (WIDTH, HEIGHT)
        self._camera: Any = None
        try:
            _within(_OPEN_S, lambda: self._start(Picamera2))
        except Exception as error:  # the driver can raise anything
            self.release()
            raise CameraNotFoundError(
                f"The Pi camera cannot be opened: {_reason(error)}"
            ) from error

    def _start(self, make: Callable[[], Any]) -> None:
        self._camera = camera = make()
        self.model = str(camera.camera_properties.get("Model", ""))
        modes = [mode for mode in camera.sensor_modes if {"size", "crop_limits"} <= set(mode)]
        self.is_own = bool(modes)
        raw = None
        if modes:
            raw = {"size": full_view_mode(modes)["size"]}
            self._size = _size_of_view(full_view_mode(modes)["crop_limits"])
        # Picamera2 names formats by the order of bits: RGB888 is blue, green, red in memory.
        main = {"size": self._size, "format": "RGB888"}
        camera.configure(camera.create_video_configuration(main=main, raw=raw))
        camera.start()

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether it was not released."""
        return self._camera is not None

    def read(self) -> tuple[bool, Any]:
        """Give whether there was a picture, and the picture, `(H, W, 3)` uint8 BGR.

        Raises:
            CameraHungError: if none comes, and none may ever come.
        """
        camera = self._camera
        try:
            return True, _within(self._hung_after_s, lambda: camera.capture_array("main"))
        except RuntimeError:
            return False, None

    def grab(self) -> bool:
        """Let a picture go by, uncopied; says whether there was one.

        Raises:
            CameraHungError: as `read`.
        """
        camera = self._camera
        try:
            _within(self._hung_after_s, lambda: camera.capture_request().release())
        except RuntimeError:
            return False
        return True

    def get(self, propId: int, /) -> float:  # noqa: N803 - OpenCV's name
        """Give the size, or the frame rate, which is that of Picamera2's video configuration."""
        return {
            cv2.CAP_PROP_FRAME_WIDTH: float(self._size[0]),
            cv2.CAP_PROP_FRAME_HEIGHT: float(self._size[1]),
            cv2.CAP_PROP_FPS: float(FPS),
        }.get(propId, 0.0)

    def set(self, propId: int, value: float, /) -> bool:  # noqa: N803 - OpenCV's name
        """Ask for a frame rate; all else is asked for when it is opened."""
        if propId != cv2.CAP_PROP_FPS:
            return False
        camera, duration_us = self._camera, round(1e6 / value)
        limits = {"FrameDurationLimits": (duration_us, duration_us)}
        _within(self._hung_after_s, lambda: camera.set_controls(limits))
        return True

    def release(self) -> None:
        """Stop it, or leave it behind if it does not answer; may be called twice."""
        camera, self._camera = self._camera, None
        if camera is not None:
            try:
                _within(_CLOSE_S, camera.close)
            except CameraHungError:
                return


def full_view_mode(modes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Choose from a sensor's modes one that is not cropped.

    Of the modes that see most, those that are fast enough (else the fastest) and not smaller than
    our picture (else the largest); of these the smallest, with the most bits.
    """
    widest = max(_area(mode["crop_limits"][2:]) for mode in modes)
    full = [m for m in modes if _area(m["crop_limits"][2:]) >= _SAME_VIEW * widest]
    fastest = max(m.get("fps", 0) for m in full)
    fast = [m for m in full if m.get("fps", 0) >= min(_FAST_ENOUGH, fastest)]
    largest = max(_area(m["size"]) for m in fast)
    least = min(largest, WIDTH * HEIGHT)
    large = [m for m in fast if _area(m["size"]) >= least]
    return min(large, key=lambda m: (_area(m["size"]), -m.get("bit_depth", 0)))


def _area(size: Sequence[int]) -> int:
    return size[0] * size[1]


def _size_of_view(crop: Sequence[int]) -> tuple[int, int]:
    """Give a picture's size of the shape of what is seen: in another one, some would be cut off."""
    width, height = crop[2:]
    if width * HEIGHT >= WIDTH * height:
        return max(WIDTH, HEIGHT * width // height // _ALIGNED * _ALIGNED), HEIGHT
    return WIDTH, max(HEIGHT, WIDTH * height // width // 2 * 2)


def _within(seconds: float, call: Callable[[], _Answer]) -> _Answer:
    """Make a call that may never return, in a thread that is left behind then.

    Raises:
        CameraHungError: if it takes longer.
    """
    answers: list[_Answer] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            answers.append(call())
        except Exception as error:  # noqa: BLE001 - raised again by who waits
            errors.append(error)

    # `leave` ends the process although it is still there.
    thread = threading.Thread(target=run, name="pi-camera", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise CameraHungError(f"{PI_CAMERA_NAME} has not answered for {seconds:.0f} s")
    return answers[0]


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
