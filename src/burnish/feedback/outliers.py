"""The outlier vote: a correction that contradicts a confident model needs others who see it so too.

Others are users, one vote each however much they send (see `witnesses`). A vote weighs as much as its user agrees with
those around him, which is settled in rounds: who flips labels is contradicted by most, and loses his voice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from burnish.feedback.opinions import Opinion
from burnish.feedback.rules import Context, Reasons, Rule
from burnish.feedback.witnesses import Voices, hear

Floats = NDArray[np.float64]


class Vote(NamedTuple):
    """How the others see one correction: the share of their weight that backs it, and how many they are."""

    support: float
    n_witnesses: int


class OutlierVote(Rule):
    """When a correction, and when a user, is too much alone."""

    confident: float = Field(default=0.8, ge=0, le=1)
    """Corrections of answers with at least this confidence are voted on."""

    nearness: float = Field(default=0.7, gt=-1, le=1)
    """Cosine of two vectors from which their inputs count as near."""

    least_witnesses: int = Field(default=3, ge=1)
    """With fewer other users who said anything of such inputs there is no vote, and the correction passes."""

    least_support: float = Field(default=0.33, ge=0, le=1)
    """Share of the witnesses' weight that must back a correction."""

    rounds: int = Field(default=5, ge=0)
    """How often users' weights are settled anew by how far the others, as weighed so far, back them; 0: never."""

    most_outliers: float = Field(default=0.5, ge=0, le=1)
    """Of whom more than this share of the changes loses its vote, nothing is taken."""

    least_changes: int = Field(default=6, ge=1)
    """Changes that were voted on from which that share says something of a user."""

    def losers(
        self, batch: Sequence[Opinion], trust: Mapping[str, float], spared: frozenset[str], context: Context
    ) -> Reasons:
        """Corrections that lost their vote, and all of users who lose most of theirs.

        Of `spared` users, who have earned trust, single corrections pass.
        """
        votes = self.votes(batch, trust, context)
        lost = {
            number: f"the model is {batch[number].prediction.confidence:.0%} sure of its answer, and of "
            f"{vote.n_witnesses} others who spoke of such inputs {_backers(vote)} back this."
            for number, vote in votes.items()
            if vote.support < self.least_support
        }
        voted = Counter(batch[number].user for number in votes)
        n_lost = Counter(batch[number].user for number in lost)
        alone = {
            user
            for user, n in voted.items()
            if n >= self.least_changes and n_lost[user] > self.most_outliers * n and user not in context.reviewers
        }
        passing = spared | context.reviewers
        single = {number: why for number, why in lost.items() if batch[number].user not in passing}
        whole = {
            number: f"of {voted[one.user]} corrections by its user that others can judge {n_lost[one.user]} are backed "
            "by hardly anybody."
            for number, one in enumerate(batch)
            if one.user in alone
        }
        return {**whole, **single}

    def votes(self, batch: Sequence[Opinion], trust: Mapping[str, float], context: Context) -> dict[int, Vote]:
        """Index → vote, of each correction of a confident answer of which enough others said something."""
        voted = [number for number, one in enumerate(batch) if self._is_voted_on(one)]
        if not voted:
            return {}
        voices = hear(batch, context.earlier, context.known, self.nearness)
        support, n_witnesses = voices.support(self._weights(voices, trust, context))
        return {
            number: Vote(float(support[number]), int(n_witnesses[number]))
            for number in voted
            if n_witnesses[number] >= self.least_witnesses
        }

    def _is_voted_on(self, one: Opinion) -> bool:
        return one.is_change and one.gold is not None and (one.prediction.confidence or 0.0) >= self.confident

    def _weights(self, voices: Voices, trust: Mapping[str, float], context: Context) -> Floats:
        """[U] trust times how far a user is backed; reviewers and known labels keep theirs."""
        start = np.asarray([1.0 if user == "" else trust.get(user, 0.0) for user in voices.users])
        is_fixed = np.asarray([user == "" or user in context.reviewers for user in voices.users])
        weights = start
        for _ in range(self.rounds):
            support, n_witnesses = voices.support(weights)
            judged = n_witnesses >= self.least_witnesses
            own = voices.speaker[judged]
            n = np.bincount(own, minlength=len(start))
            backed = (1 + np.bincount(own, support[judged], len(start))) / (2 + n)
            weights = np.where(is_fixed, start, start * backed**2)
        return weights


def _backers(vote: Vote) -> str:
    return "none" if vote.support == 0 else f"few ({vote.support:.0%} of their weight)"
