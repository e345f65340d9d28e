"""Shelf of optimisers: how a gradient becomes a change of the weights."""
