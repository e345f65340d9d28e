"""The audit log: who did what, when, to what; a chain in which each line vouches for all before it.

A line's digest is an HMAC over the line and the digest before it (Schneier and Kelsey 1999, "Secure audit logs to
support computer forensics", ACM TISSEC 2(2)), keyed by the installation's secret, which is not in the database: whoever
can write to the database alone can neither change nor drop a line unseen. The head tells of a tail that was cut off.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from burnish.store.records import Entry
from burnish.store.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "audit head"
START = "0" * 64


class Audit:
    """The log of one store."""

    def __init__(self, store: Store, secret: bytes) -> None:
        self.store = store
        self._secret = secret

    def add(self, connection: Connection, who: str, what: str, about: str, detail: Any = None) -> None:
        """Write a line inside a transaction of whoever does it: what is undone leaves no line."""
        from burnish.store.states import put_state
        from burnish.store.tables import audit

        self.store.take_turns(connection, "audit")
        number, before = _last(connection)
        line = Entry(number + 1, time.time(), who, what, about, detail, "")
        digest = self._digest(line, before)
        values = {"at": line.at, "who": who, "what": what, "about": about, "detail": detail, "digest": digest}
        connection.execute(audit.insert().values(number=line.number, **values))
        put_state(connection, HEAD, {"number": line.number, "digest": self._signed_head(line.number, digest)})

    def entries(self) -> Iterator[Entry]:
        """Every line, oldest first."""
        from sqlalchemy import select

        from burnish.store.tables import audit

        with self.store.reading() as connection:
            for row in connection.execute(select(audit).order_by(audit.c.number)):
                yield Entry(*row)

    def fault(self) -> str | None:
        """What is wrong with the log, in one sentence; None when every line is as it was written."""
        from burnish.store.states import read_state

        before, number = START, 0
        for number, line in enumerate(self.entries(), start=1):  # the last number is read below
            if line.number != number:
                return f"the audit log lacks line {number}: the next one is {line.number}."
            if not hmac.compare_digest(line.digest, self._digest(line, before)):
                return (
                    f"the audit log was changed at line {number} ({line.what} {line.about}), or before the secret was."
                )
            before = line.digest
        with self.store.reading() as connection:
            head = read_state(connection, HEAD) or {"number": 0, "digest": self._signed_head(0, START)}
        if not hmac.compare_digest(str(head["digest"]), self._signed_head(number, before)):
            return (
                f"the audit log ends at line {number}, but its head says {head['number']}: its end was cut or changed."
            )
        return None

    def _digest(self, line: Entry, before: str) -> str:
        told = [before, line.number, line.at, line.who, line.what, line.about, line.detail]
        return hmac.new(self._secret, orjson.dumps(told, option=orjson.OPT_SORT_KEYS), hashlib.sha256).hexdigest()

    def _signed_head(self, number: int, digest: str) -> str:
        return hmac.new(self._secret, f"head {number} {digest}".encode(), hashlib.sha256).hexdigest()


def _last(connection: Connection) -> tuple[int, str]:
    from sqlalchemy import select

    from burnish.store.tables import audit

    row = connection.execute(select(audit.c.number, audit.c.digest).order_by(audit.c.number.desc()).limit(1)).first()
    return (0, START) if row is None else (row.number, row.digest)
