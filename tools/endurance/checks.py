"""What must be true of a project after its program was killed."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import shutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np
from support.sources import read_sources

from edge_classifier.errors import EdgeClassifierError
from edge_classifier.features.backbone import load_backbone
from edge_classifier.features.cache import FileFeatureCache
from edge_classifier.learning.model_file import FileModelStore
from edge_classifier.project.folder import is_project
from edge_classifier.project.importers.known_pictures import pixel_hash
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import ProjectStore

if TYPE_CHECKING:
    from pathlib import Path

    from edge_classifier.values import Sample
    from endurance.journal import Acknowledged

_SPOT_CHECKS: Final = 5
_SAME: Final = 1e-5


class Warnings(logging.Handler):
    """Keeps what the program would have told its user."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage())


class Examiner:
    """Opens a project as its user would, and compares it with what was acknowledged.

    Args:
        seed: Decides on what is looked at more closely.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - what to look at
        self._backbone = load_backbone("built-in")
        self._looked_at: set[str] = set()
        self._bundles: set[int] = set()
        self._left_over: set[Path] = set()
        self.features_checked = 0
        self.bundles_verified = 0
        self.copies_opened = 0
        self.leftovers: Counter[str] = Counter()
        self._warnings = Warnings()
        logging.getLogger("edge_classifier").addHandler(self._warnings)

    def examine(
        self, project: Path, acknowledged: Acknowledged
    ) -> tuple[dict[str, str], list[str]]:
        """Open a project after a kill.

        Returns:
            Class by sample, as found; and what is wrong, one line each.
        """
        found: dict[str, str] = {}
        problems: list[str] = []
        self._warnings.lines.clear()
        try:
            with ProjectStore.open_or_create(project) as store:
                samples = (*store.samples(), *store.held_out())
                found = {s.image_sha256: s.class_name for s in samples}
                problems += self._samples_are_whole(samples)
                problems += _all_acknowledged(found, acknowledged)
                problems += self._model_and_caches(store, samples)
                read_sources(project)
            with ProjectStore.open(project) as again:
                if {s.image_sha256: s.class_name for s in again.samples()} != {
                    s.image_sha256: s.class_name for s in store.samples()
                }:
                    problems.append("opening it a second time finds other samples")
        except EdgeClassifierError as error:
            problems.append(f"does not open: {type(error).__name__}: {error}")
        left_over = set(project.rglob(".tmp-*")) - self._left_over
        self._left_over |= left_over
        problems += [f"{path} is left over" for path in sorted(left_over)]
        problems += [f"warned: {line}" for line in self._warnings.lines]
        problems += self._beside(project, acknowledged)
        return found, problems

    def _samples_are_whole(self, samples: tuple[Sample, ...]) -> list[str]:
        problems = []
        for sample in samples:
            if hashlib.sha256(sample.path.read_bytes()).hexdigest() != sample.image_sha256:
                problems.append(f"{sample.path} holds other bytes than it should")
            if sample.image_sha256 not in self._looked_at:
                read_image(sample.path)
                self._looked_at.add(sample.image_sha256)
        return problems

    def _model_and_caches(self, store: ProjectStore, samples: tuple[Sample, ...]) -> list[str]:
        info = self._backbone.info
        problems = []
        stored = FileModelStore(store.model_folder).load(backbone_key=info.key)
        if stored is not None:
            stored[0].predict(np.ones((1, info.feature_dim), np.float32))
        cache = FileFeatureCache(store.cache_folder, info.key, info.feature_dim)
        hashes, rows = cache.load()
        known = dict(zip(hashes, rows, strict=True))
        cached = [sample for sample in samples if sample.image_sha256 in known]
        chosen = cached[-1:] + self._chance.sample(cached, min(len(cached), _SPOT_CHECKS))
        for sample in chosen:
            self.features_checked += 1
            image = read_image(sample.path)
            expected = self._backbone.extract([image])[0]
            if not np.allclose(known[sample.image_sha256], expected, atol=_SAME):
                problems.append(f"the cache has the features of another picture than {sample.path}")
        file = store.cache_folder / "pixels.json"
        pixels = json.loads(file.read_bytes())["pixels"] if file.exists() else {}
        for sample in self._chance.sample(samples, min(len(samples), _SPOT_CHECKS)):
            remembered = pixels.get(sample.image_sha256)
            if remembered not in (None, pixel_hash(read_image(sample.path))):
                problems.append(f"the cache has the pixels of another picture than {sample.path}")
        return problems

    def _beside(self, project: Path, acknowledged: Acknowledged) -> list[str]:
        """Look at copies and bundles: each is whole, or of a name that nobody takes for one."""
        problems: list[str] = []
        for path in sorted(project.parent.iterdir()):
            if path.name.startswith("copy-"):
                problems += self._copy_is_whole(path, acknowledged)
                shutil.rmtree(path)
            elif path.name.startswith(".saving-"):
                self.leftovers["unfinished copies"] += 1
                if is_project(path) and not ProjectStore.open(path, read_only=True).samples():
                    problems.append(f"{path} looks like a project, and is empty")
                shutil.rmtree(path)
            elif path.name == f"{project.name}-bundle":
                problems += self._bundle_verifies(path)
            elif path.name.startswith(f".{project.name}-bundle"):
                self.leftovers["unfinished bundles"] += 1
        return problems

    def _copy_is_whole(self, path: Path, acknowledged: Acknowledged) -> list[str]:
        self.copies_opened += 1
        try:
            with ProjectStore.open(path) as copy:
                count = len(copy.samples())
        except EdgeClassifierError as error:
            return [f"a copy does not open: {error}"]
        saved = acknowledged.saved
        if saved is None or saved[0] != str(path) or count < saved[1]:
            return [f"a copy has {count} samples instead of {saved}"]
        return []

    def _bundle_verifies(self, path: Path) -> list[str]:
        stamp = path.stat().st_ino
        if stamp in self._bundles:
            return []
        self._bundles.add(stamp)
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "edge_classifier", "verify", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        self.bundles_verified += 1
        if done.returncode:
            return [f"verify of {path.name} ended with {done.returncode}: {done.stderr}"]
        return []


def _all_acknowledged(found: dict[str, str], acknowledged: Acknowledged) -> list[str]:
    problems = []
    lost = acknowledged.samples.keys() - found.keys() - acknowledged.removing
    if lost:
        problems.append(f"{len(lost)} acknowledged samples are lost")
    old, new = acknowledged.renaming or ("", "")
    for sha, class_name in acknowledged.samples.items():
        now = found.get(sha, class_name)
        if now != class_name and (class_name, now) != (old, new):
            problems.append(f"a sample of {class_name!r} is now one of {now!r}")
    back = acknowledged.gone & found.keys()
    if back:
        problems.append(f"{len(back)} samples are back that were shown to be removed")
    return problems
