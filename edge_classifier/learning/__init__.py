"""From features to a model that answers; NumPy and SciPy only."""
