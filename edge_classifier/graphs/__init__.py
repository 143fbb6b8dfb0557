"""Keras graphs: the only room where TensorFlow is imported, by child processes alone."""
