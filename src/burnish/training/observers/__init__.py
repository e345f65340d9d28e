"""Shelf of observers: who else records each step of training."""
