"""Answers: one or many inputs at once, or a stream of lines."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from burnish.serving.http.bodies import call_of, inputs_in
from burnish.serving.http.guard import GuardedRoute, permits, service_of
from burnish.serving.http.reading import JSON, parsed, read_json, refuse_compressed
from burnish.serving.http.streaming import Streamed
from burnish.serving.problems import Problem, is_bug, problem_of
from burnish.serving.service import Answered

router = APIRouter(route_class=GuardedRoute)
LINES = "application/x-ndjson"
LINES_AT_ONCE = 64


@router.post("/v1/models/{name}/predict")
@permits("predict")
async def predict(request: Request) -> Response:
    """Answer one or many inputs; lines of NDJSON are answered line by line, as they come."""
    service, name = service_of(request), request.path_params["name"]
    if request.headers.get("content-type", "").lower().startswith(LINES):
        refuse_compressed(request.headers)
        service.fleet.routing(name)
        call_of(request)
        return Streamed(_lines(request), LINES)
    rows = inputs_in(await read_json(request, service.limits), service.limits)
    found = await service.answer(name, rows, call_of(request))
    return Response(_told(found), media_type=JSON)


def _told(found: Answered) -> bytes:
    release = found.release
    return orjson.dumps({"model": release.name, "version": release.version, "predictions": found.items})


async def _lines(request: Request) -> AsyncGenerator[bytes]:
    """An answer line for each line that came, in their order; a line that cannot be answered gets its problem."""
    async for lines in _received(request):
        for start in range(0, len(lines), LINES_AT_ONCE):
            yield await _answer_lines(request, lines[start : start + LINES_AT_ONCE])


async def _received(request: Request) -> AsyncIterator[list[bytes]]:
    """Whole lines as they arrive. There may be any number, but each has the bounds of a body, and each piece of them a
    body's time.
    """
    visit, limits, rest = request.scope["burnish.visit"], service_of(request).limits, bytearray()
    more_time = request.scope.get("burnish.more_time", _nothing)
    visit.is_counted = False
    async for piece in request.stream():
        more_time(None)  # while lines are answered nobody waits for the client
        rest += piece
        if b"\n" in piece:
            *lines, tail = bytes(rest).split(b"\n")
            rest = bytearray(tail)
            yield [line for line in lines if line.strip()]
        more_time(limits.body_s)
        if len(rest) > limits.body_bytes:
            break  # it is refused for its size, and nothing behind it can be told apart
    if rest.strip():
        yield [bytes(rest)]


async def _answer_lines(request: Request, lines: Sequence[bytes]) -> bytes:
    """All at once; where one of them is at fault, one by one."""
    try:
        return await _answer_some(request, lines)
    except Exception as error:
        if is_bug(error):
            raise
        if len(lines) == 1:
            return problem_of(error).body() + b"\n"
        return b"".join([await _answer_lines(request, [line]) for line in lines])


async def _answer_some(request: Request, lines: Sequence[bytes]) -> bytes:
    service, limits = service_of(request), service_of(request).limits
    rows: list[Any] = [_row(line, limits) for line in lines]
    found = await service.answer(request.path_params["name"], rows, call_of(request))
    about = {"model": found.release.name, "version": found.release.version}
    return b"".join(orjson.dumps({**item, **about}, option=orjson.OPT_APPEND_NEWLINE) for item in found.items)


def _row(line: bytes, limits: Any) -> Any:
    if len(line) > limits.body_bytes:
        raise Problem(413, f"the line is larger than {limits.body_bytes:,} bytes.")
    return inputs_in({"inputs": [parsed(line, limits)]}, limits)[0]


def _nothing(seconds: float | None) -> None:
    """Where the server's own protocol does not run, nobody watches the clock."""
