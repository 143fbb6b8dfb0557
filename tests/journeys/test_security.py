"""Promises about all of the package: no pickles, no shell, no listening to the world."""

from __future__ import annotations

import ast
import importlib.util
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(str(importlib.util.find_spec("edge_classifier").origin)).parent  # type: ignore[union-attr]  # it is installed, or nothing runs
SOURCES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
RUNS_CODE = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle", "code", "pty"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
SHELLS = {"system", "popen", "getoutput", "getstatusoutput", "execlp", "startfile"}


@cache
def tree(name: str) -> ast.Module:
    """Parse a module."""
    return ast.parse(SOURCES[name].read_text("utf-8"))


def calls(name: str) -> list[tuple[str, ast.Call]]:
    """Give all calls of a module with the last part of what is called."""
    found = []
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            called = node.func.id if isinstance(node.func, ast.Name) else called
            found.append((called, node))
    return found


def given(call: ast.Call, name: str) -> object:
    """Give the value of a keyword argument, if it is a literal."""
    values = [k.value for k in call.keywords if k.arg == name]
    return getattr(values[0], "value", values[0]) if values else None


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_that_runs_what_a_file_says_is_imported(name: str) -> None:
    imported: set[str] = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            imported.update(alias.name.split(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom) and not node.level:
            imported.add((node.module or "").split(".")[0])
    assert not imported & RUNS_CODE


@pytest.mark.parametrize("name", SOURCES)
def test_no_text_is_run_and_no_shell_is_started(name: str) -> None:
    for called, call in calls(name):
        plain = isinstance(call.func, ast.Name)
        assert not (plain and called in RUNS_TEXT), f"line {call.lineno}"
        assert called not in SHELLS, f"line {call.lineno}"
        assert not given(call, "shell"), f"line {call.lineno}"


@pytest.mark.parametrize("name", SOURCES)
def test_arrays_are_read_without_pickles_and_networks_in_safe_mode(name: str) -> None:
    for called, call in calls(name):
        owner = ast.unparse(call.func).rpartition(".")[0]
        if called == "load" and owner in {"np", "numpy"}:
            assert given(call, "allow_pickle") is False, f"line {call.lineno}"
        if called == "load_model":
            assert given(call, "safe_mode") in (None, True), f"line {call.lineno}"
        assert given(call, "safe_mode") is not False, f"line {call.lineno}"
        assert called != "enable_unsafe_deserialization", f"line {call.lineno}"


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_listens_to_the_world_by_default(name: str) -> None:
    listening = {"0.0.0.0", "::"}  # noqa: S104 - what is looked for
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert node.value not in listening, f"line {node.lineno}"


def test_the_checks_above_look_at_something() -> None:
    assert len(SOURCES) > 100
    assert "device/outputs/command.py" in SOURCES
    assert any(called == "Popen" for called, _ in calls("device/outputs/command.py"))
