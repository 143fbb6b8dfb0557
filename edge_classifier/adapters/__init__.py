"""What touches the world: cameras, windows, files, TensorFlow, LiteRT."""
