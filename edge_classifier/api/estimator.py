"""What scikit-learn's tools expect of an estimator, and what hyperparameters mean for the head."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

from edge_classifier.errors import InvalidValueError
from edge_classifier.learning.settings import HeadSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self


class Estimator:
    """Hyperparameters are the arguments of `__init__`, kept under the same names.

    With `sklearn.base.clone`, `Pipeline`, `GridSearchCV` and `cross_val_score` a subclass works
    as scikit-learn's own estimators do.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - scikit-learn's signature
        """Return the hyperparameters by name; `deep` changes nothing, as none is an estimator."""
        del deep
        return {name: getattr(self, name) for name in _parameters(type(self))}

    def set_params(self, **params: Any) -> Self:  # noqa: ANN401 - of any type, checked by `fit`
        """Change some hyperparameters; they count from the next `fit` on.

        Raises:
            InvalidValueError: if there is no hyperparameter of a name; then none is changed.
        """
        known = _parameters(type(self))
        for name in params:
            if name not in known:
                raise InvalidValueError(
                    f"Invalid parameter {name!r} of {type(self).__name__}; "
                    f"it has {', '.join(known)}."
                )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        """Show what differs from the defaults."""
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, default in _parameters(type(self)).items()
            if getattr(self, name) is not default and getattr(self, name) != default
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether there is a model."""
        return hasattr(self, "model_")

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401 - scikit-learn publishes no types
        """Tell scikit-learn what this is: a classifier of anything but tables."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags  # noqa: PLC0415 - only scikit-learn asks, so it is there

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(one_d_array=True, two_d_array=False, string=True),
        )


def _parameters(cls: type[Estimator]) -> dict[str, Any]:
    """Return the names and defaults of the hyperparameters."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {p.name: p.default for p in parameters if p.name != "self"}


_FIELDS: Final = {
    "head": "kind",
    "penalty": "penalty",
    "units": "units",
    "learning_rate": "learning_rate",
    "epochs": "epochs",
    "batch_fraction": "batch_fraction",
    "random_state": "seed",
}
"""The hyperparameters of the head, and the fields of `HeadSettings` that they are."""


def head_settings_of(params: Mapping[str, Any]) -> HeadSettings:
    """Return how the head is trained, from hyperparameters by name.

    Raises:
        InvalidValueError: if one is out of its range.
        TypeError: if one is of another type.
    """
    return HeadSettings(**{field: params[name] for name, field in _FIELDS.items()})


def hyperparameters_of(settings: HeadSettings) -> dict[str, Any]:
    """Return the hyperparameters that `head_settings_of` turns into these."""
    return {name: getattr(settings, field) for name, field in _FIELDS.items()}
