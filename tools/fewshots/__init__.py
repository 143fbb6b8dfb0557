"""The parts of the few-shot benchmark that need no picture and no network."""
