"""Feedback, kept once: the same request sent again gives the same answer and changes nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from burnish.core.errors import MAX_FAULTS_SHOWN, BurnishError, NotFound, UserError
from burnish.store.audit import Audit
from burnish.store.predictions import TURN
from burnish.store.records import Feedback
from burnish.store.rows import ROWS_AT_ONCE, insert_new, streamed
from burnish.store.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

DAY_S = 86_400.0
MOST_TOKEN = 200


class OtherBody(BurnishError):
    """A token that was used for another request."""

    exit_code = 2


@dataclass(frozen=True)
class Token:
    """What a client calls one request of its own, so that it may send it again (`Idempotency-Key`)."""

    key: str
    text: str
    body_digest: str

    def __post_init__(self) -> None:
        if not 0 < len(self.text) <= MOST_TOKEN:
            raise UserError(f"an idempotency key has 1 to {MOST_TOKEN} characters; this has {len(self.text)}.")


class Corrections:
    """The feedback of one store."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self.store = store
        self.audit = audit

    def add(self, records: Sequence[Feedback], token: Token | None, answer: str) -> str:
        """Write feedback and the answer to its request in one transaction; returns the answer.

        With a token that was used for the same body before, the answer given then; nothing is written. Feedback whose
        id is there already stays as it is, so what may not have been written can be sent again without a token too.

        Raises:
            OtherBody: the token was used for another body.
            NotFound: some of the answers that it is about are not there any more; nothing is written.
        """
        from burnish.store.tables import feedback, idempotency

        with self.store.writing() as connection:
            if token is not None:
                self.store.take_turns(connection, f"token {token.key} {token.text}")
                if (known := _answered(connection, token)) is not None:
                    return known
                values = {"key": token.key, "token": token.text, "body_digest": token.body_digest, "at": time.time()}
                connection.execute(idempotency.insert().values(**values, status=200, answer=answer))
            self.store.take_turns(connection, TURN, is_shared=True)
            refuse_gone(sorted({record.prediction for record in records} - _there(connection, records)))
            insert_new(connection, feedback, records)
        return answer

    def known_answer(self, token: Token) -> str | None:
        """The answer that was given to this request before.

        Raises:
            OtherBody: the token was used for another body.
        """
        with self.store.reading() as connection:
            return _answered(connection, token)

    def of_period(
        self, name: str, start: float = 0.0, end: float = float("inf"), *, states: Sequence[str] = ()
    ) -> Iterator[Feedback]:
        """The feedback on a name from `start` until before `end`, oldest first; read as it is taken. In some states
        only if they are given.
        """
        from sqlalchemy import select

        from burnish.store.tables import feedback as table

        query = select(table).where(table.c.name == name, table.c.at >= start).order_by(table.c.at, table.c.id)
        if end != float("inf"):
            query = query.where(table.c.at < end)
        if states:
            query = query.where(table.c.state.in_(states))
        with self.store.reading() as connection:
            yield from (Feedback(*row) for row in streamed(connection, query))

    def decide(self, decisions: Mapping[str, tuple[str, str]], who: str, still: Mapping[str, str] | None = None) -> int:
        """Set state and reason of feedback by id; of what `still` has these values of its fields only, if they are
        given: what somebody decided meanwhile stays. Returns how many there were.
        """
        from burnish.store.tables import feedback as table

        counts: Counter[str] = Counter()
        with self.store.writing() as connection:
            for identity, (state, reason) in sorted(decisions.items()):  # in one order, so that none waits for another
                update = table.update().where(table.c.id == identity).values(state=state, reason=reason)
                is_still = [table.c[name] == value for name, value in (still or {}).items()]
                counts[state] += connection.execute(update.where(*is_still)).rowcount
            if n_known := counts.total():
                self.audit.add(connection, who, "feedback decided", f"{n_known} corrections", dict(counts))
        return n_known

    def mark_used(self, identities: Sequence[str], version: int) -> None:
        """Note which release learned from what."""
        from sqlalchemy import bindparam

        from burnish.store.tables import feedback as table

        update = table.update().where(table.c.id == bindparam("one")).values(used_in=version)
        with self.store.writing() as connection:
            ids = sorted(identities)  # as `decide` takes them
            for start in range(0, len(ids), ROWS_AT_ONCE):
                connection.execute(update, [{"one": identity} for identity in ids[start : start + ROWS_AT_ONCE]])

    def forget_tokens(self, before: float) -> None:
        """Drop the tokens of requests that nobody sends again."""
        from burnish.store.tables import idempotency

        with self.store.writing() as connection:
            connection.execute(idempotency.delete().where(idempotency.c.at < before))


def refuse_gone(gone: Sequence[str]) -> None:
    """Raise `NotFound` where answers, by their ids, were erased or purged since somebody looked for them: feedback on
    them is kept by nobody, for nothing would ever delete it.
    """
    if gone:
        faults = [f"the answer '{identity}' is not there any more; feedback on it is not kept." for identity in gone]
        raise NotFound(*faults[:MAX_FAULTS_SHOWN], n_more=len(faults[MAX_FAULTS_SHOWN:]))


def _there(connection: Connection, records: Sequence[Feedback]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(records), ROWS_AT_ONCE):
        asked = {record.prediction for record in records[start : start + ROWS_AT_ONCE]}
        found.update(connection.execute(_looking_up(), {"asked": list(asked)}).scalars())
    return found


@cache  # to build a statement takes longer than to run it
def _looking_up() -> Any:
    from sqlalchemy import bindparam, select

    from burnish.store.tables import predictions

    return select(predictions.c.id).where(predictions.c.id.in_(bindparam("asked", expanding=True)))


def _answered(connection: Connection, token: Token) -> str | None:
    from sqlalchemy import select

    from burnish.store.tables import idempotency as table

    query = select(table.c.body_digest, table.c.answer).where(table.c.key == token.key, table.c.token == token.text)
    row: Any = connection.execute(query).first()
    if row is None:
        return None
    if row.body_digest != token.body_digest:
        raise OtherBody(f"the idempotency key '{token.text}' was used for another request; use a new one for each.")
    return str(row.answer)
