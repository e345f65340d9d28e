"""From answered rows to decisions and reports: what `fit` and `judge` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from burnish.core.shelves import Shelf
from burnish.evaluation.calibrations._contract import Calibration
from burnish.evaluation.formats._contract import Format
from burnish.evaluation.report import Evidence, Report, build_report
from burnish.evaluation.scores import score_all
from burnish.evaluation.selective import abstention_threshold
from burnish.evaluation.thresholds import best_thresholds
from burnish.flows.ingest import CARRIED
from burnish.metrics._answers import answers_in
from burnish.metrics._contract import Metric, MultiOutcome, Outcome, SingleOutcome
from burnish.recipe.schema import JudgeSection
from burnish.tasks._contract import Answered, Decision, Task


def fit_decision(
    task: Task, labels: tuple[str, ...], dev: Sequence[Answered], settings: JudgeSection
) -> tuple[Decision, Outcome]:
    """Calibration, label thresholds and abstention threshold, all chosen on dev; and dev's calibrated outcome."""
    calibration = cast("Calibration", settings.calibration)
    logits, gold, kind = task.evidence(dev, labels)
    parameters = calibration.fit(logits, gold, kind)
    decision = Decision(calibration.part_name, parameters)
    outcome = task.outcome(dev, labels, decision)
    if isinstance(outcome, MultiOutcome):
        thresholds = best_thresholds(outcome.probabilities, outcome.gold)
        decision = Decision(calibration.part_name, parameters, label_thresholds=tuple(float(t) for t in thresholds))
        outcome = task.outcome(dev, labels, decision)
    answers = answers_in(outcome)
    threshold = abstention_threshold(answers.confidence, answers.is_correct, settings.target_precision)
    return (
        Decision(calibration.part_name, parameters, threshold.value, decision.label_thresholds),
        outcome,
    )


def dev_scores(task: Task, labels: tuple[str, ...], dev: Sequence[Answered], metric: Metric) -> dict[str, float]:
    """What training watches after each epoch: the chosen metric's scores, and how many classes are ever answered."""
    outcome = task.outcome(dev, labels, Decision())
    scores = metric.score(outcome)
    if isinstance(outcome, SingleOutcome):
        scores["n_predicted_classes"] = float(len(np.unique(outcome.probabilities.argmax(1))))
    return scores


def metric_for(task: Task, settings: JudgeSection) -> Metric:
    """The metric that chooses the best epoch.

    Raises:
        UserError: the recipe names one that is not on the shelf.
    """
    return cast("Metric", Shelf("metrics").get(settings.metric or task.best_by)())


def judge_rows(
    task: Task,
    labels: tuple[str, ...],
    judged: Sequence[Answered],
    decision: Decision,
    dev: Outcome | None,
    settings: JudgeSection,
    about: dict[str, Any],
    seeds: Sequence[dict[str, float]] = (),
) -> Report:
    """The report on `judged` rows. `about["split"]` names them; `seeds` holds each seed's scores."""
    raw = Decision(label_thresholds=decision.label_thresholds)
    evidence = Evidence(
        outcome=task.outcome(judged, labels, decision),
        raw=task.outcome(judged, labels, raw),
        dev=dev,
        texts=lambda rows: [_shown(judged[row]) for row in rows],
        n_tokens=np.asarray([sum(len(f["input_ids"]) for f in row.features) for row in judged], np.int64),
        slices=_slices(judged, settings.slices),
        split=about["split"],
        about=about,
        parameters=decision.parameters,
        seeds=seeds,
    )
    return build_report(evidence, settings, about["seed"])


def _shown(row: Answered) -> str:
    pair = row.example.get("text_pair")
    return row.example["text"] if pair is None else f"{row.example['text']} ‖ {pair}"


def _slices(judged: Sequence[Answered], names: Sequence[str]) -> dict[str, list[str]]:
    return {name: [str(row.example.get(CARRIED + name) or "(empty)") for row in judged] for name in names}


def seed_scores(
    task: Task,
    labels: tuple[str, ...],
    dev: Sequence[Answered],
    test: Sequence[Answered] | None,
    settings: JudgeSection,
) -> dict[str, float]:
    """Every score of one seed's model on test, or on dev when there is no test; calibrated on dev."""
    decision, _ = fit_decision(task, labels, dev, settings)
    return score_all(task.outcome(dev if test is None else test, labels, decision))


def write_report(report: Report, formats: Sequence[Any], folder: Path) -> list[Path]:
    """The report in each of `formats`."""
    folder.mkdir(parents=True, exist_ok=True)
    return [cast("Format", form).write(report, folder) for form in formats]
