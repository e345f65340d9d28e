"""uvicorn's server, which says that it is not ready before it closes, and ends the process by 0, not by the signal."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from burnish.serving.http.door import Door
from burnish.serving.http.protocol import protocol_with
from burnish.serving.service import Service

GRACE_S = 30
KEEP_ALIVE_S = 75


class DrainingServer(uvicorn.Server):
    """A first signal drains: what was accepted is answered. A second one ends at once."""

    def __init__(self, config: uvicorn.Config, service: Service, drain_s: float) -> None:
        super().__init__(config)
        self._service = service
        self._drain_s = drain_s

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._service.is_draining:
            self.should_exit = self.force_exit = True
            return
        self._service.is_draining = True
        asyncio.get_running_loop().call_later(self._drain_s, self._close)

    def _close(self) -> None:
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)


def server_of(app: Door, service: Service, drain_s: float) -> DrainingServer:
    """The server of an application."""
    config = uvicorn.Config(
        app,
        http=protocol_with(service.limits),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    return DrainingServer(config, service, drain_s)
