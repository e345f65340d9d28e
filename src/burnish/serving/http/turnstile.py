"""What comes before the door: a prediction for which there is no room is refused when its head is there, in one write.

A refusal that takes the way of an answer costs a third of one, so that a server at twice its load would spend its time
on saying no, and say it late.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus

from burnish.serving.lane import FULL
from burnish.serving.problems import MEDIA_TYPE, Problem, overloaded
from burnish.serving.service import Service
from burnish.store.releases import NAME

FIRST_LINE = re.compile(rb"POST ([!-~]+) HTTP/1\.1\r\n")
LENGTH = re.compile(rb"\r\ncontent-length *:([^\r]*)")
"""In the lower-case head of a request: what it says of the length of its body, in each line that does."""
UNUSUAL = re.compile(rb"\n(?:transfer-encoding|expect|upgrade|connection:(?! *keep-alive *\r\n)|[ \t])|[^\r]\n|\r[^\n]")
"""In the same: what needs a parser to be understood."""
BEFORE_NAME, AFTER_NAME = "/v1/models/", "/predict"
SAFETY = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
CLOSING = (b"connection", b"close")
"""Sent while the server drains: whoever keeps a connection open goes elsewhere."""
N_PREPARED = 64
"""Answers that are made beforehand; they differ in when to come back."""


class Turnstile:
    """Refuses predictions for a model that takes no more. Who asks is not looked at: it costs more than is saved."""

    def __init__(self, service: Service, route: str) -> None:
        self._service = service
        self._refusals = [whole(overloaded(FULL), SAFETY) for _ in range(N_PREPARED)]
        self._coming = Counter[str]()
        """Model → predictions that are on their way to its queue."""
        self._count = service.metrics.of(service.metrics.requests, route, HTTPStatus.SERVICE_UNAVAILABLE.value).inc

    def refusal_of(self, method: bytes, path: bytes) -> bytes | None:
        """The whole answer to a request, from its method and its path as it was sent; None where it is let in."""
        name = name_in(path.decode("ascii", "replace")) if method == b"POST" else None
        if name is None or self._service.is_draining:
            return None
        if self._is_full(name):
            return self._refusal(name)
        self._let_in(name)
        return None

    def refusal_of_whole(self, data: bytes) -> bytes | None:
        """The answer to what came in one piece, where this is one whole request, and so plain that nothing in it but
        its path bears on the answer: one that needs no parser costs half. None where it is let in, or must be parsed.
        """
        begins = FIRST_LINE.match(data)
        name = None if begins is None else name_in(begins[1].decode("ascii"))
        if begins is None or name is None or self._service.is_draining or not self._is_full(name):
            return None
        end = data.find(b"\r\n\r\n")
        head = data[begins.end() - 2 : end + 2].lower()
        if end < 0 or UNUSUAL.search(head) or LENGTH.findall(head) != [b" %d" % (len(data) - end - 4)]:
            return None
        return self._refusal(name)

    def _let_in(self, name: str) -> None:
        """Count a prediction until it waits for the model, which it does before the event loop looks again what has
        arrived: else all that arrives at once would be let in where there is room for one.
        """
        if not self._coming:
            asyncio.get_running_loop().call_soon(self._coming.clear)
        self._coming[name] += 1

    def _refusal(self, name: str) -> bytes:
        self._count()
        self._service.watch.count_error(name)
        return random.choice(self._refusals)  # noqa: S311  # no secret

    def _is_full(self, name: str) -> bool:
        return self._service.fleet.is_full(name, self._coming[name])


def name_in(path: str) -> str | None:
    """The model of which a path asks a prediction; None for any other path."""
    if not (path.startswith(BEFORE_NAME) and path.endswith(AFTER_NAME)):
        return None
    name = path[len(BEFORE_NAME) : -len(AFTER_NAME)]
    return name if NAME.fullmatch(name) else None


def whole(problem: Problem, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A problem as a whole answer of HTTP/1.1."""
    body = problem.body()
    own = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **problem.headers}
    lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}".encode()]
    lines += [f"{name.lower()}: {value}".encode() for name, value in own.items()]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join([*lines, b"", body])
