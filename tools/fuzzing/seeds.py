"""Honest files to start from, all made by the tool itself: a project, a bundle, archives."""

from __future__ import annotations

import io
import shutil
import zipfile
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import pillow_heif
from PIL import Image as PillowImage

from edge_classifier.api import ImageClassifier
from edge_classifier.commands.cli import main as run_command
from edge_classifier.project.picture_file import encode_image
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.device.preprocessing import Image

CLASSES: Final = ("mug", "växt 🌱")
_PER_CLASS: Final = 6
_FORMATS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("JPEG", "jpg", {}),
    ("JPEG", "progressive.jpg", {"progressive": True}),
    ("PNG", "png", {}),
    ("WEBP", "webp", {}),
    ("WEBP", "lossless.webp", {"lossless": True}),
    ("BMP", "bmp", {}),
    ("GIF", "gif", {}),
    ("TIFF", "tif", {}),
    ("TIFF", "lzw.tif", {"compression": "tiff_lzw"}),
    ("TIFF", "jpeg.tif", {"compression": "jpeg"}),
    ("PPM", "ppm", {}),
    ("AVIF", "avif", {}),
    ("HEIF", "heic", {}),
)


def picture(number: int, width: int = 48, height: int = 36) -> Image:
    """Draw a small picture, each number another one; the parity tells the class."""
    generator = np.random.default_rng(number)
    image = generator.integers(60, 120, (height, width, 3)).astype(np.uint8)
    colour = (40, 60, 220) if number % 2 else (60, 200, 60)
    cv2.circle(image, (width // 2, height // 2), height // 3, colour, cv2.FILLED)
    return image


def make_seeds(folder: Path, bundle: Path | None) -> Path:
    """Make all seeds, unless they are there.

    Args:
        folder: Where to.
        bundle: An exported bundle to copy, or `None` to export one, which needs TensorFlow and
            half a minute.

    Returns:
        The folder.
    """
    if (folder / "done").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _make_pictures(folder / "pictures")
    _make_archives(folder)
    _make_project(folder / "project")
    _make_classifier(folder / "classifier.npz")
    _make_video(folder / "clip.avi", "MJPG")
    _make_video(folder / "clip.mp4", "mp4v")
    _make_video(folder / "clip.mkv", "MJPG")
    jpegs = (cv2.imencode(".jpg", picture(n))[1].tobytes() for n in range(6))
    (folder / "clip.mjpeg").write_bytes(b"".join(jpegs))
    if bundle is not None:
        shutil.copytree(bundle, folder / "bundle")
    else:
        _run(["export", str(folder / "project"), "-o", str(folder / "bundle")])
    (folder / "done").touch()
    return folder


def _make_pictures(folder: Path) -> None:
    folder.mkdir()
    pillow_heif.register_heif_opener()
    picture_rgb = PillowImage.fromarray(np.ascontiguousarray(picture(1)[..., ::-1]))
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    for kind, name, options in _FORMATS:
        picture_rgb.save(folder / f"plain.{name}", kind, **options)
        if kind in {"JPEG", "PNG", "WEBP", "TIFF", "HEIF"}:
            picture_rgb.save(folder / f"exif.{name}", kind, exif=exif, **options)
    picture_rgb.convert("CMYK").save(folder / "cmyk.jpg")
    picture_rgb.convert("RGBA").save(folder / "alpha.png")
    picture_rgb.convert("P").save(folder / "palette.png", transparency=0)
    picture_rgb.convert("I;16").save(folder / "deep.png")
    picture_rgb.convert("L").save(folder / "grey.tif")
    frames = [picture_rgb, picture_rgb.rotate(90)]
    for name in ("moving.gif", "moving.png", "moving.webp"):
        frames[0].save(folder / name, save_all=True, append_images=frames[1:])
    # 8-bit run-length coding, which Pillow reads but does not write
    rows = b"".join(bytes((8, row, 0, 0)) for row in range(8)) + b"\x00\x01"
    palette = bytes(v for n in range(256) for v in (n, n, n, 0))
    header = (40).to_bytes(4, "little") + b"\x08\0\0\0\x08\0\0\0\x01\0\x08\0\x01\0\0\0"
    header += len(rows).to_bytes(4, "little") + bytes(16)
    offset = 14 + len(header) + len(palette)
    start = b"BM" + (offset + len(rows)).to_bytes(4, "little") + bytes(4)
    start += offset.to_bytes(4, "little")
    (folder / "rle.bmp").write_bytes(start + header + palette + rows)
    (folder / "text.ppm").write_bytes(b"P3 4 4 255\n" + b"10 20 30 " * 16)
    (folder / "deep.ppm").write_bytes(b"P6 4 4 1000\n" + bytes(range(96)))


def encoded(number: int, kind: str = "JPEG") -> bytes:
    """Give the file of a small picture."""
    buffer = io.BytesIO()
    PillowImage.fromarray(picture(number, 16, 12)).save(buffer, kind)
    return buffer.getvalue()


def _make_archives(folder: Path) -> None:
    with zipfile.ZipFile(folder / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("train/mug/1.jpg", "train/växt/2.jpg", "val/mug/3.jpg", "notes.txt"):
            archive.writestr(name, encoded(len(name)))
        archive.writestr("labels.csv", "file,label\ntrain/mug/1.jpg,mug\n")
    with zipfile.ZipFile(folder / "project.tm", "w") as archive:
        archive.writestr("manifest.json", '{"type": "image", "classes": ["mug", "växt"]}')
        for number in range(4):
            archive.writestr(f"{CLASSES[number % 2]}-!-{number}.jpg", encoded(number))
    rows = [f"train/{n}.jpg,{CLASSES[n % 2]},{('train', 'val')[n % 2]}" for n in range(6)]
    (folder / "labels.csv").write_text("\n".join(["file,label,split", *rows]), encoding="utf-8")


def _make_project(folder: Path) -> None:
    with ProjectStore.create(folder, CLASSES) as store:
        for number in range(_PER_CLASS * len(CLASSES)):
            sample = encode_image(picture(number))
            store.add_sample(sample, CLASSES[number % len(CLASSES)], store.next_burst_id())
    _run(["train", str(folder), "--backbone", "built-in"])


def _make_classifier(path: Path) -> None:
    images = [picture(number) for number in range(6)]
    classifier = ImageClassifier("built-in", colour_order="bgr")
    classifier.fit(images, [CLASSES[n % 2] for n in range(6)]).save(path)


def _make_video(path: Path, fourcc: str) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*fourcc), 25, (64, 48))
    for number in range(8):
        writer.write(picture(number, 64, 48))
    writer.release()


def _run(arguments: list[str]) -> None:
    if run_command(arguments) != 0:
        raise RuntimeError(f"edge-classifier {' '.join(arguments)} failed; no seeds, no fuzzing.")
