from __future__ import annotations

from pathlib import Path

import structure

MODULES = {
    "__init__": "from house.top import run",
    "top": "from house import middle\n\n\ndef run():\n    from house.low.a import A\n",
    "middle": "import house.low.b",
    "low/__init__": "",
    "low/a": "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from .b import B\n",
    "low/b": "from . import a\nfrom .a import A\n",
}


def write(folder: Path, modules: dict[str, str]) -> Path:
    """Write a package and return its folder."""
    for name, text in modules.items():
        path = folder / "house" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "house"


def graph(package: Path, *, typing: bool = False) -> structure.Graph:
    modules = structure.read_modules(package, base=package.parent)
    return structure.import_graph(modules, typing=typing)


def test_imports_are_found_at_the_top_in_functions_and_by_relative_names(tmp_path: Path) -> None:
    found = graph(write(tmp_path, MODULES))
    assert found["house.top"] == {"house.middle", "house.low.a"}
    assert found["house.middle"] == {"house.low.b"}
    assert found["house.low.b"] == {"house.low.a"}


def test_floors_are_the_longest_chain(tmp_path: Path) -> None:
    package = write(tmp_path, MODULES | {"__init__": ""})
    chain = ["house.top", "house.middle", "house.low.b", "house.low.a"]
    assert structure.longest_chain(graph(package)) == chain
    one_floor = ["house.top", "house.middle", "house.low.a = house.low.b"]
    assert structure.longest_chain(graph(package, typing=True)) == one_floor


def test_what_is_imported_for_types_alone_makes_a_circle_of_its_own_kind(tmp_path: Path) -> None:
    package = write(tmp_path, MODULES)
    assert structure.circles(graph(package)) == []
    assert structure.circles(graph(package, typing=True)) == [["house.low.a", "house.low.b"]]


def test_what_the_package_hands_on_is_no_floor_and_a_circle_is_reported(tmp_path: Path) -> None:
    package = write(tmp_path, MODULES | {"low/a": "from . import b"})
    lines, wrong = structure.report(package)
    assert wrong
    assert "floors: 3" in lines
    assert lines[lines.index("circles: 1") + 1].split() == ["house.low.a,", "house.low.b"]


def test_files_and_lines_are_counted_by_room(tmp_path: Path) -> None:
    said, wrong = structure.report(write(tmp_path, MODULES | {"low/a": ""}))
    assert not wrong
    assert next(line for line in said if line.startswith("all ")).split() == ["all", "6", "9"]
    assert next(line for line in said if line.startswith("low ")).split() == ["low", "3", "2"]
    assert "longest function: house/top.py, run, line 4, 2 lines" in said
