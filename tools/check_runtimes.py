"""Which runtimes read the files of a bundle, and answer as the machine that exported it.

    python tools/check_runtimes.py BUNDLE PYTHON [PYTHON ...]

Each PYTHON is that of an environment with NumPy below 2 and one runtime: an older `ai-edge-litert`,
`tflite-runtime` (Python up to 3.11) or `tensorflow`. It is shown the bundle's reference pictures,
prepared here, once for every file, each in a process of its own, because runtimes may crash.
Exit code: 1 if any reads a file and answers otherwise, which is worse than not to read it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from edge_classifier.device.bundle import SCORE_TOLERANCE, Bundle
from edge_classifier.device.classifier import Classifier
from edge_classifier.device.sources.pictures import read_picture

# Runs in Python 3.8, too, with nothing but NumPy and the runtime.
PROBE = """
import json, sys
from importlib import metadata
import numpy as np

for package in ("ai-edge-litert", "tflite-runtime", "tensorflow"):
    try:
        runtime = package + " " + metadata.version(package)
    except metadata.PackageNotFoundError:
        continue
    break
if package == "ai-edge-litert":
    from ai_edge_litert.interpreter import Interpreter
elif package == "tflite-runtime":
    from tflite_runtime.interpreter import Interpreter
else:
    from tensorflow.lite import Interpreter
said = {"runtime": runtime}
known = np.load(sys.argv[2])
try:
    interpreter = Interpreter(model_path=sys.argv[1])
    interpreter.allocate_tensors()
    differences, same = {}, 0
    for number, pixels in enumerate(known["pixels"]):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels[None])
        interpreter.invoke()
        for position, output in enumerate(interpreter.get_output_details()):
            values = interpreter.get_tensor(output["index"])
            if values.dtype != np.float32:
                scale, zero = output["quantization"]
                values = (values.astype(np.float32) - zero) * scale
            expected = known["output%d" % position][number]
            name = ("scores", "similarities")[position] if position < 2 else "features"
            size = np.abs(expected).max() if name == "features" else 1.0
            difference = float(np.abs(values[0] - expected).max() / size)
            differences[name] = max(difference, differences.get(name, 0.0))
            if position == 0:
                same += int(values[0].argmax() == expected.argmax())
    said.update(differences=differences, same=same, of=len(known["pixels"]))
except (ValueError, RuntimeError) as error:
    said["refusal"] = str(error).strip().splitlines()[0]
print(json.dumps(said))
"""


def known_answers(bundle: Bundle, model_format: str) -> dict[str, np.ndarray]:
    """Ask the runtime here about the reference pictures."""
    classifier = Classifier(bundle, model_format)
    asked = []
    outputs: dict[str, list[np.ndarray]] = {}
    for reference in bundle.spec["references"]:
        image = read_picture(bundle.folder / reference["file"])
        assert image is not None, reference["file"]
        asked.append(classifier.prepare(image))
        classifier.predict_prepared(asked[-1])
        for number in range(len(classifier.interpreter.output_details)):
            outputs.setdefault(f"output{number}", []).append(
                classifier.interpreter.output(number)[0]
            )
    return {"pixels": np.stack(asked), **{n: np.stack(rows) for n, rows in outputs.items()}}


def ask(python: str, model: Path, known: Path, tolerance: float) -> tuple[str, str]:
    """Show the pictures to a runtime; returns its name, and what came of it."""
    done = subprocess.run(
        [python, "-c", PROBE, str(model), str(known)], capture_output=True, text=True, check=False
    )
    try:
        said = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return python, f"CRASHED with status {done.returncode}: {done.stderr.strip()[-80:]}"
    if "refusal" in said:
        return said["runtime"], f"does not read it: {said['refusal'][:110]}"
    differences = said["differences"]
    equal = said["same"] == said["of"] and differences["scores"] <= tolerance
    found = f"labels {said['same']} of {said['of']}, largest difference of "
    found += ", ".join(f"{name} {difference:.2g}" for name, difference in differences.items())
    return said["runtime"], f"{'equal' if equal else 'ANSWERS OTHERWISE'}: {found}"


def main() -> int:
    """Ask all; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("pythons", nargs="+", metavar="PYTHON")
    options = parser.parse_args()
    bundle = Bundle.open(options.bundle)
    wrong = False
    with tempfile.TemporaryDirectory() as folder:
        for model_format in bundle.formats:
            known = Path(folder) / f"{model_format}.npz"
            np.savez(known, **known_answers(bundle, model_format))
            model = bundle.folder / bundle.spec["models"][model_format]["file"]
            for python in options.pythons:
                runtime, found = ask(python, model, known, SCORE_TOLERANCE[model_format])
                wrong = wrong or found.startswith(("ANSWERS", "CRASHED"))
                sys.stdout.write(f"{model_format:8} {runtime:22} {found}\n")
                sys.stdout.flush()
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
