"""The errors that this package raises.

Every error is an `EdgeClassifierError`; each leaf is also the builtin that a caller would
expect, so that `except OSError` keeps working around a camera::

    EdgeClassifierError
    ├── InvalidValueError (ValueError)       an argument or a setting is out of its range
    │   ├── NotImportableError               a source in which nothing can be imported
    │   ├── InvalidClassNameError            a class name that cannot be stored or told apart
    │   ├── InvalidOptionError               what an option of `run` cannot be
    │   └── InvalidImageError                not an image, or one that cannot be used
    ├── UnknownClassError (KeyError)         a class that the project does not have
    ├── ProjectError (OSError)               the project folder cannot be used
    │   ├── NotAProjectError                 a folder that holds something else
    │   ├── ProjectFormatError (ValueError)  project.json is damaged or from a newer version
    │   ├── ProjectLockedError               another program has the project open
    │   └── TrashEmptiedError                what was removed is no longer there to be put back
    ├── CameraError (OSError)                a source of frames cannot be used
    │   ├── CameraNotFoundError              nothing there to open
    │   └── CameraLostError                  it was there and has gone
    │       └── CameraHungError              it is there and does not answer
    ├── NoDisplayError (RuntimeError)        a window is asked for, and there is no screen
    ├── BackboneError (RuntimeError)         a backbone cannot be built or run
    │   ├── WeightsNotFoundError (FileNotFoundError)
    │   ├── WeightsMismatchError (ValueError)   not the file it should be
    │   └── DownloadError (ConnectionError)
    ├── BackboneMismatchError (ValueError)   features or a head of another backbone
    ├── BrokerError (ConnectionError)        a broker cannot be reached, or refuses
    ├── NotTrainedError (RuntimeError)       no head yet
    ├── NotEnoughSamplesError (ValueError)   fewer classes or samples than the work needs
    ├── AdaptationError (ValueError)         frames that a model cannot be adapted to
    ├── ExportError (RuntimeError)           a bundle could not be written or did not verify
    │   └── BundleError (ValueError)         it is incomplete, damaged or from a newer version
    └── CancelledError (RuntimeError)        stopped by the user before the end
"""

from __future__ import annotations

from edge_classifier.device.errors import (
    BundleError,
    CameraError,
    CameraHungError,
    CameraLostError,
    CameraNotFoundError,
    EdgeClassifierError,
    ExportError,
    InvalidImageError,
    InvalidOptionError,
    InvalidValueError,
    NoDisplayError,
)

__all__ = [
    "AdaptationError",
    "BackboneError",
    "BackboneMismatchError",
    "BrokerError",
    "BundleError",
    "CameraError",
    "CameraHungError",
    "CameraLostError",
    "CameraNotFoundError",
    "CancelledError",
    "DownloadError",
    "EdgeClassifierError",
    "ExportError",
    "InvalidClassNameError",
    "InvalidImageError",
    "InvalidOptionError",
    "InvalidValueError",
    "NoDisplayError",
    "NotAProjectError",
    "NotEnoughSamplesError",
    "NotImportableError",
    "NotTrainedError",
    "ProjectError",
    "ProjectFormatError",
    "ProjectLockedError",
    "TrashEmptiedError",
    "UnknownClassError",
    "WeightsMismatchError",
    "WeightsNotFoundError",
]


class NotImportableError(InvalidValueError):
    """There is nothing, or nothing that can be imported."""


class InvalidClassNameError(InvalidValueError):
    """A class name cannot be stored, or cannot be told from another one."""


class UnknownClassError(EdgeClassifierError, KeyError):
    """The project has no class of this name."""


class ProjectError(EdgeClassifierError, OSError):
    """A project folder cannot be read or written."""


class NotAProjectError(ProjectError):
    """The folder holds something else than a project."""


class ProjectFormatError(ProjectError, ValueError):
    """A project's own file is damaged, or was written by a newer version."""


class ProjectLockedError(ProjectError):
    """Another program has the project open for writing."""


class TrashEmptiedError(ProjectError):
    """Nothing of what was removed is left in the trash, so it can never be put back."""


class BackboneError(EdgeClassifierError, RuntimeError):
    """A backbone cannot be built or run."""


class WeightsNotFoundError(BackboneError, FileNotFoundError):
    """The weights of a backbone are neither given, nor cached, nor built in."""


class WeightsMismatchError(BackboneError, ValueError):
    """A weights file is damaged, or belongs to another architecture."""


class DownloadError(BackboneError, ConnectionError):
    """Weights could not be fetched."""


class BackboneMismatchError(EdgeClassifierError, ValueError):
    """Features or a head belong to another backbone than the one in use."""


class BrokerError(EdgeClassifierError, ConnectionError):
    """A broker cannot be reached, or refuses."""


class NotTrainedError(EdgeClassifierError, RuntimeError):
    """An answer is asked for before there is a head."""


class NotEnoughSamplesError(EdgeClassifierError, ValueError):
    """There are fewer classes or samples than the work needs."""


class AdaptationError(EdgeClassifierError, ValueError):
    """A model cannot be adapted to these frames."""


class CancelledError(EdgeClassifierError, RuntimeError):
    """The user stopped the work before its end."""
