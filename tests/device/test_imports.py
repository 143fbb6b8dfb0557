from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from edge_classifier import device

ROOT = Path(device.__file__).parent
KNOWN = sys.stdlib_module_names | {"cv2", "numpy", "picamera2"}
RUNTIMES = {"ai_edge_litert", "tensorflow", "tflite_runtime"}
"""Whichever of these is installed."""
OPTIONAL = {
    "pillow_decoder.py": {"PIL", "pillow_heif"},
    "gpio.py": {"gpiozero"},
    "broker.py": {"paho"},
    "mqtt.py": {"paho"},
    "osc.py": {"pythonosc"},
    "osc_listener.py": {"pythonosc"},
    "serial_port.py": {"serial"},
}
"""Without these, pictures and outputs that need them are refused by name."""


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_device_needs_numpy_opencv_a_runtime_and_the_standard_library_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            continue  # of the device's own
        imported = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            imported.append(str(node.module))
        more = {"interpreter.py": RUNTIMES, **OPTIONAL}
        allowed = KNOWN | more.get(path.name, set())
        assert {name.partition(".")[0] for name in imported} <= allowed


AT_START = {"asked_for.py", "cli.py", "runner.py", "decoder_child.py"}
"""What these import late is imported while the program starts, or by a child process."""


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_program_that_runs_imports_of_its_own_what_may_be_another_version_by_then(
    path: Path,
) -> None:
    late = {
        name
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and node.level
        for name in ([node.module] if node.module else [alias.name for alias in node.names])
    }
    assert path.name in AT_START or late <= {"adapter", "checks"}  # by `bundle_watch`, in advance
