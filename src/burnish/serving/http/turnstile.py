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

WHOLE = re.compile(rb"POST /v1/models/([^/?#% ]+)/predict HTTP/1\.1\r\n")
LENGTH = re.compile(rb"\r\ncontent-length *:([^\r]*)")
UNUSUAL = re.compile(rb"\n(?:transfer-encoding|expect|upgrade|connection:(?! *keep-alive *\r\n)|[ \t])|[^\r]\n|\r[^\n]")
"""In the lower-case head of a request: what needs a parser to be understood."""
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
        self._let_in = Counter[str]()
        """Model → predictions that are on their way to its queue."""
        self._count = service.metrics.of(service.metrics.requests, route, HTTPStatus.SERVICE_UNAVAILABLE.value).inc

    def refusal_of(self, method: bytes, path: bytes) -> bytes | None:
        """The whole answer to a request, from its method and its path as it was sent; None where it is let in."""
        name = name_in(path.decode("ascii", "replace")) if method == b"POST" else None
        return None if name is None else self._refusal(name)

    def refusal_of_whole(self, data: bytes) -> bytes | None:
        """The answer to what came in one piece, where this is one whole request, and so plain that nothing in it but
        its path bears on the answer: one that needs no parser costs half. None where it is let in, or must be parsed.
        """
        begins = WHOLE.match(data)
        if begins is None or not self._is_full(begins[1].decode("ascii", "replace")):
            return None
        end = data.find(b"\r\n\r\n")
        head = data[begins.end() - 2 : end + 2].lower()
        if end < 0 or UNUSUAL.search(head) or LENGTH.findall(head) != [b" %d" % (len(data) - end - 4)]:
            return None
        return self._refusal(begins[1].decode("ascii"))

    def _refusal(self, name: str) -> bytes | None:
        """None for one that is let in. It is counted until it waits for the model, which it does before the event loop
        looks again what has arrived: else all that arrives at once would be let in where there is room for one.
        """
        if self._service.is_draining:
            return None
        if not self._is_full(name):
            if not self._let_in:
                asyncio.get_running_loop().call_soon(self._let_in.clear)
            self._let_in[name] += 1
            return None
        self._count()
        self._service.watch.count_error(name)
        return random.choice(self._refusals)  # noqa: S311  # no secret

    def _is_full(self, name: str) -> bool:
        return self._service.fleet.is_full(name, self._let_in[name])


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
