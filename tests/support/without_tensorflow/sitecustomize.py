"""Lets a Python and its children meet what they would meet where TensorFlow is not installed.

Put this folder on PYTHONPATH.
"""

import sys

for absent in ("tensorflow", "keras", "h5py"):  # the last comes with Keras
    sys.modules[absent] = None  # type: ignore[assignment]  # Python's own way to say so
