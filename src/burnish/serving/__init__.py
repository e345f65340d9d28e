"""Serving: an engine that batches what arrives, and HTTP around it."""
