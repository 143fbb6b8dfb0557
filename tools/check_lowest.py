"""Do the lowest versions that we say we work with install together, and pass the quick tests?

    python tools check_lowest [--python PYTHON] [--keep FOLDER] [--tests PATH ...]

An environment is made with exactly the lower bounds of `pyproject.toml`, those of the `test` extra
too, for the interpreter PYTHON: by default the oldest that we support, 3.10. This checkout is
installed into it, and quick tests run against that. Takes some minutes and some 3 GB; FOLDER keeps
the environment, and goes on with one that is there. Exit code: that of the tests, or 1 where the
versions do not go together.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import tomllib  # type: ignore[import-not-found]  # this runs where we develop, from Python 3.11 on
from packaging.requirements import Requirement

ROOT: Final = Path(__file__).resolve().parents[1]
QUICK: Final = (
    "tests/api",
    "tests/learning",
    "tests/features/test_bulk.py",
    "tests/features/test_cache.py",
    "tests/project/test_picture_file.py",
    "tests/project/test_samples.py",
    "tests/project/test_store.py",
)
"""Where our dependencies do most of the work, without windows and child processes."""


def lowest(requirement: str) -> str:
    """Turn `name>=1.2; marker` into `name==1.2; marker`.

    Raises:
        ValueError: if it has no lower bound, so that nobody knows what it works with.
    """
    parsed = Requirement(requirement)
    bounds = [bound.version for bound in parsed.specifier if bound.operator == ">="]
    if len(bounds) != 1:
        raise ValueError(f"{requirement} has no single lower bound")
    marker = f"; {parsed.marker}" if parsed.marker else ""
    return f"{parsed.name}=={bounds[0]}{marker}"


def lowest_versions() -> list[str]:
    """Read the lower bounds of what is needed to run, and of what tests need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [
        lowest(each) for each in project["dependencies"] + project["optional-dependencies"]["test"]
    ]


def make_environment(folder: Path, python: str) -> Path:
    """Install the lowest versions and this checkout, and give the interpreter."""
    inside = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", str(folder)], check=True)  # noqa: S603 - as asked for
    versions = folder / "lowest.txt"
    versions.write_text("\n".join(lowest_versions()) + "\n", encoding="utf-8")
    pip = [str(inside), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--requirement", str(versions)], check=True)  # noqa: S603 - our own
    # Asked for again with ours, so that pip says what contradicts what we say we need.
    subprocess.run([*pip, "--constraint", str(versions), str(ROOT)], check=True)  # noqa: S603 - likewise
    return inside


def main() -> int:
    """Read the command line, install and test."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default="python3.10")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--tests", nargs="+", default=QUICK)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            python = make_environment(options.keep or Path(scratch), options.python)
        except subprocess.CalledProcessError as error:
            print(f"The lowest versions do not install together: {error}", file=sys.stderr)
            return 1
        marks = "not long and not slow and not window"
        command = [str(python), "-m", "pytest", "-q", "-m", marks, *options.tests]
        return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603 - likewise


if __name__ == "__main__":
    sys.exit(main())
