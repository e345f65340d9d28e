"""Caps: no user may outweigh all others by sending more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from burnish.feedback.opinions import Opinion
from burnish.feedback.rules import Context, Reasons, Rule


class Caps(Rule):
    """How much of a batch may come from one user. His first corrections are taken; the rest waits for a reviewer."""

    free: int = Field(default=20, ge=0)
    """So many are taken from every user, however small the batch is."""

    share: float = Field(default=0.1, gt=0, le=1)
    """Largest share of what passed all other checks that may come from one user."""

    even: float = Field(default=2.0, ge=1)
    """Where users are few, one may add this many times what each would if all sent the same."""

    count: int = Field(default=500, ge=1)
    """Most from one user in a batch, whatever its size."""

    def surplus(self, batch: Sequence[Opinion], passed: Sequence[int], context: Context) -> Reasons:
        """What of the `passed` comes from users who sent too much. Reviewers may send any amount."""
        n_users = max(1, len({batch[number].user for number in passed}))
        share = min(1.0, max(self.share, self.even / n_users))
        most = min(self.count, max(self.free, int(share * len(passed))))
        seen, found = Counter[str](), Reasons()
        for number in sorted(passed, key=lambda number: (batch[number].feedback.at, number)):
            user = batch[number].user
            seen[user] += 1
            if seen[user] > most and user not in context.reviewers:
                found[number] = f"its user sent more than the {most:,} that one user may add to this batch."
        return found
