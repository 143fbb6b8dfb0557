"""Makes the shards of `backbone.views`. Needs LiteRT."""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import shutil
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from backbone.extraction import Extractor
from backbone.views import DEEP_GRID, MIDDLE_GRID, Pool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SMALLEST = 32  # smaller pictures, in pixels, show nothing


@dataclass(frozen=True, slots=True)
class ShardTask:
    """The work of one worker call: which pictures go into which shard."""

    folder: Path
    pool: str
    view: int
    pictures: tuple[Path, ...]
    pixel_size: int
    teacher_size: int
    seed: int


def crop_view(
    image: NDArray[np.uint8], rng: np.random.Generator, size: int, *, gentle: bool
) -> NDArray[np.uint8]:
    """Cut a random part out of a picture and vary its light.

    Args:
        image: ``(H, W, 3)`` uint8.
        rng: Source of chance.
        size: Side of the result in pixels.
        gentle: Keep most of the picture and leave its light as it is.

    Returns:
        ``(size, size, 3)`` uint8, channels as in ``image``.
    """
    height, width = image.shape[:2]
    area = height * width * rng.uniform(0.55 if gentle else 0.3, 1.0)
    ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
    crop_width = min(width, max(16, round(math.sqrt(area * ratio))))
    crop_height = min(height, max(16, round(math.sqrt(area / ratio))))
    left = int(rng.integers(0, width - crop_width + 1))
    top = int(rng.integers(0, height - crop_height + 1))
    part = image[top : top + crop_height, left : left + crop_width]
    shrinks = min(part.shape[:2]) > size
    result = cv2.resize(
        part, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    if not gentle:
        gains = rng.uniform(0.75, 1.25) * rng.uniform(0.92, 1.08, size=3)
        levels = np.arange(256, dtype=np.float32)[:, None]
        contrast = rng.uniform(0.8, 1.2)
        table = np.clip(((levels - 128) * contrast + 128) * gains, 0, 255)
        result = cv2.LUT(result, table.astype(np.uint8)[:, None, :])
    return np.asarray(result, dtype=np.uint8)


def _grid(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    if values.shape[0] == side:
        return values
    shrinks = values.shape[0] > side
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    # OpenCV's area resize takes any number of channels only in pieces of four.
    pieces = [
        cv2.resize(
            np.ascontiguousarray(values[..., i : i + 4]), (side, side), interpolation=interpolation
        )
        for i in range(0, values.shape[-1], 4)
    ]
    return np.concatenate(pieces, axis=-1)


_teachers: dict[int, tuple[Extractor, Extractor]] = {}
_models: Path | None = None


def _start_worker(models: Path) -> None:
    global _models  # noqa: PLW0603 - the state of a worker process
    _models = models
    cv2.setNumThreads(1)


def _make_shard(task: ShardTask) -> str:
    size = task.teacher_size
    if size not in _teachers:
        if _models is None:
            raise RuntimeError("Expected a worker of prepare()")
        _teachers[size] = (
            Extractor(_models / f"wide-{size}.tflite"),
            Extractor(_models / f"narrow-{size}.tflite"),
        )
    wide_teacher, narrow_teacher = _teachers[size]
    count = len(task.pictures)
    pixels = np.zeros((count, task.pixel_size, task.pixel_size, 3), np.uint8)
    wide = np.zeros((count, 1280), np.float16)
    narrow = np.zeros((count, 1280), np.float16)
    deep = np.zeros((count, DEEP_GRID, DEEP_GRID, 320), np.float16)
    middle = np.zeros((count, MIDDLE_GRID, MIDDLE_GRID, 96), np.float16)
    used = 0
    for path in task.pictures:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None or min(image.shape[:2]) < SMALLEST:
            continue
        key = f"{task.seed}/{task.pool}/{task.view}/{path.name}/{path.parent.name}"
        digest = hashlib.sha256(key.encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "little"))
        rgb = np.asarray(image[..., ::-1], dtype=np.uint8)
        view = crop_view(rgb, rng, size, gentle=task.view == 0)
        result = wide_teacher.outputs(view)
        wide[used] = result[1280]
        deep[used] = _grid(result[320], DEEP_GRID)
        middle[used] = _grid(result[96], MIDDLE_GRID)
        narrow[used] = narrow_teacher.outputs(view)[1280]
        pixels[used] = cv2.resize(
            view, (task.pixel_size, task.pixel_size), interpolation=cv2.INTER_AREA
        )
        used += 1
    partial = task.folder.with_name(task.folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    arrays: dict[str, NDArray[Any]] = {
        "pixels": pixels,
        "wide": wide,
        "narrow": narrow,
        "deep": deep,
        "middle": middle,
    }
    for name, array in arrays.items():
        np.save(partial / f"{name}.npy", array[:used])
    record = {k: v for k, v in asdict(task).items() if k not in {"folder", "pictures"}}
    (partial / "shard.json").write_text(json.dumps({**record, "count": used}) + "\n")
    shutil.rmtree(task.folder, ignore_errors=True)
    partial.rename(task.folder)
    return f"{task.folder.name}: {used} views"


def plan(pools: list[Pool], folder: Path, shard_size: int, seed: int) -> list[ShardTask]:
    """Divide the views of all pools into shards; the order of work mixes the pools."""
    tasks: list[tuple[float, ShardTask]] = []
    for pool in pools:
        pictures = pool.pictures()
        if not pictures:
            raise FileNotFoundError(
                f"Expected pictures (JPEG or PNG) under {pool.folder}, found none"
            )
        order = np.random.default_rng(seed).permutation(len(pictures))
        starts = range(0, len(pictures), shard_size)
        for view in range(pool.views):
            for number, start in enumerate(starts):
                chosen = tuple(pictures[i] for i in order[start : start + shard_size])
                shard = folder / f"{pool.name}-v{view}-{number:03d}"
                task = ShardTask(
                    shard, pool.name, view, chosen, pool.pixel_size, pool.teacher_size, seed
                )
                tasks.append((view + number / len(starts), task))
    return [task for _, task in sorted(tasks, key=lambda item: (item[0], item[1].pool))]


def prepare(
    tasks: list[ShardTask],
    folder: Path,
    build_teachers: Callable[[int], tuple[bytes, bytes]],
    workers: int,
) -> None:
    """Make all missing shards; can be interrupted and started again.

    Args:
        tasks: From `plan`.
        folder: Where the shards lie.
        build_teachers: Gives the wide and the narrow teacher, compiled for an input side.
        workers: Number of processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [task for task in tasks if not (task.folder / "shard.json").exists()]
    models = folder / "teachers"
    models.mkdir(exist_ok=True)
    for size in sorted({task.teacher_size for task in missing}):
        targets = [models / f"{name}-{size}.tflite" for name in ("wide", "narrow")]
        if not all(target.exists() for target in targets):
            for target, compiled in zip(targets, build_teachers(size), strict=True):
                target.write_bytes(compiled)
    started = time.monotonic()
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _start_worker, (models,)) as pool:
        for done, line in enumerate(pool.imap_unordered(_make_shard, missing), 1):
            minutes = (time.monotonic() - started) / 60
            print(f"[{done}/{len(missing)}] {minutes:5.1f} min  {line}", flush=True)
