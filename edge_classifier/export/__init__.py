"""From a trained project to a folder that runs on a device, proven equal to the live picture."""
