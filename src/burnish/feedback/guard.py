"""The guard against poisoned feedback: of a batch it tells which corrections may teach, and why the others wait.

In this order: a newer word of the same user, users who were wrong too often, pushes of one label, trigger phrases, the
outlier vote, caps. What is held back is quarantined for a reviewer, never thrown away; and all is a function of the
batch and what is known beside it, so that without some user's feedback the result is as if he had never sent any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from burnish.feedback.caps import Caps
from burnish.feedback.opinions import Opinion, latest
from burnish.feedback.outliers import OutlierVote
from burnish.feedback.pushes import PushCheck
from burnish.feedback.rules import Context, Reasons, Rule
from burnish.feedback.triggers import TriggerCheck
from burnish.feedback.trust import TrustRule


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one piece of feedback; `reason` is one sentence where it is quarantined."""

    feedback: str
    state: Literal["accepted", "quarantined"]
    reason: str = ""


class Guard(Rule):
    """Every check with its settings."""

    trust: TrustRule = Field(default_factory=TrustRule)
    """Users who were wrong where it can be told."""

    pushes: PushCheck = Field(default_factory=PushCheck)
    """Users whose corrections go to one label."""

    triggers: TriggerCheck = Field(default_factory=TriggerCheck)
    """Rare phrases that always get one label."""

    outliers: OutlierVote = Field(default_factory=OutlierVote)
    """Corrections of confident answers that nobody else backs."""

    caps: Caps = Field(default_factory=Caps)
    """Users who send very much."""

    def review(self, batch: Sequence[Opinion], context: Context | None = None) -> list[Verdict]:
        """A verdict for each opinion of a batch, in its order."""
        context = context or Context()
        reasons = self._superseded(batch)
        current = [number for number in range(len(batch)) if number not in reasons]
        trust = self.trust.of(batch, context)
        self._add(reasons, current, self.trust.distrusted([batch[i] for i in current], trust))
        believed = [number for number in current if number not in reasons]
        own = [batch[number] for number in believed]
        spared = frozenset(user for user, credit in trust.items() if credit >= self.trust.full)
        for found in (
            self.pushes.pushed(own, context),
            self.triggers.taught(own, context),
            self.outliers.losers(own, trust, spared, context),
        ):
            self._add(reasons, believed, found)
        passed = [number for number in range(len(batch)) if number not in reasons]
        reasons |= self.caps.surplus(batch, passed, context)
        return [
            Verdict(one.feedback.id, "quarantined" if number in reasons else "accepted", reasons.get(number, ""))
            for number, one in enumerate(batch)
        ]

    @staticmethod
    def _superseded(batch: Sequence[Opinion]) -> Reasons:
        newest = set(latest(batch))
        return {
            number: "its user said something newer of the same input."
            for number in range(len(batch))
            if number not in newest
        }

    @staticmethod
    def _add(reasons: Reasons, numbers: Sequence[int], found: Reasons) -> None:
        """Add reasons found in a part of the batch, whose members are `numbers`; the first reason stays."""
        for place, why in found.items():
            reasons.setdefault(numbers[place], why)
