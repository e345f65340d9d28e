"""The API's description (OpenAPI): routes, their permissions, and for each model what its task reads and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from burnish import __version__
from burnish.serving.access import OPEN
from burnish.serving.http.guard import GuardedRoute, guarded_routes, permits, service_of
from burnish.serving.problems import MEDIA_TYPE
from burnish.serving.service import Service
from burnish.tasks._contract import Task

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
REFUSALS = {
    "400": "The request cannot be read.",
    "401": "No valid key.",
    "403": "The key may not do that.",
    "404": "There is nothing of that name for this key.",
    "409": "What stands is in the way.",
    "413": "The body is too large.",
    "415": "The body is of a kind that is not read.",
    "422": "The request was read, and cannot be done.",
    "429": "The key's rate or quota is used up; see Retry-After.",
    "503": "Too much waits, or the store is away; see Retry-After.",
}
TEXT = {"type": "string"}
LIST_OF = {"type": "array", "minItems": 1}


def describe(app: FastAPI, routes: Sequence[GuardedRoute]) -> APIRouter:
    """The route of the description of some routes."""
    router = APIRouter(route_class=GuardedRoute)

    @router.get("/openapi.json")
    @permits(OPEN)
    async def openapi(request: Request) -> Response:
        """What can be asked here, as OpenAPI tells it."""
        return Response(
            orjson.dumps(described(app, [*routes, *guarded_routes(router)], service_of(request))),
            media_type="application/json",
        )

    return router


def described(app: FastAPI, routes: Sequence[GuardedRoute], service: Service) -> dict[str, Any]:
    """The description as it is now."""
    told = get_openapi(title="Burnish", version=__version__, routes=app.routes)
    told.setdefault("components", {})["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    permissions = {(route.path, method.lower()): route.permission for route in routes for method in route.methods or ()}
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            _complete(operation, permissions[path, method])
    told["paths"]["/v1/models/{name}/predict"]["post"]["requestBody"] = _body(_wrapped(_input(None)))
    told["paths"]["/v1/chat/completions"]["post"]["requestBody"] = _body(CHAT)
    told["paths"]["/v1/embeddings"]["post"]["requestBody"] = _body(EMBEDDING)
    told["paths"]["/v2/models/{name}/infer"]["post"]["requestBody"] = _body(TENSORS)
    for name in service.fleet.names:
        told["paths"][f"/v1/models/{name}/predict"] = {"post": _of_model(service, name, told["components"])}
    return told


def _complete(operation: dict[str, Any], permission: str) -> None:
    """Security and refusals, which are the same for all routes."""
    operation["x-permission"] = permission
    if permission == OPEN:
        operation["security"] = []
    else:
        operation["security"] = [{"key": []}]
    for status, about in REFUSALS.items():
        operation["responses"][status] = {"description": about, "content": {MEDIA_TYPE: {"schema": PROBLEM}}}


def _of_model(service: Service, name: str, components: dict[str, Any]) -> dict[str, Any]:
    task = service.task_of(service.fleet.routing(name).main)
    answer = task.answer.model_json_schema(ref_template="#/components/schemas/{model}")
    components.setdefault("schemas", {}).update(answer.pop("$defs", {}))
    answer["properties"] = {"prediction_id": TEXT, **answer.get("properties", {})}
    predictions = {"type": "array", "items": answer}
    told = {"model": TEXT, "version": {"type": "integer"}, "predictions": predictions}
    schema = {"type": "object", "required": list(told), "properties": told}
    operation: dict[str, Any] = {
        "summary": f"Answers of {name} ({task.part_name})",
        "operationId": f"predict_{name}",
        "requestBody": _body(_wrapped(_input(task))),
        "responses": {
            "200": {"description": "An answer for each input.", "content": {"application/json": {"schema": schema}}}
        },
    }
    _complete(operation, "predict")
    return operation


def _input(task: Task | None) -> dict[str, Any]:
    """What one input may be: the text alone where there is one, or an object of the task's columns."""
    if task is None:
        return {"anyOf": [TEXT, {"type": "object"}]}
    columns = [one for one in task.wanted if one.name not in task.gold and one.name not in task.files]
    properties = {one.name: {"description": one.what} for one in columns}
    needed = [one.name for one in columns if one.is_required]
    row = {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
    return {"anyOf": [TEXT, row]}


def _wrapped(one: dict[str, Any]) -> dict[str, Any]:
    inputs = {"anyOf": [one, {**LIST_OF, "items": one}]}
    return {"type": "object", "required": ["inputs"], "properties": {"inputs": inputs}, "additionalProperties": False}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_TURN = {
    "type": "object",
    "required": ["role", "content"],
    "properties": {"role": {"enum": ["system", "user", "assistant"]}, "content": TEXT},
}
CHAT = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": {"model": TEXT, "messages": {**LIST_OF, "items": _TURN}, "stream": {"type": "boolean"}},
}
EMBEDDING = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": TEXT,
        "input": {"anyOf": [TEXT, {**LIST_OF, "items": TEXT}]},
        "encoding_format": {"enum": ["float", "base64"]},
    },
}
_TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype", "data"],
    "properties": {
        "name": TEXT,
        "shape": {"type": "array", "items": {"type": "integer"}},
        "datatype": {"const": "BYTES"},
        "data": {"type": "array", "items": TEXT},
    },
}
TENSORS = {
    "type": "object",
    "required": ["inputs"],
    "properties": {"id": TEXT, "inputs": {**LIST_OF, "items": _TENSOR}},
}
