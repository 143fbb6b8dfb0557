"""Which runtimes read the files of a bundle, and answer as the machine that exported it.

    python tools/check_runtimes.py BUNDLE PYTHON [PYTHON ...]

Each PYTHON is that of an environment with NumPy and one runtime: an older `ai-edge-litert`, or
`tflite-runtime` (Python up to 3.11, NumPy below 2), or `tensorflow`. It is shown the bundle's
reference pictures, prepared here, for each file in a process of its own, because runtimes may
crash. What comes out is for `edge_classifier/export/runtimes.py`. Exit code: 1 if any reads a file
and answers otherwise, which is worse than not to read it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_classifier.device.bundle import SCORE_TOLERANCE, Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.project.picture_file import read_image

if TYPE_CHECKING:
    import numpy.typing as npt

PROBE = Path(__file__).with_name("runtime_probe.py")


def write_answers(bundle: Bundle, model_format: str, path: Path) -> None:
    """Ask the runtime here about the reference pictures, and write down what it says."""
    classifier = Classifier(bundle, model_format)
    known: dict[str, list[npt.NDArray[Any]]] = {"pixels": []}
    for reference in bundle.spec["references"]:
        pixels = classifier.prepare(read_image(bundle.folder / reference["file"]))
        classifier.predict_prepared(pixels)
        known["pixels"].append(pixels[None])
        for number in range(len(classifier.interpreter.output_details)):
            values = classifier.interpreter.output(number)[0]
            known.setdefault(f"output{number}", []).append(values)
    arrays: dict[str, Any] = {name: np.stack(rows) for name, rows in known.items()}
    np.savez(path, **arrays)


def ask(python: str, model: Path, known: Path, tolerance: float) -> tuple[str, str, bool]:
    """Show the pictures to a runtime.

    Returns:
        Its name, what came of it, and whether it reads the file and is wrong.
    """
    command = [python, str(PROBE), str(model), str(known)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - named by the caller
    try:
        said = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return python, f"CRASHED with status {done.returncode}: {done.stderr.strip()[-80:]}", True
    if "refusal" in said:
        return said["runtime"], f"does not read it: {said['refusal'][:70]}", False
    differences = said["differences"]
    wrong = said["same"] < said["of"] or max(
        differences["scores"], differences.get("similarities", 0.0)
    ) > max(tolerance, 0.02)
    found = f"{said['same']} of {said['of']} labels equal; largest difference of "
    found += ", ".join(f"{name} {difference:.2g}" for name, difference in differences.items())
    return said["runtime"], f"{'ANSWERS OTHERWISE' if wrong else 'ok'}: {found}", wrong


def main() -> int:
    """Ask all; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("pythons", nargs="+", metavar="PYTHON")
    options = parser.parse_args()
    bundle = Bundle.open(options.bundle)
    any_wrong = False
    with tempfile.TemporaryDirectory() as folder:
        for model_format in bundle.formats:
            known = Path(folder) / f"{model_format}.npz"
            write_answers(bundle, model_format, known)
            model = bundle.folder / bundle.spec["models"][model_format]["file"]
            for python in options.pythons:
                runtime, found, wrong = ask(python, model, known, SCORE_TOLERANCE[model_format])
                any_wrong = any_wrong or wrong
                sys.stdout.write(f"{model_format:8} {runtime:22} {found}\n")
                sys.stdout.flush()
    return int(any_wrong)


if __name__ == "__main__":
    sys.exit(main())
