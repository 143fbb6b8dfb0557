"""Ask the runtime of another environment about pictures; the far end of `check_runtimes.py`.

    PYTHON tools/runtime_probe.py MODEL ANSWERS

Runs in Python 3.8 too, with nothing but NumPy and a runtime. ANSWERS is an `.npz` of `pixels`,
`(N, 1, H, W, 3)` in the input's own dtype, and of what each output should say, `output0` and so on,
`(N, …)` in real values. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module, metadata
from typing import Any

import numpy as np

RUNTIMES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
    "tensorflow": "tensorflow.lite",
    "tensorflow-cpu": "tensorflow.lite",
}
NAMES = ("scores", "similarities")
"""Of the first outputs; the others are features, which count relative to their size."""


def installed() -> tuple[str, Any]:
    """Find the runtime that is installed; returns its name and version, and its class."""
    for package, module in RUNTIMES.items():
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
        # TensorFlow's `lite` is made when it is asked for, and cannot be imported by its name.
        root, _, name = module.partition(".")
        import_module(root if root == "tensorflow" else module)
        return f"{package} {version}", getattr(sys.modules[root], name).Interpreter
    raise SystemExit("no runtime is installed")


def compare(interpreter: Any, known: Any) -> dict[str, Any]:  # noqa: ANN401 - untyped
    """Show each picture; returns how answers differ from those that are known."""
    differences: dict[str, float] = {}
    same = 0
    for number, pixels in enumerate(known["pixels"]):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
        interpreter.invoke()
        for position, output in enumerate(interpreter.get_output_details()):
            values = interpreter.get_tensor(output["index"])
            if values.dtype != np.float32:
                scale, zero = output["quantization"]
                values = (values.astype(np.float32) - zero) * scale
            expected = known[f"output{position}"][number]
            name = NAMES[position] if position < len(NAMES) else "features"
            size = 1.0 if name in NAMES else float(np.abs(expected).max())
            difference = float(np.abs(values[0] - expected).max()) / size
            differences[name] = max(difference, differences.get(name, 0.0))
            if position == 0:
                same += int(values[0].argmax() == expected.argmax())
    return {"differences": differences, "same": same, "of": len(known["pixels"])}


def main() -> None:
    """Compare, and print what came of it."""
    runtime, interpreter_class = installed()
    said: dict[str, Any] = {"runtime": runtime}
    try:
        interpreter = interpreter_class(model_path=sys.argv[1])
        interpreter.allocate_tensors()
        said.update(compare(interpreter, np.load(sys.argv[2])))
    except (ValueError, RuntimeError) as error:
        said["refusal"] = str(error).strip().splitlines()[0]
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
