"""A small project that was taught real classes of pictures, and the bundle exported from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge_classifier.device.unknown_detector import UnknownDetector
from edge_classifier.device.verdict import normalise
from edge_classifier.export.exporter import export_bundle
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.features.dataset import Dataset
from edge_classifier.features.strangers import Strangers
from edge_classifier.learning.head import DenseHead, LinearHead
from edge_classifier.learning.model import Model
from edge_classifier.learning.model_file import FileModelStore
from edge_classifier.learning.settings import HeadSettings
from edge_classifier.learning.training import train
from edge_classifier.project.picture_file import encode_image, read_image
from edge_classifier.project.samples import Samples
from edge_classifier.project.store import ProjectStore
from edge_classifier.values import FeatureSet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image
    from edge_classifier.protocols import Backbone
    from edge_classifier.values import FeatureKind

CLASSES = ("ball", "stripes", "växt 🌱")
BURSTS = 2
PER_BURST = 5
HELD_OUT = 4


def picture(class_id: int, number: int) -> Image:
    """Draw a picture of a class, each number a little different: place, size, light, noise."""
    generator = np.random.default_rng(100 * class_id + number)
    height, width = 240, 320
    image = np.full((height, width, 3), generator.integers(90, 120), np.uint8)
    x, y = (int(v) for v in generator.integers((110, 90), (210, 150)))
    size = int(generator.integers(50, 75))
    if class_id == 0:
        cv2.circle(image, (x, y), size, (40, 60, 220), cv2.FILLED)
    elif class_id == 1:
        for offset in range(-size, size, 20):
            cv2.line(image, (x + offset, y - size), (x + offset, y + size), (240, 240, 240), 8)
    else:
        for angle in range(0, 360, 45):
            tip = (x + int(size * np.cos(np.radians(angle))), y + int(size * np.sin(angle)))
            cv2.line(image, (x, y), tip, (60, 200, 60), 12)
    noisy = image.astype(np.int16) + generator.integers(-12, 13, image.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def video(path: Path, frames: int) -> Path:
    """Write a video of the classes, ten frames each in turn, at 25 frames per second."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240))
    for number in range(frames):
        writer.write(picture(number // 10 % len(CLASSES), number))
    writer.release()
    return path


def in_the_evening(class_id: int, number: int) -> Image:
    """Draw the same picture by a warm, weak light."""
    return np.asarray(picture(class_id, number) * np.array([0.35, 0.5, 0.55]), np.uint8)


def in_other_light(image: Image) -> Image:
    """Make the light bluer and dimmer: a third of known things or more are unknown then."""
    lit = image.astype(np.float32) * np.array((1.0, 0.8, 0.5), np.float32)
    return np.asarray(np.clip(lit, 0, 255), np.uint8)


@dataclass(frozen=True)
class Taught:
    """A project on disk with its trained model and its backbone."""

    store: ProjectStore
    model: Model
    backbone: Backbone


def teach(
    path: Path,
    *,
    kind: FeatureKind = "pooled",
    settings: HeadSettings | None = None,
    classes: tuple[str, ...] = CLASSES,
    light: Callable[[Image], Image] = lambda image: image,
) -> Taught:
    """Make a project of the classes above, in some light, and train it on the built-in backbone."""
    store = ProjectStore.create(path, classes)
    for class_id, name in enumerate(classes):
        for burst in range(BURSTS):
            burst_id = store.next_burst_id()
            for number in range(PER_BURST):
                encoded = encode_image(light(picture(class_id, burst * PER_BURST + number)))
                store.add_sample(encoded, name, burst_id)
        for number in range(HELD_OUT):
            encoded = encode_image(light(picture(class_id, 90 + number)))
            store.add_sample(encoded, name, store.next_burst_id(), held_out=True)
    backbone = load_backbone("built-in", feature_kind=kind)
    store.set_backbone(backbone.info)
    samples = store.samples()
    features = FeatureSet(
        backbone.extract([read_image(s.path) for s in samples]),
        np.array([classes.index(s.class_name) for s in samples], np.int64),
        np.array([s.burst_id for s in samples], np.str_),
        classes,
        strangers=Strangers(backbone).features(),
    )
    model = train(features, settings)
    cache = FileFeatureCache(store.cache_folder, backbone.info.key, backbone.info.feature_dim)
    for sample, row in zip(samples, features.features, strict=True):
        cache.append(sample.image_sha256, row)
    cache.close()
    FileModelStore(store.model_folder).save(
        model,
        backbone_key=backbone.info.key,
        fingerprint=Dataset(store.class_names(), Samples.of(samples)).fingerprint,
    )
    return Taught(store, model, backbone)


def random_model(
    backbone: Backbone,
    kind: str = "linear",
    classes: int = 3,
    *,
    unknown: bool = True,
    shifted: bool = False,
) -> Model:
    """Make a model of random numbers, as large as real ones are."""
    rng = np.random.default_rng(7)
    names = tuple(f"class {n}" for n in range(classes))
    size = backbone.info.feature_dim

    def weights(*shape: int) -> np.ndarray:
        return np.asarray(rng.standard_normal(shape) * 20 / np.sqrt(shape[0]), np.float32)

    head: LinearHead | DenseHead = LinearHead(names, weights(size, classes), weights(classes))
    if kind == "dense":
        head = DenseHead(names, weights(size, 100), weights(100), weights(100, classes))
    if not unknown:
        return Model(head)
    seen = [picture(class_id, number) for class_id in range(3) for number in range(2)]
    references = normalise(backbone.extract(seen))
    shift = references.mean(axis=0) / 4 if shifted else None
    scales = rng.uniform(0.5, 2, len(references)).astype(np.float32)
    return Model(
        head, UnknownDetector(references, scales, 0.5, measured_on_bursts=True, shift=shift)
    )


def export(taught: Taught, out: Path, formats: str) -> Path:
    """Export it."""
    return export_bundle(
        taught.store.snapshot(),
        taught.model,
        taught.backbone,
        formats=formats,
        out=out,
        progress=lambda _done, _what=None: None,
        cancelled=lambda: False,
    )
