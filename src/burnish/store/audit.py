"""The audit log: who did what, when, to what; a chain in which each line vouches for all before it.

A line's digest is an HMAC over the line and the digest before it (Schneier and Kelsey 1999, "Secure audit logs to
support computer forensics", ACM TISSEC 2(2)), keyed by the installation's secret, which is not in the database: whoever
can write to the database alone can neither change nor drop a line unseen. A signed head tells of a tail that was cut
off, also after more was written. That the whole log was put back to an earlier state is told by a note outside the
database of how far it had come when it was last looked at.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from burnish.core.errors import UserError
from burnish.core.files import read_json, write_json
from burnish.store.records import Entry
from burnish.store.rows import streamed
from burnish.store.store import Store
from burnish.store.texts import json_of, plain

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

HEAD = "audit head"
START = "0" * 64
MOST_CHARACTERS = 200


class Audit:
    """The log of one store."""

    def __init__(self, store: Store, secret: bytes, note: Path | None = None) -> None:
        self.store = store
        self._secret = secret
        self._note = note

    def add(self, connection: Connection, who: str, what: str, about: str, detail: Any = None) -> None:
        """Write a line inside a transaction of whoever does it: what is undone leaves no line. It is the last thing
        that a transaction does, since all others that write a line wait for its end.
        """
        from burnish.store.states import put_state
        from burnish.store.tables import audit

        self.store.take_turns(connection, "audit")
        number, before = self._last(connection)
        who, what, about = (plain(text)[:MOST_CHARACTERS] for text in (who, what, about))
        at, written = time.time(), None if detail is None else json_of(detail).decode()
        digest = self._digest(before, [number + 1, at, who, what, about, written])
        line = Entry(number + 1, at, who, what, about, detail, digest)
        connection.execute(audit.insert(), asdict(line))
        put_state(connection, HEAD, self._signed_head(line.number, digest))

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every line, oldest first; those after a number only if it is given."""
        from sqlalchemy import select

        from burnish.store.tables import audit

        query = select(audit).where(audit.c.number > after).order_by(audit.c.number)
        with self.store.reading() as connection:
            yield from (Entry(*row) for row in streamed(connection, query))

    def fault(self) -> str | None:
        """What is wrong with the log, in one sentence; None when every line is as it was written."""
        from burnish.store.states import read_state

        noted = self._noted()
        number, before = 0, START
        try:
            with self.store.reading() as connection:
                head = read_state(connection, HEAD) or self._signed_head(0, START)
                with closing(streamed(connection, _as_written())) as rows:
                    for row in rows:
                        if fault := self._fault_of(row, number + 1, before, noted):
                            return fault
                        number, before = number + 1, str(row.digest)
                if number == 0 and (left := _left(connection)):
                    return f"the audit log is empty, but there are {left}: it was removed."
        except (UserError, TypeError, orjson.JSONDecodeError):
            return f"the audit log cannot be read to its end: its head, or a line behind line {number}, was changed."
        return self._fault_of_end(number, before, head, noted)

    def _fault_of(self, row: Row[Any], number: int, before: str, noted: Mapping[str, Any]) -> str | None:
        if row.number != number:
            return f"the audit log lacks line {number}: the next one is {row.number}."
        if not hmac.compare_digest(str(row.digest).encode(), self._digest(before, list(row)[:-1]).encode()):
            return f"the audit log was changed at line {number} ({row.what} {row.about}), or before the secret was."
        if number == noted["number"] and row.digest != noted["digest"]:
            return f"the audit log was written anew: line {number} is not the one that was there when it was looked at."
        return None

    def _fault_of_end(self, number: int, before: str, head: Any, noted: Mapping[str, Any]) -> str | None:
        """What is wrong with how far the log goes; when nothing is, that is noted."""
        if not self._is_head(head, number, before):
            return f"the audit log ends at line {number}, but its head says otherwise: its end was cut or changed."
        if number < noted["number"]:
            return (
                f"the audit log ends at line {number}, but had {noted['number']} when it was looked at: an older state "
                f"was put in its place. If that was you, remove {self._note}."
            )
        if self._note is not None and number > noted["number"]:
            write_json(self._note, {"number": number, "digest": before})
        return None

    def _noted(self) -> Mapping[str, Any]:
        found = read_json(self._note) if self._note is not None and self._note.exists() else {}
        return {"number": 0, "digest": "", **found}

    def _last(self, connection: Connection) -> tuple[int, str]:
        """Number and digest that a new line comes after. Where the head is not that of the last line somebody cut the
        log: a number is then left out, which tells of it for ever.
        """
        from burnish.store.states import read_state

        number, digest = connection.execute(_newest()).first() or (0, START)
        head = read_state(connection, HEAD)
        is_whole = number == 0 if head is None else self._is_head(head, number, digest)
        return (number if is_whole else number + 1), digest

    def _digest(self, before: str, told: list[Any]) -> str:
        """`told`: number, time, who, what, about, and the detail as it is written."""
        return hmac.new(self._secret, orjson.dumps([before, *told]), hashlib.sha256).hexdigest()

    def _is_head(self, head: Any, number: int, digest: str) -> bool:
        return hmac.compare_digest(str(head).encode(), self._signed_head(number, digest).encode())

    def _signed_head(self, number: int, digest: str) -> str:
        return hmac.new(self._secret, f"head {number} {digest}".encode(), hashlib.sha256).hexdigest()


@cache
def _newest() -> Any:
    from sqlalchemy import select

    from burnish.store.tables import audit

    return select(audit.c.number, audit.c.digest).order_by(audit.c.number.desc()).limit(1)


def _left(connection: Connection) -> str:
    """What there is that cannot be without a line in the log."""
    from sqlalchemy import select

    from burnish.store.tables import jobs, keys, releases

    found = [table.name for table in (releases, keys, jobs) if connection.execute(select(table).limit(1)).first()]
    return " and ".join(found)


def _as_written() -> Any:
    """The lines with their details as text, so that each byte of them counts."""
    from sqlalchemy import Text, select, type_coerce

    from burnish.store.tables import audit

    columns = [audit.c.number, audit.c.at, audit.c.who, audit.c.what, audit.c.about]
    query = select(*columns, type_coerce(audit.c.detail, Text).label("detail"), audit.c.digest)
    return query.order_by(audit.c.number)
