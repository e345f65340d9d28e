"""Shelf of schedules: how the learning rate goes up and down over a run."""
