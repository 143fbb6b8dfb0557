"""Keeps the frames that a model is least sure of, for those who teach it."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import time
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from ..errors import BundleError, InvalidValueError
from ..files import is_temporary, read_regular, write_atomic
from ..frame_buffer import DIFFERS
from ..unsure import LEAST_DOUBT, Kept, Selection, doubt, shows_something
from ..verdict import normalise
from .base import Output
from .courier import Courier
from .json_lines import as_record
from .on_change import PATIENCE_S, close_all

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..classifier import Classifier
    from ..frame import Frame
    from ..preprocessing import Image
    from ..verdict import Prediction

FORMAT: Final = "edge-classifier unsure frame"

_SETTLE_S: Final = 1.0
"""So long a camera's light and focus find their level."""
_QUALITY: Final = 95
_NAME: Final = re.compile(r"unsure-\d{8}-\d{9}-[0-9a-f]{4}", re.ASCII)
_BYTES_EACH: Final = 1_000_000
_MOST_TEXT_BYTES: Final = 1_000_000
_QUIET_S: Final = 600.0
"""On a disk that is nearly full some pictures fit and others do not; it is said once."""
_LEFT_OVER_S: Final = 60.0


def check_features(classifier: Classifier) -> None:
    """Refuse a classifier whose frames cannot be compared.

    Raises:
        BundleError: if its model gives no features.
    """
    if classifier.feature_dim is None:
        raise BundleError(
            f"{classifier.bundle.folder}: --keep-unsure needs features, and its model gives "
            "none: it was exported by an older version; export it again."
        )


class UnsureFrames(Output):
    """Keeps in a folder the frames that teach most, in a thread of its own.

    Each is a picture as the camera gave it, and beside it a `.json` with what the model said.

    Args:
        folder: Is made if need be; what it holds is gone on with.
        classifier: Whose features say which frames are alike.
        most: Frames; all together take no more than as many megabytes.
        live: Whether frames must not wait; otherwise each is considered, in their order.

    Raises:
        BundleError: as `check_features` does.
        InvalidValueError: if something else has the folder's name.
    """

    def __init__(self, folder: Path, classifier: Classifier, most: int, *, live: bool) -> None:
        check_features(classifier)
        self._live = live
        self._since_s: float | None = None
        self._last: dict[str, tuple[npt.NDArray[np.float32], float]] = {}
        self._early: dict[str, dict[str, Any]] = {}
        self._courier = Courier(_Keeper(folder, most), newest_only=live, waits=not live)
        self.exchanged(classifier)

    def exchanged(self, classifier: Classifier) -> None:
        """Ask another model from now on."""
        self._classifier = classifier
        backbone = str((classifier.bundle.spec.get("backbone") or {}).get("weights_sha256"))
        self._model = {"model": classifier.sha256, "backbone": backbone}
        self._last.clear()
        self._early.clear()

    def consider(self, frame: Frame, prediction: Prediction) -> None:
        """Take a frame that may be kept, and what was said of it alone.

        To be called before the classifier is asked for another one.
        """
        settled = self._has_settled(frame)
        self._early.pop(frame.region, None)
        doubted = doubt(prediction)
        if doubted < LEAST_DOUBT or (features := self._classifier.features()) is None:
            return
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        record = {**as_record(frame, prediction), "time": now, "doubt": round(doubted, 4)}
        row = normalise(features[None])[0]
        news = {"image": frame.image, "row": row, "record": record, "region": frame.region}
        if settled:
            self._hand_over(news)
        else:
            self._early[frame.region] = news

    def _has_settled(self, frame: Frame) -> bool:
        if self._since_s is None:
            self._since_s = frame.timestamp_s
        return not self._live or frame.timestamp_s - self._since_s >= _SETTLE_S

    def _hand_over(self, news: dict[str, Any]) -> None:
        alike = (news["region"], news["row"], news["record"]["doubt"])
        if not (self._live and self._like_the_last(*alike)):
            self._courier.hand_over(news | self._model)

    def _like_the_last(self, region: str, row: npt.NDArray[np.float32], doubted: float) -> bool:
        """Say so of a scene that stands still, which need not be looked at again and again."""
        if region in self._last:
            before, most = self._last[region]
            if doubted <= most and float(before @ row) > 1.0 - DIFFERS:
                return True
        self._last[region] = row, doubted
        return False

    def show(self, frame: Frame, prediction: Prediction) -> bool:  # noqa: ARG002 - considered before
        """Take what came before the camera had settled: at rest it is considered no more."""
        if self._has_settled(frame) and frame.region in self._early:
            self._hand_over(self._early.pop(frame.region))
        return True

    def wait(self, trouble: str) -> bool:
        """Let a camera that comes back settle first."""
        if trouble:
            self._since_s = None
            self._early.clear()
        return True

    def close(self) -> None:
        """Keep what waits, for some seconds at most."""
        close_all([self._courier], PATIENCE_S)


class _Keeper:
    """Writes what is kept, and deletes what gives way."""

    name = "--keep-unsure"
    retries = False

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._run = secrets.token_hex(4)
        self._begin("", "")
        self._trouble, self._failed_s = "", 0.0
        self._made = False
        if os.path.lexists(folder) and not folder.is_dir():
            raise InvalidValueError(f"--keep-unsure {folder} is not a folder; name another one.")

    def tell(self, news: dict[str, Any]) -> str:
        """Keep a frame, if it is one to keep; returns what is wrong, or was until now."""
        row, doubted = news["row"], news["record"]["doubt"]
        try:
            if news["model"] != self._model:
                self._begin(news["model"], news["backbone"])
            self._dim = len(row)
            self._look()
            if self._selection.wants(row, doubted) and shows_something(news["image"]):
                self._keep(news["image"], news["record"], row)
                if time.monotonic() - self._failed_s > _QUIET_S:
                    self._trouble = ""
        except OSError as error:
            self._failed_s = time.monotonic()
            reason = error.strerror or error
            self._trouble = (
                f"{self._folder} cannot be written to ({reason}); nothing is kept there."
            )
        return self._trouble

    def stop(self) -> None:
        """Nothing is held."""

    def _begin(self, model: str, backbone: str) -> None:
        """Keep what another model is unsure of."""
        self._model, self._backbone = model, backbone
        self._dim = 0
        self._selection = Selection(self._most, self._most * _BYTES_EACH, model)
        self._seen: tuple[int, ...] = ()

    def _keep(self, image: Image, record: dict[str, Any], row: npt.NDArray[np.float32]) -> None:
        stamp = datetime.fromisoformat(record["time"]).strftime("%Y%m%d-%H%M%S%f")[:-3]
        name = f"unsure-{stamp}-{secrets.token_hex(2)}"
        picture = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1].tobytes()
        text = json.dumps(
            {
                "format": FORMAT,
                **record,
                "model": self._model,
                "run": self._run,
                "backbone": self._backbone,
                "features": base64.b64encode(row.astype("<f2").tobytes()).decode(),
            },
            ensure_ascii=False,
        ).encode("utf-8", "backslashreplace")
        path = self._folder / name
        try:
            write_atomic(path.with_suffix(".jpg"), picture)
            write_atomic(path.with_suffix(".json"), text)
        except OSError:
            _delete(path)
            raise
        size = len(picture) + len(text)
        for gone in self._selection.add(Kept(name, size, record["doubt"], self._model, row)):
            _delete(self._folder / gone.name)
        self._seen = self._state()

    def _look(self) -> None:
        """See what is there, where somebody else has changed it."""
        if not self._made:  # but not again: where a disk was taken away, it is not made on another
            self._folder.mkdir(parents=True, exist_ok=True)
            self._made = True
        if (state := self._state()) != self._seen:
            self._selection.replace(list(self._found()))
            self._seen = state

    def _state(self) -> tuple[int, ...]:
        about = self._folder.stat()
        return about.st_dev, about.st_ino, about.st_mtime_ns

    def _found(self) -> list[Kept]:
        pictures: dict[str, int] = {}
        texts: set[str] = set()
        with os.scandir(self._folder) as entries:
            for entry in entries:
                name, suffix = os.path.splitext(entry.name)  # noqa: PTH122 - of many
                with suppress(OSError):
                    if is_temporary(entry.name):
                        if time.time() - entry.stat().st_mtime > _LEFT_OVER_S:
                            Path(entry.path).unlink()
                    elif _NAME.fullmatch(name) and entry.is_file(follow_symlinks=False):
                        if suffix == ".jpg":
                            pictures[name] = entry.stat().st_size
                        elif suffix == ".json":
                            texts.add(name)
        for name in texts - pictures.keys():  # somebody has taken the picture away
            _delete(self._folder / name)
        return [self._read(name, size) for name, size in pictures.items()]

    def _read(self, name: str, size: int) -> Kept:
        """Read what is known of a picture; of one without, or a damaged one, that is nothing."""
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            text = read_regular(self._folder / f"{name}.json", _MOST_TEXT_BYTES)
            about = json.loads(text)
            row = np.frombuffer(base64.b64decode(about["features"]), "<f2").astype(np.float32)
            fits = about["backbone"] == self._backbone and len(row) == self._dim
            return Kept(
                name,
                size + len(text),
                float(about["doubt"]),
                str(about["model"]),
                normalise(row[None])[0] if fits and np.isfinite(row).all() else None,
            )
        return Kept(name, size, 0.0, "", None)


def _delete(path: Path) -> None:
    """Delete a frame and what is known of it, which without it would be of none."""
    for suffix in (".json", ".jpg"):
        with suppress(OSError):
            path.with_suffix(suffix).unlink()
