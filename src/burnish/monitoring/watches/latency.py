"""Slow answers: a high quantile of the time to answer, beside the past or a limit (Mood's test at a quantile)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from burnish.monitoring.distributions import binomial_tail
from burnish.monitoring.histogram import Histogram
from burnish.monitoring.reference import Reference
from burnish.monitoring.twosample import more_often
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._words import chance
from burnish.monitoring.window import Window


class Latency(Watch):
    """Value: milliseconds below which the given share of answers stays.

    The times of one moment are slow together, so the p-value alone is too small; the factor is what keeps quiet.
    """

    quantile: float = Field(default=0.99, gt=0, lt=1)
    """Which share of answers is quicker than the value that is watched."""

    factor: float = Field(default=1.5, gt=1)
    """Raised from this many times the same quantile of the past windows on."""

    limit_ms: float | None = Field(default=None, gt=0)
    """Milliseconds that the quantile may reach, in place of what was usual; null: the past decides."""

    least: int = Field(default=50, ge=20)
    """Answers that are needed, in the window and in the past together."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        now = window.answers.ms
        if len(now) < self.least:
            return None
        value = now.quantile(self.quantile)
        if self.limit_ms is not None:
            n_slow = now.above(self.limit_ms)
            p_value = binomial_tail(n_slow, len(now), 1.0 - self.quantile)
            return self._finding(value, self.limit_ms, p_value, f"{self.limit_ms:,.0f} ms are allowed", now)
        before = _summed([one.answers.ms for one in history])
        if before is None or len(before) < self.least:
            return None
        usual = before.quantile(self.quantile)
        boundary = (now + before).quantile(self.quantile)
        p_value = more_often(now.above(boundary), len(now), before.above(boundary), len(before))
        return self._finding(value, self.factor * usual, p_value, f"{usual:,.0f} ms are usual", now)

    def _finding(self, value: float, limit: float, p_value: float, beside: str, now: Histogram) -> Finding:
        share = f"{100 * self.quantile:g} %"
        return Finding(
            value,
            limit,
            p_value,
            value >= limit and p_value <= SURE,
            f"{share} of {len(now):,} answers came within {value:,.0f} ms; {beside} ({chance(p_value)}).",
            {"answers": len(now), "mean_ms": round(now.mean, 3), "p50_ms": round(now.quantile(0.5), 3)}
            | {"quantile_ms": round(value, 3)},
        )


def _summed(histograms: Sequence[Histogram]) -> Histogram | None:
    total: Histogram | None = None
    for one in histograms:
        total = one if total is None else total + one
    return total
