"""The live session: what a person can do, as a state machine without a window.

Everywhere in here `store` is the project on disk, `executor` the one worker thread, `clock` gives
monotonic seconds, and `say` shows a line in the picture.
"""
