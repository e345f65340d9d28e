"""How far each user can be trusted: how often he agreed with reviewers and gold checks, weighed by how long ago."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from pydantic import Field

from burnish.feedback.golds import Gold
from burnish.feedback.opinions import Opinion, latest
from burnish.feedback.rules import Context, Reasons, Rule

DAY_S = 86_400.0


class TrustRule(Rule):
    """A user's trust is the mean of a Beta distribution: (prior + right) / (2 × prior + right + wrong).

    A user, not an example, is what is judged: who was wrong where it can be told is not believed where it cannot.
    """

    prior: float = Field(default=2.0, gt=0)
    """Checks' worth of doubt that a new user starts with, half of them right: with 2, two errors end his credit."""

    half_life_days: float = Field(default=90.0, gt=0)
    """After so many days a check counts half, so that credit earned long ago cannot be spent at once."""

    least: float = Field(default=0.4, ge=0, le=1)
    """Nothing is taken from a user with less trust than this."""

    full: float = Field(default=0.85, ge=0, le=1)
    """From this trust on a correction passes although others contradict it."""

    def of(self, said: Sequence[Opinion], context: Context) -> dict[str, float]:
        """User → trust, 0 to 1, for every user of `said` and of what was accepted before; reviewers have 1."""
        everything = [*context.earlier, *said]
        right, wrong = defaultdict[str, float](float), defaultdict[str, float](float)
        truths = truths_of(everything, context)
        for number in latest(everything):
            one = everything[number]
            if one.item not in truths or (one.gold is None and one.answer is None):
                continue
            is_right = one.gold == truths[one.item] if one.gold is not None else one.answer != truths[one.item]
            age_days = max(0.0, context.now - one.feedback.at) / DAY_S
            (right if is_right else wrong)[one.user] += 0.5 ** (age_days / self.half_life_days)
        return {
            user: 1.0
            if user in context.reviewers
            else (self.prior + right[user]) / (2 * self.prior + right[user] + wrong[user])
            for user in dict.fromkeys(one.user for one in everything)
        }

    def distrusted(self, batch: Sequence[Opinion], trust: Mapping[str, float]) -> Reasons:
        """What comes from users who were wrong too often."""
        return {
            number: f"its user was wrong too often where it can be told (trust {trust[one.user]:.2f}, "
            f"at least {self.least:g} is needed)."
            for number, one in enumerate(batch)
            if trust[one.user] < self.least
        }


def truths_of(said: Sequence[Opinion], context: Context) -> dict[str, Gold]:
    """Input → what is right there, from gold checks and from reviewers who do not contradict each other."""
    by_reviewers: dict[str, set[Gold]] = defaultdict(set)
    for number in latest(said):
        one = said[number]
        if one.user in context.reviewers and one.gold is not None:
            by_reviewers[one.item].add(one.gold)
    agreed = {item: next(iter(golds)) for item, golds in by_reviewers.items() if len(golds) == 1}
    return {**agreed, **context.truths}
