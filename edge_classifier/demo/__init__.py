"""The picture of the demo camera: everything in it is rendered here, from a seed."""
