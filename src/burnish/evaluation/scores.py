"""Every score of an outcome: whatever the metrics shelf can judge, so that a new metric appears by itself."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.core.shelves import Shelf
from burnish.metrics._contract import Metric, Outcome


def metrics_for(kind: type[Outcome]) -> list[Metric]:
    """The metrics of the shelf that judge outcomes of type `kind`, in the order of their names.

    Reads the shelf anew each time: who scores often calls this once and passes the metrics on.
    """
    parts = [Shelf("metrics").get(name)() for name in Shelf("metrics").names()]
    return [part for part in parts if isinstance(part, Metric) and kind in part.judges]


def score_all(outcome: Outcome, metrics: Sequence[Metric] | None = None) -> dict[str, float]:
    """Name → value of every score of this outcome, by `metrics`, or by all of the shelf that can judge it.

    Raises:
        TypeError: two metrics give a score of the same name.
    """
    scores: dict[str, float] = {}
    for metric in metrics_for(type(outcome)) if metrics is None else metrics:
        found = metric.score(outcome)
        if doubled := scores.keys() & found.keys():
            raise TypeError(f"metric '{metric.part_name}' gives '{min(doubled)}', which another metric gives already")
        scores |= found
    return scores


def score_names(kind: type[Outcome]) -> list[str]:
    """The names of all scores of outcomes of type `kind`, found by judging a toy."""
    return sorted(score_all(kind.toy(), metrics_for(kind)))
