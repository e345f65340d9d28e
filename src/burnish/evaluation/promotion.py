"""The gate between two versions: whether a new one may take the place of the one in production.

It must not be worse where that can be told from chance: on all rows, and on no label. It must not be much larger,
slower, or less honest about its confidence. Both answered the same rows. Of several tasks that share a model none
may be worse, in any of this, than it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from burnish.core.members import joined
from burnish.evaluation.compare import Comparison, Difference, compare, mcnemar
from burnish.metrics._contract import Outcome
from burnish.metrics._single import SingleOutcome


class Policy(BaseModel):
    """What a new version may cost."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    significance: float = Field(default=0.05, gt=0, lt=1)
    """Two-sided p below which a difference counts; so one of 40 versions that are as good is held back."""

    most_label_drop: float = Field(default=0.1, ge=0, le=1)
    """How much of a label's recall may be lost before a loss that is more than chance holds a version back."""

    most_ece_rise: float = Field(default=0.03, ge=0)
    """How much the calibration error may rise before a rise that is more than chance holds a version back."""

    least_learned: float = Field(default=0.1, ge=0, lt=1)
    """Share of the corrections kept back of wrong answers that a retrained version must answer as they say, unless too
    few were kept back to tell that it is less: right corrections hold for others like them, wrong ones do not."""

    most_times_slower: float = Field(default=1.5, gt=0)
    """Times that one answer may take in the time of production's."""

    most_times_larger: float = Field(default=1.5, gt=0)
    """Times that it may have the bytes of production's."""


@dataclass(frozen=True)
class Contender:
    """One version as it was judged: its answers, and what it costs."""

    outcome: Outcome
    size_bytes: int
    ms: float
    """Median time of one answer."""


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True)

    name: str
    is_passed: bool
    sentence: str


class Verdict(BaseModel):
    """Everything that was looked at."""

    model_config = ConfigDict(frozen=True)

    checks: list[Check]
    n_rows: int
    is_better: bool
    """Whether the decisive score rose, by however little."""

    @property
    def is_passed(self) -> bool:
        return all(check.is_passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        return {**self.model_dump(mode="json"), "is_passed": self.is_passed}


def weigh(production: Contender, candidate: Contender, policy: Policy) -> Verdict:
    """Hold a candidate against production; `compare` says what the paired test is.

    Raises:
        UserError: the two answered other rows, or none.
    """
    comparison = compare(production.outcome, candidate.outcome, seed=0)
    main, others = comparison.main, candidate.outcome.members()
    checks = _judged(production.outcome, candidate.outcome, comparison, policy)
    for name, first in production.outcome.members().items():
        checks += _of_member(name, first, others[name], _divided(policy, len(others)))
    checks += [
        _cost("latency", "ms", (production.ms, candidate.ms), policy.most_times_slower),
        _cost("size", "MB", (production.size_bytes / 1e6, candidate.size_bytes / 1e6), policy.most_times_larger),
    ]
    return Verdict(checks=checks, n_rows=comparison.n_rows, is_better=is_better(main))


def _judged(first: Outcome, second: Outcome, comparison: Comparison, policy: Policy) -> list[Check]:
    """Everything that answers to the same rows tell of the second against the first."""
    main = comparison.main
    decisive = Check(name=main.name, is_passed=not is_worse(main, policy.significance), sentence=comparison.sentence)
    return [decisive, *_labels(first, second, policy), *_calibration(comparison.others, policy)]


def _of_member(name: str, first: Outcome, second: Outcome, policy: Policy) -> list[Check]:
    """The same of one of several tasks that share a model: a mean would hide that one of them is lost."""
    checks = _judged(first, second, compare(first, second, seed=0), policy)
    return [check.model_copy(update={"name": joined(name, check.name)}) for check in checks]


def _divided(policy: Policy, n: int) -> Policy:
    """Of n tasks each may be held back by chance as seldom as makes all together what one is (Bonferroni)."""
    return policy.model_copy(update={"significance": policy.significance / n})


def learned(production: Outcome, candidate: Outcome, policy: Policy) -> Check | None:
    """Whether what corrections taught holds for others that were kept back; None where rows have not one label each, or
    production answered all of them as they say. Told by a one-sided Clopper–Pearson bound (1934) at the significance.
    """
    from scipy.special import betaincinv

    first, second = production.single(), candidate.single()
    if first is None or second is None or not first.is_wrong().any():
        return None
    n = int(first.is_wrong().sum())
    n_right = int((first.is_wrong() & ~second.is_wrong()).sum())
    most = 1.0 if n_right == n else float(betaincinv(n_right + 1, n - n_right, 1 - policy.significance))
    is_passed = most >= policy.least_learned
    told = f"Of {n:,} corrections kept back of answers that production gets wrong it answers {n_right:,} as they say"
    why = "." if is_passed else ": what the others taught does not hold for these, so look for wrong ones."
    return Check(name="corrections hold", is_passed=is_passed, sentence=f"{told}{why}")


def is_better(main: Difference) -> bool:
    """Whether the second scores better, by however little; a score that is no number is never better."""
    return main.difference > 0 if main.is_better_high else main.difference < 0


def is_worse(main: Difference, significance: float) -> bool:
    """Whether the second scores worse by more than chance explains; a score that is no number does."""
    return main.difference != 0 and not is_better(main) and main.p_value < significance


def _labels(production: Outcome, candidate: Outcome, policy: Policy) -> list[Check]:
    """The label that lost most, where rows have one label each."""
    first, second = production.single(), candidate.single()
    if first is None or second is None:
        return []
    lost = _lost(first, second, policy)
    if not lost:
        return [Check(name="labels", is_passed=True, sentence="No label lost more than chance explains.")]
    told = ", ".join(f"{label} {before:.2f} → {after:.2f}" for label, before, after in lost[:5])
    more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
    return [Check(name="labels", is_passed=False, sentence=f"Recall fell for {told}{more}.")]


def _lost(first: SingleOutcome, second: SingleOutcome, policy: Policy) -> list[tuple[str, float, float]]:
    """Labels whose recall fell by more than is allowed and, over all labels together, more than by chance."""
    golds = np.asarray([first.labels[gold] for gold in first.gold])
    was_right, is_right = ~first.is_wrong(), ~second.is_wrong()
    labels = np.unique(golds)
    rows_of = {str(label): golds == label for label in labels}
    n_differing = [int((was_right[rows] != is_right[rows]).sum()) for rows in rows_of.values()]
    most_p = policy.significance / _n_testable(n_differing, policy.significance)
    found = []
    for label, rows in rows_of.items():
        before, after = float(was_right[rows].mean()), float(is_right[rows].mean())
        is_chance = mcnemar(was_right[rows], is_right[rows]) >= most_p
        if before - after > policy.most_label_drop and not is_chance:
            found.append((label, before, after))
    return sorted(found, key=lambda one: one[2] - one[1])


def _n_testable(n_differing: Sequence[int], significance: float) -> int:
    """By how many tests the significance is divided: by those labels that could reach it at all, with so many rows that
    are answered differently; so a small label that is lost is seen among many (Tarone 1990, Biometrics 46:515).
    """
    least_p = [0.5**n for n in n_differing]  # of McNemar's mid-p, when all of them were lost
    return next(k for k in range(1, len(least_p) + 1) if sum(p < significance / k for p in least_p) <= k)


def _calibration(differences: Sequence[Difference], policy: Policy) -> list[Check]:
    """The expected calibration error, where answers carry a confidence."""
    found = next((one for one in differences if one.name == "ece"), None)
    if found is None:
        return []
    most = policy.most_ece_rise
    told = f"The calibration error is {found.second:.3f}; it was {found.first:.3f}, and may rise by {most:g}."
    is_small, is_chance = found.difference <= most, found.p_value >= policy.significance
    if is_chance and not is_small:
        told = f"{told} So few rows cannot tell this from chance (p = {found.p_value:.2g})."
    return [Check(name="calibration", is_passed=is_small or is_chance, sentence=told)]


def _cost(name: str, unit: str, values: tuple[float, float], most_times: float) -> Check:
    before, after = values
    sentence = f"It takes {after:.3g} {unit}; production takes {before:.3g}, and {most_times:g} times that is allowed."
    return Check(name=name, is_passed=after <= before * most_times, sentence=sentence)
