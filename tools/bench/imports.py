"""What of a command's start is the package's own share: the self times of `python -X importtime`.

    python tools bench.imports [--module edge_classifier.commands.live] [--rounds 10]
    python tools bench.imports --other PYTHON FOLDER

The share is the sum of the self times of all modules that importing the command's module adds to a
process that has argparse, NumPy and OpenCV already: our own, and what only they drag in. The least
of some rounds is told; `--other` measures in turn another interpreter, in a checkout's folder.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).resolve().parents[2]
_MARK = "===="
_ROW = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")


def share(python: str, folder: Path, module: str, compiled: str) -> tuple[float, int, int]:
    """Import a module; returns milliseconds, modules of ours, and all modules.

    Args:
        python: The interpreter.
        folder: A checkout.
        module: What is imported.
        compiled: Folder for bytecode, as an installed package has it.
    """
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    program = f"import argparse, cv2, numpy, sys; sys.stderr.write('{_MARK}'); import {module}"
    done = subprocess.run(  # noqa: S603 - an interpreter that the user named
        [python, "-X", "importtime", "-c", program],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    rows = _ROW.findall(done.stderr.partition(_MARK)[2])
    ours = sum(name.startswith("edge_classifier") for _, name in rows)
    return sum(int(us) for us, _ in rows) / 1000, ours, len(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--module", default="edge_classifier.commands.live")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--other", nargs=2, metavar=("PYTHON", "FOLDER"))
    options = parser.parse_args()
    sides = [(sys.executable, _HERE)]
    if options.other:
        sides.append((options.other[0], Path(options.other[1])))
    best: dict[int, tuple[float, int, int]] = {}
    with tempfile.TemporaryDirectory() as compiled:
        for _ in range(1 + options.rounds):  # the first one compiles
            for side, (python, folder) in enumerate(sides):
                measured = share(python, folder, options.module, compiled)
                best[side] = min(best.get(side, measured), measured)
    for side, (ms, ours, modules) in best.items():
        print(f"{ms:7.1f} ms  {ours:4} of {modules:4} modules are ours  {sides[side][1]}")


if __name__ == "__main__":
    main()
