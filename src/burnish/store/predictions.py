"""What was answered, so that a correction finds its answer, monitoring its numbers and retraining its rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from burnish.store.audit import Audit
from burnish.store.records import Prediction
from burnish.store.rows import ROWS_AT_ONCE, insert_into, insert_new, streamed
from burnish.store.store import Store

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

DELETED_AT_ONCE = 2000
"""In one transaction, so that nobody waits long for a large deletion."""
TURN = "predictions"
"""Taken together by all that write predictions and feedback on them, alone by what deletes them."""


class Predictions:
    """The predictions of one store."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self.store = store
        self.audit = audit

    def add(self, records: Sequence[Prediction]) -> None:
        """Write what is not there yet, and was not erased."""
        from burnish.store.tables import predictions

        with self.store.writing() as connection:
            self.store.take_turns(connection, TURN, is_shared=True)
            for start in range(0, len(records), ROWS_AT_ONCE):
                some = records[start : start + ROWS_AT_ONCE]
                insert_new(connection, predictions, _not_erased(connection, some))

    def find(self, identity: str) -> Prediction | None:
        from sqlalchemy import select

        from burnish.store.tables import predictions

        with self.store.reading() as connection:
            row = connection.execute(select(predictions).where(predictions.c.id == identity)).first()
        return None if row is None else Prediction(*row)

    def of_period(
        self, name: str, start: float = 0.0, end: float = float("inf"), *, traffic: str | None = "live"
    ) -> Iterator[Prediction]:
        """The predictions of a name from `start` until before `end`, oldest first; read as they are taken. Of `live`,
        `canary` or `shadow` traffic; None gives all.
        """
        from sqlalchemy import select

        from burnish.store.tables import predictions as table

        query = select(table).where(table.c.name == name, table.c.at >= start).order_by(table.c.at, table.c.id)
        if end != float("inf"):
            query = query.where(table.c.at < end)
        if traffic is not None:
            query = query.where(table.c.traffic == traffic)
        yield from self._streamed(query)

    def answered_in(self, identities: Sequence[str]) -> dict[str, Prediction]:
        """Those of some ids that there are."""
        from sqlalchemy import select

        from burnish.store.tables import predictions as table

        found: dict[str, Prediction] = {}
        for start in range(0, len(identities), ROWS_AT_ONCE):
            some = identities[start : start + ROWS_AT_ONCE]
            found |= {one.id: one for one in self._streamed(select(table).where(table.c.id.in_(some)))}
        return found

    def count_of(self, key: str, since: float) -> int:
        """How many inputs a key had answered since then: what its quota counts."""
        from sqlalchemy import func, select

        from burnish.store.tables import predictions as table

        query = select(func.count()).where(table.c.key == key, table.c.at >= since, table.c.traffic != "shadow")
        with self.store.reading() as connection:
            return int(connection.execute(query).scalar() or 0)

    def put_vectors(self, vectors: Mapping[str, Sequence[float]]) -> None:
        """Keep what tells answers apart, by id, for those that were kept without."""
        from sqlalchemy import bindparam

        from burnish.store.tables import predictions as table

        update = table.update().where(table.c.id == bindparam("of")).values(vector=bindparam("own"))
        told = [{"of": identity, "own": list(vector)} for identity, vector in vectors.items()]
        if told:
            with self.store.writing() as connection:
                connection.execute(update, told)

    def erase(self, who: str, *, key: str | None = None, input_digest: str | None = None) -> int:
        """Delete the predictions of a key or of one input until now, and the feedback on them; returns how many
        predictions. A journal that still holds some of them cannot bring them back.
        """
        from burnish.store.tables import predictions as table

        if (key is None) == (input_digest is None):
            raise ValueError("say what is to be erased: a key, or an input.")
        kind, value = ("key", key) if key is not None else ("input", input_digest)
        now = time.time()
        with self.store.writing() as connection:
            self.store.take_turns(connection, TURN)
            _note_erasure(connection, kind, str(value), now)
        column = table.c.key if kind == "key" else table.c.input_digest
        about = f"key {key}" if key is not None else "one input"
        n_gone = self._delete((column == value) & (table.c.at <= now), who, "erased", about)
        self.store.settle()
        return n_gone

    def purge(self, before: float, who: str) -> int:
        """Delete what is older than `before` and was not corrected; returns how many. SQLite's log is emptied: where a
        reader took long it still holds what was erased.
        """
        from sqlalchemy import exists

        from burnish.store.tables import erasures, feedback
        from burnish.store.tables import predictions as table

        is_corrected = exists().where(feedback.c.prediction == table.c.id)
        n_gone = self._delete((table.c.at < before) & ~is_corrected, who, "purged", f"before {before:.0f}")
        with self.store.writing() as connection:
            connection.execute(erasures.delete().where(erasures.c.at < before))
        self.store.settle()
        return n_gone

    def _delete(self, condition: ColumnElement[bool], who: str, what: str, about: str) -> int:
        n_gone = 0
        while n_now := self._delete_some(condition, who, what, about):
            n_gone += n_now
        return n_gone

    def _delete_some(self, condition: ColumnElement[bool], who: str, what: str, about: str) -> int:
        from sqlalchemy import delete, select

        from burnish.store.tables import feedback
        from burnish.store.tables import predictions as table

        with self.store.writing() as connection:
            self.store.take_turns(connection, TURN)  # what is corrected meanwhile is seen, or told that it is gone
            ids = connection.execute(select(table.c.id).where(condition).limit(DELETED_AT_ONCE)).scalars().all()
            if ids:
                connection.execute(delete(feedback).where(feedback.c.prediction.in_(ids)))
                connection.execute(delete(table).where(table.c.id.in_(ids)))
                self.audit.add(connection, who, what, about, {"predictions": len(ids)})
        return len(ids)

    def _streamed(self, query: Select[Any]) -> Iterator[Prediction]:
        with self.store.reading() as connection:
            yield from (Prediction(*row) for row in streamed(connection, query))


def _note_erasure(connection: Connection, kind: str, value: str, at: float) -> None:
    from burnish.store.tables import erasures

    insert = insert_into(connection.dialect.name, erasures).values(kind=kind, value=value, at=at)
    connection.execute(insert.on_conflict_do_update(index_elements=["kind", "value"], set_={"at": insert.excluded.at}))


def _not_erased(connection: Connection, records: Sequence[Prediction]) -> Sequence[Prediction]:
    """Those of some records that nobody asked to erase after they were made."""
    from sqlalchemy import select

    from burnish.store.tables import erasures

    values = {record.key for record in records} | {record.input_digest for record in records}
    rows = connection.execute(select(erasures).where(erasures.c.value.in_(sorted(values))))
    until = {(row.kind, row.value): row.at for row in rows}
    if not until:
        return records
    never = float("-inf")
    return [
        record
        for record in records
        if record.at > max(until.get(("key", record.key), never), until.get(("input", record.input_digest), never))
    ]
