"""Methods: ways to make a model smaller or faster."""
