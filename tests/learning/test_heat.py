"""Heat lies where the foreign thing is, with a real backbone."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from support.exported_project import CLASSES, picture
from support.shared_data import shared_folder

from edge_classifier.device.heat import HeatReferences
from edge_classifier.errors import CancelledError, NotEnoughSamplesError
from edge_classifier.features.backbone import LiteRTBackbone, load_backbone
from edge_classifier.learning.heat import fit_heat, heat_samples, learn_heat
from edge_classifier.project.picture_file import read_image
from edge_classifier.protocols import ignore_progress, never_cancelled
from edge_classifier.values import Sample

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image

CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.fixture(scope="module")
def backbone() -> LiteRTBackbone:
    return load_backbone("built-in")


def square(path: Path) -> Image:
    image = read_image(path)
    side = min(image.shape[:2])
    return np.asarray(cv2.resize(image[:side, :side], (320, 320)), np.uint8)


def samples_of(name: str, paths: list[Path]) -> list[Sample]:
    """Make one burst of a class."""
    return [Sample(name, name, path, str(path)) for path in paths]


def heat_of(
    backbone: LiteRTBackbone, known: HeatReferences, name: str, image: Image
) -> npt.NDArray[np.float32]:
    (spatial,) = backbone.extract_spatial([image])[1]
    heat = known.heat(spatial, name)
    assert heat is not None
    return heat


def test_a_foreign_thing_put_into_a_webcam_frame_is_hot_and_the_rest_is_not(
    backbone: LiteRTBackbone,
) -> None:
    frames = sorted(shared_folder("data", "teachable_machine_capture", "Class 1").iterdir())
    foreign = square(min(shared_folder("data", "azure_custom_vision", "fork").iterdir()))
    patch = cv2.resize(foreign[60:260, 60:260], (110, 110))
    half = len(frames) // 2
    known = learn_heat(samples_of("me", frames[:half]), backbone, ignore_progress, never_cancelled)
    inside, outside, clean = [], [], []
    for path, (bottom, right) in product(frames[half:], CORNERS):
        frame = square(path)
        clean.append(heat_of(backbone, known, "me", frame).mean())
        top, left = 20 + bottom * 170, 20 + right * 170
        frame[top : top + 110, left : left + 110] = patch
        heat = cv2.resize(heat_of(backbone, known, "me", frame), (320, 320))
        inside.append(heat[top : top + 110, left : left + 110].mean())
        far = heat[(1 - bottom) * 160 :][:160, (1 - right) * 160 :][:, :160]
        outside.append(far.mean())
    assert np.mean(clean) < 0.1
    assert np.mean(inside) > 0.3
    assert np.mean(outside) < np.mean(inside) / 4
    assert np.mean([i > o for i, o in zip(inside, outside, strict=True)]) > 0.9


def test_each_class_has_its_own_heat(backbone: LiteRTBackbone, tmp_path: Path) -> None:
    samples = []
    for class_id, name in enumerate(CLASSES):
        paths = [tmp_path / f"{class_id}-{n}.png" for n in range(10)]
        for n, path in enumerate(paths):
            cv2.imwrite(str(path), picture(class_id, n))
        samples += samples_of(name, paths)
    known = learn_heat(samples, backbone, ignore_progress, never_cancelled)
    heat = np.array(
        [
            [heat_of(backbone, known, name, picture(shown, 40)).mean() for name in CLASSES]
            for shown in range(len(CLASSES))
        ]
    )
    assert (heat.argmin(axis=1) == np.arange(len(CLASSES))).all()
    assert heat.diagonal().max() < 0.1
    assert known.heat(np.zeros(known.shape, np.float32), "another") is None


def test_pictures_are_chosen_from_all_classes_and_bounded() -> None:
    samples = [
        Sample(name, f"{name}{n // 50}", Path(f"{name}-{n}"), f"{n}")
        for name in map(str, range(30))
        for n in range(100)
    ]
    chosen = heat_samples(samples)
    assert len(chosen) == 240
    assert {s.class_name for s in chosen} == {s.class_name for s in samples}
    assert chosen == sorted(chosen, key=samples.index)


def test_one_picture_of_one_place_is_enough_and_none_is_told(tmp_path: Path) -> None:
    alone = Sample("mug", "a", tmp_path / "a.jpg", "a")
    known = fit_heat([alone], [np.ones((1, 1, 4), np.float32)])
    heat = known.heat(np.ones(4, np.float32), "mug")
    assert heat is not None
    assert heat.tolist() == [[0.0]]
    with pytest.raises(NotEnoughSamplesError, match="no picture"):
        fit_heat([], [])


def test_learning_stops_when_it_is_cancelled(backbone: LiteRTBackbone, tmp_path: Path) -> None:
    samples = samples_of("mug", [tmp_path / "a.jpg"])
    with pytest.raises(CancelledError, match="Stopped learning"):
        learn_heat(samples, backbone, ignore_progress, lambda: True)
