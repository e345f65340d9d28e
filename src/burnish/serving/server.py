"""The server process: one, or several workers on one socket; it starts whole, drains before it ends, and ends by 0."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from burnish.core.errors import UserError
from burnish.core.settings import settings
from burnish.core.shelves import need
from burnish.serving.limits import Limits
from burnish.serving.log import Log
from burnish.store.home import Home, open_home
from burnish.store.releases import reference


class Serving(BaseModel):
    """What is served, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    models: list[str]
    """References: `intent` (its production, followed), `intent@candidate`, `intent:7`."""

    host: str = "127.0.0.1"
    """Address to listen at. Other machines are answered only when another one is given."""

    port: int = Field(default=8080, ge=0, le=65_535)
    """Port; 0 takes a free one."""

    workers: int = Field(default=1, ge=1, le=64)
    """Processes. Several start anew when one dies; each holds every model."""

    most_loaded: int = Field(default=0, ge=0)
    """Models in memory at once: what was asked longest ago makes room. 0: all."""

    drain_s: float = Field(default=0.5, ge=0)
    """Seconds between saying that it is not ready and closing, so that a load balancer sends no more."""

    limits: Limits = Field(default_factory=Limits)
    """What is refused at the door."""


def serve(serving: Serving, log: Log | None = None) -> None:
    """Serve until a signal says stop.

    Raises:
        UserError: a model cannot be served, the address is taken, or another server has this database file.
        StoreUnavailable: the database does not answer.
    """
    need("uvicorn", "serve")
    log, home = log or Log(), open_home()
    with alone(home), bound(serving) as listening:
        log.tell("info", "listening", url=f"http://{serving.host}:{listening.getsockname()[1]}")
        if serving.workers == 1:
            run(serving, home, log, listening)
        else:
            from burnish.serving.workers import run_workers

            for one in serving.models:
                home.releases.find(reference(one))
            home.close()
            run_workers(serving, log, listening)


def run(serving: Serving, home: Home, log: Log, listening: socket.socket) -> None:
    """One process's whole service, on a socket that listens.

    Raises:
        UserError: a model cannot be served.
    """
    from burnish.serving.http.app import make_app
    from burnish.serving.http.draining import server_of
    from burnish.serving.service import Service

    asked = [reference(one) for one in serving.models]
    service = Service(home, asked, settings(), serving.limits, log, serving.most_loaded)
    try:
        service.start()
        log.tell("info", "ready", models=service.fleet.names, process=os.getpid())
        server = server_of(make_app(service), service, serving.drain_s)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(server.serve([listening]))
    finally:
        service.stop()
        home.close()
    log.tell("info", "stopped", process=os.getpid())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not on every system
        return None
    return uvloop.new_event_loop


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """Hold the lock that says that a server uses this database file; PostgreSQL takes any number of servers.

    Raises:
        UserError: another one does.
    """
    if not home.store.is_sqlite:
        yield
        return
    path = Path(str(home.store.engine.url.database))
    with open(path.with_name(f".{path.name}.serving"), "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{path}: another server uses this database; stop it, or use PostgreSQL, which several may share: "
                "BURNISH_DATABASE=postgresql://…"
            ) from None
        yield


def bound(serving: Serving) -> socket.socket:
    """A socket that listens.

    Raises:
        UserError: the address cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in serving.host else socket.AF_INET
        listening = socket.create_server((serving.host, serving.port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"cannot listen at {serving.host}:{serving.port} ({reason}); choose another with --port or --host."
        ) from None
    listening.setblocking(False)
    return listening
