"""The server process: one, or several workers on one socket; it starts whole, drains before it ends, and ends by 0."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from burnish.core.errors import UserError
from burnish.core.settings import settings
from burnish.core.shelves import need
from burnish.serving.allocator import settle
from burnish.serving.log import Forwarding, Log
from burnish.serving.serving import Serving as Serving
from burnish.serving.workers import ready_file
from burnish.store.home import Home, opened_home


def serve(serving: Serving, log: Log | None = None) -> None:
    """Serve until a signal says stop.

    Raises:
        UserError: a model cannot be served, the address is taken, or another server has this database file.
        StoreUnavailable: the database does not answer.
    """
    need("uvicorn", "serve")
    log = log or Log()
    with opened_home() as home, alone(home), bound(serving) as listening:
        for one in serving.references():
            home.releases.find(one)
        log.tell("info", "listening", url=url_of(serving, listening))
        if serving.workers == 1:
            run(serving, home, log, listening)
            return
        from burnish.serving.workers import run_workers

        home.close()  # each worker opens its own
        run_workers(serving, log, listening)


def run(serving: Serving, home: Home, log: Log, listening: socket.socket, shared: Path | None = None) -> None:
    """One process's whole service, on a socket that listens.

    Raises:
        UserError: a model cannot be served.
    """
    from burnish.serving.http.app import make_app
    from burnish.serving.http.draining import server_of
    from burnish.serving.service import Service

    def tell_ready() -> None:
        if shared is not None:
            ready_file(shared, os.getpid()).touch()
        log.tell("info", "ready", models=service.fleet.names, process=os.getpid())

    settle()
    service = Service(home, serving, settings(), log, shared)
    try:
        with forwarding(log):
            service.start()
            server = server_of(make_app(service), service, tell_ready)
            _shorten_pauses()
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(server.serve([listening]))
    finally:
        service.stop()
    log.tell("info", "stopped", process=os.getpid())


def _shorten_pauses() -> None:
    """Let no request wait long for Python itself. It looks for circles of objects seldom, and never among what was
    loaded before the first request: to walk over all of that took some 50 ms now and then, and what a request leaves
    behind has no circles. And threads that make answers hand the interpreter over after half a millisecond.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    sys.setswitchinterval(0.0005)


@contextmanager
def forwarding(log: Log) -> Iterator[None]:
    """What libraries warn of goes into the log while the block runs."""
    handler = Forwarding(log)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


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
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno is not None and error.errno > 0 else error.strerror
        raise UserError(
            f"cannot listen at {serving.host}:{serving.port} ({reason}); choose another with --port or --host."
        ) from None
    listening.setblocking(False)
    return listening


def url_of(serving: Serving, listening: socket.socket) -> str:
    host = f"[{serving.host}]" if ":" in serving.host else serving.host
    return f"http://{host}:{listening.getsockname()[1]}"
