"""uvicorn's server, which says that it is not ready before it closes, and ends the process by 0, not by the signal."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

from burnish.serving.http.door import Door
from burnish.serving.http.protocol import protocol_with
from burnish.serving.service import Service

GRACE_S = 30
KEEP_ALIVE_S = 75
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class DrainingServer(uvicorn.Server):
    """A first signal drains: what was accepted is answered. A second one ends the process as if there were no server:
    what was answered is in the journal.
    """

    def __init__(self, config: uvicorn.Config, service: Service, tell_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._service = service
        self._tell_ready = tell_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take in whoever comes, and only then say so: a signal that comes at once drains too."""
        await super().startup(sockets)
        self._tell_ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._service.is_draining = True
        for one in SIGNALS:
            signal.signal(one, signal.SIG_DFL)
        asyncio.get_running_loop().call_later(self._service.limits.drain_s, self._close)

    def _close(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take in whoever has connected, then close at once: what waits in a socket that is closed is lost."""
        waiting = [connection for one in sockets or () for connection in _waiting_at(one)]
        for server in self.servers:
            server.close()
        for one in sockets or ():
            one.close()
        for connection in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(config=self.config, server_state=self.server_state, app_state={})
        return made

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {one: signal.signal(one, self.handle_exit) for one in SIGNALS}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def _waiting_at(listening: socket.socket) -> Iterator[socket.socket]:
    """Connections that nobody has accepted yet."""
    while True:
        try:
            connection, _ = listening.accept()
        except ConnectionAbortedError:  # this one has left
            continue
        except OSError:  # there is none
            return
        connection.setblocking(False)
        yield connection


def server_of(app: Door, service: Service, tell_ready: Callable[[], None]) -> DrainingServer:
    """The server of an application, and what it does once it answers."""
    config = uvicorn.Config(
        app,
        http=protocol_with(service.limits, service.metrics, app.turnstile),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    return DrainingServer(config, service, tell_ready)
