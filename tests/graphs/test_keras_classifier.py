"""The classifier as a Keras model, and each file made of it, answer as the NumPy model does."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

CASES = (
    "linear",
    "linear, of roots",
    "linear, spatial",
    "dense",
    "dense, spatial",
    "no unknown",
    "one class",
    "two references",
    "adapted",
    "hesitating",
    "inputs 0 to 255",
)

# Everything that needs TensorFlow, in one process: importing it takes seconds.
_CHILD = """
import json, sys
from pathlib import Path
import numpy as np
from edge_classifier.device.unknown_detector import UnknownDetector
from edge_classifier.device.verdict import normalise
from edge_classifier.graphs import backbones
from edge_classifier.graphs.built_in_network import build_network
from edge_classifier.graphs.elsewhere import WRITERS
from edge_classifier.graphs.keras_classifier import build_classifier
from edge_classifier.learning.head import DenseHead, LinearHead
from edge_classifier.learning.model import Model
from edge_classifier.learning.model_file import model_as_arrays

keras = backbones.import_keras()
keras.utils.set_random_seed(0)
generator = np.random.default_rng(0)
folder, formats = Path(sys.argv[1]), json.loads(sys.argv[2])
squares = generator.integers(0, 256, (5, 64, 64, 3), np.uint8)


def random(*shape):
    return generator.normal(0, 0.5, shape).astype(np.float32)


answers = {}
for case, of in formats.items():
    backbone = build_network(keras, 64, 0.25)
    kind = "spatial" if "spatial" in case else "pooled"
    to_features = backbones.with_features(backbone, kind, 0.03 if "roots" in case else None)
    scale = (0.0, 255.0) if "255" in case else (-1.0, 1.0)
    low, high = scale
    scaled = squares.astype(np.float32) / 255 * (high - low) + low
    features = to_features(scaled).numpy()
    size = features.shape[1]
    names = ("one",) if "one" in case else ("one", "two", "three")
    count = len(names)
    head = LinearHead(names, 20 * random(size, count), random(count))
    if "dense" in case:
        head = DenseHead(names, random(size, 20) / 10, random(20), random(20, count))
    references = 2 if "two" in case else 30
    unknown = UnknownDetector(
        normalise(features[np.arange(references) % 5] + random(references, size) / 100),
        np.exp(random(references)),
        0.5,
        True,
        hesitation_weight=0.3 if "hesitating" in case else 0.0,
        shift=random(size) / 100 if "adapted" in case else None,
    )
    model = Model(head, None if "no unknown" in case else unknown)
    arrays = model_as_arrays(model)[1]
    if model.unknown:
        arrays["offsets"] = model.unknown.offsets
    weight = unknown.hesitation_weight
    classifier = build_classifier(keras, to_features, arrays, scale, weight)
    scores = head.scores(features)
    for name in of:
        target = folder / case / name
        target.mkdir(parents=True)
        said = WRITERS[name](classifier, target, {"class_names": json.dumps(names)})(squares)
        answer = {"scores": float(np.abs(said["scores"] - scores).max())}
        answer["spread"] = float(scores.std())
        if model.unknown:
            similarity = model.unknown.similarity(features, scores)
            answer["familiarity"] = float(np.abs(said["familiarity"][:, 0] - similarity).max())
            answer["familiar"] = float(similarity.mean())
        answers[f"{case}: {name}"] = answer
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    formats = {case: ["keras"] for case in CASES}
    formats["hesitating"] += ["saved-model", "tfjs"]
    formats["dense, spatial"] += ["tfjs"]
    finished = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", _CHILD, str(tmp_path_factory.mktemp("out")), json.dumps(formats)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    said: dict[str, dict[str, float]] = json.loads(finished.stdout.splitlines()[-1])
    return said


@pytest.mark.parametrize(
    "case",
    [
        *(f"{case}: keras" for case in CASES),
        "hesitating: saved-model",
        "hesitating: tfjs",
        "dense, spatial: tfjs",
    ],
)
def test_what_was_written_answers_as_the_model_in_numpy(
    answers: dict[str, dict[str, float]], case: str
) -> None:
    answer = answers[case]
    assert answer["scores"] <= 1e-5
    if "one class" not in case:
        assert answer["spread"] > 0.01  # else agreeing would be easy
    if "no unknown" in case:
        assert "familiarity" not in answer
    else:
        assert answer["familiarity"] <= 1e-5
        assert 0.01 < answer["familiar"] < 0.99
