"""Shelf of anchors: what training holds on to of the model that it goes on from, so that little is forgotten."""
