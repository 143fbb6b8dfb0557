"""Runs one of the tools: `python tools` lists them, `python tools fuzzing --help` asks one."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent


def tools() -> dict[str, str]:
    """Find what can be run, with the first line of what it says of itself."""
    found = {}
    for path in sorted(HERE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path != Path(__file__) and '__name__ == "__main__"' in text:
            name = ".".join(path.relative_to(HERE).with_suffix("").parts)
            about = ast.get_docstring(ast.parse(text)) or ""
            found[name.removesuffix(".__main__")] = about.partition("\n")[0]
    return found


def main() -> None:
    """Run the tool that the first word names, with the words behind it."""
    known = tools()
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in known:
        lines = [f"  {name:28} {about}" for name, about in known.items()]
        sys.exit("\n".join(["usage: python tools TOOL [OPTION ...]", *lines]))
    del sys.argv[1]
    sys.path.append(str(HERE.parent / "tests"))  # some play with the fakes of the tests' support
    runpy.run_module(name, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
