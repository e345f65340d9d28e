"""Requests that failed: their share of all, beside what is allowed (a binomial test)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from burnish.monitoring.distributions import binomial_tail
from burnish.monitoring.reference import Reference
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._words import chance, percent
from burnish.monitoring.window import Window


class Errors(Watch):
    """Value: share of the window's requests that failed."""

    most: float = Field(default=0.01, ge=0, lt=1)
    """Share that may fail."""

    least: int = Field(default=50, ge=1)
    """Requests that are needed."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        n_failed, n = window.n_errors, window.n_errors + window.answers.n_rows
        if n < self.least:
            return None
        share, p_value = n_failed / n, binomial_tail(n_failed, n, self.most)
        return Finding(
            share,
            self.most,
            p_value,
            share > self.most and p_value <= SURE,
            f"{n_failed:,} of {n:,} requests failed ({percent(share)}); {percent(self.most)} are allowed "
            f"({chance(p_value)}).",
            {"failed": n_failed, "requests": n},
        )
