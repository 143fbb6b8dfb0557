"""Starts the classifier of the bundle that this file lies in; `edge_device/` does the work."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = ["{files}"]

missing = [name for name in FILES if not (HERE / "edge_device" / name).is_file()]
if missing:
    here = ascii(str(HERE))[1:-1]  # a name must not steer a terminal
    sys.exit(f"classify: {here} lacks edge_device/{missing[0]}; copy the whole bundle again.")
sys.path.insert(0, str(HERE))

from edge_device.cli import main  # noqa: E402 - found only now, in the bundle

if __name__ == "__main__":
    sys.exit(main(HERE))
