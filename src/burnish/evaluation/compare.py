"""Which of two models is better on the same rows, and whether that is more than chance."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from burnish.core.errors import UserError
from burnish.evaluation.bootstrap import Interval, resampled_scores
from burnish.evaluation.scores import metrics_for, score_all
from burnish.metrics._contract import Bools, Floats, Metric, Outcome

SIGNIFICANT = 0.05
Z = 1.959963984540054
"""Of a two-sided 95 % interval."""
TINY = 1e-12
"""Beside what was seen, where two that never differ have no variance."""


class Difference(BaseModel):
    """One score of both; `difference` is second − first, with its 95 % interval and two-sided p."""

    model_config = ConfigDict(frozen=True)

    name: str
    first: float
    second: float
    difference: float
    interval: Interval
    p_value: float
    is_better_high: bool


class Comparison(BaseModel):
    """The paired comparison of two outcomes. `main` is decisive; `others` are shown beside it, uncorrected."""

    model_config = ConfigDict(frozen=True)

    n_rows: int
    test: Literal["McNemar mid-p", "paired bootstrap"]
    main: Difference
    others: list[Difference]
    sentence: str

    def to_dict(self) -> dict[str, object]:
        return self.model_dump(mode="json")


def compare(first: Outcome, second: Outcome, seed: int, n_resamples: int = 2000) -> Comparison:
    """Compare two outcomes of the same rows by the first score of their headline: accuracy, micro F1, entity F1.

    Accuracy is tested by McNemar's mid-p (Fagerland, Lydersen and Laake 2013, BMC Med Res Methodol 13:91), the rest by
    a paired bootstrap of the difference (Efron and Tibshirani 1993, ch. 16). The interval of a difference of accuracies
    is Tango's, of the others the bootstrap's, or of shares that differ in no resample as wide as Tango's would be: that
    nothing differs on few rows does not say that nothing would on others. Labels may stand in another order.

    Raises:
        UserError: the outcomes are of different tasks, rows or gold labels.
    """
    _refuse_unequal(first, second)
    differences = {item.name: item for item in _differences(first, second, seed, n_resamples)}
    main = differences.pop(first.headline[0])
    test: Literal["McNemar mid-p", "paired bootstrap"] = "paired bootstrap"
    if first.headline[0] == "accuracy":
        right = ~first.is_wrong(), ~second.is_wrong()
        main = main.model_copy(update={"p_value": mcnemar(*right), "interval": score_interval(*right)})
        test = "McNemar mid-p"
    return Comparison(
        n_rows=len(first),
        test=test,
        main=main,
        others=list(differences.values()),
        sentence=_verdict(main, test, len(first)),
    )


def mcnemar(first: Bools, second: Bools) -> float:
    """Two-sided mid-p of McNemar's exact test from who was right [N]; 1 when they never differ."""
    from scipy.stats import binom

    only_first, only_second = int(np.sum(first & ~second)), int(np.sum(~first & second))
    n, fewer = only_first + only_second, min(only_first, only_second)
    if n == 0:
        return 1.0
    return float(min(1.0, 2 * binom.cdf(fewer, n, 0.5) - binom.pmf(fewer, n, 0.5)))


def score_interval(first: Bools, second: Bools) -> Interval:
    """95 % interval of the difference of two accuracies on the same rows, second − first, from who was right [N].

    The score interval of Tango 1998 (Statistics in Medicine 17:891, §3). Where the two never differ it still reaches
    z² / (N + z²) either way, where a bootstrap would have no width, however few the rows.
    """
    n, lost, won = len(first), int(np.sum(first & ~second)), int(np.sum(~first & second))
    return Interval(-_most_lost(lost, won, n), _most_lost(won, lost, n))


def _most_lost(lost: int, won: int, n: int) -> float:
    """The largest drop d that `lost` and `won` of n rows do not speak against: (lost − won − n d)² is z² times its
    variance n (2 q + d (1 − d)), where q is the likeliest share of rows that are won, given d.
    """
    from scipy.optimize import brentq

    def beyond(d: float) -> float:
        linear = (2 * n - lost + won) * d - lost - won  # q solves 2 n q² + linear q − won d (1 − d) = 0
        q = (math.sqrt(max(0.0, linear**2 + 8 * n * won * d * (1 - d))) - linear) / (4 * n)
        return (n * d - lost + won) ** 2 - Z**2 * n * (2 * q + d * (1 - d))

    seen = (lost - won) / n
    return 1.0 if seen == 1.0 else float(brentq(beyond, seen + TINY, 1.0))


def _differences(first: Outcome, second: Outcome, seed: int, n_resamples: int) -> list[Difference]:
    metrics = metrics_for(type(first))
    scores = score_all(first, metrics), score_all(second, metrics)
    samples = [resampled_scores(outcome, metrics, n_resamples, seed) for outcome in (first, second)]
    return [
        _difference(name, metric, (scores[0][name], scores[1][name]), samples[1][name] - samples[0][name], len(first))
        for metric in metrics
        for name in metric.score(first)
    ]


def _difference(name: str, metric: Metric, values: tuple[float, float], moved: Floats, n_rows: int) -> Difference:
    low, high = (float(edge) for edge in np.quantile(moved, [0.025, 0.975]))
    if metric.is_share and not moved.any():
        low, high = -_most_lost(0, 0, n_rows), _most_lost(0, 0, n_rows)
    return Difference(
        name=name,
        first=values[0],
        second=values[1],
        difference=values[1] - values[0],
        interval=Interval(low, high),
        p_value=_bootstrap_p(moved),
        is_better_high=metric.is_better_high,
    )


def _bootstrap_p(moved: Floats) -> float:
    """Twice the smaller share of resamples at or beyond no difference, counted with itself so that p is never 0."""
    below, above = np.sum(moved <= 0) + 1, np.sum(moved >= 0) + 1
    return float(min(1.0, 2 * min(below, above) / (len(moved) + 1)))


def _verdict(main: Difference, test: str, n_rows: int) -> str:
    numbers = (
        f"{main.name} {main.first:.4f} against {main.second:.4f} on the same {n_rows:,} rows, difference "
        f"{main.difference:+.4f} (95 % interval {main.interval.low:+.4f} to {main.interval.high:+.4f}; {test}, "
        f"p = {main.p_value:.2g})"
    )
    if main.p_value >= SIGNIFICANT:
        return f"No difference that these rows can show: {numbers}."
    better = "second" if (main.difference > 0) == main.is_better_high else "first"
    return f"The {better} is better: {numbers}."


def _refuse_unequal(first: Outcome, second: Outcome) -> None:
    if type(first) is not type(second):
        raise UserError("compare: the two models are of different tasks; only models of one task can be compared.")
    if len(first) != len(second):
        raise UserError(
            f"compare: the two were judged on {len(first):,} and {len(second):,} rows; judge both on the same data."
        )
    if not len(first):
        raise UserError("compare: there are no rows to compare on.")
    unequal = [row for row in range(len(first)) if first.gold_of(row) != second.gold_of(row)]
    if unequal:
        raise UserError(
            f"compare: {len(unequal):,} of {len(first):,} rows have different gold labels, the first being row "
            f"{unequal[0] + 1:,}; judge both on the same data, in the same order."
        )
