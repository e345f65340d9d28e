"""The report: what a model does on one split, how sure it may be, and where it goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from burnish.evaluation.bootstrap import intervals
from burnish.evaluation.findings import Report, SeedScores, Selective
from burnish.evaluation.gates import GateResult, check_gates
from burnish.evaluation.groups import MOST_VALUES, Scorer, by_length, by_value
from burnish.evaluation.mistakes import confident_errors, hardest_errors
from burnish.evaluation.reliability import Aim, reliability_of, selective_of
from burnish.evaluation.scores import metrics_for, score_all, score_names
from burnish.evaluation.selective import Threshold, abstention_threshold, kept_share
from burnish.evaluation.tables import average_rows, class_rows, confusion_of, span_faults, tag_rows, worst_pairs
from burnish.metrics._contract import Ints, Outcome
from burnish.recipe.schema import JudgeSection

__all__ = ["Evidence", "Report", "build_report", "gate_names"]

SELECTIVE_NAMES = ["coverage_at_target", "precision_at_target"]
FEW_ROWS = 200


@dataclass(frozen=True)
class Evidence:
    """All that a report is made from; N judged rows.

    `outcome` is calibrated, `raw` the same rows before calibration, `dev` the calibrated dev outcome that the
    abstention threshold is chosen on (None when dev itself is judged, or there is none); `abstain_below` is a bundle's
    threshold, where it was chosen before, and `is_tuned` says whether anything was chosen on dev at all. `texts` gives
    the texts of some rows; `n_tokens` is [N]; `slices` maps a column's name to its N values. `parameters` are the
    calibration's, `about` whatever the reader should know (task, base, data, seconds, created), `seeds` each seed's
    scores.
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
    is_tuned: bool = True
    about: dict[str, Any] = field(default_factory=dict)
    seeds: Sequence[dict[str, float]] = ()


def build_report(evidence: Evidence, settings: JudgeSection, seed: int) -> Report:
    """Judge the evidence. Every metric of the shelf that can judge the outcome takes part.

    Raises:
        UserError: a gate names a score that this task does not have.
    """
    outcome = evidence.outcome
    metrics = metrics_for(type(outcome))
    scorer = Scorer(metrics, outcome.grouped)
    selective = _selective(evidence, settings.target_precision)
    scores = score_all(outcome, metrics) | _selective_scores(selective)
    gates = check_gates(settings.gates, scores)
    confusion = confusion_of(outcome)
    return Report(
        kind=outcome.kind,
        about=evidence.about,
        split=evidence.split,
        n_rows=len(outcome),
        labels=list(outcome.label_names()),
        headline=list(outcome.headline),
        verdict=verdict(gates),
        notes=_notes(evidence, selective),
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
        seeds=seed_scores(evidence.seeds),
    )


def _selective_scores(selective: Selective | None) -> dict[str, float]:
    if selective is None:
        return {}
    return dict(zip(SELECTIVE_NAMES, (selective.coverage, selective.precision), strict=True))


def _selective(evidence: Evidence, target: float) -> Selective | None:
    """What abstention does on the judged rows; None where answers carry no confidence."""
    outcome, rows = (evidence.outcome, evidence.split) if evidence.dev is None else (evidence.dev, "dev")
    tuned, judged = outcome.answers(), evidence.outcome.answers()
    if tuned is None or judged is None:
        return None
    if evidence.abstain_below is None:
        chosen = abstention_threshold(tuned.confidence, tuned.is_correct, target)
    else:
        rows = "the bundle's own dev rows" if evidence.is_tuned else "nothing, as there was no dev data"
        coverage, precision = kept_share(judged.confidence, judged.is_correct, evidence.abstain_below)
        chosen = Threshold(evidence.abstain_below, coverage, precision, precision >= target)
    return selective_of(judged, outcome.answer_noun, Aim(chosen, rows, target))


def gate_names(kind: type[Outcome]) -> list[str]:
    """Every name that a gate may use for outcomes of type `kind`, known before anything is trained."""
    has_answers = kind.toy().answers() is not None
    return sorted([*score_names(kind), *(SELECTIVE_NAMES if has_answers else [])])


def verdict(gates: list[GateResult]) -> str:
    """Whether all gates are met, and which are not, in a sentence."""
    missed = [gate for gate in gates if not gate.is_passed]
    if not gates:
        return "No gates were set."
    if not missed:
        return "The gate is passed." if len(gates) == 1 else f"All {len(gates)} gates are passed."
    reasons = "; ".join(f"{gate.name} is {gate.value:.4f}, wanted {gate.condition}" for gate in missed)
    return (
        "The gate is missed" if len(gates) == 1 else f"{len(missed)} of {len(gates)} gates missed"
    ) + f": {reasons}."


def _notes(evidence: Evidence, selective: Selective | None) -> list[str]:
    """What a reader must know before trusting a number."""
    n_rows = len(evidence.outcome)
    notes = []
    if evidence.split == "dev":
        fitted = "" if evidence.outcome.decisions() is None else " and fitted the calibration"
        notes.append(f"Judged on dev, which also chose the best epoch{fitted}: expect a little less.")
    if selective is not None and not evidence.is_tuned:
        notes.append("There was no dev data: confidences are not calibrated, and no answer is withheld.")
    if n_rows < FEW_ROWS:
        noise = "" if selective is None else " and the calibration error is mostly noise"
        notes.append(f"Only {n_rows:,} rows were judged: the intervals are wide{noise}.")
    if selective is not None and evidence.is_tuned and not selective.is_reached:
        notes.append(
            f"No threshold on dev makes a precision of {100 * selective.target_precision:g} % likely on new data; "
            "the best found is used."
        )
    for name, values in evidence.slices.items():
        if (n_values := len(set(values))) > MOST_VALUES:
            notes.append(f"Slice '{name}' has {n_values:,} values; the {MOST_VALUES} commonest are shown.")
    return notes


def seed_scores(each: Sequence[dict[str, float]]) -> SeedScores | None:
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
