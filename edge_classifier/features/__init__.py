"""From a picture to numbers: backbones, their weights, and the cache of what they gave."""
