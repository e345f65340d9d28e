"""The report: what a model does on one split, how sure it may be, and where it goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from burnish.evaluation.bootstrap import intervals
from burnish.evaluation.findings import Kind, Report, SeedScores
from burnish.evaluation.gates import GateResult, check_gates
from burnish.evaluation.groups import MOST_VALUES, Scorer, by_length, by_value
from burnish.evaluation.mistakes import confident_errors, hardest_errors
from burnish.evaluation.reliability import reliability_of, selective_of
from burnish.evaluation.scores import metrics_for, score_all, score_names
from burnish.evaluation.selective import Threshold, abstention_threshold, kept_share
from burnish.evaluation.tables import average_rows, class_rows, confusion_of, span_faults, tag_rows, worst_pairs
from burnish.metrics._answers import answers_in
from burnish.metrics._contract import Ints, MultiOutcome, Outcome, SingleOutcome, SpanOutcome
from burnish.recipe.schema import JudgeSection

__all__ = ["Evidence", "Report", "build_report", "gate_names"]

KINDS: dict[type, Kind] = {SingleOutcome: "single", MultiOutcome: "multi", SpanOutcome: "spans"}
HEADLINE: dict[Kind, list[str]] = {
    "single": ["accuracy", "macro_f1", "ece", "coverage_at_target"],
    "multi": ["micro_f1", "macro_f1", "subset_accuracy", "ece", "coverage_at_target"],
    "spans": ["entity_f1", "entity_precision", "entity_recall", "token_f1", "ece", "coverage_at_target"],
}
GROUPED: dict[Kind, list[str]] = {  # what lengths and slices are compared by
    "single": ["accuracy", "macro_f1", "ece"],
    "multi": ["micro_f1", "subset_accuracy", "ece"],
    "spans": ["entity_f1", "token_f1", "ece"],
}
SELECTIVE_NAMES = ["coverage_at_target", "precision_at_target"]
FEW_ROWS = 200


@dataclass(frozen=True)
class Evidence:
    """All that a report is made from; N judged rows.

    `outcome` is calibrated, `raw` the same rows before calibration, `dev` the calibrated dev outcome that the
    abstention threshold is chosen on (None when dev itself is judged, or there is none); `abstain_below` is a bundle's
    threshold, where it was chosen before. `texts` gives the texts of some rows; `n_tokens` is [N]; `slices` maps a
    column's name to its N values. `parameters` are the calibration's, `about` whatever the reader should know (task,
    base, data, seconds, created), `seeds` each seed's scores.
    """

    outcome: Outcome
    raw: Outcome
    dev: Outcome | None
    texts: Callable[[list[int]], list[str]]
    n_tokens: Ints
    split: str
    slices: dict[str, list[str]] = field(default_factory=dict)
    parameters: dict[str, float] = field(default_factory=dict)
    abstain_below: float | None = None
    about: dict[str, Any] = field(default_factory=dict)
    seeds: Sequence[dict[str, float]] = ()


def build_report(evidence: Evidence, settings: JudgeSection, seed: int) -> Report:
    """Judge the evidence. Every metric of the shelf that can judge the outcome takes part.

    Raises:
        UserError: a gate names a score that this task does not have.
    """
    outcome = evidence.outcome
    kind = KINDS[type(outcome)]
    metrics = metrics_for(type(outcome))
    scorer = Scorer(metrics, GROUPED[kind])
    selective = selective_of(outcome, *_threshold(evidence, settings.target_precision), settings.target_precision)
    found = dict(zip(SELECTIVE_NAMES, (selective.coverage, selective.precision), strict=True))
    scores = score_all(outcome, metrics) | found
    gates = check_gates(settings.gates, scores)
    confusion = confusion_of(outcome)
    return Report(
        kind=kind,
        about=evidence.about,
        split=evidence.split,
        n_rows=len(outcome),
        labels=list(outcome.labels),
        headline=HEADLINE[kind],
        verdict=_verdict(gates),
        notes=_notes(evidence, selective.is_reached, settings.target_precision),
        scores=scores,
        intervals=intervals(outcome, metrics, settings.n_bootstrap, seed),
        averages=average_rows(outcome),
        per_class=class_rows(outcome),
        per_tag=tag_rows(outcome),
        confusion=confusion,
        worst_pairs=worst_pairs(confusion),
        span_faults=span_faults(outcome),
        calibration=reliability_of(evidence.raw, outcome, evidence.parameters),
        selective=selective,
        confident_errors=confident_errors(outcome, evidence.texts, settings.n_errors),
        hardest_errors=hardest_errors(outcome, evidence.texts, settings.n_errors),
        by_length=by_length(outcome, evidence.n_tokens, scorer),
        by_slice={name: by_value(outcome, values, scorer) for name, values in evidence.slices.items()},
        gates=gates,
        seeds=_seed_scores(evidence.seeds),
    )


def _threshold(evidence: Evidence, target: float) -> tuple[Threshold, str]:
    """The abstention threshold, and which rows it was chosen on."""
    if evidence.abstain_below is not None:
        answers = answers_in(evidence.outcome)
        coverage, precision = kept_share(answers.confidence, answers.is_correct, evidence.abstain_below)
        return Threshold(evidence.abstain_below, coverage, precision, precision >= target), "the bundle's own dev rows"
    outcome, rows = (evidence.outcome, evidence.split) if evidence.dev is None else (evidence.dev, "dev")
    answers = answers_in(outcome)
    return abstention_threshold(answers.confidence, answers.is_correct, target), rows


def gate_names(kind: type) -> list[str]:
    """Every name that a gate may use for outcomes of type `kind`, known before anything is trained."""
    return sorted([*score_names(kind), *SELECTIVE_NAMES])


def _verdict(gates: list[GateResult]) -> str:
    missed = [gate for gate in gates if not gate.is_passed]
    if not gates:
        return "No gates were set."
    if not missed:
        return "The gate is passed." if len(gates) == 1 else f"All {len(gates)} gates are passed."
    reasons = "; ".join(f"{gate.name} is {gate.value:.4f}, wanted {gate.condition}" for gate in missed)
    return (
        "The gate is missed" if len(gates) == 1 else f"{len(missed)} of {len(gates)} gates missed"
    ) + f": {reasons}."


def _notes(evidence: Evidence, is_reached: bool, target: float) -> list[str]:
    """What a reader must know before trusting a number."""
    n_rows = len(evidence.outcome)
    notes = []
    if evidence.split == "dev":
        notes.append("Judged on dev, which also chose the best epoch and fitted the calibration: expect a little less.")
    if n_rows < FEW_ROWS:
        notes.append(
            f"Only {n_rows:,} rows were judged: the intervals are wide and the calibration error is mostly noise."
        )
    if not is_reached:
        notes.append(
            f"No threshold on dev makes a precision of {100 * target:g} % likely on new data; the best found is used."
        )
    for name, values in evidence.slices.items():
        if (n_values := len(set(values))) > MOST_VALUES:
            notes.append(f"Slice '{name}' has {n_values:,} values; the {MOST_VALUES} commonest are shown.")
    return notes


def _seed_scores(each: Sequence[dict[str, float]]) -> SeedScores | None:
    """Mean and sample standard deviation of the scores that every seed has; None for fewer than two seeds."""
    if len(each) < 2:
        return None
    names = sorted(set.intersection(*(set(scores) for scores in each)))
    columns = {name: np.array([scores[name] for scores in each]) for name in names}
    return SeedScores(
        mean={name: float(values.mean()) for name, values in columns.items()},
        sd={name: float(values.std(ddof=1)) for name, values in columns.items()},
        each=[dict(scores) for scores in each],
    )
