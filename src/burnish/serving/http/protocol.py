"""uvicorn's HTTP with deadlines for what a client sends, and a short way to refuse what there is no room for.

Its own timeouts begin only after an answer, and any byte resets them, so that a client that sends a byte now and then
would keep a connection for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from burnish.serving.http.turnstile import CLOSING, Turnstile, whole
from burnish.serving.limits import Limits
from burnish.serving.metrics import Metrics
from burnish.serving.problems import Problem

MOST_HEAD_BYTES = 64 << 10
LAST_HEAD_S = 1.0
"""Seconds that a connection without a whole request still has when the server closes."""
LINGER_S = 1.0
"""Seconds for which what a refused client still sends is thrown away: a connection that is closed before all was read
takes the refusal with it.
"""
NO_HTTP = "what was sent is no HTTP request that can be read."


class DeadlinedProtocol(HttpToolsProtocol):
    """A connection that is closed when a request's head or body takes too long, or its head is too large."""

    limits: ClassVar[Limits] = Limits()
    metrics: ClassVar[Metrics | None] = None
    """Count a request that never came to the application."""
    turnstile: ClassVar[Turnstile | None] = None
    """Refuses what there is no room for."""

    _timer: asyncio.TimerHandle | None = None
    _is_in_head = True
    _is_new_body = False
    _is_cut = False
    _is_refused = False
    """The request was answered when its head was there; nobody reads its body."""
    _n_bytes = 0
    """Received in a row that are of no body: of a head, or what comes before one or behind a body."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm(self.limits.header_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_cut or self._is_refused_whole(data):
            return
        self._n_bytes += len(data)
        super().data_received(data)
        if self._n_bytes > MOST_HEAD_BYTES:
            self._cut(Problem(431, f"the request's head is larger than {MOST_HEAD_BYTES:,} bytes."))
        elif self._is_in_head:
            if self._n_bytes and self._timer is None:
                self._arm(self.limits.header_s)
        elif self._is_new_body:
            self._is_new_body = False
            self._arm(self.limits.body_s)

    def on_message_begin(self) -> None:
        self._n_bytes += 1  # what follows a request in the same piece counts too
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head, self._is_new_body, self._n_bytes = False, True, 0
        if (refusal := self._refusal()) is not None:
            self._is_refused = True
            self.transport.write(refusal)
            return
        super().on_headers_complete()
        cycle, scope = self.cycle, cast("dict[str, Any]", self.scope)
        scope["burnish.cycle"] = cycle  # knows when the client leaves
        scope["burnish.more_time"] = lambda seconds: self._more_time(cycle, seconds)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:
            super().on_header(name, value)  # what follows a body in pieces is left out: nobody reads it

    def on_body(self, body: bytes) -> None:
        self._n_bytes = 0
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._disarm()
        self._is_in_head, self._is_new_body, self._n_bytes = True, False, 0
        if not self._is_refused:
            super().on_message_complete()
            return
        self._is_refused = False
        self.on_response_complete()
        if not self.parser.should_keep_alive():
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self._cut(Problem(400, NO_HTTP))

    def timeout_keep_alive_handler(self) -> None:
        """A client that has not taken its answer by now never will."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        """A request that is about to come is still answered."""
        if self._is_in_head and (self.cycle is None or self._n_bytes) and not self.transport.is_closing():
            self._arm(LAST_HEAD_S)
        else:
            super().shutdown()

    def _is_refused_whole(self, data: bytes) -> bool:
        """Whether this was a request, from its first byte to its last, that was refused unparsed."""
        if self.turnstile is None or self._n_bytes or not self._is_in_head or self._is_waiting:
            return False
        refusal = self.turnstile.refusal_of_whole(data)
        if refusal is None:
            return False
        self._disarm()
        self.transport.write(refusal)
        self.on_response_complete()
        return True

    def _refusal(self) -> bytes | None:
        """What is answered at once, where nothing that came before on this connection waits."""
        if self.turnstile is None or self._is_waiting:
            return None
        return self.turnstile.refusal_of(self.parser.get_method(), self.url)

    @property
    def _is_waiting(self) -> bool:
        """Whether a request of this connection has not been answered."""
        return bool(self.pipeline) or not (self.cycle is None or self.cycle.response_complete)

    def _more_time(self, cycle: Any, seconds: float | None) -> None:
        """Give the rest of a body so many seconds, or any number of them."""
        if self.cycle is not cycle or self._is_in_head:
            return
        if seconds is None:
            self._disarm()
        else:
            self._arm(seconds)

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
        transport, cycle = cast("Any", self.transport), cast("Any", self.cycle)
        if transport is None or transport.is_closing() or self._is_cut:
            return
        if self._is_refused:
            transport.close()
            return
        if self.pipeline:  # earlier requests of this connection have not been answered
            self._arm(LAST_HEAD_S)
            return
        is_answering = cycle is not None and not cycle.response_complete
        if is_answering and self._is_in_head:
            cycle.keep_alive = False  # an earlier request is answered yet, and then it ends
            return
        if is_answering:
            self.scope["burnish.cut"] = problem.status  # type: ignore[typeddict-unknown-key]
            cycle.disconnected = True
            cycle.message_event.set()
        elif self.metrics is not None:
            self.metrics.of(self.metrics.requests, "none", problem.status).inc()
        if is_answering and cycle.response_started:
            transport.close()
            return
        self._is_cut = True
        self._unset_keepalive_if_required()
        transport.write(whole(problem, (CLOSING,)))
        transport.write_eof()
        self._timer = self.loop.call_later(LINGER_S, transport.close)


def protocol_with(limits: Limits, metrics: Metrics, turnstile: Turnstile) -> type[DeadlinedProtocol]:
    """The protocol, bounded as asked."""
    bounds = {"limits": limits, "metrics": metrics, "turnstile": turnstile}
    return type("BoundedProtocol", (DeadlinedProtocol,), bounds)
