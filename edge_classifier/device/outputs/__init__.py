"""Where answers go: one file each, one interface."""
