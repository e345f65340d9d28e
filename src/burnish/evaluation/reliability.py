"""Calibration before and after, and abstention: the sections of a report about confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from burnish.evaluation.findings import Bin, CurvePoint, Reliability, Selective
from burnish.evaluation.selective import RiskCoverage, Threshold, kept_share, risk_coverage
from burnish.metrics._contract import Answers, Outcome
from burnish.metrics._reliability import N_BINS, Bins, bins_of
from burnish.metrics._resampling import ratio

MOST_POINTS = 101


def reliability_of(raw: Outcome, outcome: Outcome, parameters: dict[str, float]) -> Reliability | None:
    """Expected calibration error and bins before (`raw`) and after calibration; None without confidence."""
    decisions = raw.decisions(), outcome.decisions()
    if decisions[0] is None or decisions[1] is None:
        return None
    once = np.ones((1, len(outcome)), np.int64)
    before, after = bins_of(decisions[0], once), bins_of(decisions[1], once)
    return Reliability(
        parameters=parameters,
        ece_before=float(before.error[0]),
        ece_after=float(after.error[0]),
        before=_bins(before),
        after=_bins(after),
    )


@dataclass(frozen=True)
class Aim:
    """A precision that is wanted, the threshold chosen for it, and the rows that it was chosen on."""

    threshold: Threshold
    chosen_on: str
    precision: float


def selective_of(answers: Answers, noun: str, aim: Aim) -> Selective:
    """What a threshold does to the answers (called `noun`) of the judged rows."""
    coverage, precision = kept_share(answers.confidence, answers.is_correct, aim.threshold.value)
    return Selective(
        noun=noun,
        target_precision=aim.precision,
        threshold=aim.threshold.value,
        chosen_on=aim.chosen_on,
        is_reached=aim.threshold.is_reached,
        coverage=coverage,
        precision=precision,
        n_answers=len(answers),
        curve=_points(risk_coverage(answers.confidence, answers.is_correct)),
    )


def _bins(bins: Bins) -> list[Bin]:
    n, probability, truth = bins.n[0], ratio(bins.probability, bins.n)[0], ratio(bins.truth, bins.n)[0]
    return [
        Bin(
            low=i / N_BINS, high=(i + 1) / N_BINS, n=int(n[i]), probability=float(probability[i]), truth=float(truth[i])
        )
        for i in range(N_BINS)
        if n[i]
    ]


def _points(curve: RiskCoverage) -> list[CurvePoint]:
    """At most 101 points, evenly spread over coverage, the last being full coverage."""
    if not len(curve):
        return []
    wanted = np.searchsorted(curve.coverage, np.linspace(curve.coverage[0], 1.0, MOST_POINTS) - 1e-12)
    return [
        CurvePoint(threshold=float(curve.threshold[i]), coverage=float(curve.coverage[i]), risk=float(curve.risk[i]))
        for i in np.unique(np.minimum(wanted, len(curve) - 1))
    ]
