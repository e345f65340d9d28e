"""`feedback`: what users said of answers: listed, decided on, taken out and in as files, and what to ask them next."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np

from burnish.bundle.bundle import Knowledge, open_bundle
from burnish.core.errors import UserError
from burnish.core.events import Listener, Message, ignore
from burnish.core.ids import new_id
from burnish.core.shelves import Shelf
from burnish.feedback.agreement import alpha, conflicts, ratings
from burnish.feedback.choose._contract import Chooser
from burnish.feedback.corrections import check
from burnish.feedback.files.drafts import Draft
from burnish.feedback.files.exchange import Exported, export_file, import_file
from burnish.feedback.opinions import Opinion, opinions
from burnish.store.home import Home, opened_home, whoami
from burnish.store.records import Feedback, FeedbackState, Kind, Prediction

MOST_CONSIDERED = 20_000
"""Newest answers among which some are chosen to be looked at."""
AT_ONCE = 500


@dataclass(frozen=True)
class Overview:
    """What was said of a name's answers, and how far users agree."""

    feedback: Sequence[Feedback]
    n_conflicts: int
    agreement: float
    """Krippendorff's alpha: 1 full agreement, 0 that of chance; NaN where nothing was said twice."""


def overview(name: str, states: Sequence[str] = ()) -> Overview:
    """Feedback on a name, in some states only if given; newest last.

    Raises:
        UserError: there is no such name.
    """
    with opened_home() as home:
        home.releases.find(name)
        found = list(home.corrections.of_period(name, states=states))
        said = _opinions(home, name, found)
        return Overview(found, len(conflicts(said)), alpha(ratings(said)))


def decide(identities: Sequence[str], state: FeedbackState, reason: str = "") -> int:
    """Accept feedback, put it aside or reject it, by its ids; returns how many there were."""
    with opened_home() as home:
        by = whoami()
        return home.corrections.decide(dict.fromkeys(identities, (state, reason or f"decided by {by}")), by)


def export_feedback(name: str, out: str | Path, form: str) -> Exported:
    """Write the feedback on a name for a tool: csv, jsonl, doccano, label_studio.

    Raises:
        UserError: there is no such name or format, or the file cannot be written.
    """
    with opened_home() as home:
        task = _knowledge(home, name).task

        def items() -> Iterator[tuple[Prediction, Feedback | None]]:
            said = home.corrections.of_period(name)
            while some := list(islice(said, AT_ONCE)):
                known = home.predictions.answered_in([one.prediction for one in some])
                yield from ((known[one.prediction], one) for one in some if one.prediction in known)

        return export_file(Path(out), form, task, items())


def export_next(name: str, out: str | Path, form: str, n: int, way: str = "mixed", seed: int = 0) -> Exported:
    """Write the answers that somebody should look at next, for a tool; chosen by a part of the shelf `choose`.

    Raises:
        UserError: there is no such name, format or way, or the answers lack what that way needs.
    """
    with opened_home() as home:
        task = _knowledge(home, name).task
        found = list(home.predictions.of_period(name, traffic=None))[-MOST_CONSIDERED:]
        said = {one.prediction for one in home.corrections.of_period(name)}
        found = [one for one in found if one.id not in said]
        chooser = cast("Chooser", Shelf("choose").get(way)())
        chosen = chooser.choose(found, n, np.random.default_rng(seed))
        return export_file(Path(out), form, task, ((found[number], None) for number in chosen))


def import_feedback(name: str, path: str | Path, form: str, listen: Listener = ignore) -> int:
    """Take in what a tool's file says of answers, all of it or, where a row is at fault, nothing; returns how many.

    Raises:
        UserError: there is no such name or format, or rows cannot be used: with their lines.
    """
    with opened_home() as home:
        knowledge, by = _knowledge(home, name), whoami()

        def usable(draft: Draft) -> None:
            found = home.predictions.find(draft.prediction)
            if found is None or found.name != name:
                raise ValueError(f"'{name}' has no answer '{draft.prediction}'.")
            check(draft.kind, draft.value, knowledge.task, knowledge.labels, found, allow_new_labels=True)

        drafts = import_file(Path(path), form, knowledge.task, usable, by=by)
        if drafts.n_unlabelled:
            listen(Message(f"{drafts.n_unlabelled:,} rows say nothing yet and were passed over"))
        rows = iter(drafts)
        while some := list(islice(rows, AT_ONCE)):
            home.corrections.add([_feedback(home, draft) for draft in some], None, "")
        return len(drafts)


def _feedback(home: Home, draft: Draft) -> Feedback:
    found = home.predictions.find(draft.prediction)
    assert found is not None, "it was there a moment ago"
    key = draft.by or whoami()
    kind = cast("Kind", draft.kind)  # `check` has looked at it
    about = (found.id, found.name, found.version, key[:32])
    return Feedback(new_id("f"), time.time(), *about, kind, draft.value, draft.comment)


def _knowledge(home: Home, name: str) -> Knowledge:
    release = home.releases.find(name)
    if ":" in name or "@" in name:
        raise UserError(f"'{name}': feedback is of a name, whatever the version; leave the rest out.")
    return open_bundle(home.bundles.get(release.digest)).knowledge


def _opinions(home: Home, name: str, found: Sequence[Feedback]) -> list[Opinion]:
    known = home.predictions.answered_in(sorted({one.prediction for one in found}))
    return opinions(found, known, _knowledge(home, name).task)
