"""The session as a page in a browser: a display, a camera, and files that are dropped."""
