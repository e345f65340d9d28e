"""One-class pushes: a user whose corrections suddenly go to one label, while those of others do not."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from pydantic import Field

from burnish.feedback.opinions import Opinion
from burnish.feedback.rules import Context, Reasons, Rule


class PushCheck(Rule):
    """A binomial test of a user's changes to one label against what is to be expected of him."""

    least_changes: int = Field(default=8, ge=2)
    """Changes to one label by one user from which they can be a push."""

    least_others: int = Field(default=3, ge=1)
    """Other users who changed something, without whom nothing is to be expected."""

    alarm: float = Field(default=0.001, gt=0, lt=1)
    """Chance that a batch in which every user changes labels as expected holds a false alarm (Bonferroni)."""

    def pushed(self, batch: Sequence[Opinion], context: Context) -> Reasons:
        """The changes of each user to a label that he pushes.

        Expected is the mean of the other users' shares, one vote a user, so that those who send much do not set it; or
        the user's own share of what was accepted earlier, where that is higher: who only looks after refunds may.
        """
        now, before = _counts(batch), _counts(context.earlier)
        tested = [
            (user, label, n)
            for user, (labels, _) in now.items()
            for label, n in labels.items()
            if n >= self.least_changes and user not in context.reviewers and len(now) > self.least_others
        ]
        found: set[tuple[str, str]] = set()
        for user, label, n in tested:
            expected = max(_share_of_others(now, user, label), _own_share(before, user, label))
            if upper_tail(n, now[user][1], expected) * len(tested) < self.alarm:
                found.add((user, label))
        return {
            number: f"{now[one.user][0][label]} of its user's {now[one.user][1]} corrections go to '{label}', which "
            "others' hardly do."
            for number, one in enumerate(batch)
            for label in sorted(one.pushes)
            if (one.user, label) in found
        }


Counts = dict[str, tuple[Counter[str], int]]
"""User → how often he pushes each label, and how many changes he made."""


def _counts(said: Sequence[Opinion]) -> Counts:
    labels, totals = defaultdict[str, Counter[str]](Counter), Counter[str]()
    for one in said:
        if one.pushes:
            totals[one.user] += 1
            labels[one.user].update(one.pushes)
    return {user: (labels[user], n) for user, n in totals.items()}


def _share_of_others(counts: Counts, user: str, label: str) -> float:
    """Mean share of a label in the changes of all other users, and of one imagined user who gives each as often."""
    shares = [labels[label] / n for other, (labels, n) in counts.items() if other != user]
    n_labels = len({name for labels, _ in counts.values() for name in labels})
    return (math.fsum(shares) + 1 / max(n_labels, 2)) / (len(shares) + 1)


def _own_share(before: Counts, user: str, label: str) -> float:
    labels, n = before.get(user, (Counter[str](), 0))
    return labels[label] / (n + 1)


def upper_tail(k: int, n: int, p: float) -> float:
    """P(X ≥ k) of a binomial distribution."""
    if k <= 0 or p >= 1:
        return 1.0
    if p <= 0:
        return 0.0
    log_n = math.lgamma(n + 1)
    logs = [
        log_n - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * math.log(p) + (n - i) * math.log1p(-p)
        for i in range(k, n + 1)
    ]
    return min(1.0, math.fsum(map(math.exp, logs)))
