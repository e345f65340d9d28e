"""Alerts: what a watch said, and who took care of it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from burnish.core.errors import NotFound, UserError
from burnish.store.audit import Audit
from burnish.store.records import Alert, AlertState
from burnish.store.rows import insert_new
from burnish.store.store import Store


class Alerts:
    """The alerts of one store."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self.store = store
        self.audit = audit

    def add(self, records: Sequence[Alert]) -> None:
        """Keep alerts; one that is there already stays as it is."""
        from burnish.store.tables import alerts

        with self.store.writing() as connection:
            insert_new(connection, alerts, records)

    def all(self, name: str | None = None, states: Sequence[AlertState] = (), since: float = 0.0) -> list[Alert]:
        """Alerts, newest first; of one name, in some states, since a time."""
        from sqlalchemy import select

        from burnish.store.tables import alerts as table

        query = select(table).where(table.c.at >= since).order_by(table.c.at.desc(), table.c.id.desc())
        if name is not None:
            query = query.where(table.c.name == name)
        if states:
            query = query.where(table.c.state.in_(states))
        with self.store.reading() as connection:
            return [Alert(*row) for row in connection.execute(query)]

    def change(self, identity: str, state: AlertState, by: str) -> None:
        """Acknowledge or resolve one. What is resolved stays so, and by whom.

        Raises:
            NotFound: there is no such alert.
            UserError: somebody is to be at one that is resolved.
        """
        from sqlalchemy import select

        from burnish.store.tables import alerts as table

        with self.store.writing() as connection:
            update = table.update().where(table.c.id == identity, table.c.state != "resolved")
            if connection.execute(update.values(state=state, by=by, changed_at=time.time())).rowcount:
                self.audit.add(connection, by, f"alert {state}", identity)
                return
            who = connection.execute(select(table.c.by).where(table.c.id == identity)).scalar()
        if who is None:
            raise NotFound(f"there is no alert '{identity}'; `burnish alerts` lists them.")
        if state != "resolved":
            raise UserError(
                f"the alert '{identity}' was resolved by {who}; a new one comes when its watch fires again."
            )
