"""One report on several tasks that share a model, made of each one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from burnish.core.members import joined
from burnish.evaluation.findings import Report
from burnish.evaluation.gates import check_gates
from burnish.evaluation.report import seed_scores, verdict

MEAN = "task_mean"


def joint_scores(scores: Mapping[str, Mapping[str, float]], best_by: Mapping[str, str]) -> dict[str, float]:
    """The mean of the score that each task is judged by, each of those, then every other, named `task/score`."""
    chosen = {joined(name, best_by[name]): scores[name][best_by[name]] for name in scores}
    every = {joined(name, score): value for name, own in scores.items() for score, value in own.items()}
    return {MEAN: sum(chosen.values()) / len(chosen), **chosen, **every}


def joint_report(
    reports: Mapping[str, Report],
    best_by: Mapping[str, str],
    gates: Mapping[str, str],
    about: dict[str, Any],
    seeds: Sequence[dict[str, float]],
) -> Report:
    """The page that leads to the tasks' own.

    Raises:
        UserError: a gate names a score that no task has.
    """
    scores = joint_scores({name: report.scores for name, report in reports.items()}, best_by)
    results = check_gates(gates, scores)
    return Report(
        kind="joint",
        about=about,
        split=" and ".join(dict.fromkeys(report.split for report in reports.values())),
        n_rows=sum(report.n_rows for report in reports.values()),
        labels=[],
        headline=[MEAN, *(joined(name, best_by[name]) for name in reports)],
        verdict=verdict(results),
        notes=[f"{name}: {note}" for name, report in reports.items() for note in report.notes],
        scores=scores,
        intervals={joined(name, score): span for name, one in reports.items() for score, span in one.intervals.items()},
        averages=[],
        per_class=[],
        per_tag=[],
        confusion=None,
        worst_pairs=[],
        span_faults=None,
        calibration=None,
        selective=None,
        confident_errors=[],
        hardest_errors=[],
        by_length=[],
        by_slice={},
        gates=results,
        seeds=seed_scores(seeds),
        members=dict(reports),
    )
