"""The API's description (OpenAPI): routes, their permissions, and for each model what its task reads and answers."""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from burnish import __version__
from burnish.serving.access import OPEN, has_key
from burnish.serving.http.guard import GuardedRoute, guarded_routes, permits, service_of
from burnish.serving.http.predict import LINES
from burnish.serving.http.reading import JSON
from burnish.serving.http.schemas import (
    PROBLEM,
    Schema,
    answers_of,
    chat_of,
    embedding_of,
    inputs_of,
    tensors_of,
)
from burnish.serving.limits import Limits
from burnish.serving.problems import MEDIA_TYPE
from burnish.serving.service import Service
from burnish.store.releases import NAME
from burnish.tasks._contract import Task

PREDICT = "/v1/models/{name}/predict"
READY = ("/health/ready", "/v2/health/ready", "/v2/models/{name}/ready")
REFUSALS = {
    "400": "The request cannot be read.",
    "401": "No valid key.",
    "403": "The key may not do that.",
    "404": "There is nothing of that name for this key.",
    "408": "The request did not arrive in time.",
    "409": "The version missed its gate.",
    "413": "The body is too large.",
    "415": "The body is compressed, or no JSON.",
    "422": "The request was read, and cannot be done.",
    "429": "The key's rate or quota is used up.",
    "503": "Too much waits, the deadline passed, or the store is away.",
}
RETRY = {"Retry-After": {"description": "Seconds after which to come back.", "schema": {"type": "integer"}}}
NAMED = {"name", "identity", "prediction_id"}
VERSION = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
TRAFFIC = [
    {"properties": {"canary": {"type": "null"}, "percent": {"const": 0}}},
    {"properties": {"canary": VERSION, "percent": {"exclusiveMinimum": 0}}, "required": ["canary", "percent"]},
]
"""A canary has a version and a share, or neither."""


def describe(app: FastAPI, routes: Sequence[GuardedRoute]) -> APIRouter:
    """The route of the description of some routes."""
    router = APIRouter(route_class=GuardedRoute)
    made: dict[str, Any] = {}

    @router.get("/openapi.json")
    @permits(OPEN)
    async def openapi(request: Request) -> Response:
        """What can be asked here, as OpenAPI tells it; with a key, for each of its models too."""
        service = service_of(request)
        caller = await service.access.caller_of(request.headers) if has_key(request.headers) else None
        if not made:
            made.update(await asyncio.to_thread(described, app, [*routes, *guarded_routes(router)], service.limits))
        names = [name for name in service.fleet.names if caller is not None and caller.may_ask(name)]
        return Response(orjson.dumps(with_models(made, service, names)), media_type=JSON)

    return router


def described(app: FastAPI, routes: Sequence[GuardedRoute], limits: Limits) -> dict[str, Any]:
    """The description of everything but the models that are in service."""
    told = get_openapi(title="Burnish", version=__version__, routes=app.routes)
    told.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    told["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    by_hand = {
        "/v1/chat/completions": (chat_of(limits), {"text/event-stream": {"type": "string"}}),
        "/v1/embeddings": (embedding_of(limits), {}),
        "/v2/models/{name}/infer": (tensors_of(limits), {}),
    }
    for path, (schema, streams) in by_hand.items():
        told["paths"][path]["post"] |= {"requestBody": _body(schema), "responses": {"200": _answer({}, streams)}}
    told["paths"][PREDICT]["post"] |= _predicting(None, limits, {})
    permissions = {(route.path, method.lower()): route.permission for route in routes for method in route.methods or ()}
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            _name_parameters(operation, path)
            _complete(operation, path, permissions[path, method])
    told["components"]["schemas"]["Traffic"] |= {"anyOf": TRAFFIC}
    told["components"]["schemas"]["Traffic"]["properties"]["shadow"] = {"anyOf": [VERSION, {"type": "null"}]}
    return told


def with_models(made: Mapping[str, Any], service: Service, names: Sequence[str]) -> dict[str, Any]:
    """The same with the models of some names that are loaded."""
    told = {**made, "paths": dict(made["paths"]), "components": copy.deepcopy(made["components"])}
    for name in names:
        served = service.fleet.loaded(service.fleet.routing(name).main)
        if served is not None:
            task = served.predictor.task
            operation = {"summary": f"Answers of {name} ({task.part_name})", "operationId": f"predict_{name}"}
            operation |= _predicting(task, service.limits, told["components"]["schemas"])
            _complete(operation, PREDICT, "predict")
            told["paths"][PREDICT.format(name=name)] = {"post": operation}
    return told


def _name_parameters(operation: dict[str, Any], path: str) -> None:
    """Those in the path that the endpoint reads by itself; and what a name looks like."""
    told = operation.setdefault("parameters", [])
    for name in re.findall(r"\{(\w+)\}", path):
        if name not in {one["name"] for one in told}:
            told.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
    for one in told:
        if one["name"] == "name" and one["in"] == "path":
            one["schema"]["pattern"] = f"^{NAME.pattern}$"


def _predicting(task: Task | None, limits: Limits, definitions: dict[str, Schema]) -> dict[str, Any]:
    lines = {LINES: {"type": "string", "description": "An input, and an answer, a line."}}
    answers = _answer(answers_of(task, definitions), lines)
    return {"requestBody": _body(inputs_of(task, limits)), "responses": {"200": answers}}


def _complete(operation: dict[str, Any], path: str, permission: str) -> None:
    """Security and refusals, which follow from what the route is."""
    operation["x-permission"] = permission
    operation["security"] = [] if permission == OPEN else [{"key": []}]
    if path in READY:
        told = {"description": "Not ready.", "content": {JSON: {"schema": {"type": "object"}}}}
        operation["responses"]["503"] = told
    for status in _refusals(operation, path, permission):
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        known = operation["responses"].get(status, {}).get("content", {}) if path in READY else {}
        told = {"description": REFUSALS[status], "content": {**known, **content}}
        operation["responses"][status] = told | ({"headers": RETRY} if status in ("429", "503") else {})


def _refusals(operation: Mapping[str, Any], path: str, permission: str) -> list[str]:
    found = {"408"}
    if permission != OPEN:
        found |= {"401", "403", "503"}
    if path == "/openapi.json":
        found |= {"401"}
    parameters = operation.get("parameters", [])
    if NAMED & {one["name"] for one in parameters} or permission == "predict":
        found |= {"404"}
    if parameters:
        found |= {"422"}
    if "requestBody" in operation:
        found |= {"400", "404", "413", "415", "422"} | ({"429"} if permission == "predict" else set())
    if path.endswith("/promote"):
        found |= {"409"}
    return sorted(found)


def _body(schema: Schema) -> dict[str, Any]:
    return {"required": True, "content": {JSON: {"schema": schema}}}


def _answer(schema: Schema, streams: Mapping[str, Schema]) -> dict[str, Any]:
    content = {JSON: {"schema": schema}, **{kind: {"schema": one} for kind, one in streams.items()}}
    return {"description": "Answered.", "content": content}
