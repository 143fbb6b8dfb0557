"""What the C++ of a sketch does, with a stand-in for TensorFlow Lite Micro."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_classifier.device.unknown_detector import UnknownDetector
from edge_classifier.device.verdict import Prediction, familiarity
from edge_classifier.export.elsewhere.sketch import SketchedModel, write_sketch

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")

NAMES = ("cup", "leaf", "phone")
OPERATORS = ("CONV_2D", "DEPTHWISE_CONV_2D", "SOFTMAX")

# Answers with what is in `kSaid`, whatever it is asked, but only where every operator was added.
STAND_IN = """
#pragma once
#include <stddef.h>
#include <stdint.h>
enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };
struct TfLiteTensor {
  struct { int8_t* int8; } data;
  struct { float scale; int zero_point; } params;
};
extern int8_t kSaid[2][8];
namespace tflite {
struct Model {};
inline const Model* GetModel(const void*) { return nullptr; }
template <int N> struct MicroMutableOpResolver {
  int added = 0;
  TfLiteStatus Add() { return ++added > N ? kTfLiteError : kTfLiteOk; }
  TfLiteStatus AddConv2D() { return Add(); }
  TfLiteStatus AddDepthwiseConv2D() { return Add(); }
  TfLiteStatus AddSoftmax() { return Add(); }
};
struct MicroInterpreter {
  template <class Resolver>
  MicroInterpreter(const Model*, const Resolver& resolver, uint8_t*, size_t)
      : complete(resolver.added == 3) {}
  TfLiteStatus AllocateTensors() { return complete ? kTfLiteOk : kTfLiteError; }
  TfLiteStatus Invoke() { return pixels[0] == 127 && pixels[1] == -128 ? kTfLiteOk : kTfLiteError; }
  TfLiteTensor* input(int) { return &image; }
  TfLiteTensor* output(int n) { return &outputs[n]; }
  size_t arena_used_bytes() { return 0; }
  bool complete;
  int8_t pixels[12];
  TfLiteTensor image = {{pixels}, {1, 0}};
  TfLiteTensor outputs[2] = {{{kSaid[0]}, {1 / 256.0f, -128}}, {{kSaid[1]}, {1 / 250.0f, -120}}};
};
}
"""

PROGRAM = """
#include <stdio.h>
#include "classifier.h"
#include "picture.h"
int8_t kSaid[2][8] = {{%s}, {%s}};
int main() {
  Classifier classifier;
  if (!classifier.Begin()) return 1;
  Answer answer;
  if (!classifier.Classify(kPicture, &answer)) return 2;
  const char* said = answer.unknown ? "unknown" : kLabels[answer.label];
  printf("%%s %%.6f %%.6f", said, answer.score, answer.familiarity);
}
"""


def run(
    folder: Path, scores: list[int], similarities: list[int], unknown: UnknownDetector | None
) -> list[str]:
    """Compile the sketch's classifier for a 2 x 2 picture, and ask it once."""
    model = SketchedModel(b"model", OPERATORS, 64, 2, NAMES, unknown)
    square = np.array([255, 0] * 6, np.uint8).reshape(2, 2, 3)
    write_sketch(folder / "sketch", model, square, Prediction(NAMES, np.ones(3, np.float32)))
    for header in ("micro/micro_interpreter", "micro/micro_mutable_op_resolver"):
        path = folder / "tensorflow" / "lite" / f"{header}.h"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(STAND_IN if header.endswith("interpreter") else "")
    schema = folder / "tensorflow" / "lite" / "schema" / "schema_generated.h"
    schema.parent.mkdir()
    schema.write_text("")
    program = folder / "program.cpp"
    rows = (",".join(map(str, values)) for values in (scores, similarities))
    program.write_text(PROGRAM % tuple(rows))
    sources = [str(program), str(folder / "sketch" / "model_data.cpp")]
    options = ["-std=c++14", "-Wall", "-Werror", f"-I{folder}", f"-I{folder / 'sketch'}"]
    made = folder / "program"
    subprocess.run(["g++", *options, *sources, "-o", str(made)], check=True)  # noqa: S603, S607 - what was just written
    said = subprocess.run([made], check=True, capture_output=True, text=True)  # noqa: S603 - same
    return said.stdout.split()


def detector(threshold: float) -> UnknownDetector:
    rows = np.eye(5, dtype=np.float32)
    return UnknownDetector(
        rows, np.ones(5, np.float32), threshold, measured_on_bursts=True, hesitation_weight=0.1
    )


@pytest.mark.parametrize(("threshold", "label"), [(0.5, "leaf"), (0.9, "unknown")])
def test_the_sketch_tells_labels_and_unknown_as_the_live_picture_does(
    tmp_path: Path, threshold: float, label: str
) -> None:
    scores, similarities = [-100, 90, -118], [100, -20, 120, 60, 110]
    given = run(tmp_path, scores, similarities, detector(threshold))
    real_scores = (np.array([scores], np.float32) + np.float32(128)) / np.float32(256)
    real = (np.array([similarities], np.float32) + np.float32(120)) / np.float32(250)
    (expected,) = familiarity(real, real_scores, 3, 0.1)
    assert given[0] == label
    assert float(given[1]) == pytest.approx(real_scores.max(), abs=1e-6)
    assert float(given[2]) == pytest.approx(expected, abs=1e-5)


def test_of_fewer_references_than_neighbours_all_count(tmp_path: Path) -> None:
    few = UnknownDetector(np.eye(2, dtype=np.float32), np.ones(2, np.float32), 0.5, True)  # noqa: FBT003 - measured_on_bursts
    given = run(tmp_path, [127, -128, -128], [80, 100], few)
    assert given[0] == "cup"
    assert float(given[2]) == pytest.approx((200 + 220) / 2 / 250, abs=1e-5)


def test_without_a_measure_of_unknown_nothing_is(tmp_path: Path) -> None:
    assert run(tmp_path, [-128, -128, 127], [0], None)[0] == "phone"
