"""Answers: one or many inputs at once, or a stream of lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from burnish.serving.http.bodies import call_of, inputs_in, parsed, read_json
from burnish.serving.http.guard import GuardedRoute, caller_of, permits, service_of
from burnish.serving.http.streaming import Streamed
from burnish.serving.problems import Problem
from burnish.serving.service import Answered

router = APIRouter(route_class=GuardedRoute)
LINES = "application/x-ndjson"
LINES_AT_ONCE = 64


@router.post("/v1/models/{name}/predict")
@permits("predict")
async def predict(request: Request) -> Response:
    """Answer one or many inputs; lines of NDJSON are answered line by line, as they come."""
    service, caller, name = service_of(request), caller_of(request), request.path_params["name"]
    if request.headers.get("content-type", "").startswith(LINES):
        service.fleet.routing(name)
        return Streamed(_lines(request), LINES)
    rows = inputs_in(await read_json(request, service.limits), service.limits)
    call = call_of(request)
    service.fleet.routing(name)
    caller.spend(len(rows))
    found = await service.answer(name, rows, call)
    return Response(_told(found), media_type="application/json")


def _told(found: Answered) -> bytes:
    release = found.release
    return orjson.dumps({"model": release.name, "version": release.version, "predictions": found.items})


async def _lines(request: Request) -> AsyncIterator[bytes]:
    """An answer line for each line that came, in their order; a line that cannot be answered gets its problem."""
    waiting: list[bytes] = []
    async for line in _received(request):
        waiting.append(line)
        if len(waiting) == LINES_AT_ONCE:
            yield await _answer_lines(request, waiting)
            waiting = []
    if waiting:
        yield await _answer_lines(request, waiting)


async def _received(request: Request) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in request.stream():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
    if rest.strip():
        yield rest


async def _answer_lines(request: Request, lines: list[bytes]) -> bytes:
    """All at once; where one of them is at fault, one by one."""
    try:
        return await _answer_some(request, lines)
    except Problem as problem:
        if len(lines) == 1:
            return problem.body() + b"\n"
        return b"".join([await _answer_lines(request, [line]) for line in lines])


async def _answer_some(request: Request, lines: list[bytes]) -> bytes:
    service, caller = service_of(request), caller_of(request)
    rows: list[Any] = [inputs_in({"inputs": [parsed(line, service.limits)]}, service.limits)[0] for line in lines]
    caller.spend(len(rows))
    found = await service.answer(request.path_params["name"], rows, call_of(request))
    about = {"model": found.release.name, "version": found.release.version}
    return b"".join(orjson.dumps({**item, **about}, option=orjson.OPT_APPEND_NEWLINE) for item in found.items)
