"""What speaks as OpenAI's API does, so that its clients can be pointed here: chat completions and embeddings.

https://platform.openai.com/docs/api-reference. A model's name is that of its release. Of the settings of a request only
those are taken that change nothing of what was judged; another `temperature`, say, is refused rather than ignored.
"""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import numpy as np
import orjson
from fastapi import APIRouter, Request, Response

from burnish.core.ids import new_id
from burnish.serving.access import allowed
from burnish.serving.engine import Answer
from burnish.serving.http.bodies import call_of, fields_in, inputs_in
from burnish.serving.http.guard import GuardedRoute, caller_of, permits, service_of
from burnish.serving.http.reading import JSON, read_json
from burnish.serving.http.streaming import Streamed
from burnish.serving.problems import Problem

router = APIRouter(route_class=GuardedRoute)
CHAT_FIELDS = {"stream", "user", "n", "metadata", "store"}


@router.post("/v1/chat/completions")
@permits("predict", is_narrow=True)
async def complete(request: Request) -> Response:
    """Answer a chat, at once or as server-sent events."""
    service = service_of(request)
    body = fields_in(await read_json(request, service.limits), {"model", "messages"}, CHAT_FIELDS)
    name, is_streamed = _name(request, body), _is_streamed(body)
    await _refuse_silent(request, name)
    [row] = inputs_in({"inputs": [{"messages": body["messages"]}]}, service.limits)
    if is_streamed:
        return await _streamed(request, name, row)
    found = await service.answer(name, [row], call_of(request))
    [answer] = found.items
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": answer["text"]},
        "finish_reason": _reason(answer),
    }
    told = _completion(name, "chat.completion", str(answer["prediction_id"]), choice)
    return Response(orjson.dumps(told), media_type=JSON)


@router.post("/v1/embeddings")
@permits("predict", is_narrow=True)
async def embed(request: Request) -> Response:
    """Vectors of texts, as numbers or as base64 of float32."""
    service = service_of(request)
    body = fields_in(await read_json(request, service.limits), {"model", "input"}, {"encoding_format", "user"})
    name, form = _name(request, body), body.get("encoding_format", "float")
    if form not in ("float", "base64"):
        raise Problem(422, "'encoding_format' must be float or base64.")
    rows = inputs_in({"inputs": body["input"]}, service.limits)
    task = (await service.predictor_of(service.fleet.routing(name).main)).task
    if "vector" not in task.answer.model_fields:
        raise Problem(404, f"the model '{name}' does {task.part_name} and gives no vectors of texts.")
    found = await service.answer(name, rows, call_of(request))
    data = [
        {"object": "embedding", "index": at, "embedding": _vector(item["vector"], form)}
        for at, item in enumerate(found.items)
    ]
    usage = {"prompt_tokens": found.n_tokens, "total_tokens": found.n_tokens}
    told = {"object": "list", "model": name, "data": data, "usage": usage}
    return Response(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY), media_type=JSON)


def _is_streamed(body: Mapping[str, Any]) -> bool:
    if body.get("n") not in (None, 1) or isinstance(body.get("n"), bool):
        raise Problem(422, "'n' must be 1: one answer is given.")
    is_streamed = body.get("stream")
    if not isinstance(is_streamed, bool | None):
        raise Problem(422, "'stream' must be true or false.")
    return bool(is_streamed)


def _name(request: Request, body: Mapping[str, Any]) -> str:
    """The model that is asked, when this key may ask it."""
    name = body["model"]
    if not isinstance(name, str):
        raise Problem(422, "'model' must be the name of a model.")
    allowed(caller_of(request), "predict", name)
    service_of(request).fleet.routing(name)
    return name


async def _refuse_silent(request: Request, name: str) -> None:
    service = service_of(request)
    task = (await service.predictor_of(service.fleet.routing(name).main)).task
    if not any(one.name == "messages" for one in task.wanted) or "text" not in task.answer.model_fields:
        raise Problem(404, f"the model '{name}' does {task.part_name} and answers no chats.")


async def _streamed(request: Request, name: str, row: Any) -> Response:
    """Server-sent events, once the first piece is there: what is refused until then is refused as ever."""
    identity = new_id("p")
    pieces = service_of(request).write(name, row, call_of(request), identity)
    first = await anext(pieces)
    return Streamed(_events(name, identity, first, pieces), "text/event-stream")


async def _events(
    name: str, identity: str, first: str | Answer, pieces: AsyncGenerator[str | Answer]
) -> AsyncGenerator[bytes]:
    async with aclosing(pieces):
        piece, delta = first, {"role": "assistant"}
        while isinstance(piece, str):
            yield _chunk(name, identity, {**delta, "content": piece}, None)
            piece, delta = await anext(pieces), {}
    yield _chunk(name, identity, {}, _reason(piece.items[0]))
    yield b"data: [DONE]\n\n"


def _reason(answer: Mapping[str, Any]) -> str:
    """Why a text ends: by itself, or at the most tokens that the model may write."""
    return "stop" if answer.get("is_finished", True) else "length"


def _chunk(name: str, identity: str, delta: Mapping[str, str], reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: " + orjson.dumps(_completion(name, "chat.completion.chunk", identity, choice)) + b"\n\n"


def _completion(name: str, kind: str, identity: str, choice: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": identity, "object": kind, "created": int(time.time()), "model": name, "choices": [choice]}


def _vector(vector: Any, form: str) -> Any:
    numbers = np.asarray(vector, np.float32)
    return numbers if form == "float" else base64.b64encode(numbers.tobytes()).decode()
