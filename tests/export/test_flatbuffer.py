"""The schema of TFLite files, which comes in LiteRT's wheel."""

from __future__ import annotations

import subprocess
import sys

HIDDEN = """
import sys
sys.modules["ai_edge_litert.schema_py_generated"] = None
from edge_classifier.commands.cli import main
sys.exit(main(["export", "project"]))
"""


def test_where_it_is_missing_export_says_so_in_one_line() -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", HIDDEN], check=False, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("edge-classifier: This ai-edge-litert has no schema; install it again")
