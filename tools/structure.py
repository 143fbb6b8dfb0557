"""Measures how the package is built: rooms, floors of imports, circles, and the three walks.

    python tools structure                   # of the package beside tools/
    python tools structure --package DIR     # of any other version
    python tools structure --walks           # and which files the three walks enter: tools/walks.py

All but the walks is read from the sources. An import counts at the top of a module or within a
function; those under `TYPE_CHECKING` are left out of the first figure of floors and circles, and
counted in the second. `from a import b` is an import of `a.b` where that is a module, else of `a`;
that Python runs `a` on the way to `a.b` is not counted, nor what the package's own `__init__`
hands on to its users. Floors are the modules on the longest chain of imports of one above another;
a circle is a largest set of modules that all reach one another, and one floor. The exit code is 1
where there is a circle of either kind.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import walks

if TYPE_CHECKING:
    from collections.abc import Iterator

Graph: TypeAlias = "dict[str, set[str]]"
"""Which modules each module imports, by dotted names."""

_ROOT: Final = "(root)"


@dataclass(frozen=True, slots=True)
class Module:
    """One source file.

    Attributes:
        path: Below the folder that is imported from.
        lines: How many it has, blank ones included.
        functions: Lines of each function, by its name.
        imports: Names that it imports when it or one of its functions is run: `a.b`, and for
            `from a import b` both `a` and `a.b`.
        typing_imports: Likewise under `TYPE_CHECKING`.
    """

    path: Path
    lines: int
    functions: dict[str, int] = field(default_factory=dict)
    imports: list[tuple[str, ...]] = field(default_factory=list)
    typing_imports: list[tuple[str, ...]] = field(default_factory=list)


def read_modules(folder: Path, *, base: Path) -> dict[str, Module]:
    """Read all modules below a folder, by the names under which `base` on the path has them."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        relative = path.relative_to(base)
        parts = relative.with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        text = path.read_text(encoding="utf-8")
        module = Module(relative, len(text.splitlines()))
        _collect(ast.parse(text), module, name if is_package else name.rpartition(".")[0])
        found[name] = module
    return found


def _collect(tree: ast.AST, module: Module, package: str, *, typing: bool = False) -> None:
    """Note functions and imports of a syntax tree."""
    imports = module.typing_imports if typing else module.imports
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                _collect(ast.Module([child], []), module, package, typing=True)
            for child in node.orelse:
                _collect(ast.Module([child], []), module, package, typing=typing)
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            module.functions[f"{node.name}, line {node.lineno}"] = (
                (node.end_lineno or 0) - node.lineno + 1
            )
        elif isinstance(node, ast.Import):
            imports += [(alias.name,) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(node, package)
            imports += [(f"{source}.{alias.name}", source) for alias in node.names]
        _collect(node, module, package, typing=typing)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """Name what is imported from, also where it is given relatively."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def import_graph(modules: dict[str, Module], *, typing: bool = False) -> Graph:
    """Build the graph of imports among these modules."""
    graph: Graph = {}
    for name, module in modules.items():
        wanted = module.imports + (module.typing_imports if typing else [])
        targets = (next((n for n in names if n in modules), name) for names in wanted)
        graph[name] = set(targets) - {name}
    return graph


def components(graph: Graph) -> list[list[str]]:
    """Find the largest sets of modules that all reach one another (Tarjan 1972).

    Returns:
        The sets, each behind all that it reaches.
    """
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = lowest[name] = len(index)
        stack.append(name)
        for target in sorted(graph[name]):
            if target not in index:
                visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in stack:
                lowest[name] = min(lowest[name], index[target])
        if lowest[name] == index[name]:
            position = stack.index(name)
            found.append(sorted(stack[position:]))
            del stack[position:]

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return found


def circles(graph: Graph) -> list[list[str]]:
    """Find the sets of modules that import one another."""
    return [names for names in components(graph) if len(names) > 1]


def longest_chain(graph: Graph) -> list[str]:
    """Find the longest chain of imports, from the top down; a circle is one step of it."""
    best: dict[str, list[str]] = {}
    longest: list[str] = []
    for names in components(graph):
        below = [best[target] for name in names for target in graph[name] if target not in names]
        chain = [" = ".join(names), *max(below, key=len, default=[])]
        best.update(dict.fromkeys(names, chain))
        longest = max(longest, chain, key=len)
    return longest


def report(package: Path) -> tuple[list[str], bool]:
    """Describe a package and the tools beside it.

    Returns:
        The lines to print, and whether there is a circle.
    """
    modules = read_modules(package, base=package.parent)
    tools = package.parent / "tools"
    modules[package.name].imports.clear()
    modules[package.name].typing_imports.clear()
    everything = modules | (read_modules(tools, base=tools) if tools.is_dir() else {})
    lines = [*_rooms(modules), ""]
    for typing, note in ((False, ""), (True, ", TYPE_CHECKING counted")):
        chain = longest_chain(import_graph(modules, typing=typing))
        lines += [f"floors{note}: {len(chain)}", f"  {' > '.join(_short(chain))}"]
        found = circles(import_graph(everything, typing=typing))
        lines += [f"circles{note}: {len(found)}", *(f"  {', '.join(_short(c))}" for c in found)]
    return lines, bool(found)


def _rooms(modules: dict[str, Module]) -> Iterator[str]:
    files: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for module in modules.values():
        parts = module.path.parts[1:]
        room = parts[0] if len(parts) > 1 else _ROOT
        files[room] += 1
        lines[room] += module.lines
    yield f"{'room':14} {'files':>6} {'lines':>7}"
    for room in sorted(files):
        yield f"{room:14} {files[room]:6} {lines[room]:7}"
    yield f"{'all':14} {files.total():6} {lines.total():7}"
    longest = max(modules.values(), key=lambda module: module.lines)
    yield f"longest file: {longest.path}, {longest.lines} lines"
    median = sorted(module.lines for module in modules.values())[len(modules) // 2]
    yield f"median file: {median} lines"
    functions = [
        (length, f"{module.path}, {name}")
        for module in modules.values()
        for name, length in module.functions.items()
    ]
    length, name = max(functions, default=(0, "none"))
    yield f"longest function: {name}, {length} lines"
    yield f"functions over 40 lines: {sum(length > 40 for length, _ in functions)}"  # noqa: PLR2004 - the house's own limit


def _short(names: list[str]) -> list[str]:
    """Leave out the package's name, which they all begin with."""
    return [name.replace("edge_classifier.", "") for name in names]


def main() -> int:
    """Print the figures; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    here = Path(__file__).resolve().parents[1] / "edge_classifier"
    parser.add_argument("--package", type=Path, default=here, help="the package's folder")
    parser.add_argument("--walks", action="store_true", help="trace the three walks as well")
    options = parser.parse_args()
    package = options.package.resolve()
    lines, wrong = report(package)
    print("\n".join(lines), flush=True)
    if options.walks:
        walks.trace_in_child()
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
