"""Bodies of the routes that models answer on, read by hand, for speed, with every fault in one sentence."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request

from burnish.core.errors import hint, listed
from burnish.serving.http.guard import caller_of, service_of
from burnish.serving.limits import Limits
from burnish.serving.problems import Problem, shown
from burnish.serving.service import Call

TIMEOUT = "x-request-timeout"


def inputs_in(body: Any, limits: Limits) -> list[Any]:
    """The inputs of a call: `{"inputs": "text"}`, an object with the task's columns, or a list of these.

    Raises:
        Problem: there are none or too many, or one is too long.
    """
    rows = fields_in(body, {"inputs"})["inputs"]
    rows = rows if isinstance(rows, list) else [rows]
    if not 0 < len(rows) <= limits.inputs:
        raise Problem(422, f"'inputs' must hold 1 to {limits.inputs:,} inputs; it holds {len(rows):,}.")
    for number, row in enumerate(rows):
        if (length := _length(row)) > limits.characters:
            raise Problem(
                422, f"inputs[{number}]: has {length:,} characters; one input may have {limits.characters:,}."
            )
    return rows


def fields_in(body: Any, needed: set[str], optional: set[str] = frozenset()) -> Mapping[str, Any]:  # type: ignore[assignment]
    """The body as an object that has all that is needed and nothing unknown.

    Raises:
        Problem: it is not.
    """
    if not isinstance(body, dict):
        raise Problem(422, f"the body must be an object with {listed(sorted(needed))}; it is a {type(body).__name__}.")
    known = needed | set(optional)
    for name in body:
        if name not in known:
            near = hint(shown(name), known)
            raise Problem(422, f"there is no field '{shown(name)}'.{near} Known are {listed(sorted(known))}.")
    if lacking := sorted(needed - set(body)):
        raise Problem(422, f"the field '{lacking[0]}' is missing.")
    return body


def call_of(request: Request) -> Call:
    """The request as models are asked by it.

    Raises:
        Problem: its header says no time.
    """
    cycle = request.scope.get("burnish.cycle")
    is_gone = bool if cycle is None else lambda: bool(cycle.disconnected)
    service, visit = service_of(request), request.scope["burnish.visit"]
    seen = None if service.tracing is None else visit.batches.append
    return Call(caller_of(request), deadline_of(request, service.limits), visit.started, is_gone, seen)


def deadline_of(request: Request, limits: Limits) -> float:
    """On the clock of `time.monotonic`.

    Raises:
        Problem: the header says no time.
    """
    said = request.headers.get(TIMEOUT)
    if said is None:
        return time.monotonic() + limits.timeout_s
    try:
        seconds = float(said)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 3600:
        raise Problem(400, f"X-Request-Timeout must be seconds, above 0 and up to 3600; got '{said[:40]}'.")
    return time.monotonic() + min(seconds, limits.timeout_s)


def _length(row: Any) -> int:
    if isinstance(row, str):
        return len(row)
    if isinstance(row, dict):
        return sum(_length(value) for value in row.values())
    if isinstance(row, Sequence):
        return sum(_length(value) for value in row)
    return 0
