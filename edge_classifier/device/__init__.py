"""The code that also runs alone on a device, where this package is not installed."""
