"""Errors of what runs on a device."""

from __future__ import annotations


class EdgeClassifierError(Exception):
    """Any error of this package; its message is one line made for the user."""

    def __str__(self) -> str:
        """Return the message itself, also where the builtin parent would quote it."""
        return str(self.args[0]) if self.args else ""


class InvalidValueError(EdgeClassifierError, ValueError):
    """An argument or a setting is out of its range."""


class InvalidImageError(InvalidValueError):
    """Something is not an image, or is one that cannot be used."""


class CameraError(EdgeClassifierError, OSError):
    """A source of frames cannot be used."""


class CameraNotFoundError(CameraError):
    """There is no such camera, file or stream."""


class CameraLostError(CameraError):
    """A source that delivered frames has stopped to exist."""


class ClassifyError(Exception):
    """What the user has to know, in one line: what is wrong, with which file, what to do."""
