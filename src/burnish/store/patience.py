"""A connection to PostgreSQL that gives up on a server that does not answer.

`statement_timeout` is kept by the server, and TCP's timeouts by its kernel, which answers for a frozen process as well.
So the client looks at its own clock, wherever psycopg waits for the server.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import psycopg

from burnish.store.locks import WAIT_S

PING_S = 3.0
SPARE_S = 1.0
"""Longer than the server's own limit, which leaves the connection usable."""


class PatientConnection(psycopg.Connection[Any]):
    """psycopg's connection, with an end to its patience."""

    patience_s = WAIT_S + SPARE_S

    def wait(self, gen: Generator[Any, Any, Any], *arguments: Any, **settings: Any) -> Any:
        return super().wait(self._within(gen, self.patience_s), *arguments, **settings)

    def is_alive(self) -> bool:
        """Whether the server answers soon."""
        usual, self.patience_s = self.patience_s, PING_S
        try:
            self.autocommit = True
            self.execute("SELECT 1")
            self.autocommit = False
        except psycopg.Error:
            return False
        finally:
            self.patience_s = usual
        return True

    def _within(self, gen: Generator[Any, Any, Any], patience_s: float) -> Generator[Any, Any, Any]:
        """The steps of psycopg; it comes back here ten times a second, also when nothing was heard."""
        deadline = time.monotonic() + patience_s
        ready: Any = None
        while True:
            try:
                wanted = gen.send(ready)
            except StopIteration as end:
                return end.value
            ready = yield wanted
            if not ready and time.monotonic() > deadline:
                with suppress(psycopg.Error):
                    self.pgconn.finish()
                raise psycopg.OperationalError(f"no answer from the server in {patience_s:.0f} s")
