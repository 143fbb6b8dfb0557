"""Answers to pictures that others send, beside the live page."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from ..errors import BundleError, InvalidImageError
from ..media import START_BYTES, Medium, kind_of
from ..picture_decoder import decode_picture
from ..requests import PAUSED
from ..verdict import UNKNOWN
from .base import Output
from .json_lines import best_of, picture_record
from .metrics import CAMERA, CONTENT_TYPE, SENT, Metrics
from .page_server import RefusedError, Route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..classifier import Classifier
    from ..frame import Clock, Frame
    from ..preprocessing import Image
    from ..turns import Turns
    from ..verdict import Prediction
    from .page_server import PageHandler

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of a picture that is sent."""

_MOST_AT_WORK: Final = 2
"""Pictures that are decoded at the same time; each may take as much memory as 64 megapixels do."""

_PATIENCE_S: Final = 10.0
"""For how long a picture waits for those before it."""

_SILENT_S: Final = 30.0
"""After so long without a word of the loop something hangs."""

_NO_CAMERA: Final = "There is no camera here (--no-camera); POST a picture to /classify."
_HOW: Final = "send the picture itself as the body, as `curl --data-binary @photo.jpg` does"


class Service(Output):
    """What `routes` of the live page's server answer about a classifier.

    A picture that is sent is answered as the `predict` command does: as exported, neither mirrored,
    smoothed nor adapted. The camera waits for one such answer at most (`turns`).

    Args:
        classifier: Whose answers these are.
        turns: Whose turn it is with it.
        with_camera: Whether there is a source of frames beside.
        clock: Of frames.
    """

    def __init__(
        self,
        classifier: Classifier,
        turns: Turns,
        *,
        with_camera: bool,
        clock: Clock = time.monotonic,
    ) -> None:
        self._classifier, self._turns, self._clock = classifier, turns, clock
        self._with_camera = with_camera
        self._at_work = threading.BoundedSemaphore(_MOST_AT_WORK)
        self._metrics = Metrics()
        self.exchanged(classifier)
        self._began_s = self._heard_s = clock()
        self._trouble = "no picture has come yet" if with_camera else ""
        self._fault = ""
        self._inferred: set[str] = set()

    @property
    def routes(self) -> Mapping[str, Route]:
        """What is answered beside the page, or in its place where there is no camera."""
        routes = {
            "/classify": Route("POST", self._classify),
            "/metrics": Route("GET", self._tell_metrics),
            "/healthz": Route("GET", self._tell_health),
        }
        if not self._with_camera:
            routes |= dict.fromkeys(("/", "/answer", "/stream"), Route("GET", _no_camera))
        return routes

    def consider(self, frame: Frame, prediction: Prediction) -> None:  # noqa: ARG002 - counted only
        """Note that the frame was inferred on."""
        self._inferred.add(frame.region)

    def show(self, frame: Frame, prediction: Prediction) -> bool:
        """Count an answer of the camera."""
        self._heard_s, self._trouble = self._clock(), ""
        if frame.region not in self._inferred:
            self._metrics.rested()
        self._inferred.discard(frame.region)
        self._metrics.answered(CAMERA, prediction.label, self._heard_s - frame.timestamp_s)
        return True

    def wait(self, trouble: str) -> bool:
        """Note what is wrong with the camera."""
        self._heard_s = self._clock()
        if trouble and trouble != PAUSED:
            if not self._trouble:
                self._metrics.trouble_began()
            self._trouble = trouble
        return True

    def exchanged(self, classifier: Classifier) -> None:
        """Answer by another model from now on."""
        self._classifier, self._fault = classifier, ""
        about = {
            "name": classifier.bundle.folder.name,
            "format": classifier.model_format,
            "sha256": classifier.sha256,
        }
        self._metrics.answered_by((*classifier.bundle.class_names, UNKNOWN), about)

    @property
    def problem(self) -> str:
        """What is wrong now, in words; or nothing."""
        silent_s = self._clock() - self._heard_s
        if self._with_camera and silent_s > _SILENT_S:
            return f"nothing was heard of the camera's loop for {silent_s:.0f} s"
        return self._fault or self._trouble

    def _tell_health(self, request: PageHandler) -> None:
        if problem := self.problem:
            raise RefusedError(503, problem)
        request.respond_json({"status": "ok", "model": self._classifier.sha256})

    @property
    def metrics_text(self) -> str:
        """All that is counted, for Prometheus."""
        uptime_s = self._clock() - self._began_s
        return self._metrics.text(uptime_s=uptime_s, healthy=not self.problem)

    def _tell_metrics(self, request: PageHandler) -> None:
        request.respond(CONTENT_TYPE, self.metrics_text.encode())

    def _classify(self, request: PageHandler) -> None:
        try:
            top_k = _asked_top_k(request)
            with request.body(MOST_BYTES) as body:
                began_s = self._clock()
                prediction = self._answer(body, request.headers.get_content_maintype())
        except RefusedError as refused:
            self._metrics.refused(refused.status)
            raise
        self._metrics.answered(SENT, prediction.label, self._clock() - began_s)
        best = best_of(prediction.confidences, prediction.class_names, top_k)
        record = picture_record(best, unknown=prediction.unknown, similarity=prediction.similarity)
        request.respond_json(record)

    def _answer(self, body: bytes, main_type: str) -> Prediction:
        """Answer to the bytes of a picture.

        Raises:
            RefusedError: if they are none, or cannot be answered now.
        """
        if not self._at_work.acquire(timeout=_PATIENCE_S):
            raise RefusedError(503, "Too many pictures are waiting.", {"Retry-After": "1"})
        try:
            image, classifier = _decoded(body, main_type), self._classifier
            pixels = classifier.prepare_picture(image)
            with self._turns.other():
                prediction = classifier.predict_prepared(pixels)
        except BundleError as error:
            self._fault = str(error)
            raise RefusedError(500, str(error)) from error
        except MemoryError:
            raise RefusedError(503, "There is not enough memory for this picture.") from None
        finally:
            self._at_work.release()
        self._fault = ""
        return prediction


def _decoded(body: bytes, main_type: str) -> Image:
    if not body:
        raise RefusedError(400, f"No picture was sent; {_HOW}.")
    kind = kind_of(body[:START_BYTES])
    is_picture = kind is not None and kind.medium is Medium.PICTURE
    if main_type == "multipart" and not is_picture:
        raise RefusedError(415, f"This is a form; {_HOW}.")
    try:
        return decode_picture(body, "body").image
    except InvalidImageError as error:
        raise RefusedError(422 if is_picture else 415, str(error)) from error


def _asked_top_k(request: PageHandler) -> int:
    """Read how many classes are to be named, 1 unless `top_k` says otherwise."""
    try:
        query = parse_qs(request.path.partition("?")[2], max_num_fields=10)
    except ValueError:
        query = {"top_k": [""]}
    (text, *_) = query.get("top_k", ["1"])
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and int(text)):  # noqa: PLR2004 - digits of any number of classes
        raise RefusedError(400, "top_k: expected a whole number from 1 to 9999.")
    return int(text)


def _no_camera(_request: PageHandler) -> None:
    raise RefusedError(404, _NO_CAMERA)
