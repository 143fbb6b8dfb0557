"""Errors of what runs on a device; `edge_classifier.errors` draws the whole tree."""

from __future__ import annotations


class EdgeClassifierError(Exception):
    """Any error of this package; its message is one line made for the user."""

    def __str__(self) -> str:
        """Return the message itself, also where the builtin parent would quote it."""
        return str(self.args[0]) if self.args else ""


class InvalidValueError(EdgeClassifierError, ValueError):
    """An argument or a setting is out of its range."""


class InvalidOptionError(InvalidValueError):
    """An option of the runner has a value that it cannot have, wherever and whenever it is run."""


class InvalidImageError(InvalidValueError):
    """Something is not an image, or is one that cannot be used."""


class CameraError(EdgeClassifierError, OSError):
    """A source of frames cannot be used."""


class CameraNotFoundError(CameraError):
    """There is no such camera, file or stream."""


class CameraLostError(CameraError):
    """A source that delivered frames has stopped to exist."""


class CameraHungError(CameraLostError):
    """A source was asked for a picture and does not answer; it may never do."""


class NoDisplayError(EdgeClassifierError, RuntimeError):
    """A window is asked for where none can be opened."""


class ExportError(EdgeClassifierError, RuntimeError):
    """A bundle could not be written or used, or does not say what the live picture said."""


class BundleError(ExportError, ValueError):
    """A bundle is incomplete, damaged or from a newer version."""
