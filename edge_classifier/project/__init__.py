"""A project: a folder on disk that other tools can read too, and pictures from elsewhere."""
