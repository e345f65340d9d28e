"""What is refused and why, in the form of RFC 9457 (problem details)."""

from __future__ import annotations

import math
import random
import traceback
from collections.abc import Mapping
from http import HTTPStatus

from burnish.core.errors import BurnishError, GateMissed, NotFound
from burnish.store.store import StoreUnavailable
from burnish.store.texts import json_of

MEDIA_TYPE = "application/problem+json"
BUG = "This is a bug of the server; its log tells more."
SHOWN = 80
"""Characters of what a client sent that a sentence repeats."""
MOST_JITTER_S = 10.0


class Problem(Exception):
    """A request that is not answered as asked. `detail` is one sentence for a person."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def body(self) -> bytes:
        title = HTTPStatus(self.status).phrase
        return json_of({"type": "about:blank", "title": title, "status": self.status, "detail": self.detail})


def overloaded(detail: str, wait_s: float = 1.0) -> Problem:
    """503, with a time to come back at that is not the same for everybody."""
    return Problem(503, detail, {"Retry-After": _later(wait_s)})


def too_many(detail: str, wait_s: float) -> Problem:
    """429, with the time at which there is room again."""
    return Problem(429, detail, {"Retry-After": _later(wait_s)})


def problem_of(error: Exception) -> Problem:
    """What a client is told of any fault; of one of ours only that it is ours."""
    match error:
        case Problem():
            return error
        case StoreUnavailable():
            return overloaded("the store does not answer now; nothing was changed.", 2)
        case NotFound():
            return Problem(404, str(error))
        case GateMissed():
            return Problem(409, str(error))
        case BurnishError():
            return Problem(422, str(error))
    return Problem(500, BUG)


def is_bug(error: Exception) -> bool:
    """Whether a fault is one of ours, and worth a line in the log."""
    return not isinstance(error, Problem | BurnishError)


def place_of(error: BaseException) -> str:
    """Where a fault of ours arose, for the log: files and lines, and nothing of what was at hand."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def shown(word: object) -> str:
    """What a client sent, short enough to be repeated and to be compared with names that there are."""
    text = str(word)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _later(wait_s: float) -> str:
    """Not sooner than there is room, and not all at once."""
    jitter_s = random.uniform(0, min(1 + wait_s / 2, MOST_JITTER_S))  # noqa: S311  # no secret
    return str(max(1, math.ceil(wait_s + jitter_s)))
