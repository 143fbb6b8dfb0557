from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_classifier.device.interpreter import Interpreter


def test_what_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.tflite"
    path.write_bytes(b"not a model" * 100)
    with pytest.raises(ValueError, match=r"photo\.tflite is no TFLite model"):
        Interpreter(path)


def test_making_an_interpreter_leaves_the_terminal_alone() -> None:
    program = (
        "import sys; from edge_classifier.features.backbone import load_backbone; "
        "load_backbone('built-in'); sys.stderr.write('still here')"
    )
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == "still here"
