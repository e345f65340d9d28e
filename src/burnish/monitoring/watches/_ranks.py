"""Two histograms side by side: how often one is above the other, and whether that could be chance."""

from __future__ import annotations

from burnish.monitoring.histogram import Histogram
from burnish.monitoring.twosample import cliffs_delta, rank_test

LEAST_REFERENCE = 50  # test rows; against fewer nothing is compared


def can_compare(now: Histogram, before: Histogram, least: int) -> bool:
    return len(now) >= least and len(before) >= LEAST_REFERENCE


def compared(now: Histogram, before: Histogram) -> tuple[float, float, float]:
    """Cliff's delta, and the p-values of "no higher" and "no lower"."""
    higher, lower = rank_test(now.counts, before.counts)
    return cliffs_delta(now.counts, before.counts), higher, lower
