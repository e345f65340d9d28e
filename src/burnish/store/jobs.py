"""Work that outlives whoever asked for it, each job done by one worker at a time.

A worker leases a job for some seconds and renews the lease while it works. When it dies the lease runs out and another
takes over; what the first still writes is refused by its fence, a number that rises with every lease (Kleppmann 2016,
"How to do distributed locking"). So a job runs at least once, and only one run counts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from burnish.core.errors import BurnishError, NotFound, UserError
from burnish.core.ids import new_id
from burnish.store.audit import Audit
from burnish.store.records import Job
from burnish.store.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

LEASE_S = 30.0
MOST_ATTEMPTS = 5
LOG_CHARACTERS = 100_000
OPEN = ("waiting", "running")
EVERY = "every_s"
"""Argument of any job: seconds after which it is due again."""


class StaleLease(BurnishError):
    """Another worker has taken the job over, or it was cancelled."""


class Jobs:
    """The jobs of one store."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self.store = store
        self.audit = audit

    def add(self, kind: str, arguments: Any, by: str, due_at: float | None = None) -> Job:
        """A new job, due now or later. One with a number of seconds as `every_s` among its arguments is followed by
        another like it when it ends.
        """
        with self.store.writing() as connection:
            return self._added(connection, kind, arguments, by, due_at)

    def lease(self, worker: str, kinds: Sequence[str], now: float | None = None) -> Job | None:
        """The job that has been due longest, or one whose worker let its lease run out; None when there is none.

        A job that failed with its worker `MOST_ATTEMPTS` times is given up; one that repeats has its next turn.
        """
        from sqlalchemy import or_, select

        from burnish.store.tables import jobs as table

        now = time.time() if now is None else now
        is_free = (table.c.state == "waiting") & (table.c.due_at <= now)
        is_left = (table.c.state == "running") & (table.c.lease_until < now)
        query = select(table).where(or_(is_free, is_left), table.c.kind.in_(kinds)).order_by(table.c.due_at, table.c.id)
        with self.store.writing() as connection:
            while row := connection.execute(query.limit(1).with_for_update(skip_locked=True)).first():
                job = _leased(Job(*row), worker, now)
                connection.execute(table.update().where(table.c.id == job.id).values(**asdict(job)))
                if job.state == "running":
                    return job
                self._follow(connection, job, now)
        return None

    def renew(self, job: Job, progress: Any = None, log: str = "", now: float | None = None) -> None:
        """Keep a lease for longer; note how far the work is, and its log so far, where they are given.

        Raises:
            StaleLease: the lease is another's by now, or the job was cancelled.
        """
        now = time.time() if now is None else now
        changes: dict[str, Any] = {"lease_until": now + LEASE_S}
        with self.store.writing() as connection:
            _change(connection, job, changes if progress is None else {**changes, "progress": progress}, log)

    def finish(self, job: Job, result: Any, *, is_done: bool = True, is_over: bool = False, log: str = "") -> None:
        """End a job; its log stays as it is where none is given. One that repeats comes again unless it `is_over`.

        Raises:
            StaleLease: the lease is another's by now, or the job was cancelled.
        """
        with self.store.writing() as connection:
            _change(connection, job, {"state": "done" if is_done else "failed", "result": result}, log)
            if not is_over:
                self._follow(connection, job, time.time())

    def cancel(self, identity: str, by: str) -> None:
        """Let a job not be done; a worker that is at it stops when it next renews its lease.

        Raises:
            UserError: there is no such job, or it has ended.
        """
        from burnish.store.tables import jobs as table

        job = self.find(identity)
        if job.state not in OPEN:
            raise UserError(f"the job '{identity}' has ended ({job.state}); there is nothing to cancel.")
        with self.store.writing() as connection:
            update = table.update().where(table.c.id == identity, table.c.state.in_(OPEN))
            if not connection.execute(update.values(state="cancelled", fence=table.c.fence + 1)).rowcount:
                raise UserError(f"the job '{identity}' has just ended; there is nothing to cancel.")
            self.audit.add(connection, by, "job cancelled", identity)

    def find(self, identity: str) -> Job:
        """A job by its id.

        Raises:
            UserError: there is none.
        """
        from sqlalchemy import select

        from burnish.store.tables import jobs as table

        with self.store.reading() as connection:
            row = connection.execute(select(table).where(table.c.id == identity)).first()
        if row is None:
            raise NotFound(f"there is no job '{identity}'; `burnish jobs` lists them.")
        return Job(*row)

    def has_open(self, kind: str, name: str) -> bool:
        """Whether a job of a kind that is about a name waits or runs."""
        from sqlalchemy import select

        from burnish.store.tables import jobs as table

        query = select(table.c.arguments).where(table.c.kind == kind, table.c.state.in_(OPEN))
        with self.store.reading() as connection:
            return any(arguments.get("name") == name for arguments in connection.execute(query).scalars())

    def purge(self, before: float) -> int:
        """Delete those that were added before and have ended; returns how many. The audit log keeps that they were."""
        from burnish.store.tables import jobs as table

        with self.store.writing() as connection:
            is_old = (table.c.at < before) & table.c.state.not_in(OPEN)
            return connection.execute(table.delete().where(is_old)).rowcount

    def all(self, n_newest: int = 100) -> list[Job]:
        """The newest, of any state."""
        from sqlalchemy import select

        from burnish.store.tables import jobs as table

        with self.store.reading() as connection:
            rows = connection.execute(select(table).order_by(table.c.at.desc()).limit(n_newest)).all()
        return [Job(*row) for row in rows]

    def _added(self, connection: Connection, kind: str, arguments: Any, by: str, due_at: float | None) -> Job:
        from burnish.store.tables import jobs

        now = time.time()
        job = Job(new_id("j"), now, kind, arguments, now if due_at is None else due_at)
        connection.execute(jobs.insert().values(**asdict(job)))
        self.audit.add(connection, by, "job added", job.id, {"kind": kind, "arguments": arguments})
        return job

    def _follow(self, connection: Connection, job: Job, now: float) -> None:
        """Let a job that repeats come again, in the transaction that ends it: no crash takes it off the schedule."""
        every_s = job.arguments.get(EVERY)
        if isinstance(every_s, int | float) and not isinstance(every_s, bool) and every_s > 0:
            self._added(connection, job.kind, job.arguments, f"job {job.id}", now + every_s)


def _leased(job: Job, worker: str, now: float) -> Job:
    """A job in the hands of a worker; failed where too many had it already."""
    if job.attempts >= MOST_ATTEMPTS:
        reason = {"reason": f"its worker died {job.attempts} times"}
        return replace(job, state="failed", result=reason, fence=job.fence + 1)
    fence, until = job.fence + 1, now + LEASE_S
    return replace(job, state="running", worker=worker, lease_until=until, fence=fence, attempts=job.attempts + 1)


def _change(connection: Connection, job: Job, changes: dict[str, Any], log: str) -> None:
    from burnish.store.tables import jobs as table

    if log:
        changes["log"] = log[-LOG_CHARACTERS:]
    is_own = (table.c.id == job.id) & (table.c.fence == job.fence) & (table.c.state == "running")
    if not connection.execute(table.update().where(is_own).values(**changes)).rowcount:
        raise StaleLease(f"the job {job.id} was taken over by another worker, or cancelled; this run ends.")
