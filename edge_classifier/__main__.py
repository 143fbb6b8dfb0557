"""`python -m edge_classifier` is `edge-classifier`."""

import sys

from edge_classifier.cli import main

sys.exit(main())
