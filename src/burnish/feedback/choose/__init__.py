"""Shelf `choose`: which answers to have looked at next."""
