"""What feedback teaches: reviewed against poisoning, its conflicts resolved, as rows of the columns of a recipe."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from burnish.core.events import Listener, Message, ignore
from burnish.feedback.agreement import Resolution, resolve
from burnish.feedback.corrections import refuse_unreadable, row_with
from burnish.feedback.guard import Guard
from burnish.feedback.opinions import Opinion, Unread, opinions, told_unread
from burnish.feedback.rules import Context
from burnish.flows.retraining import Retraining
from burnish.flows.unlearnable import text_of
from burnish.store.home import Home
from burnish.store.records import Feedback
from burnish.tasks._contract import Task

N_BACKGROUND = 5_000
"""Predictions whose texts tell what is common."""
TRUSTED = frozenset({"review", "release", "admin"})
"""Roles whose word is taken."""
KEPT_BACK = "kept back to judge retrained versions"
"""Reason of feedback that has judged once."""
OPERATOR = "user "
"""How those begin who work on the command line, where no key is needed for anything."""


@dataclass(frozen=True)
class Taught:
    """Rows to learn from, rows that are kept back to judge on, and what they came from."""

    rows: Sequence[Mapping[str, Any]]
    held_out: Sequence[Mapping[str, Any]]
    feedback: Sequence[str]
    """Ids of the feedback that the rows to learn from say."""
    judging: Sequence[str]
    """Ids of the feedback that the rows kept back say."""
    n_new: int
    """Of the inputs whose corrections came since the last retraining."""
    n_quarantined: int
    n_open: int
    """Inputs whose users do not agree."""
    n_unkept: int
    """Inputs that were not kept, so that nothing can be learned of them."""
    n_tested: int
    """Inputs that are among the test or dev rows, which nothing may be learned from."""


def taught(
    home: Home,
    name: str,
    task: Task,
    settings: Retraining,
    unlearnable: Collection[str] = (),
    listen: Listener = ignore,
) -> Taught:
    """Everything that accepted feedback on a name says. What the guard holds back is noted in the store.

    Args:
        home: the installation.
        name: of the releases.
        task: theirs.
        settings: with the checks against poisoning, and the share of the new inputs that judges what was learned from
            the rest; they are learned the next time.
        unlearnable: texts of the rows that judge (`unlearnable`).
        listen: is told how many were held back, and what could not be read.
    """
    accepted = list(home.corrections.of_period(name, states=("accepted",)))
    predictions = home.predictions.answered_in(sorted({one.prediction for one in accepted}))
    unread: list[Unread] = []
    said = opinions(accepted, predictions, task, unread.append)
    kept = [one for one in said if one.prediction.input is not None]
    reviewers = _reviewers(home, kept)
    believed, n_quarantined = _reviewed(home, name, kept, settings.guard, reviewers, listen)
    found = resolve(believed, settings.guard.trust.of(believed, Context(reviewers=reviewers)))
    settled = [(one, row) for one in found if (row := _row(one, task, unread)) is not None]
    if unread:
        listen(Message(told_unread(unread), "warning"))
    usable = [(one, row) for one, row in settled if not unlearnable or _text(row, task) not in unlearnable]
    learned = [(one, row) for one, row in usable if not _is_held_out(one, settings.held_out)]
    kept_back = [(one, row) for one, row in usable if _is_held_out(one, settings.held_out)]
    return Taught(
        rows=[row for _, row in learned],
        held_out=[row for _, row in kept_back],
        feedback=_ids(one for one, _ in learned),
        judging=_ids(one for one, _ in kept_back),
        n_new=sum(not any(map(_has_served, (by.feedback for by in one.backed_by))) for one, _ in learned),
        n_quarantined=n_quarantined,
        n_open=sum(one.is_open for one in found),
        n_unkept=len({one.item for one in said} - {one.item for one in kept}),
        n_tested=len(settled) - len(usable),
    )


def _reviewers(home: Home, said: Sequence[Opinion]) -> frozenset[str]:
    """Whose word is taken. Of a key that was revoked nobody knows who held it last."""
    roles = home.keys.heard() | {key.id: key.roles for key in home.keys.all() if key.revoked_at is None}
    keys = {identity for identity, own in roles.items() if TRUSTED & set(own)}
    return frozenset(keys | {one.user for one in said if one.user.startswith(OPERATOR)})


def _reviewed(
    home: Home, name: str, said: Sequence[Opinion], guard: Guard, reviewers: frozenset[str], listen: Listener
) -> tuple[list[Opinion], int]:  # fmt: skip
    """What the guard lets through of what no person has decided on and no release has learned from."""
    settled = [one for one in said if _is_settled(one.feedback)]
    batch = [one for one in said if not _is_settled(one.feedback)]
    context = Context(reviewers=reviewers, earlier=tuple(settled), background=_background(home, name, batch))
    verdicts = guard.review(batch, context)
    held = {one.feedback: ("quarantined", one.reason) for one in verdicts if one.state == "quarantined"}
    if held:
        home.corrections.decide(held, "the guard", still={"state": "accepted", "reason": ""})
        told = f"{len(held):,} of {len(batch):,} new corrections are put aside for review: burnish feedback {name}"
        listen(Message(told))
    return settled + [one for one in batch if one.feedback.id not in held], len(held)


def _is_settled(feedback: Feedback) -> bool:
    return feedback.used_in is not None or bool(feedback.reason)


def _has_served(feedback: Feedback) -> bool:
    """Whether a version has learned it, or was judged by it."""
    return feedback.used_in is not None or feedback.reason == KEPT_BACK


def _background(home: Home, name: str, batch: Sequence[Opinion]) -> list[str]:
    """Texts of what is asked in general, since the oldest of what is reviewed was."""
    if not batch:
        return []
    around = islice(home.predictions.of_period(name, min(one.prediction.at for one in batch)), N_BACKGROUND)
    return ["\n".join(map(str, one.input.values())) for one in around if isinstance(one.input, dict)]


def _row(found: Resolution, task: Task, unread: list[Unread]) -> dict[str, Any] | None:
    """The row that an input's gold makes; None where there is none, or where training could not read it."""
    if found.gold is None:
        return None
    first = found.backed_by[0]
    row = row_with(first.prediction, found.gold, task, first.member)
    try:
        refuse_unreadable(row, task)
    except ValueError as error:
        unread.append(Unread(first.feedback.id, str(error)))
        return None
    return row


def _text(row: Mapping[str, Any], task: Task) -> str:
    return text_of(task.read(row, is_labelled=True))


def _ids(found: Iterable[Resolution]) -> list[str]:
    return [opinion.feedback.id for one in found for opinion in one.backed_by]


def _is_held_out(found: Resolution, share: float) -> bool:
    """A pure function of the input, until it was learned or has judged once: then it is learned, and judges nothing
    more. So what judges is as fresh as what it judges, and no correction is lost.
    """
    if any(_has_served(opinion.feedback) for opinion in found.opinions):
        return False
    digest = hashlib.sha256(f"held out {found.item}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64
