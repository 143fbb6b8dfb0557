"""Frames that show what the last one did are not inferred on; whatever moves is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from support import exported_project
from support.exported_project import CLASSES
from support.picamera import PICAMERA2

from edge_classifier.device.adapter import Adapter
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.service import Service
from edge_classifier.device.rest import Rest, Stillness
from edge_classifier.device.taught import features_of
from edge_classifier.device.turns import Turns
from edge_classifier.device.verdict import Prediction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image

LEARNT = 13
"""Frames after which the noise is known."""


class Camera:
    """Sees a scene with a sensor's noise, as a webcam compresses it if asked to."""

    def __init__(self, noise: float = 3.0, *, jpeg: bool = False) -> None:
        self._generator = np.random.default_rng(0)
        self._noise, self._jpeg = noise, jpeg
        self._field = self._generator.normal(0, 1, (400, 500, 3)).astype(np.float32)

    def see(self, scene: Image, light: float = 1.0) -> Image:
        """Take a picture of a scene of 240 x 320 pixels."""
        top, left = (int(n) for n in self._generator.integers(0, 160, 2))
        noise = self._noise * self._field[top : top + 240, left : left + 320]
        image = np.asarray(np.clip(scene * np.float32(light) + noise, 0, 255), np.uint8)
        if self._jpeg:
            encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
            image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
        return image


def scene(class_id: int = 0) -> Image:
    """What a camera without noise would see."""
    return np.asarray(cv2.medianBlur(exported_project.picture(class_id, 1), 5), np.uint8)


def at_rest(stillness: Stillness, images: Iterable[Image]) -> list[bool]:
    """Say of each whether it is at rest, where all others are referred to."""
    still = []
    for image in images:
        still.append(stillness.is_still(image))
        if not still[-1]:
            stillness.refer_to_last()
    return still


def settled(camera: Camera) -> Stillness:
    """Before a still scene, once its noise is known."""
    stillness = Stillness()
    assert at_rest(stillness, [camera.see(scene()) for _ in range(2 * LEARNT)])[-1]
    return stillness


@pytest.mark.parametrize("light", [1.0, 0.2])
@pytest.mark.parametrize("jpeg", [False, True])
@pytest.mark.parametrize("noise", [1.0, 4.0, 10.0])
def test_a_still_scene_is_at_rest_once_its_noise_is_known(
    noise: float, light: float, *, jpeg: bool
) -> None:
    camera = Camera(noise, jpeg=jpeg)
    still = at_rest(Stillness(), [camera.see(scene(), light) for _ in range(4 * LEARNT)])
    assert not any(still[:10])
    assert all(still[LEARNT:])


def test_a_picture_without_noise_is_at_rest() -> None:
    assert all(at_rest(Stillness(), [scene()] * 30)[LEARNT:])


def test_light_that_flickers_is_noise() -> None:
    camera = Camera(2.0)
    lights = [1.0, 0.995, 1.005] * 20
    still = at_rest(Stillness(), [camera.see(scene(), light) for light in lights])
    assert all(still[LEARNT:])


@pytest.mark.parametrize(("x", "y"), [(42, 2), (262, 2), (42, 222), (262, 222), (150, 110)])
def test_a_small_thing_that_appears_anywhere_counts_at_once(x: int, y: int) -> None:
    camera = Camera()
    stillness = settled(camera)
    changed = scene()
    changed[y : y + 16, x : x + 16] = 255 - changed[y : y + 16, x : x + 16]
    assert at_rest(stillness, [camera.see(changed)] * 2) == [False, True]
    assert not stillness.is_still(camera.see(scene()))  # nor is it gone unseen


def test_what_the_network_does_not_see_does_not_count() -> None:
    camera = Camera()
    stillness = settled(camera)
    changed = scene()
    changed[:, :30] = 0  # left of the square
    assert stillness.is_still(camera.see(changed))


@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_light_that_fades_slowly_never_gets_far_from_what_was_inferred_on(noise: float) -> None:
    camera, stillness = Camera(noise), Stillness()
    referred, farthest, rested = 1.0, 0.0, 0
    for light in np.linspace(1.0, 0.8, 120):
        if stillness.is_still(camera.see(scene(), float(light))):
            rested += 1
            farthest = max(farthest, referred - light)
        else:
            stillness.refer_to_last()
            referred = light
    assert rested > 30
    assert farthest < 0.03  # of a light that has lost 0.2


def test_what_always_moves_in_a_part_of_the_picture_is_not_taken_for_noise() -> None:
    camera = Camera()

    def turned(angle: int) -> Image:
        image = scene()
        cv2.line(image, (80, 60), (80 + angle % 60, 20 + 3 * angle % 80), (0, 255, 255), 9)
        return image

    still = at_rest(Stillness(), [camera.see(turned(7 * n)) for n in range(80)])
    assert not any(still)


def test_a_camera_that_is_carried_never_rests() -> None:
    camera = Camera()
    wide = np.concatenate([scene(0), scene(1), scene(2)], axis=1)
    images = [camera.see(wide[:, 4 * n : 4 * n + 320]) for n in range(150)]
    assert not any(at_rest(Stillness(), images))


def test_a_lamp_that_is_switched_counts_once() -> None:
    camera = Camera()
    stillness = settled(camera)
    assert at_rest(stillness, [camera.see(scene(), 0.6) for _ in range(20)]) == [
        False,
        *[True] * 19,
    ]


def test_pictures_of_another_size_are_compared_all_the_same() -> None:
    stillness = Stillness()
    at_rest(stillness, [scene()] * LEARNT)
    larger = np.asarray(cv2.resize(scene(1), (640, 480)), np.uint8)
    assert not stillness.is_still(larger)


@pytest.fixture(scope="module")
def classifier(bundle: Path) -> Classifier:
    return Classifier(Bundle.open(bundle))


@pytest.fixture
def resting(classifier: Classifier) -> tuple[Rest, Camera]:
    """At rest before the first class."""
    rest, camera = Rest(), Camera()
    for _ in range(2 * LEARNT):
        rest.prediction_of(classifier, camera.see(scene()))
    assert rest.resting
    return rest, camera


def test_the_answer_stays_and_the_network_is_not_asked(
    classifier: Classifier, resting: tuple[Rest, Camera]
) -> None:
    (rest, camera), asked = resting, classifier.asked
    answers = [rest.prediction_of(classifier, camera.see(scene())) for _ in range(10)]
    assert all(answer is answers[0] for answer in answers)
    assert answers[0].label == CLASSES[0]
    assert classifier.asked == asked
    assert rest.rested >= 10


def test_another_thing_is_named_in_the_very_frame(
    classifier: Classifier, resting: tuple[Rest, Camera]
) -> None:
    rest, camera = resting
    image = camera.see(scene(1))
    answer = rest.prediction_of(classifier, image)
    assert not rest.resting
    assert answer.scores.tolist() == classifier.predict(image).scores.tolist()


def test_another_classifier_is_asked_in_any_case(
    bundle: Path, classifier: Classifier, resting: tuple[Rest, Camera]
) -> None:
    (rest, camera), other = resting, Classifier(Bundle.open(bundle))
    rest.prediction_of(other, camera.see(scene()))
    assert (rest.resting, other.asked) == (False, 1)
    rest.prediction_of(classifier, camera.see(scene()))
    assert not rest.resting


def test_what_is_read_of_the_classifier_is_never_of_a_strangers_picture(
    classifier: Classifier, resting: tuple[Rest, Camera]
) -> None:
    rest, camera = resting
    rest.prediction_of(classifier, camera.see(scene()), read=True)
    own = features_of(classifier)
    stranger = classifier.predict(scene(2))
    strange = features_of(classifier)
    assert rest.prediction_of(classifier, camera.see(scene())).label != stranger.label
    assert rest.resting  # nothing is read
    rest.prediction_of(classifier, camera.see(scene()), read=True)
    assert not rest.resting
    again = features_of(classifier)
    assert np.linalg.norm(again - own) < np.linalg.norm(again - strange) / 4
    rest.prediction_of(classifier, camera.see(scene()), read=True)
    assert rest.resting


class Says:
    """In place of a classifier: says the same of each picture."""

    def __init__(self, scores: tuple[float, ...], similarity: float | None) -> None:
        self.asked = 0
        self.similarity = similarity
        self._scores = np.array(scores, np.float32)

    def prepare(self, image: Image) -> Image:
        return image

    def predict_prepared(self, _pixels: Image) -> Prediction:
        self.asked += 1
        threshold = None if self.similarity is None else 0.6
        names = ("mug", "phone")[: len(self._scores)]
        return Prediction(names, self._scores, self.similarity, threshold)


@pytest.mark.parametrize(
    ("scores", "similarity", "rests"),
    [
        ((0.99, 0.01), 0.9, True),
        ((0.99, 0.01), None, True),
        ((0.7, 0.3), 0.9, False),
        ((0.99, 0.01), 0.61, False),
        ((0.99, 0.01), 0.59, False),
        ((0.5, 0.5), 0.3, True),
        ((1.0,), 0.9, True),
        ((1.0,), 0.605, False),
    ],
)
def test_an_answer_stays_only_where_it_is_sure(
    scores: tuple[float, ...], similarity: float | None, *, rests: bool
) -> None:
    rest, says = Rest(), Says(scores, similarity)
    for _ in range(2 * LEARNT):
        rest.prediction_of(says, scene())
    assert rest.resting == rests
    assert (says.asked < 2 * LEARNT) == rests


def test_an_adapted_answer_is_the_one_that_must_be_sure() -> None:
    rest, says = Rest(), Says((0.99, 0.01), 0.9)
    for _ in range(2 * LEARNT):
        rest.prediction_of(says, scene())
        scores = np.array([0.6, 0.4], np.float32)
        rest.answered(Prediction(("mug", "phone"), scores, adapted=True))
    assert not rest.rested


def test_what_stays_is_the_mean_of_several_answers() -> None:
    rest, says = Rest(), Says((0.99, 0.01), 0.9)
    said = []
    for n in range(2 * LEARNT):
        says.similarity = 0.9 + 0.01 * (n % 2)
        said.append(rest.prediction_of(says, scene()).similarity)
    assert rest.resting
    assert set(said[:LEARNT]) == {0.9, 0.91}
    assert said[-1] == pytest.approx(0.905)


def test_every_frame_is_inferred_on_if_asked_for(classifier: Classifier) -> None:
    rest, asked = Rest(every_frame=True), classifier.asked
    for _ in range(20):
        rest.prediction_of(classifier, scene())
    assert (classifier.asked - asked, rest.rested) == (20, 0)


def test_what_stands_still_is_one_frame_to_adapt_to(copy: Path) -> None:
    classifier = Classifier(Bundle.open(copy))
    adapter, rest, camera = Adapter(classifier, "once", background=False), Rest(), Camera()
    for _ in range(40):
        image = camera.see(scene())
        answer = adapter.update(rest.prediction_of(classifier, image, read=True))
    assert rest.resting
    assert answer.label == CLASSES[0]
    adapter.close()
    assert not answer.adapted


def test_how_many_rested_can_be_watched(classifier: Classifier) -> None:
    service = Service(classifier, Turns(), with_camera=True)
    frame, answer = Frame(scene(), 0, 0.0), classifier.predict(scene())
    for inferred in (True, False, True, False, False):
        if inferred:
            service.consider(frame, answer)
        service.show(frame, answer)
    assert "\nclassify_rested_total 3\n" in service.metrics_text


def run(bundle: Path, *arguments: str, **behaviour: str) -> subprocess.CompletedProcess[str]:
    """Run before the stand-in of the Pi's camera, which sees a still scene."""
    quiet = {"PYTHONPATH": str(PICAMERA2), "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    return subprocess.run(  # noqa: S603 - our own file
        [sys.executable, str(bundle / "classify.py"), *arguments],
        env={**os.environ, **quiet, **behaviour},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_benchmark_says_how_many_frames_rested(bundle: Path) -> None:
    halves = ("--region", "left=0,0,.5,1", "--region", "right=.5,0,1,1")  # of one frame each
    result = run(bundle, "picamera", "--benchmark", "--frames", "60", *halves)
    assert result.returncode == 0, result.stderr
    *_, rested, all_of_them = result.stdout.splitlines()
    assert rested.endswith(" frames were as the last one, and at rest")
    assert 30 < int(rested.split()[0]) < 60
    assert all_of_them.startswith("60 frames in ")


def test_without_rest_there_are_as_many_lines_and_the_same_labels(bundle: Path) -> None:
    results = [run(bundle, "picamera", "--frames", "40", *more) for more in ([], ["--every-frame"])]
    labels = [[json.loads(line)["label"] for line in r.stdout.splitlines()] for r in results]
    assert labels[0] == labels[1]
    assert len(labels[0]) == 40


def test_at_rest_every_other_picture_goes_by(bundle: Path, tmp_path: Path) -> None:
    def passed(*options: str, lines: int = 60) -> int:
        file = tmp_path / "passed"
        file.write_bytes(b"")
        result = run(bundle, "picamera", "--frames", "60", *options, PICAMERA2_PASSED=str(file))
        assert len(result.stdout.splitlines()) == lines, result.stderr
        return len(file.read_bytes())

    assert 20 <= passed() <= 60
    assert passed("--every-frame") == 0
    assert passed("--hold", "60") == 0  # a label that is new must not come later
    assert passed("--benchmark", lines=6) == 0  # which tells how many a second it can answer


def test_in_a_video_every_frame_is_inferred_on(bundle: Path, tmp_path: Path) -> None:
    video = str(tmp_path / "still.avi")
    writer = cv2.VideoWriter(video, cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    for _ in range(30):
        writer.write(scene())
    writer.release()
    result = run(bundle, video, "--benchmark")
    assert result.returncode == 0, result.stderr
    assert "at rest" not in result.stdout
    assert "30 frames in" in result.stdout


def test_one_answer_in_a_while_lets_the_others_go_by(bundle: Path) -> None:
    result = run(bundle, "picamera", "--interval", "0.3", "--frames", "3")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 3


@pytest.mark.parametrize("what", ["pictures", "a video"])
def test_what_has_an_end_is_answered_as_a_whole(bundle: Path, tmp_path: Path, what: str) -> None:
    source = tmp_path / "picture.png"
    if what == "a video":
        source = exported_project.video(tmp_path / "clip.avi", 3)
    else:
        cv2.imwrite(str(source), scene())
    result = run(bundle, str(source), "--interval", "60")
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith("classify: --interval is for cameras, and ")
