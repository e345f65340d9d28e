"""The Open Inference Protocol, version 2, which gateways speak (KServe, Triton): texts in, answers out.

https://github.com/kserve/open-inference-protocol. One input tensor of type BYTES a column of the task, of shape [N];
the answer has one output `predictions` of type BYTES, each the JSON of one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from burnish import __version__
from burnish.serving.access import OPEN
from burnish.serving.http.bodies import call_of, fields_in, inputs_in
from burnish.serving.http.guard import GuardedRoute, permits, service_of
from burnish.serving.http.reading import JSON, read_json
from burnish.serving.problems import Problem, shown

router = APIRouter(route_class=GuardedRoute)
IGNORED = {"parameters", "outputs"}
"""What the protocol has and this server does without."""


@router.get("/v2")
@permits("predict", is_narrow=True)
async def server(request: Request) -> dict[str, Any]:
    """What server this is."""
    return {"name": "burnish", "version": __version__, "extensions": []}


@router.get("/v2/health/live")
@permits(OPEN)
async def live(request: Request) -> dict[str, bool]:
    """Whether the server lives."""
    return {"live": True}


@router.get("/v2/health/ready")
@permits(OPEN)
async def ready(request: Request) -> Response:
    """Whether requests should be sent here."""
    return _state(not service_of(request).is_draining)


@router.get("/v2/models/{name}/ready")
@permits("predict")
async def model_ready(request: Request, name: str) -> Response:
    """Whether a model is here and loaded."""
    service = service_of(request)
    return _state(service.fleet.loaded(service.fleet.routing(name).main) is not None)


@router.get("/v2/models/{name}")
@permits("predict")
async def metadata(request: Request, name: str) -> dict[str, Any]:
    """The tensors of a model."""
    service = service_of(request)
    release = service.fleet.routing(name).main
    task = (await service.predictor_of(release)).task
    columns = [one.name for one in task.wanted if one.name not in task.gold | task.files]
    return {
        "name": name,
        "versions": [str(release.version)],
        "platform": f"burnish_{release.task}",
        "inputs": [{"name": column, "datatype": "BYTES", "shape": [-1]} for column in columns],
        "outputs": [{"name": "predictions", "datatype": "BYTES", "shape": [-1]}],
    }


@router.post("/v2/models/{name}/infer")
@permits("predict")
async def infer(request: Request, name: str) -> Response:
    """Answer a batch."""
    service = service_of(request)
    body = fields_in(await read_json(request, service.limits), {"inputs"}, IGNORED | {"id"})
    said = body.get("id", "")
    if not isinstance(said, str):
        raise Problem(422, "'id' must be a text.")
    rows = inputs_in({"inputs": _rows(body["inputs"])}, service.limits)
    found = await service.answer(name, rows, call_of(request))
    told = [orjson.dumps(item).decode() for item in found.items]
    output = {"name": "predictions", "datatype": "BYTES", "shape": [len(told)], "data": told}
    answer = {"model_name": name, "model_version": str(found.release.version), "outputs": [output]}
    return Response(orjson.dumps({**answer, **({"id": said} if said else {})}), media_type=JSON)


def _rows(tensors: Any) -> list[dict[str, Any]]:
    """Tensors as rows.

    Raises:
        Problem: they are none, or of different lengths, or two have one name.
    """
    if not isinstance(tensors, list) or not tensors:
        raise Problem(422, "'inputs' must be a list of tensors with name, shape, datatype and data.")
    columns: dict[str, list[str]] = {}
    for tensor in tensors:
        name, data = _column(tensor)
        if name in columns:
            raise Problem(422, f"there are two tensors '{name}'; each column has one.")
        columns[name] = data
    if len({len(data) for data in columns.values()}) != 1:
        raise Problem(422, "the tensors are of different lengths; each must hold one value an input.")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _column(tensor: Any) -> tuple[str, list[str]]:
    if not isinstance(tensor, Mapping) or not isinstance(tensor.get("name"), str):
        raise Problem(422, "a tensor has name, shape, datatype and data.")
    name, data = shown(tensor["name"]), tensor.get("data")
    if tensor.get("datatype") != "BYTES":
        said = shown(tensor.get("datatype"))
        raise Problem(422, f"the tensor '{name}' must be of datatype BYTES; got {said!r}.")
    if not isinstance(data, list) or not all(isinstance(one, str) for one in data):
        raise Problem(422, f"the tensor '{name}' must hold a list of texts as data.")
    shape = tensor.get("shape")
    if shape not in ([len(data)], [len(data), 1]):
        raise Problem(422, f"the tensor '{name}' holds {len(data):,} texts, so its shape is [{len(data)}].")
    return name, data


def _state(is_ready: bool) -> Response:
    return Response(orjson.dumps({"ready": is_ready}), 200 if is_ready else 503, media_type=JSON)
