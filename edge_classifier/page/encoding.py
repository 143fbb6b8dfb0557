"""What visitors are sent of a `View`: its words as JSON, its pictures as JPEG."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

import cv2

from edge_classifier.device.framing import WHOLE
from edge_classifier.device.heat import with_heat

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.live.view import Gallery, View
    from edge_classifier.values import Colour

_WIDEST: Final = 640
"""Of the live picture, in pixels: a phone shows no more, and a larger one takes longer."""
_WIDEST_SMALL: Final = 320
_QUALITY: Final = 80


class Encoder:
    """Encodes each view, and each picture in it, once for all visitors.

    Attributes:
        pictures: The small pictures of the newest view as `data:` addresses, by the names that its
            words have for them. A picture keeps its name for as long as it is in sight.
    """

    def __init__(self) -> None:
        self.pictures: dict[str, str] = {}
        self._names: dict[int, tuple[Image, str]] = {}
        self._last = 0
        self._view: View | None = None
        self._words = ""
        self._shown: tuple[object, object] = (None, None)
        self._picture = b""

    def words(self, view: View) -> str:
        """Return all but the live picture, as a JSON object."""
        if view is not self._view:
            in_sight: dict[int, tuple[Image, str]] = {}
            words = _words(view, lambda image: self._name(image, in_sight))
            self._names = in_sight
            kept = {name for _, name in in_sight.values()}
            self.pictures = {name: url for name, url in self.pictures.items() if name in kept}
            self._words = json.dumps(words, separators=(",", ":"))
            self._view = view
        return self._words

    def picture(self, view: View) -> bytes:
        """Return the live picture as it came, not mirrored, with the heat in it; may be empty."""
        if view.image is None:
            return b""
        if self._shown[0] is not view.image or self._shown[1] is not view.heat:
            image = _at_most(view.image, _WIDEST)
            if view.heat is not None:
                image = with_heat(image, view.heat, view.region or WHOLE)
            self._picture = _jpeg(image)
            self._shown = (view.image, view.heat)
        return self._picture

    def _name(self, image: Image | None, in_sight: dict[int, tuple[Image, str]]) -> str | None:
        if image is None:
            return None
        known = self._names.get(id(image))
        if known is None:
            self._last += 1
            known = (image, str(self._last))
            data = base64.b64encode(_jpeg(_at_most(image, _WIDEST_SMALL))).decode()
            self.pictures[known[1]] = f"data:image/jpeg;base64,{data}"
        in_sight[id(image)] = known
        return known[1]


def _words(view: View, name: Callable[[Image | None], str | None]) -> dict[str, Any]:
    banner, rates, prompt = view.banner, view.rates, view.prompt
    return {
        "mirrored": view.mirrored,
        "region": view.region and view.region.edges,
        "mode": view.mode.value,
        "title": view.title,
        "hasImage": view.image is not None,
        "cards": [
            {
                "name": card.name,
                "key": card.key,
                "colour": _css(card.colour),
                "count": card.count,
                "score": None if card.score is None else round(card.score, 3),
                "thumbnail": name(card.thumbnail),
                "selected": card.selected,
                "recording": card.recording,
            }
            for card in view.cards
        ],
        "banner": banner
        and {
            "label": banner.label,
            "confidence": None if banner.confidence is None else round(banner.confidence, 3),
            "unknown": banner.unknown,
            "colour": _css(banner.colour),
            "similarity": None if banner.similarity is None else round(banner.similarity, 3),
            "threshold": banner.threshold,
        },
        "activity": {
            "text": view.activity.text,
            "progress": view.activity.progress,
            "recording": view.activity.recording,
        },
        "rates": rates
        and {
            "fps": rates.fps,
            "capture": rates.capture_ms,
            "inference": rates.inference_ms,
            "drawing": rates.drawing_ms,
        },
        "hint": view.hint,
        "quality": view.quality,
        "message": view.message and {"text": view.message.text, "level": view.message.level.value},
        "prompt": prompt
        and {
            "title": prompt.title,
            "text": prompt.text,
            "note": prompt.note,
            "error": prompt.error,
            "picture": name(prompt.picture),
        },
        "gallery": view.gallery and _gallery(view.gallery, name),
        "menu": view.menu
        and {
            "title": view.menu.title,
            "chosen": view.menu.chosen,
            "choices": [
                {
                    "press": choice.press,
                    "text": choice.text,
                    "detail": choice.detail,
                    "where": choice.where,
                }
                for choice in view.menu.choices
            ],
        },
        "help": view.help_lines,
        "buttons": [{"text": button.text, "press": button.press} for button in view.buttons],
        "paused": view.paused,
        "tag": view.tag,
    }


def _gallery(gallery: Gallery, name: Callable[[Image | None], str | None]) -> dict[str, Any]:
    return {
        "title": gallery.title,
        "detail": gallery.detail,
        "first": gallery.first,
        "rowCount": gallery.row_count,
        "progress": gallery.progress,
        "rows": [
            {
                "heading": row.heading,
                "round": row.round_of,
                "pictures": [
                    {
                        "id": picture.id,
                        "thumbnail": name(picture.thumbnail),
                        "problem": picture.problem,
                        "className": picture.class_name,
                        "colour": _css(picture.colour),
                        "text": picture.text,
                        "chosen": picture.chosen,
                    }
                    for picture in row.pictures
                ],
            }
            for row in gallery.rows
        ],
    }


def _css(colour: Colour) -> str:
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"


def _at_most(image: Image, width: int) -> Image:
    if image.shape[1] <= width:
        return image
    size = (width, max(1, round(image.shape[0] * width / image.shape[1])))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]  # of the same kind


def _jpeg(image: Image) -> bytes:
    return cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1].tobytes()
