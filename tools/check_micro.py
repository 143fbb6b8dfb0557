"""Run what `export --format micro` wrote by TensorFlow Lite Micro itself, on a project's pictures.

    python tools check_micro PROJECT-micro PROJECT --environments DIR [--esp-tflite-micro DIR]

`model.tflite` is asked about all samples by the interpreter of the package `tflite-micro`, in an
environment of its own, and has to give the labels that LiteRT gives here, and every output within a
step of its eight bits (nearly always the same bytes). The C array is compiled by g++ and has to be
that file. With a checkout of github.com/espressif/esp-tflite-micro the sketch is compiled as well,
and run with a stand-in for the Arduino: it has to say what it expects itself. Exit code: 0 if all
that holds.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from check_elsewhere import environment

from edge_classifier.device.interpreter import core_count
from edge_classifier.device.preprocessing import Preprocessing
from edge_classifier.export.elsewhere.plain_run import PlainRun
from edge_classifier.project.picture_file import read_image
from edge_classifier.project.store import open_for_reading
from edge_classifier.protocols import ignore_progress

PACKAGES = "tflite-micro"

ASKING = """
import sys
import numpy as np
from tflite_micro.python.tflite_micro import runtime
model = runtime.Interpreter.from_file(sys.argv[1])
said = []
for pixels in np.load(sys.argv[2]):
    model.set_input(pixels[None], 0)
    model.invoke()
    said.append(np.concatenate([model.get_output(n)[0] for n in range(int(sys.argv[4]))]))
np.save(sys.argv[3], np.stack(said))
model.print_allocations()
"""

ARDUINO = """
#pragma once
#include <stdio.h>
struct Port {
  void begin(int) {}
  void print(const char* text) { printf("%s", text); }
  void print(double value, int) { printf("%.2f", value); }
  void print(unsigned long value) { printf("%lu", value); }
  void print(unsigned value) { printf("%u", value); }
  void println(const char* text) { printf("%s\\n", text); }
} Serial;
inline unsigned long millis() { return 0; }
inline void delay(int) {}
"""

WHOLE_SKETCH = '#include "Arduino.h"\n#include "sketch.ino"\nint main() { setup(); loop(); }\n'

ARRAY_ONLY = """
#include <stdio.h>
#include "model.h"
#include "picture.h"
int main() { return fwrite(kModel, 1, kModelBytes, stdout) == kModelBytes ? 0 : 1; }
"""

MICRO = "tensorflow/lite/micro"
SOURCES = (
    f"{MICRO}/*.cc",
    f"{MICRO}/arena_allocator/*.cc",
    f"{MICRO}/memory_planner/*.cc",
    f"{MICRO}/tflite_bridge/*.cc",
    "tensorflow/lite/kernels/*.cc",
    "tensorflow/lite/kernels/internal/*.cc",
    "tensorflow/lite/kernels/internal/reference/*.cc",
    "tensorflow/lite/core/*/*.cc",
    "tensorflow/compiler/mlir/lite/*/*.cc",
    "tensorflow/compiler/mlir/lite/core/api/*.cc",
)
KERNELS = {
    "add": ("add", "add_common"),
    "conv_2d": ("conv", "conv_common"),
    "depthwise_conv_2d": ("depthwise_conv", "depthwise_conv_common"),
    "fully_connected": ("fully_connected", "fully_connected_common"),
    "mean": ("reduce", "reduce_common"),
    "mul": ("mul", "mul_common"),
    "pad": ("pad", "pad_common"),
    "rsqrt": ("elementwise",),
    "softmax": ("softmax", "softmax_common"),
}
INCLUDES = (".", *(f"third_party/{n}" for n in ("gemmlowp", "flatbuffers/include", "ruy")))


def pixels_of(project: Path, size: int) -> npt.NDArray[np.int8]:
    """Bring a project's samples to the model's input, `(N, S, S, 3)`."""
    preprocessing = Preprocessing(size)
    with open_for_reading(project, ignore_progress) as store:
        samples = (*store.samples(), *store.held_out())
    squares = np.stack([preprocessing.square(read_image(sample.path)) for sample in samples])
    return (squares.astype(np.int16) - 128).astype(np.int8)


def check_answers(folder: Path, project: Path, python: Path, scratch: Path) -> bool:
    """Ask both interpreters about every sample, and compare all that they say."""
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    pixels = pixels_of(project, expected["input_size"])
    np.save(scratch / "pixels.npy", pixels)
    model = folder / "model.tflite"
    ours = PlainRun(model.read_bytes())
    rows = [ours.stored(each) for each in pixels]
    said = scratch / "said.npy"
    told = subprocess.run(  # noqa: S603 - the program above, in the environment made for it
        [python, "-c", ASKING, model, scratch / "pixels.npy", said, str(len(rows[0]))],
        check=True,
        capture_output=True,
        text=True,
    )
    theirs, expected_rows = np.load(said), np.stack([np.concatenate(row) for row in rows])
    classes = len(expected["class_names"])
    labels = theirs[:, :classes].argmax(axis=1) == expected_rows[:, :classes].argmax(axis=1)
    steps = np.abs(theirs.astype(int) - expected_rows).max(axis=1)
    arena = re.search(r"total (\d+) bytes", told.stderr)
    planned = re.search(r"kArenaBytes = (\d+)", (folder / "sketch" / "model.h").read_text("ascii"))
    assert arena is not None  # noqa: S101 - else it prints something new
    assert planned is not None  # noqa: S101 - as `sketch.py` writes it
    good = bool(labels.all() and steps.max() <= 1) and int(arena[1]) <= int(planned[1])
    print(
        f"{PACKAGES}: the same label on {labels.sum()} of {len(labels)} pictures, the same bytes "
        f"on {(steps == 0).sum()}; arena {int(arena[1]):,} bytes, {int(planned[1]):,} planned: "
        f"{'ok' if good else 'FAILED'}"
    )
    return good


def compiled(sources: list[Path], target: Path, options: list[str]) -> Path:
    """Compile C++ sources on all cores, and link them."""
    objects = [target.with_name(f"{target.name}-{n}.o") for n in range(len(sources))]
    flags = ["-std=gnu++14", "-fno-exceptions", "-fno-rtti", "-O1", *options]

    def compile_one(source: Path, made: Path) -> None:
        command = ["g++", *flags, "-c", str(source), "-o", str(made)]
        subprocess.run(command, check=True)  # noqa: S603 - sources named by whoever runs this

    with ThreadPoolExecutor(core_count()) as pool:
        list(pool.map(compile_one, sources, objects))
    subprocess.run(["g++", *map(str, objects), "-o", str(target)], check=True)  # noqa: S603, S607 - same
    return target


def check_array(folder: Path, scratch: Path) -> bool:
    """Compile the C array, and let it write itself out."""
    sketch = folder / "sketch"
    main_file = scratch / "array.cpp"
    main_file.write_text(ARRAY_ONLY)
    options = ["-Wall", "-Wextra", "-Werror", f"-I{sketch}"]
    program = compiled([sketch / "model_data.cpp", main_file], scratch / "array", options)
    said = subprocess.run([program], check=True, capture_output=True).stdout  # noqa: S603 - same
    good = said == (folder / "model.tflite").read_bytes()
    print(f"the C array is model.tflite: {'ok' if good else 'FAILED'}")
    return good


def check_sketch(folder: Path, library: Path, scratch: Path) -> bool:
    """Compile the sketch with TensorFlow Lite Micro's sources, and run it once."""
    arduino = scratch / "arduino"
    arduino.mkdir()
    (arduino / "Arduino.h").write_text(ARDUINO)
    (arduino / "Chirale_TensorFlowLite.h").write_text("")
    main_file = scratch / "main.cpp"
    main_file.write_text(WHOLE_SKETCH)
    sketch = folder / "sketch"
    kernels = [name for names in KERNELS.values() for name in names]
    sources = [path for pattern in SOURCES for path in sorted(library.glob(pattern))]
    sources += [
        library / MICRO / "kernels" / f"{name}.cc" for name in ("kernel_util", "if", *kernels)
    ]
    includes = [f"-I{library / folder}" for folder in INCLUDES]
    options = ["-w", "-DTF_LITE_STATIC_MEMORY", *includes, f"-I{arduino}", f"-I{sketch}"]
    program = compiled(
        [main_file, sketch / "model_data.cpp", *sources], scratch / "sketch", options
    )
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout  # noqa: S603 - same
    found = re.match(r"(.*), expected (.*), \d+ ms, arena \d+ bytes$", said.strip())
    good = found is not None and found[1] == found[2]
    print(f"the sketch says: {said.strip()}: {'ok' if good else 'FAILED'}")
    return good


def main() -> int:
    """Check a folder; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("project", type=Path, metavar="PROJECT")
    parser.add_argument("--environments", type=Path, required=True, metavar="DIR")
    parser.add_argument("--esp-tflite-micro", type=Path, metavar="DIR")
    options = parser.parse_args()
    options.environments.mkdir(parents=True, exist_ok=True)
    python = environment(PACKAGES, options.environments.resolve())
    folder = options.folder.resolve()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        results = [
            check_answers(folder, options.project, python, scratch),
            check_array(folder, scratch),
        ]
        if options.esp_tflite_micro:
            results.append(check_sketch(folder, options.esp_tflite_micro.resolve(), scratch))
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())
