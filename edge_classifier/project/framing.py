"""How the camera of a project is framed, as the project keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from edge_classifier.device.framing import Framing
from edge_classifier.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping

FRAMING_SETTING: Final = "framing"


def stored_framing(settings: Mapping[str, Any]) -> Framing:
    """Return the framing that a project's settings hold.

    Raises:
        InvalidValueError: if they hold something else there.
    """
    try:
        return Framing.from_json(settings.get(FRAMING_SETTING, {}))
    except ValueError as error:
        raise InvalidValueError(f"The setting {FRAMING_SETTING} is damaged: {error}") from error
