"""What was answered, so that a correction finds its answer, monitoring its numbers and retraining its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from burnish.store.audit import Audit
from burnish.store.records import Prediction
from burnish.store.rows import ROWS_AT_ONCE, insert_new
from burnish.store.store import Store

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select


class Predictions:
    """The predictions of one store."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self.store = store
        self.audit = audit

    def add(self, records: Sequence[Prediction]) -> None:
        """Write what is not there yet."""
        from burnish.store.tables import predictions

        with self.store.writing() as connection:
            insert_new(connection, predictions, records)

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

    def erase(self, who: str, *, key: str | None = None, input_digest: str | None = None) -> int:
        """Delete the predictions of a key or of one input, and the feedback on them; returns how many predictions."""
        from burnish.store.tables import predictions as table

        condition = table.c.key == key if key is not None else table.c.input_digest == input_digest
        about = f"key {key}" if key is not None else "one input"
        return self._delete(condition, who, "erased", about)

    def purge(self, before: float, who: str) -> int:
        """Delete what is older than `before` and was not corrected; returns how many."""
        from sqlalchemy import select

        from burnish.store.tables import feedback
        from burnish.store.tables import predictions as table

        corrected = select(feedback.c.prediction)
        return self._delete((table.c.at < before) & table.c.id.not_in(corrected), who, "purged", f"before {before:.0f}")

    def _delete(self, condition: ColumnElement[bool], who: str, what: str, about: str) -> int:
        from sqlalchemy import delete, select

        from burnish.store.tables import feedback
        from burnish.store.tables import predictions as table

        with self.store.writing() as connection:
            gone = select(table.c.id).where(condition)
            connection.execute(delete(feedback).where(feedback.c.prediction.in_(gone)))
            n_gone = connection.execute(delete(table).where(condition)).rowcount
            if n_gone:
                self.audit.add(connection, who, what, about, {"predictions": n_gone})
        return int(n_gone)

    def _streamed(self, query: Select[Any]) -> Iterator[Prediction]:
        with self.store.reading() as connection:
            result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
            for row in result:
                yield Prediction(*row)
