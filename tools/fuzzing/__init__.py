"""The parts of `tools/fuzz.py`: mutators, targets, and the processes that run them."""
