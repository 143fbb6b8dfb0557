"""Parts of ``tools/train_backbone.py``: views, student, training, evaluation and conversion."""
