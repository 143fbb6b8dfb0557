"""Where predictions go: one file each, one interface."""
