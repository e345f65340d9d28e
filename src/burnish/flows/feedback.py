"""`feedback`: what users said of answers: listed, decided on, taken out and in as files, and what to ask them next."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
import orjson

from burnish.bundle.bundle import Knowledge, open_bundle
from burnish.core.errors import NotFound, UserError
from burnish.core.events import Listener, Message, ignore
from burnish.core.ids import new_id
from burnish.core.settings import settings
from burnish.core.shelves import Shelf
from burnish.feedback.agreement import alpha, conflicts, ratings
from burnish.feedback.choose._contract import Chooser
from burnish.feedback.corrections import check
from burnish.feedback.files.drafts import Draft
from burnish.feedback.files.exchange import Exported, export_file, import_file
from burnish.feedback.keeping import kept
from burnish.feedback.opinions import Unread, opinions
from burnish.flows.erase import move_journal
from burnish.flows.names import mask_of
from burnish.store.corrections import refuse_gone
from burnish.store.home import Home, opened_home, whoami
from burnish.store.records import Feedback, FeedbackState, Kind, Prediction

MOST_CONSIDERED = 20_000
"""Newest answers among which some are chosen to be looked at."""
AT_ONCE = 500
MOST_KEY = 32
"""Characters of the name of whoever said it."""


@dataclass(frozen=True)
class Overview:
    """What was said of a name's answers, and how far users agree."""

    feedback: Sequence[Feedback]
    n_conflicts: int
    agreement: float
    """Krippendorff's alpha: 1 full agreement, 0 that of chance; NaN where nothing was said twice."""
    unread: Sequence[Unread] = ()
    """What cannot be read any more, and so teaches nothing."""


def overview(name: str, states: Sequence[str] = ()) -> Overview:
    """Feedback on a name, in some states only if given; newest last.

    Raises:
        UserError: there is no such name.
    """
    with opened_home() as home:
        task = _knowledge(home, name).task
        found = list(home.corrections.of_period(name, states=states))
        known = home.predictions.answered_in(sorted({one.prediction for one in found}))
        unread: list[Unread] = []
        said = opinions(found, known, task, unread.append)
        return Overview(found, len(conflicts(said)), alpha(ratings(said)), unread)


def decide(identities: Sequence[str], state: FeedbackState, reason: str = "") -> int:
    """Accept feedback, put it aside or reject it, by its ids; returns how many there were.

    Raises:
        NotFound: some ids are of no feedback; the others were decided on.
    """
    with opened_home() as home:
        by = whoami()
        wanted = dict.fromkeys(identities, (state, reason or f"decided by {by}"))
        n_known = home.corrections.decide(wanted, by)
    if n_known < len(wanted):
        raise NotFound(
            f"{len(wanted) - n_known:,} of {len(wanted):,} ids are of no feedback; {n_known:,} are {state} now. "
            "`burnish feedback NAME` lists them."
        )
    return n_known


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
        found = list(deque(home.predictions.of_period(name, traffic=None), MOST_CONSIDERED))
        said = {one.prediction for one in home.corrections.of_period(name)}
        found = [one for one in found if one.id not in said]
        chooser = cast("Chooser", Shelf("choose").get(way)())
        chosen = chooser.choose(found, n, np.random.default_rng(seed))
        return export_file(Path(out), form, task, ((found[number], None) for number in chosen))


def import_feedback(name: str, path: str | Path, form: str, listen: Listener = ignore) -> int:
    """Take in what a tool's file says of answers, all of it or, where a row is at fault, nothing; returns how much was
    new: what is there already, as in a file that was exported from here or is taken in again, is not taken twice.

    Raises:
        UserError: there is no such name or format, or rows cannot be used: with their lines.
    """
    with opened_home() as home:
        knowledge, by = _knowledge(home, name), whoami()
        move_journal(home)

        def usable(draft: Draft) -> None:
            found = home.predictions.find(draft.prediction)
            if found is None or found.name != name:
                raise ValueError(f"'{name}' has no answer '{draft.prediction}'.")
            check(draft.kind, draft.value, knowledge.task, knowledge.labels, found, allow_new_labels=True)

        drafts = import_file(Path(path), form, knowledge.task, usable, by=by)
        if drafts.n_unlabelled:
            listen(Message(f"{drafts.n_unlabelled:,} rows say nothing yet and were passed over"))
        return _Intake(home, name, by, knowledge).take(drafts)


class _Intake:
    """Makes feedback of drafts that were checked, without what was said before."""

    def __init__(self, home: Home, name: str, by: str, knowledge: Knowledge) -> None:
        self.home, self.by, self.knowledge = home, by, knowledge
        self.mask = None if settings().store_inputs == "full" else mask_of(home, settings())
        known = list(home.corrections.of_period(name))
        self.ids = {one.id for one in known}
        self.said = {_content(one) for one in known}

    def take(self, drafts: Iterable[Draft]) -> int:
        """Keep what is new of them; returns how much that was."""
        rows, n_new = iter(drafts), 0
        while some := list(islice(rows, AT_ONCE)):
            about = {draft.prediction for draft in some}
            answers = self.home.predictions.answered_in(list(about))
            refuse_gone(sorted(about - answers.keys()))
            new = [one for draft in some if (one := self._new(draft, answers[draft.prediction])) is not None]
            self.home.corrections.add(new, None, "")
            n_new += len(new)
        return n_new

    def _new(self, draft: Draft, about: Prediction) -> Feedback | None:
        """The feedback; None where it was said before. A row that was exported from here and says something else now is
        the word of whoever takes it in.
        """
        kind = cast("Kind", draft.kind)  # `check` has looked at it
        value, comment = draft.value, draft.comment
        if self.mask is not None:
            value = kept(kind, value, self.knowledge.task, self.knowledge.labels, about, self.mask)
            comment = self.mask(comment).text
        one = Feedback(
            new_id("f"), time.time(), about.id, about.name, about.version, draft.by[:MOST_KEY], kind, value, comment,
        )  # fmt: skip
        if _content(one) not in self.said and draft.id in self.ids:
            one = replace(one, key=self.by[:MOST_KEY])
        if _content(one) in self.said:
            return None
        self.said.add(_content(one))
        return one


def _content(one: Feedback) -> str:
    """Who said what of which answer."""
    return sha256(orjson.dumps([one.prediction, one.key, one.kind, one.value])).hexdigest()


def _knowledge(home: Home, name: str) -> Knowledge:
    release = home.releases.find(name)
    if ":" in name or "@" in name:
        raise UserError(f"'{name}': feedback is of a name, whatever the version; leave the rest out.")
    return open_bundle(home.bundles.get(release.digest)).knowledge
