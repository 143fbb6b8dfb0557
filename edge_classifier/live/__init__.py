"""The live session: what a person can do, as a state machine without a window."""
