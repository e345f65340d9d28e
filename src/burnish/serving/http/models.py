"""What is in service, and which versions answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from burnish.flows.traffic import Traffic, set_traffic
from burnish.serving.http.guard import GuardedRoute, caller_of, desk_of, masked, permits, service_of, who
from burnish.serving.http.shapes import Move, Named
from burnish.serving.problems import Problem
from burnish.serving.service import Service
from burnish.store.records import Release

router = APIRouter(route_class=GuardedRoute)


@router.get("/v1/models")
@permits("predict", is_narrow=True)
async def models(request: Request) -> dict[str, Any]:
    """The models that this key may ask."""
    service, caller = service_of(request), caller_of(request)
    return {"models": [_told(service, name) for name in service.fleet.names if caller.may_ask(name)]}


@router.get("/v1/models/{name}")
@permits("predict")
async def model(request: Request, name: str) -> dict[str, Any]:
    """One model: its task, version and labels."""
    return _told(service_of(request), name)


@router.get("/v1/models/{name}/releases")
@permits("review")
async def releases(request: Request, name: str) -> dict[str, Any]:
    """Every version, newest first, and the aliases."""
    home = service_of(request).home
    found = await desk_of(request).do(home.releases.all, name)
    if not found:
        raise Problem(404, f"there is no release of the name '{name}'.")
    aliases = {one.alias: one.version for one in await desk_of(request).do(home.releases.aliases) if one.name == name}
    return {"releases": [_release(one) for one in found], "aliases": aliases}


@router.post("/v1/models/{name}/promote")
@permits("release")
async def promote(request: Request, name: str, move: Move) -> dict[str, Any]:
    """Make a version production; servers take it over within a second. One that missed its gate needs `force`."""
    home = service_of(request).home
    why = await masked(request, move.why)
    promote_it = home.releases.promote
    return _release(await desk_of(request).do(promote_it, name, move.version, who(request), why, force=move.force))


@router.post("/v1/models/{name}/rollback")
@permits("release")
async def rollback(request: Request, name: str, named: Named) -> dict[str, Any]:
    """Make the version before production again."""
    home, why = service_of(request).home, await masked(request, named.why)
    return _release(await desk_of(request).do(home.releases.roll_back, name, who(request), why))


@router.put("/v1/models/{name}/traffic")
@permits("release")
async def share_out(request: Request, name: str, traffic: Traffic) -> dict[str, Any]:
    """Let a canary answer a share of the requests, or a shadow be asked beside production."""
    await desk_of(request).do(set_traffic, service_of(request).home, name, traffic, who(request))
    return traffic.model_dump()


def _told(service: Service, name: str) -> dict[str, Any]:
    routing = service.fleet.routing(name)
    served = service.fleet.loaded(routing.main)
    about: dict[str, Any] = {"name": name, "version": routing.main.version, "task": routing.main.task}
    if served is not None:
        task = served.predictor.task
        about["inputs"] = [one.name for one in task.wanted if one.name not in task.gold | task.files]
        about["labels"] = list(served.predictor.knowledge.labels)
    for kind in ("canary", "shadow"):
        other: Release | None = getattr(routing, kind)
        if other is not None:
            about[kind] = other.version
    return about


def _release(release: Release) -> dict[str, Any]:
    return {name: getattr(release, name) for name in Release.__slots__ if name != "recipe"}
