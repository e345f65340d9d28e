"""Exports: a model in formats that other tools run without Burnish."""
