"""From answered rows to decisions and reports: what `fit` and `judge` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from burnish.core.errors import UserError, hint, listed
from burnish.core.members import joined, owned
from burnish.core.shelves import Shelf
from burnish.data.features import cost_of
from burnish.evaluation.calibrations._contract import Calibration
from burnish.evaluation.findings import Report
from burnish.evaluation.gates import check_names
from burnish.evaluation.report import Evidence, build_report, gate_names
from burnish.evaluation.scores import metrics_for, score_all
from burnish.evaluation.selective import abstention_threshold
from burnish.evaluation.thresholds import best_thresholds
from burnish.flows.ingest import CARRIED
from burnish.metrics._contract import Metric, Outcome
from burnish.recipe.schema import JudgeSection, Recipe
from burnish.tasks._choices import energies
from burnish.tasks._contract import Answered, Decision, Task

SHARE_OUT_OF_SCOPE = 0.01
"""Of the dev rows, which are all in scope, are told to be out of it: what the flag costs where nothing is amiss."""


def refuse_idle_gates(recipe: Recipe) -> None:
    """Raise `UserError` where there are gates and no rows to judge."""
    data = recipe.data
    if cast("Task", recipe.task).joint is not None:
        return
    if recipe.judge.gates and data.train is None and data.dev is None and data.test is None:
        raise UserError("judge.gates: there are no rows to judge; name some as data.test, or take the gates out.")


def check_judging(settings: JudgeSection, task: Task) -> None:
    """Raise `UserError` unless the gates and the metric suit the task: told before anything is trained."""
    check_names(settings.gates, _gate_names(task))
    known = [metric.part_name for metric in metrics_for(task.judged_as)]
    if settings.metric is not None and settings.metric not in known:
        near = hint(settings.metric, known)
        raise UserError(
            f"judge.metric: '{settings.metric}' does not judge {task.part_name}.{near} "
            f"It is judged by: {listed(known)}."
        )


def _gate_names(task: Task) -> list[str]:
    """Every name that a gate may use; of several tasks each one's, after its own."""
    if task.joint is None:
        return gate_names(task.judged_as)
    members = task.joint.members.items()
    return [task.best_by, *(joined(name, score) for name, one in members for score in gate_names(one.task.judged_as))]


@dataclass(frozen=True)
class Judge:
    """Judges answers of one task with one label space, as a recipe asks; of several tasks each has its own."""

    task: Task
    labels: tuple[str, ...]
    settings: JudgeSection

    @cached_property
    def metric(self) -> Metric:
        """The metric that chooses the best epoch and seed."""
        return cast("Metric", Shelf("metrics").get(self.settings.metric or self.task.best_by)())

    @cached_property
    def members(self) -> dict[str, Judge]:
        """The judge of each task, where several share a model."""
        members = self.task.joint.members if self.task.joint is not None else {}
        return {
            name: Judge(one.task, owned(name, self.labels), self.settings.of_member(name))
            for name, one in members.items()
        }

    def rows_of(self, member: str, rows: Sequence[Answered] | None) -> Sequence[Answered] | None:
        """Those of the rows that belong to a member."""
        assert self.task.joint is not None
        return None if rows is None else self.task.joint.answered_by(member, rows, self.labels)

    def decide(self, dev: Sequence[Answered] | None) -> tuple[Decision, Outcome | None]:
        """Calibration, label thresholds and abstention threshold, all chosen on dev; and dev's calibrated outcome.

        Without dev, probabilities stay as the network gives them, and every answer is given.
        """
        if not dev:
            return Decision(), None
        if self.members:
            of_members = {name: one.decide(self.rows_of(name, dev))[0] for name, one in self.members.items()}
            return self._decided(dev, Decision(members=of_members))
        decision, outcome = self._decided(dev, self._calibrated(dev))
        if (columns := outcome.thresholded()) is not None:
            decision = replace(decision, label_thresholds=tuple(best_thresholds(*columns).tolist()))
            outcome = self._decided(dev, decision)[1]
        if (answers := outcome.answers()) is not None:
            threshold = abstention_threshold(answers.confidence, answers.is_correct, self.settings.target_precision)
            decision = replace(decision, abstain_below=threshold.value)
        if "out_of_scope" in self.task.answer.model_fields and (evidence := self.task.evidence(dev, self.labels)):
            scope_below = float(np.quantile(energies(evidence.logits), SHARE_OUT_OF_SCOPE, method="lower"))
            decision = replace(decision, scope_below=scope_below)
        return decision, outcome

    def _decided(self, dev: Sequence[Answered], decision: Decision) -> tuple[Decision, Outcome]:
        return decision, self.task.outcome(dev, self.labels, decision)

    def _calibrated(self, dev: Sequence[Answered]) -> Decision:
        evidence = self.task.evidence(dev, self.labels)
        if evidence is None:
            return Decision()
        calibration = cast("Calibration", self.settings.calibration)
        return Decision(calibration.part_name, calibration.fit(*evidence))

    def dev_scores(self, dev: Sequence[Answered]) -> dict[str, float]:
        """What training watches after each epoch: the metric's scores, and how many classes there are."""
        outcome = self.task.outcome(dev, self.labels, Decision())
        scores = self.metric.score(outcome)
        if (single := outcome.single()) is not None:
            scores["n_predicted_classes"] = float(len(np.unique(single.predicted)))
            scores["n_gold_classes"] = float(len(np.unique(single.gold)))
        return scores

    def scores(self, judged: Sequence[Answered], decision: Decision) -> dict[str, float]:
        """Every score of the metrics shelf."""
        outcome = self.task.outcome(judged, self.labels, decision)
        return score_all(outcome, metrics_for(type(outcome)))

    def report(self, judged: Judged, about: dict[str, Any], seeds: Sequence[dict[str, float]] = ()) -> Report:
        """The report on some rows. `about["split"]` names them; `seeds` holds each seed's scores."""
        decision = judged.decision
        uncalibrated = Decision(label_thresholds=decision.label_thresholds)
        evidence = Evidence(
            outcome=self.task.outcome(judged.rows, self.labels, decision),
            raw=self.task.outcome(judged.rows, self.labels, uncalibrated),
            dev=judged.dev,
            texts=lambda rows: [_shown(judged.rows[row]) for row in rows],
            n_tokens=np.asarray([_n_tokens(row) for row in judged.rows], np.int64),
            slices={name: _values(judged.rows, name) for name in self.settings.slices},
            split=about["split"],
            parameters=decision.parameters,
            abstain_below=decision.abstain_below if judged.is_new or not decision.is_tuned else None,
            is_tuned=decision.is_tuned,
            about=about,
            seeds=seeds,
        )
        return build_report(evidence, self.settings, about["seed"])


@dataclass(frozen=True)
class Judged:
    """Rows with answers, how the answers were decided, and the dev outcome that decided it.

    `dev` is None where dev itself is judged, and where rows are `is_new` to a finished bundle.
    """

    rows: Sequence[Answered]
    decision: Decision
    dev: Outcome | None
    is_new: bool = False


def _shown(row: Answered) -> str:
    pair = row.example.get("text_pair")
    return str(row.example["text"]) if pair is None else f"{row.example['text']} ‖ {pair}"


def _n_tokens(row: Answered) -> int:
    return sum(cost_of(feature) for feature in row.features)


def _values(rows: Sequence[Answered], name: str) -> list[str]:
    return [str(row.example.get(CARRIED + name) or "(empty)") for row in rows]
