"""Which module may import which: the picture in ARCHITECTURE.md, enforced."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

PACKAGE = "edge_classifier"
ROOT = Path(str(importlib.util.find_spec(PACKAGE).origin)).parent  # type: ignore[union-attr]  # it is installed, or nothing runs
JOINING = {"app", "assemble", "project_backbone", "cli", "api", "__main__", "commands"} | {
    "deep",
    "predictor",
    "workbench",
}
"""Only these may know both the core and the adapters."""

FAMILIES = {"adapters", "commands", "device", "export", "importers"}
HEAVY = {"tensorflow", "keras", "ai_edge_litert", "tflite_runtime", "cv2", "PIL", "scipy"}
PAINTING = {"painter", "text", "fonts", "cards", "floating", "live_picture", "picture_strip"}
DRAWING = {"overlay", "verdict", "demo", "demo_camera"} | PAINTING
CHILD_PROCESSES_ONLY = {"tensorflow", "keras"}


def modules() -> dict[str, ast.Module]:
    """Parse every module of the package, by its dotted name below the package."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text("utf-8"))
        for path in sorted(ROOT.rglob("*.py"))
    }


def imports(tree: ast.Module, *, only_at_import: bool) -> set[str]:
    """Collect dotted names that a module imports, type-checking blocks left out.

    Args:
        tree: The module.
        only_at_import: Leave out imports inside functions as well.
    """
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if only_at_import and isinstance(node, ast.FunctionDef):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return found


MODULES = modules()
CORE = sorted(
    name
    for name in MODULES
    if name.split(".")[0] not in FAMILIES | JOINING | DRAWING | {"testing", "__init__"}
)


def own(imported: set[str]) -> set[str]:
    """Keep the package's own modules, by their first name below the package."""
    return {name.split(".")[1] for name in imported if name.startswith(f"{PACKAGE}.")}


@pytest.mark.parametrize("name", CORE)
def test_the_core_knows_no_adapter_and_no_command(name: str) -> None:
    forbidden = (FAMILIES - {"device"}) | JOINING | DRAWING
    if name == "demo_script":
        forbidden -= {"demo", "demo_camera"}  # it is about them
    assert own(imports(MODULES[name], only_at_import=False)) & forbidden == set()


@pytest.mark.parametrize("name", CORE)
def test_the_core_is_free_of_windows_cameras_and_networks_when_it_is_imported(name: str) -> None:
    roots = {i.split(".")[0] for i in imports(MODULES[name], only_at_import=True)}
    assert roots & HEAVY == set()


@pytest.mark.parametrize("name", [n for n in MODULES if n.split(".")[0] == "adapters"])
def test_adapters_do_not_know_who_joins_them(name: str) -> None:
    known = own(imports(MODULES[name], only_at_import=False))
    assert known & (JOINING | {"session", "presenter", "overlay"}) == set()


@pytest.mark.parametrize("name", [n for n in MODULES if n.split(".")[0] == "device"])
def test_what_runs_on_a_device_imports_nothing_of_the_package(name: str) -> None:
    assert own(imports(MODULES[name], only_at_import=False)) == set()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_tensorflow_is_imported_by_child_processes_and_the_device_fallback_only(name: str) -> None:
    roots = {i.split(".")[0] for i in imports(MODULES[name], only_at_import=False)}
    if roots & CHILD_PROCESSES_ONLY:
        children = ("adapters.compile_", "adapters.fine_tune", "export.child", "device.classify")
        assert name.startswith(children), name


def test_the_picture_covers_every_module() -> None:
    """A new module is core unless it is put elsewhere on purpose."""
    assert {"session", "head", "dataset", "recorder", "learner"} <= set(CORE)
    assert len(CORE) > 15
