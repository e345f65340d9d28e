"""Scores of groups of rows: by length, and by the values of the slices that the user named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from burnish.evaluation.findings import Group
from burnish.evaluation.scores import score_all
from burnish.metrics._contract import Ints, Metric, Outcome

MOST_VALUES = 30  # of one slice; a column with more is not a slice but a key


@dataclass(frozen=True)
class Scorer:
    """Which metrics judge a group, and which of their scores are shown."""

    metrics: Sequence[Metric]
    names: Sequence[str]

    def group(self, outcome: Outcome, rows: Ints, name: str) -> Group:
        scores = score_all(outcome.take(rows), self.metrics)
        return Group(name=name, n=len(rows), scores={one: scores[one] for one in self.names if one in scores})


def by_length(outcome: Outcome, n_tokens: Ints, scorer: Scorer) -> list[Group]:
    """Scores in quarters of the rows from short to long; fewer when many are equally long, none when all are."""
    if not len(outcome) or n_tokens.min() == n_tokens.max():
        return []
    edges = np.unique(np.quantile(n_tokens, [0.25, 0.5, 0.75], method="lower"))
    quarter = np.searchsorted(edges, n_tokens, side="left")
    rows_of = [np.flatnonzero(quarter == index) for index in range(len(edges) + 1)]
    return [scorer.group(outcome, rows, _range_name(n_tokens[rows])) for rows in rows_of if len(rows)]


def by_value(outcome: Outcome, values: Sequence[str], scorer: Scorer) -> list[Group]:
    """Scores of the rows that share a value, the commonest 30 values first."""
    column = np.array(values, dtype=object)
    common = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]
    return [scorer.group(outcome, np.flatnonzero(column == value), str(value)) for value, _ in common]


def _range_name(n_tokens: Ints) -> str:
    low, high = int(n_tokens.min()), int(n_tokens.max())
    return f"{low} tokens" if low == high else f"{low}–{high} tokens"
