"""Compression: methods that make a model smaller and faster, exports for other tools, and proof that answers stay."""
