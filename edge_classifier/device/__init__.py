"""What also runs alone on a Pi, as the folder `edge_device` of a bundle.

NumPy, OpenCV, LiteRT and the standard library only, but for outputs that are asked for and name
the library that they need; and relative imports: so one source is both
the code that the live picture is computed with and the code on the device.
"""

import os

# OpenCV reads these when it is imported: a kilobyte can claim a picture of 3 GB; and all that it
# would write to the user's terminal is said by our own errors.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "64000000")
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
