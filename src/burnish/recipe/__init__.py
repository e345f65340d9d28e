"""Recipes: what to do, written down. Read by `load`, written out by `show`, described by `schema`."""
