"""Judging: scores with intervals, calibration, abstention, comparison, gates and the report."""
