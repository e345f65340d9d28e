"""What feedback teaches: reviewed against poisoning, its conflicts resolved, as rows of the columns of a recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from burnish.core.events import Listener, Message
from burnish.feedback.agreement import Resolution, resolve
from burnish.feedback.corrections import row_with
from burnish.feedback.guard import Guard
from burnish.feedback.opinions import Opinion, opinions
from burnish.feedback.rules import Context
from burnish.store.home import Home
from burnish.store.records import Feedback, Prediction
from burnish.tasks._contract import Task

N_BACKGROUND = 5_000
"""Predictions whose texts tell what is common."""
TRUSTED = frozenset({"review", "release", "admin"})
"""Roles whose word is taken."""


@dataclass(frozen=True)
class Taught:
    """Rows to learn from, rows that are kept back to judge on, and what they came from."""

    rows: Sequence[Mapping[str, Any]]
    held_out: Sequence[Mapping[str, Any]]
    feedback: Sequence[str]
    """Ids of the feedback that the rows to learn from say."""
    n_new: int
    """Of the inputs that no release has learned from yet."""
    n_quarantined: int
    n_open: int
    """Inputs whose users do not agree."""
    n_unkept: int
    """Inputs that were not kept, so that nothing can be learned of them."""


def taught(home: Home, name: str, task: Task, guard: Guard, held_out: float, listen: Listener) -> Taught:
    """Everything that accepted feedback on a name says. What the guard holds back is noted in the store.

    Args:
        home: the installation.
        name: of the releases.
        task: theirs.
        guard: the checks against poisoning.
        held_out: share of the inputs that is never learned from; an input is on one side for ever.
        listen: is told how many were held back.
    """
    accepted = list(home.corrections.of_period(name, states=("accepted",)))
    predictions = home.predictions.answered_in(sorted({one.prediction for one in accepted}))
    said = opinions(accepted, predictions, task)
    context = _context(home, name, [one for one in said if _is_settled(one.feedback)])
    believed, n_quarantined = _reviewed(home, name, said, guard, context, listen)
    found = resolve(believed, guard.trust.of(believed, context))
    rows: list[Mapping[str, Any]] = []
    kept_back: list[Mapping[str, Any]] = []
    used: list[str] = []
    n_new = n_unkept = 0
    for one in found:
        row = _row(one, task)
        if row is None:
            n_unkept += not one.is_open
        elif _is_held_out(one, held_out):
            kept_back.append(row)
        else:
            rows.append(row)
            used += [opinion.feedback.id for opinion in one.backed_by]
            n_new += all(opinion.feedback.used_in is None for opinion in one.backed_by)
    n_open = sum(one.is_open for one in found)
    return Taught(rows, kept_back, used, n_new, n_quarantined, n_open, n_unkept)


def _reviewed(
    home: Home, name: str, said: Sequence[Opinion], guard: Guard, context: Context, listen: Listener
) -> tuple[list[Opinion], int]:
    """What the guard lets through of what no person has decided on and no release has learned from."""
    settled = [one for one in said if _is_settled(one.feedback)]
    batch = [one for one in said if not _is_settled(one.feedback)]
    verdicts = guard.review(batch, context)
    held = {one.feedback: ("quarantined", one.reason) for one in verdicts if one.state == "quarantined"}
    if held:
        home.corrections.decide(held, "the guard")
        listen(
            Message(
                f"{len(held):,} of {len(batch):,} new corrections are put aside for review: burnish feedback {name}"
            )
        )
    return settled + [one for one in batch if one.feedback.id not in held], len(held)


def _is_settled(feedback: Feedback) -> bool:
    return feedback.used_in is not None or bool(feedback.reason)


def _context(home: Home, name: str, settled: Sequence[Opinion]) -> Context:
    reviewers = frozenset(key.id for key in home.keys.all() if TRUSTED & set(key.roles))
    recent: list[Prediction] = list(islice(home.predictions.of_period(name), N_BACKGROUND))
    texts = ["\n".join(map(str, one.input.values())) for one in recent if isinstance(one.input, dict)]
    return Context(reviewers=reviewers, earlier=tuple(settled), background=texts)


def _row(found: Resolution, task: Task) -> dict[str, Any] | None:
    if found.gold is None:
        return None
    first = found.backed_by[0]
    return row_with(first.prediction, found.gold, task, first.member)


def _is_held_out(found: Resolution, share: float) -> bool:
    """A pure function of the input: what is once kept back is never learned."""
    digest = hashlib.sha256(f"held out {found.item}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
