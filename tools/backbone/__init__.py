"""Parts of ``tools/backbone``: views, student, training, evaluation and conversion."""
