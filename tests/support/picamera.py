"""Where a stand-in for Picamera2 lies, for `PYTHONPATH` or `sys.path`."""

from __future__ import annotations

from pathlib import Path

PICAMERA2 = Path(__file__).with_name("stand_ins")
