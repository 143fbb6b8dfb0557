"""Displays of a session's view, and its drawing."""
