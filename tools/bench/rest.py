"""How often frames are at rest, and what that changes in the answers, on clips and made scenes.

    python tools bench.rest CLIP CLIP … [--backbone NAME --weights FILE] [--larger 2 2.5 3 …]

Each clip is two classes: how it begins, and its middle. Every second clip is to choose by, the
others are to report on. Each is answered twice: every frame, and with those at rest left out, every
other of which is not even looked at.
Then the first frame of each stands still for 10 s with a sensor's noise, in five strengths, plain
and as JPEG; its light fades to a half within 20 s; and the clips' first frames take turns, each for
about a second, all with a sensor's noise.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import cycle, islice, product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_classifier.device.rest import LARGER, Rest, Stillness
from edge_classifier.device.sources.named import open_source
from edge_classifier.device.verdict import Smoother
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.strangers import Strangers
from edge_classifier.learning.training import train
from edge_classifier.values import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.device.verdict import Prediction
    from edge_classifier.learning.model import Model
    from edge_classifier.protocols import Backbone

FPS: Final = 30.0
_TAUGHT: Final = 8
_MOST: Final = 600
_NOISES: Final = (0.0, 1.0, 3.0, 6.0, 12.0)
_DARK: Final = 0.3
_STILL: Final = 300
_FADE: Final = 600
_TURNS: Final = 20
_TURN: Final = 30


class Sensor:
    """Adds what a sensor adds: noise that grows with the root of the light, and some in the dark.

    Args:
        noise: Its standard deviation at a middle grey, in grey levels.
        jpeg: Whether pictures are compressed as a webcam does.
    """

    def __init__(self, noise: float, *, jpeg: bool = False, shape: tuple[int, ...] = ()) -> None:
        self._generator = np.random.default_rng(0)
        self._noise, self._jpeg = noise, jpeg
        self._fields = self._generator.normal(0, 1, (8, *shape)).astype(np.float32)

    def see(self, scene: npt.NDArray[np.float32]) -> Image:
        """Make a picture of a scene, `(H, W, 3)` in grey levels."""
        draw = self._generator.integers
        field = np.roll(self._fields[draw(8)], tuple(draw(0, scene.shape[:2])), axis=(0, 1))
        strength = self._noise * np.sqrt(0.25 + 0.75 * scene / 128)
        image = np.clip(np.rint(scene + strength * field), 0, 255).astype(np.uint8)
        if self._jpeg:
            encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
            return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
        return np.asarray(image, np.uint8)


class Known:
    """Gives answers that are known already, in place of a classifier."""

    def __init__(self, answer: Prediction) -> None:
        self.answer = answer
        self.asked = 0

    def prepare(self, image: Image) -> Image:
        """Leave it as it is."""
        return image

    def predict_prepared(self, _pixels: Image) -> Prediction:
        """Give what is known."""
        return self.answer


@dataclass(frozen=True, slots=True)
class Filmed:
    """Frames, and what each is answered by itself."""

    name: str
    images: list[Image]
    answers: list[Prediction]


@dataclass(slots=True)
class Compared:
    """How answers with rest differ from those to every frame."""

    frames: int = 0
    rested: int = 0
    passed: int = 0
    other_raw: int = 0
    other_steady: int = 0
    late: int = 0
    scores: float = 0.0
    similarity: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.rested:5} of {self.frames:5} at rest, {self.passed:5} went by; labels that "
            f"differ: {self.other_raw} raw, {self.other_steady} steady, later than one frame "
            f"{self.late}; at most other by: scores {self.scores:.3f}, "
            f"similarity {self.similarity:.4f}"
        )

    def add(self, filmed: Filmed, larger: float) -> None:
        """Answer with rest, and compare."""
        rest, smoothers = Rest(stillness=Stillness(larger)), (Smoother(), Smoother())
        says = Known(filmed.answers[0])
        labels: list[tuple[str, str]] = []
        kept = resting = filmed.answers[0]
        looked = False
        for n, (image, answer) in enumerate(zip(filmed.images, filmed.answers, strict=True)):
            says.answer = answer
            steady = smoothers[0].update(answer, n / FPS)
            looked = not (looked and rest.resting)
            if looked:
                kept = rest.prediction_of(says, image)
                resting = smoothers[1].update(kept, n / FPS)
            self.passed += not looked
            self.other_raw += answer.label != kept.label
            self.scores = max(self.scores, float(np.abs(steady.scores - resting.scores).max()))
            if steady.similarity is not None and resting.similarity is not None:
                self.similarity = max(self.similarity, abs(steady.similarity - resting.similarity))
            labels.append((steady.label, resting.label))
        self.frames += len(labels)
        self.rested += rest.rested
        self.other_steady += sum(one != other for one, other in labels)
        for (before, _), (now, then), (_, next_one) in zip(
            labels, labels[1:], labels[2:], strict=False
        ):
            self.late += now != before and now not in (then, next_one)


def of_clip(path: Path) -> list[Image]:
    """Read a clip's first frames."""
    source = open_source(str(path), paced=False)
    images = [frame.image for frame in islice(source, _MOST)]
    source.close()
    return images


def taught(backbone: Backbone, clips: Sequence[list[Image]], names: Sequence[str]) -> Model:
    """Teach how each clip begins and its middle."""
    rows, class_ids, bursts = [], [], []
    classes = tuple(f"{name} {part}" for name in names for part in ("begins", "middle"))
    for n, images in enumerate(clips):
        for part, first in enumerate((0, len(images) // 2 - _TAUGHT // 2)):
            rows.append(backbone.extract(images[first : first + _TAUGHT]))
            class_ids += [2 * n + part] * _TAUGHT
            bursts += [f"b{2 * n + part}"] * _TAUGHT
    features = FeatureSet(
        np.concatenate(rows),
        np.array(class_ids, np.int64),
        np.array(bursts, np.str_),
        classes,
        strangers=Strangers(backbone).features(),
    )
    return train(features)


def filmed(name: str, images: list[Image], model: Model, backbone: Backbone) -> Filmed:
    """Answer each frame by itself."""
    rows = np.concatenate([backbone.extract([image]) for image in images])
    return Filmed(name, images, model.predict(rows))


def still(image: Image, noise: float, *, jpeg: bool, light: float) -> list[Image]:
    """Let a scene stand still."""
    sensor, scene = Sensor(noise, jpeg=jpeg, shape=image.shape), image.astype(np.float32) * light
    return [sensor.see(scene) for _ in range(_STILL)]


def at_rest(images: Sequence[Image], larger: float) -> float:
    """Return what part of pictures are at rest."""
    stillness, rested = Stillness(larger), 0
    for image in images:
        if stillness.is_still(image):
            rested += 1
        else:
            stillness.refer_to_last()
    return rested / len(images)


def fading(image: Image) -> Iterator[Image]:
    """Let the light fade to a half."""
    sensor = Sensor(3.0, shape=image.shape)
    for n in range(_FADE):
        yield sensor.see(image.astype(np.float32) * np.float32(1 - 0.5 * n / _FADE))


def changing(images: Sequence[Image]) -> Iterator[Image]:
    """Let scenes take turns, after odd and even numbers of pictures."""
    sensor = Sensor(3.0, shape=images[0].shape)
    size = images[0].shape[1::-1]
    for n, image in zip(range(_TURNS), cycle(images), strict=False):
        scene = np.asarray(cv2.resize(image, size), np.float32)
        for _ in range(_TURN + n % 5):
            yield sensor.see(scene)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--backbone", default="built-in")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--larger", type=float, nargs="+", default=[LARGER])
    options = parser.parse_args()
    backbone = load_backbone(options.backbone, weights=options.weights)
    for half, clips in (("choose", options.clips[::2]), ("report", options.clips[1::2])):
        films = [of_clip(path) for path in clips]
        model = taught(backbone, films, [path.stem for path in clips])
        scenes = {
            "clips": [
                filmed(path.stem, images, model, backbone)
                for path, images in zip(clips, films, strict=True)
            ],
            "fades": [
                filmed(path.stem, list(fading(images[0])), model, backbone)
                for path, images in list(zip(clips, films, strict=True))[:2]
            ],
            "turns": [
                filmed("turns", list(changing([images[0] for images in films])), model, backbone)
            ],
        }
        for larger in options.larger:
            for what, of_it in scenes.items():
                compared = Compared()
                for film in of_it:
                    compared.add(film, larger)
                print(f"{half} {larger:4.1f} {what:6} {compared}", flush=True)
        for light, jpeg, noise in product((1.0, _DARK), (False, True), _NOISES):
            images = still(films[0][0], noise, jpeg=jpeg, light=light)
            told = [f"{half} still, noise {noise:4.1f}, light {light}, jpeg {jpeg:d}:"]
            told += [f"{larger}: {at_rest(images, larger):.0%}" for larger in options.larger]
            print(*told, flush=True)


if __name__ == "__main__":
    main()
