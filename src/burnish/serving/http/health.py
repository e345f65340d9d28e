"""Whether the server lives, whether it can answer, and its numbers."""

from __future__ import annotations

import asyncio

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from burnish.serving.access import OPEN
from burnish.serving.http.guard import GuardedRoute, permits, service_of
from burnish.serving.http.reading import JSON

router = APIRouter(route_class=GuardedRoute)


@router.get("/health/live")
@permits(OPEN)
async def live(request: Request) -> Response:
    """200 while the process answers at all."""
    return Response(b'{"status":"live"}', media_type=JSON)


@router.get("/health/ready")
@permits(OPEN)
async def ready(request: Request) -> Response:
    """200 while requests should be sent here; 503 when it is shutting down. Says `degraded` while the store is away."""
    service = service_of(request)
    if service.is_draining:
        return Response(b'{"status":"draining"}', 503, media_type=JSON)
    is_well = service.fault is None and not service.fleet.faults
    status = {"status": "ready" if is_well else "degraded", "models": len(service.fleet.names)}
    return Response(orjson.dumps(status), media_type=JSON)


@router.get("/metrics", response_class=PlainTextResponse)
@permits("metrics")
async def metrics(request: Request) -> Response:
    """Everything that is counted, for Prometheus."""
    text = await asyncio.to_thread(service_of(request).metrics.text)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
