"""The parts of `tools/fuzzing`: mutators, targets, and the processes that run them."""
