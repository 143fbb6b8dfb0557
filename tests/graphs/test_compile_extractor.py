"""LiteRT gives what Keras gives, for every backbone; TensorFlow runs in a child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge_classifier.features.backbone import LiteRTBackbone
from edge_classifier.features.built_in import built_in_folder, read_built_in
from edge_classifier.features.catalogue import OFFICIAL, official

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge_classifier.values import BackboneInfo, FeatureKind

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("EDGE_CLASSIFIER_SHARED", ROOT.parent / "shared"))
REAL = {
    "v1-0.25": SHARED / "weights" / "mobilenet_2_5_224_tf_no_top.h5",
    "v2-0.35": SHARED / "weights" / "mobilenet_v2_0.35_224_no_top.weights.h5",
    "v2-1.0": SHARED / "weights" / "mobilenet_v2_1.0_224_no_top.weights.h5",
}
PHOTOGRAPHS = SHARED / "data" / "article" / "pexel-images" / "training" / "mobile"

# Everything that needs TensorFlow, in one process: importing it takes seconds. Random weights
# stand for those that are not on this machine; they show shapes, ranges and layouts as well.
_CHILD = """
import json, sys
from hashlib import sha256
from pathlib import Path
import numpy as np
from backbone.folding import fold
from edge_classifier.graphs import backbones
from edge_classifier.graphs.tflite import convert, freeze
from edge_classifier.graphs.built_in_network import build_network, weight_shapes
from edge_classifier.features.catalogue import BUILT_IN, OFFICIAL
from edge_classifier.errors import WeightsMismatchError

keras = backbones.import_keras()
folder, jobs = Path(sys.argv[1]), json.loads(sys.argv[2])
keras.utils.set_random_seed(0)
answers = {}
for name, weights in jobs.items():
    if weights is None:
        spec = OFFICIAL[name]
        random = getattr(keras.applications, spec.architecture)(
            input_shape=(224, 224, 3), alpha=spec.alpha, include_top=False, weights=None
        )
        weights = str(folder / f"{name}.weights.h5")
        for layer in random.layers:  # or else the features of random weights all but vanish
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.0
        # Of more than one picture: a channel that hardly varies in it would blow up rounding.
        shown = np.load(folder / f"{name}.pixels.npy")
        views = [shown, shown[:, ::-1], shown[:, :, ::-1], -shown, shown.swapaxes(1, 2)]
        random(np.concatenate([*views, *(view / 2 for view in views)]), training=True)
        random.save_weights(weights)
    model = backbones.build_backbone(name, Path(weights))
    last = OFFICIAL[name].layer if name in OFFICIAL else None
    if last is not None:
        assert model.layers[-1].name == last
    (folder / f"{name}.tflite").write_bytes(convert(freeze(model)))
    pixels = np.load(folder / f"{name}.pixels.npy")
    spatial = model(pixels, training=False)
    np.savez(
        folder / f"{name}.npz",
        pooled=keras.layers.GlobalAveragePooling2D()(spatial),
        spatial=keras.layers.Flatten()(spatial),
    )
if "v1-0.25" not in jobs:
    sys.exit()
for name, other in (("v1-0.25", "v3-small"), ("v3-small", "v1-0.25")):
    for wrong in (jobs[other], str(folder / f"{other}.weights.h5")):
        if wrong is None or not Path(wrong).exists():
            continue
        try:
            backbones.build_backbone(name, Path(wrong))
        except WeightsMismatchError as error:
            answers[f"{name} from {Path(wrong).name}"] = str(error)
        else:
            answers[f"{name} from {Path(wrong).name}"] = "taken"
(folder / "answers.json").write_text(json.dumps(answers))

pixels = np.load(folder / "v1-0.25.pixels.npy")
weights = jobs["v1-0.25"] or folder / "v1-0.25.weights.h5"
original = backbones.build_backbone("v1-0.25", Path(weights))
folded = build_network(keras, 224, 0.25)
folded.set_weights(list(fold({w.path: w.numpy() for w in original.weights}).values()))
assert folded.layers[-1].name == original.layers[-1].name
np.savez(folder / "folded.npz", folded=folded(pixels), original=original(pixels, training=False))

def hostile(name, **about):
    # Say what is said of a weights file.
    weights = folder / "hostile" / "built-in.weights.npz"
    weights.parent.mkdir(exist_ok=True)
    arrays = {k: np.ones(s, np.float16) for k, s in weight_shapes(0.5).items()}
    if name == "pickle":
        arrays["000:conv1/kernel"] = np.array([print], object)
    if name == "shape":
        arrays["000:conv1/kernel"] = np.ones((3, 3, 3, 8), np.float16)
    np.savez(weights, **arrays)
    description = {"alpha": 0.5, "input_size": 160} | about
    description.setdefault("weights_sha256", sha256(weights.read_bytes()).hexdigest())
    weights.with_name("built-in.json").write_text(json.dumps(description))
    try:
        backbones.build_backbone(BUILT_IN, weights)
    except WeightsMismatchError as error:
        return str(error)
    return "taken"

(folder / "hostile.json").write_text(json.dumps({
    "whole": hostile("whole"),
    "pickle": hostile("pickle"),
    "shape": hostile("shape"),
    "hash": hostile("whole", weights_sha256="ab" * 32),
    "width": hostile("whole", alpha=0.25),
    "width of nothing": hostile("whole", alpha=None),
    "size": hostile("whole", input_size=10**9),
}))
"""


def _picture() -> npt.NDArray[np.uint8]:
    """A real photograph, or smooth coloured shapes where there is none."""
    for path in sorted(PHOTOGRAPHS.glob("*.jpg")):
        photograph = cv2.imread(str(path))
        if photograph is not None:
            return np.asarray(photograph, np.uint8)
    image = np.full((480, 640, 3), 90, np.uint8)
    cv2.circle(image, (300, 200), 120, (30, 180, 250), cv2.FILLED)
    cv2.rectangle(image, (340, 260), (600, 420), (200, 60, 20), cv2.FILLED)
    return cv2.GaussianBlur(image, (0, 0), 3).astype(np.uint8)


def _info(name: str, kind: FeatureKind) -> BackboneInfo:
    return read_built_in(kind).info if name == "built-in" else official(name).info(kind, "ab")


LARGE = ("v2-1.0", "v3-large")
"""Each is the architecture of a smaller one, wider; half of the time is theirs."""

OF_EVERY_SIZE = [
    pytest.param(name, marks=pytest.mark.long) if name in LARGE else name for name in OFFICIAL
]


def _compile(folder: Path, names: Iterable[str]) -> Path:
    """Write each backbone's extractor and what Keras says of the picture."""
    jobs: dict[str, str | None] = {
        name: str(REAL[name]) if name in REAL and REAL[name].exists() else None for name in names
    }
    built_in = built_in_folder()
    if "built-in" in jobs and built_in is not None:
        jobs["built-in"] = str(built_in / "built-in.weights.npz")
    for name in jobs:
        pixels = _info(name, "pooled").preprocessing.apply(_picture())
        np.save(folder / f"{name}.pixels.npy", pixels[None])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tools")))}
    result = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", _CHILD, str(folder), json.dumps(jobs)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return folder


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the extractors of the built-in and the smaller backbones."""
    names = [name for name in OFFICIAL if name not in LARGE]
    built_in = ["built-in"] if built_in_folder() else []
    return _compile(tmp_path_factory.mktemp("compiled"), names + built_in)


@pytest.fixture(scope="session")
def compiled_large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Likewise of the larger ones."""
    return _compile(tmp_path_factory.mktemp("compiled-large"), LARGE)


@pytest.fixture
def extractors(request: pytest.FixtureRequest, name: str) -> Path:
    """The folder of those two that has the backbone of this name."""
    folder: Path = request.getfixturevalue("compiled_large" if name in LARGE else "compiled")
    return folder


@pytest.mark.parametrize("kind", ["pooled", "spatial"])
@pytest.mark.parametrize("name", OF_EVERY_SIZE)
def test_litert_gives_the_features_that_keras_gives(
    extractors: Path, name: str, kind: FeatureKind
) -> None:
    backbone = LiteRTBackbone(_info(name, kind), extractors / f"{name}.tflite")
    features = backbone.extract([_picture()])
    expected = np.load(extractors / f"{name}.npz")[kind]
    assert features.shape == expected.shape == (1, backbone.info.feature_dim)
    scale = float(np.ptp(np.load(extractors / f"{name}.npz")["spatial"]))
    assert scale > 0.5
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-4 * scale)


@pytest.mark.parametrize("name", OF_EVERY_SIZE)
def test_pooling_equals_global_average_pooling_of_the_same_map(extractors: Path, name: str) -> None:
    extractor = extractors / f"{name}.tflite"
    pooled = LiteRTBackbone(_info(name, "pooled"), extractor).extract([_picture()])
    spatial = LiteRTBackbone(_info(name, "spatial"), extractor).extract([_picture()])
    shape = _info(name, "spatial").feature_shape
    means = spatial.reshape(shape).mean(axis=(0, 1), dtype=np.float64)
    np.testing.assert_allclose(pooled[0], means, atol=1e-5)


@pytest.mark.skipif(built_in_folder() is None, reason="models/built-in.json is not there yet")
@pytest.mark.parametrize("kind", ["pooled", "spatial"])
def test_the_built_in_extractor_is_the_network_of_the_built_in_weights(
    compiled: Path, kind: FeatureKind
) -> None:
    built_in = read_built_in(kind)
    features = LiteRTBackbone(built_in.info, built_in.extractor).extract([_picture()])
    expected = np.load(compiled / "built-in.npz")[kind]
    if kind == "pooled":
        assert built_in.info.root_offset is not None
        expected = expected / np.sqrt(expected + built_in.info.root_offset)
    scale = float(np.ptp(expected))
    # Both files hold the same float16 numbers, folded before they were rounded.
    np.testing.assert_allclose(features, expected, rtol=0, atol=1e-5 * scale)
    again = LiteRTBackbone(built_in.info, compiled / "built-in.tflite").extract([_picture()])
    np.testing.assert_allclose(again, expected, rtol=0, atol=1e-5 * scale)


def test_folding_the_batch_norms_leaves_the_features_of_mobilenet_v1(compiled: Path) -> None:
    with np.load(compiled / "folded.npz") as maps:
        folded, original = maps["folded"], maps["original"]
    assert float(np.ptp(original)) > 0.5
    # Rounding in 27 layers: 1e-5 with trained weights, 1e-4 with random ones, which are used where
    # no others are at hand. Forgetting the batch norms' epsilon alone gives 7e-3 or more.
    error = np.linalg.norm(folded - original) / np.linalg.norm(original)
    assert error < 1e-3


def test_built_in_weights_that_are_not_its_own_are_refused_in_one_line(compiled: Path) -> None:
    answers: dict[str, str] = json.loads((compiled / "hostile.json").read_text())
    assert answers.pop("whole") == "taken"
    assert len(answers) == 6
    assert "built-in.weights.npz is damaged: " in answers["hash"]
    assert "(3, 3, 3, 16) in 000:conv1/kernel" in answers["shape"]
    for answer in answers.values():
        assert "built-in.weights.npz is " in answer
        assert answer.endswith("Install the package again.")
        assert "\n" not in answer


def test_weights_of_another_backbone_are_refused_in_one_line(compiled: Path) -> None:
    answers: dict[str, str] = json.loads((compiled / "answers.json").read_text())
    assert answers
    for what, answer in answers.items():
        name, _, file = what.partition(" from ")
        assert f"{file} does not hold the weights of {name}: " in answer
        assert "\n" not in answer
