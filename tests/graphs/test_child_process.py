"""Children that work with TensorFlow do not outlive the program that started them."""

from __future__ import annotations

import subprocess
import sys

import pytest

_CHILD = """
import time
from edge_classifier.features.child_process import end_with_parent
end_with_parent()
print("working", flush=True)
time.sleep(60)
"""


@pytest.fixture
def child() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(  # noqa: S603 - a fixed program
        [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"working\n"
    return process


def test_a_child_ends_when_nobody_holds_its_standard_input_any_more(
    child: subprocess.Popen[bytes],
) -> None:
    """As after `kill` or `kill -9` of the parent: the system closes what it had open."""
    with child:
        assert child.poll() is None
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(timeout=30) == 1
