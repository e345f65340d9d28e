"""What is refused and why, in the form of RFC 9457 (problem details)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from http import HTTPStatus

import orjson

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A request that is not answered as asked. `detail` is one sentence for a person."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        title = HTTPStatus(self.status).phrase
        return orjson.dumps({"type": "about:blank", "title": title, "status": self.status, "detail": self.detail})


def overloaded(detail: str, wait_s: float = 1.0) -> Problem:
    """503, with a time to come back at that is not the same for everybody."""
    return Problem(503, detail, {"Retry-After": _later(wait_s)})


def too_many(detail: str, wait_s: float) -> Problem:
    """429, with the time at which there is room again."""
    return Problem(429, detail, {"Retry-After": _later(wait_s)})


def _later(wait_s: float) -> str:
    return str(max(1, round(wait_s + random.uniform(0, 1 + wait_s / 2))))  # noqa: S311  # no secret
