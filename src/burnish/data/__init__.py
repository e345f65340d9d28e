"""Rows from anywhere, in one form: read, checked, split, deduplicated, encoded and put into batches."""
