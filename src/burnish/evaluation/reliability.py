"""Calibration before and after, and abstention: the sections of a report about confidence."""

from __future__ import annotations

import numpy as np

from burnish.evaluation.findings import Bin, CurvePoint, Reliability, Selective
from burnish.evaluation.selective import RiskCoverage, Threshold, kept_share, risk_coverage
from burnish.metrics._answers import answers_in
from burnish.metrics._contract import Outcome
from burnish.metrics._reliability import N_BINS, Bins, bins_of, decisions_in
from burnish.metrics._resampling import ratio
from burnish.metrics.aurc import Aurc

MOST_POINTS = 101


def reliability_of(raw: Outcome, outcome: Outcome, parameters: dict[str, float]) -> Reliability:
    """Expected calibration error and reliability bins of an outcome before (`raw`) and after calibration."""
    before, after = (bins_of(decisions_in(one), np.ones((1, len(one)), np.int64)) for one in (raw, outcome))
    return Reliability(
        parameters=parameters,
        ece_before=float(before.error[0]),
        ece_after=float(after.error[0]),
        before=_bins(before),
        after=_bins(after),
    )


def selective_of(outcome: Outcome, chosen: Threshold, chosen_on: str, target_precision: float) -> Selective:
    """What a threshold, chosen on the rows called `chosen_on`, does on the judged rows."""
    answers = answers_in(outcome)
    coverage, precision = kept_share(answers.confidence, answers.is_correct, chosen.value)
    return Selective(
        target_precision=target_precision,
        threshold=chosen.value,
        chosen_on=chosen_on,
        is_reached=chosen.is_reached,
        coverage=coverage,
        precision=precision,
        n_answers=len(answers),
        aurc=Aurc().score(outcome)["aurc"],
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
