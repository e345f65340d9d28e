"""uvicorn's HTTP with deadlines for what a client sends.

Its own timeouts begin only after an answer, and any byte resets them, so that a client that sends a byte now and then
would keep a connection for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from burnish.serving.limits import Limits
from burnish.serving.problems import MEDIA_TYPE, Problem

MOST_HEAD_BYTES = 64 << 10


class DeadlinedProtocol(HttpToolsProtocol):
    """A connection that is closed when a request's head or body takes too long, or its head is too large."""

    limits: ClassVar[Limits] = Limits()

    _timer: asyncio.TimerHandle | None = None
    _n_head_bytes = 0
    _is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            self._n_head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._n_head_bytes > MOST_HEAD_BYTES:
            self._cut(Problem(431, f"the request's head is larger than {MOST_HEAD_BYTES:,} bytes."))

    def on_message_begin(self) -> None:
        self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head, self._n_head_bytes = False, 0
        self._arm(self.limits.body_s)
        super().on_headers_complete()
        self.scope["burnish.cycle"] = self.cycle  # type: ignore[typeddict-unknown-key]  # knows when the client leaves

    def on_message_complete(self) -> None:
        self._disarm()
        self._is_in_head, self._n_head_bytes = True, 0
        super().on_message_complete()

    def _await_head(self) -> None:
        self._is_in_head = True
        self._arm(self.limits.header_s)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        late = Problem(408, f"the request did not arrive within {seconds:g} s.")
        self._timer = self.loop.call_later(seconds, self._cut, late)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self, problem: Problem) -> None:
        """Say why, where no answer is on its way yet, and close."""
        self._disarm()
        transport = cast("Any", self.transport)
        if transport is None or transport.is_closing():
            return
        if self.cycle is None or not self.cycle.response_started:
            body = problem.body()
            head = f"HTTP/1.1 {problem.status} {problem.status}\r\ncontent-type: {MEDIA_TYPE}\r\n"
            head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            transport.write(head.encode() + body)
        transport.close()


def protocol_with(limits: Limits) -> type[DeadlinedProtocol]:
    """The protocol, bounded as asked."""
    return type("BoundedProtocol", (DeadlinedProtocol,), {"limits": limits})
