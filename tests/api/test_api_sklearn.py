"""Which of scikit-learn's estimator checks `ImageClassifier` passes.

The checks feed tables of numbers. `TableClassifier` draws each row as a picture, so that all that
they say about `fit`, `predict`, `clone` and so on is tested on `ImageClassifier` itself. What is
about tables as such does not apply; `NOT_APPLICABLE` says why, check by check.
"""

from __future__ import annotations

import warnings
from typing import Any

import cv2
import numpy as np
import pytest
from support.disks import BLUE, RED, pictures
from support.fakes import FakeBackbone

from edge_classifier import ImageClassifier

pytest.importorskip("sklearn", reason="scikit-learn is for tests only")

from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import estimator_checks_generator
from sklearn.utils.validation import check_array, check_is_fitted, check_X_y


class TableClassifier(ImageClassifier):
    """Draws rows of numbers as pictures: a column of the table is a square of the picture."""

    def __init__(self, backbone: Any = None, *, penalty: float = 1e-4) -> None:
        super().__init__(backbone, penalty=penalty)

    def fit(self, X: Any, y: Any, groups: Any = None, *, progress: Any = False) -> Any:  # noqa: N803 - scikit-learn's names
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        X, y = check_X_y(X, y, dtype=np.float64)  # noqa: N806 - scikit-learn's name
        self.n_features_in_ = X.shape[1]
        self._low, self._span = X.min(), max(float(np.ptp(X)), 1e-9)
        return super().fit(self._drawn(X), y, groups, progress=progress)

    def predict_proba(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        self._model()
        X = check_array(X, dtype=np.float64)  # noqa: N806 - scikit-learn's name
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but TableClassifier is expecting "
                f"{self.n_features_in_} features as input"
            )
        return super().predict_proba(self._drawn(X))

    def _backbone(self) -> Any:
        return self.backbone or FakeBackbone(256)

    def _drawn(self, table: np.ndarray) -> list[np.ndarray]:
        side = int(np.ceil(np.sqrt(table.shape[1] / 3)))
        levels = np.clip((table - self._low) / self._span * 255, 0, 255)
        cells = np.zeros((len(table), side * side * 3), np.uint8)
        cells[:, : table.shape[1]] = levels.round()
        small = cells.reshape(len(table), side, side, 3)
        return [cv2.resize(s, (48, 48), interpolation=cv2.INTER_NEAREST) for s in small]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = tags.input_tags.string = False
        return tags


NOT_APPLICABLE = {
    "check_estimators_unfitted": "raises this package's NotTrainedError; scikit-learn's "
    "NotFittedError would need scikit-learn at run time",
    "check_fit_score_takes_y": "the arguments are called images and labels, not X and y",
    "check_n_features_in_after_fitting": "pictures may be of any size, so none is remembered; and "
    "it passes y by name",
    "check_fit2d_1sample": "the message tells in other words that there is only one",
}


def checks() -> list[Any]:
    with warnings.catch_warnings():
        # It does without scikit-learn's base class, so that programs do without scikit-learn.
        warnings.filterwarnings("ignore", message=".*does not inherit from `sklearn.base")
        return [
            pytest.param(check, id=getattr(check, "func", check).__name__)
            for _, check in estimator_checks_generator(TableClassifier())
        ]


@pytest.mark.parametrize("check", checks())
def test_the_check_of_scikit_learn_passes(check: Any) -> None:
    name = getattr(check, "func", check).__name__
    if name in NOT_APPLICABLE:
        pytest.skip(NOT_APPLICABLE[name])
    check(TableClassifier())


def test_scikit_learns_tools_take_it_as_their_own() -> None:
    images, labels = pictures(RED, 8) + pictures(BLUE, 8), ["red"] * 8 + ["blue"] * 8
    classifier = ImageClassifier("built-in", penalty=1e-3)
    assert is_classifier(classifier)
    copy = clone(classifier)
    assert copy is not classifier
    assert copy.get_params() == classifier.get_params()
    assert cross_val_score(classifier, images, labels, cv=4).tolist() == [1.0] * 4
    search = GridSearchCV(classifier, {"penalty": [1e-4, 1e-2]}, cv=2, error_score="raise")
    assert search.fit(images, labels).best_score_ == 1.0
    check_is_fitted(search.best_estimator_)


def test_it_is_the_last_step_of_a_pipeline() -> None:
    images, labels = np.stack(pictures(RED, 6) + pictures(BLUE, 6)), ["red"] * 6 + ["blue"] * 6
    pipeline = make_pipeline(
        FunctionTransformer(lambda batch: batch[:, 10:50]), ImageClassifier("built-in")
    )
    assert pipeline.fit(images, labels).score(images, labels) == 1.0
