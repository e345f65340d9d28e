"""HTTP/1.1 by hand on raw sockets: as cheap as Python can ask, so that the server keeps the cores.

Every request is an object that ends in an answer or in the reason why there is none. A connection is kept open until
the server says otherwise; where none is free a new one is made, so nothing waits here for the server.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

clock = time.perf_counter
LOST, REFUSED, LATE = "lost", "refused", "late"


@dataclass(slots=True, eq=False)
class Asked:
    """One request, by its number; `status` 0 says that it had no answer, and then `fault` says why."""

    number: int
    due: float
    """When it should have been sent: time lost before counts as waiting for the server (no coordinated omission)."""
    sent: float = 0.0
    at: float = 0.0
    status: int = 0
    head: bytes = b""
    body: bytes = b""
    fault: str = ""
    is_fresh: bool = True
    """Whether its connection had not answered before: the server may never have taken that one."""

    @property
    def ms(self) -> float:
        return (self.at - self.due) * 1000

    def header(self, name: str) -> str | None:
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            said, _, value = line.partition(":")
            if said.lower() == name:
                return value.strip()
        return None

    def json(self) -> Any:
        return json.loads(self.body)


Then = Callable[[Asked], None]


def nothing(asked: Asked) -> None:
    """What is done where nothing needs to be done with an answer."""


class Line(asyncio.Protocol):
    """One connection, which answers one request at a time."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.transport: Any = None
        self.asked: Asked | None = None
        self.then: Then = nothing
        self.has_answered = False
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def ask(self, asked: Asked, payload: bytes, then: Then) -> None:
        self.asked, self.then, self._buffer = asked, then, b""
        asked.is_fresh = not self.has_answered
        asked.sent = clock()
        self.transport.write(payload)

    def data_received(self, data: bytes) -> None:
        self._buffer = buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0 or self.asked is None:
            return
        head = buffer[:end].lower()
        at = head.find(b"content-length:")
        if at >= 0:
            stop = head.find(b"\r\n", at)
            n_bytes = int(head[at + 15 : stop if stop >= 0 else end])
            if len(buffer) - end - 4 >= n_bytes:
                self._answered(buffer[:end], buffer[end + 4 : end + 4 + n_bytes], b"connection: close" in head)
        elif b"transfer-encoding: chunked" in head and buffer.endswith(b"0\r\n\r\n"):
            self._answered(buffer[:end], _unchunked(buffer[end + 4 :]), b"connection: close" in head)

    def _answered(self, head: bytes, body: bytes, is_last: bool) -> None:
        asked, self.asked, self._buffer, self.has_answered = self.asked, None, b"", True
        assert asked is not None
        asked.at, asked.status, asked.head, asked.body = clock(), int(head[9:12]), head, body
        if is_last:
            self.transport.close()
        else:
            self.pool.idle.append(self)
        self.pool.settled(asked, self.then)

    def connection_lost(self, error: Exception | None) -> None:
        self.pool.forget(self)
        asked, self.asked = self.asked, None
        if asked is not None:
            asked.at, asked.fault = clock(), asked.fault or LOST
            self.pool.settled(asked, self.then)


class Pool:
    """Connections to one server."""

    def __init__(self, port: int, patience_s: float = 60.0) -> None:
        self.port = port
        self.patience_s = patience_s
        self.idle: list[Line] = []
        self.lines: set[Line] = set()
        self.n_open = 0
        """Requests on their way."""
        self._tasks: set[asyncio.Task[None]] = set()

    def fire(self, asked: Asked, payload: bytes, then: Then) -> None:
        """Send at once; `then` is told when it has ended, one way or the other."""
        self.n_open += 1
        while self.idle:
            line = self.idle.pop()
            if not line.transport.is_closing():
                line.ask(asked, payload, then)
                return
        task = asyncio.get_running_loop().create_task(self._connect(asked, payload, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, key: str = ""
    ) -> Asked:
        """One request and its answer."""
        done: asyncio.Future[Asked] = asyncio.get_running_loop().create_future()
        asked = Asked(-1, clock())
        self.fire(asked, payload_of(method, path, body, headers, key), lambda one: done.done() or done.set_result(one))
        await asyncio.wait_for(done, self.patience_s + 5)
        return asked

    def settled(self, asked: Asked, then: Then) -> None:
        self.n_open -= 1
        then(asked)

    def forget(self, line: Line) -> None:
        self.lines.discard(line)
        if line in self.idle:
            self.idle.remove(line)

    def sweep(self) -> None:
        """Give up what had no answer for too long."""
        now = clock()
        for line in [one for one in self.lines if one.asked is not None]:
            if line.asked is not None and now - line.asked.due > self.patience_s:
                line.asked.fault = LATE
                line.transport.abort()

    async def drained(self) -> None:
        """Returns when nothing is on its way; what takes too long is given up."""
        until = clock() + self.patience_s + 5
        while self.n_open and clock() < until:
            self.sweep()
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        for line in list(self.lines):
            line.transport.abort()
        await asyncio.sleep(0)

    async def open(self, n: int) -> None:
        """Have `n` connections more that nobody uses now, and over each of which one answer has come: a server closes
        one that has never asked.
        """
        own = Pool(self.port, self.patience_s)
        await asyncio.gather(*(own.call("GET", "/health/live") for _ in range(n)))
        for line in own.lines:
            line.pool = self
        self.lines |= own.lines
        self.idle += own.idle

    async def _connect(self, asked: Asked, payload: bytes, then: Then) -> None:
        try:
            connecting = asyncio.get_running_loop().create_connection(lambda: Line(self), "127.0.0.1", self.port)
            _, line = await asyncio.wait_for(connecting, self.patience_s)
        except (OSError, TimeoutError) as error:
            asked.at, asked.fault = clock(), REFUSED if isinstance(error, OSError) else LATE
            self.settled(asked, then)
            return
        self.lines.add(line)
        line.ask(asked, payload, then)


def payload_of(
    method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, key: str = ""
) -> bytes:
    """A request as it goes over the wire."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(content))}
    told |= {"authorization": f"Bearer {key}"} if key else {}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**told, **(headers or {})}.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def predictions_of(name: str, key: str, inputs: Sequence[Any]) -> list[bytes]:
    """Requests for answers, each to a text or a list of texts."""
    path = f"/v1/models/{name}/predict"
    return [payload_of("POST", path, {"inputs": one}, key=key) for one in inputs]


def _unchunked(data: bytes) -> bytes:
    pieces = []
    while data:
        size, _, data = data.partition(b"\r\n")
        n_bytes = int(size, 16)
        pieces.append(data[:n_bytes])
        data = data[n_bytes + 2 :]
    return b"".join(pieces)
