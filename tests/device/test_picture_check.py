"""Which pictures are none."""

from __future__ import annotations

import cv2
import numpy as np
from support.shared_data import shared_folder

from edge_classifier.demo.camera import DemoCamera
from edge_classifier.demo.scene import DemoScene
from edge_classifier.device.picture_check import PictureCheck
from edge_classifier.device.preprocessing import Image
from edge_classifier.device.sources.named import open_source


def test_no_picture_of_any_clip_is_taken_for_a_fault() -> None:
    for clip in sorted(shared_folder("data", "clips").glob("*.m*")):
        check = PictureCheck()
        for frame in open_source(str(clip), paced=False):
            if frame.index % 3 == 0:
                assert check.fault(frame.image) == "", (clip.name, frame.index)


def test_no_picture_of_the_demo_camera_is_taken_for_a_fault() -> None:
    check = PictureCheck()
    for frame in DemoCamera(DemoScene(3), paced=False):
        assert check.fault(frame.image) == "", frame.index
        if frame.index == 120:
            break


def test_a_jpeg_that_was_cut_off_is_known_by_what_the_decoder_fills_in() -> None:
    image = next(iter(DemoCamera(DemoScene(0), paced=False))).image
    data = cv2.imencode(".jpg", image)[1].tobytes()
    for part in (0.3, 0.5, 0.8):
        cut = np.frombuffer(data[: int(len(data) * part)] + b"\xff\xd9", np.uint8)
        decoded = cv2.imdecode(cut, cv2.IMREAD_COLOR)
        assert decoded is not None
        assert "the lower part is missing" in PictureCheck().fault(np.asarray(decoded, np.uint8))


def noise(shape: tuple[int, int, int], seed: int = 0) -> Image:
    return np.random.default_rng(seed).integers(1, 255, shape, np.uint8)


def test_a_letterboxed_film_is_no_fault_also_where_it_begins_in_mid_stream() -> None:
    check = PictureCheck()
    assert check.fault(noise((240, 320, 3))) == ""
    film = noise((240, 320, 3), 1)
    film[:40] = film[-40:] = 0
    assert check.fault(film) == ""


def test_a_black_part_that_was_there_from_the_beginning_is_no_fault() -> None:
    check = PictureCheck()
    for seed in range(3):
        image = noise((240, 320, 3), seed)
        image[120:] = 0
        assert check.fault(image) == ""


def test_a_scene_that_fades_into_the_dark_is_no_fault() -> None:
    check = PictureCheck()
    assert check.fault(noise((240, 320, 3))) == ""
    image = noise((240, 320, 3), 1)
    darkness = np.linspace(0, 400, 240)[:, None, None]
    dark = np.clip(image - darkness, 0, 255).astype(np.uint8)
    dark[-40:] = 0
    assert check.fault(dark) == ""


def test_a_black_part_that_stays_is_believed_in_the_end() -> None:
    check = PictureCheck()
    assert check.fault(noise((240, 320, 3))) == ""
    image = noise((240, 320, 3), 1)
    image[120:] = 0
    said = [check.fault(image) for _ in range(320)]
    assert "the lower part is missing" in said[0]
    assert said[-1] == ""


def test_white_and_plain_things_are_no_faults() -> None:
    check = PictureCheck()
    for colour in (255, 254, 200, 60):
        image = noise((240, 320, 3), colour)
        image[100:] = colour
        assert check.fault(image) == ""
