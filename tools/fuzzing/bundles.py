"""What an exported bundle says of itself, and lists of labels."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from typing import TYPE_CHECKING

import numpy as np

from edge_classifier.commands.predictors import BundlePredictor
from edge_classifier.device.bundle import Bundle
from edge_classifier.device.checks import verify
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.frame import Frame
from edge_classifier.device.outputs.json_lines import JsonLines
from edge_classifier.device.outputs.window import annotated
from edge_classifier.device.verdict import Smoother
from edge_classifier.export.bundle import new_bundle
from edge_classifier.features.imagenet import read_labels
from fuzzing.base import ByteTarget
from fuzzing.mutate import HOSTILE_TEXTS, encode_json, mutate_bytes, mutate_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

_PICTURE = np.full((20, 24, 3), 90, np.uint8)


class _FarEnoughError(Exception):
    """The old bundle was looked at; a new one need not be written."""


class BundleTarget(ByteTarget):
    """A bundle, one file of which is spoilt."""

    def __init__(self, seeds: Path, arena: Path) -> None:
        super().__init__(seeds, arena)
        self._bundle = arena / "bundle"
        shutil.copytree(seeds / "bundle", self._bundle, dirs_exist_ok=True)

    def use(self) -> None:
        """Do with the bundle all that `classify.py`, `verify` and `predict` do."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            bundle = Bundle.open(self._bundle)
            classifier = Classifier(bundle)
            prediction, smoother = classifier.predict(_PICTURE), Smoother(bundle.smoothing_s)
            frame = Frame(_PICTURE, 0, 0.0, name="a picture")
            output = JsonLines(flush=True)
            output.show(frame, smoother.update(prediction, 0.1))
            output.show(frame, smoother.update(prediction, 0.2))
            annotated(frame.image, prediction)
            verify(bundle)
            predictor = BundlePredictor(bundle)
            predictor.answer(predictor.compute([_PICTURE])[0])
        json.loads(printed.getvalue().splitlines()[0])
        printed.getvalue().encode()
        with contextlib.suppress(_FarEnoughError), new_bundle(self._bundle):
            raise _FarEnoughError


class SpecTarget(BundleTarget):
    """`spec.json`."""

    name = "spec"

    def paths(self) -> Sequence[Path]:
        """The one file."""
        return [self.seeds / "bundle" / "spec.json"]

    def make(self, rng: Random) -> bytes:
        """Spoil values mostly, bytes sometimes."""
        data = encode_json(rng, mutate_json(rng, json.loads(self.samples[0])))
        return data if rng.random() < 0.8 else mutate_bytes(rng, data, self.samples)  # noqa: PLR2004 - mostly

    def run(self, data: bytes) -> None:
        """Use the bundle, with labels that agree where they can."""
        (self._bundle / "spec.json").write_bytes(data)
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            names = json.loads(data)["class_names"]
            text = "".join(f"{name}\n" for name in names)
            (self._bundle / "labels.txt").write_bytes(text.encode("utf-8", "surrogatepass"))
        self.use()


class LabelsTarget(BundleTarget):
    """`labels.txt`."""

    name = "labels"

    def paths(self) -> Sequence[Path]:
        """The one file."""
        return [self.seeds / "bundle" / "labels.txt"]

    def run(self, data: bytes) -> None:
        """Use the bundle."""
        (self._bundle / "labels.txt").write_bytes(data)
        self.use()


class ImageNetLabelsTarget(ByteTarget):
    """A file of the 1,000 names, as JSON, as Python, or a name a line."""

    name = "imagenet-labels"

    def __init__(self, seeds: Path, arena: Path) -> None:
        names = [f"thing {n}, it's" for n in range(1000)]
        numbered = dict(enumerate(names))
        texts = ("\n".join(names), json.dumps(names), json.dumps(numbered), repr(numbered))
        self._texts = [text.encode() for text in texts]
        super().__init__(seeds, arena)
        self.samples = self._texts

    def paths(self) -> Sequence[Path]:
        """None: they are made here."""
        return []

    def make(self, rng: Random) -> bytes:
        """Spoil bytes, or nest, or put an expression in."""
        data = super().make(rng)
        if rng.random() < 0.3:  # noqa: PLR2004 - some
            piece = rng.choice(
                (
                    *(
                        "[" * 200_000,
                        "(" * 150,
                        "{1:" * 5000,
                        "-" * 100_000 + "1",
                        "1+" * 50_000 + "1",
                    ),
                    *(
                        "9" * 100_000,
                        "'" * 3,
                        "f'{1}'",
                        "b'x'",
                        "__import__('os')",
                        "1e999",
                        "[[]]," * 999,
                    ),
                    *(
                        "not " * 5000 + "1",
                        "lambda: 0",
                        "'a' " * 90_000,
                        "\\N{BULLET}",
                        *HOSTILE_TEXTS,
                    ),
                )
            )
            place = rng.choice((0, 1, rng.randrange(len(data) + 1)))
            data = data[:place] + piece.encode("utf-8", "surrogatepass") + data[place:]
        return data

    def run(self, data: bytes) -> None:
        """Read them."""
        names = read_labels(self.write("labels.json", data))
        assert len(names) == 1000  # noqa: PLR2004, S101 - ImageNet's
        assert all(isinstance(name, str) for name in names)  # noqa: S101 - to be printed
