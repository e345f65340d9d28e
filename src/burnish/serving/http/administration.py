"""Keys, alerts, jobs, the audit log, and being forgotten."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request

from burnish.flows.erase import erase_input
from burnish.flows.work import refuse_unknown_job
from burnish.serving.http.guard import GuardedRoute, desk_of, permits, service_of, who
from burnish.serving.http.shapes import OVERRIDE, AlertChange, Erasure, NewJob, NewKey, Rotation
from burnish.serving.problems import Problem, shown
from burnish.serving.service import Service
from burnish.store.records import Key

router = APIRouter(route_class=GuardedRoute)
DAY_S = 86_400
MOST_SHOWN = 1000
Found = TypeVar("Found")
MOST_NUMBER = 2**53


@router.get("/v1/keys")
@permits("admin")
async def keys(request: Request) -> dict[str, Any]:
    """Every key, without its secret."""
    return {"keys": [_told(key) for key in await desk_of(request).do(service_of(request).home.keys.all)]}


@router.post("/v1/keys", status_code=201)
@permits("admin")
async def create(request: Request, new: NewKey) -> dict[str, Any]:
    """A new key; its text is in this answer and never again."""
    limits = {"per_minute": new.per_minute, "per_day": new.per_day, "models": tuple(new.models)}
    expires_at = None if new.days is None else time.time() + new.days * DAY_S
    service = service_of(request)
    make = partial(service.home.keys.create, new.owner, new.roles, who(request), expires_at=expires_at, **limits)
    key, text = await desk_of(request).do(_taken_over, service, make)
    return {**_told(key), "key": text}


@router.delete("/v1/keys/{identity}")
@permits("admin")
async def revoke(request: Request, identity: str) -> dict[str, Any]:
    """Refuse a key from now on."""
    service = service_of(request)
    revoke_it = partial(service.home.keys.revoke, identity, who(request))
    revoked = await desk_of(request).do(_taken_over, service, revoke_it)
    return _told(revoked)


@router.post("/v1/keys/{identity}/rotate", status_code=201)
@permits("admin")
async def rotate(request: Request, identity: str, rotation: Rotation) -> dict[str, Any]:
    """A new key in place of one, which is taken for some time yet if asked."""
    service = service_of(request)
    rotate_it = partial(service.home.keys.rotate, identity, who(request), rotation.overlap_s)
    key, text = await desk_of(request).do(_taken_over, service, rotate_it)
    return {**_told(key), "key": text}


@router.get("/v1/alerts")
@permits("review")
async def alerts(request: Request, name: str | None = None, since: float = 0.0) -> dict[str, Any]:
    """Alerts, newest first, up to 1,000."""
    found = await desk_of(request).do(service_of(request).home.alerts.all, name, (), since)
    return {"alerts": [asdict(one) for one in found[:MOST_SHOWN]]}


@router.post("/v1/alerts/{identity}")
@permits("review")
async def change_alert(request: Request, identity: str, change: AlertChange) -> dict[str, str]:
    """Acknowledge or resolve an alert."""
    await desk_of(request).do(service_of(request).home.alerts.change, identity, change.state, who(request))
    return {"id": identity, "state": change.state}


@router.get("/v1/jobs")
@permits("release")
async def jobs(request: Request) -> dict[str, Any]:
    """The newest jobs."""
    return {"jobs": [asdict(one) for one in await desk_of(request).do(service_of(request).home.jobs.all)]}


@router.post("/v1/jobs", status_code=201)
@permits("release")
async def add_job(request: Request, new: NewJob) -> dict[str, Any]:
    """Work for `burnish worker`."""
    add = service_of(request).home.jobs.add
    if not isinstance(new.arguments.get("name", ""), str):
        raise Problem(422, "arguments: the name of a model must be a text.")
    refuse_unknown_job(new.kind, new.arguments)
    _refuse_other_overrides(new.arguments.get("overrides", ()))
    return asdict(await desk_of(request).do(add, new.kind, new.arguments, who(request), time.time() + new.due_in_s))


@router.delete("/v1/jobs/{identity}")
@permits("release")
async def cancel_job(request: Request, identity: str) -> dict[str, str]:
    """Let a job not be done."""
    await desk_of(request).do(service_of(request).home.jobs.cancel, identity, who(request))
    return {"id": identity, "state": "cancelled"}


@router.get("/v1/audit")
@permits("admin")
async def audit(request: Request, after: Annotated[int, Query(ge=0, le=MOST_NUMBER)] = 0) -> dict[str, Any]:
    """Lines of the audit log after one, up to 1,000, and whether the whole log is as it was written."""
    log = service_of(request).home.audit
    lines = await desk_of(request).do(lambda: [asdict(one) for one in islice(log.entries(after), MOST_SHOWN)])
    return {"lines": lines, "fault": await desk_of(request).do(log.fault)}


@router.post("/v1/erase")
@permits("admin")
async def erase(request: Request, erasure: Erasure) -> dict[str, int]:
    """Forget what a key asked, or what was answered to one input, with all feedback on it."""
    service = service_of(request)
    if (erasure.key is None) == (erasure.input is None):
        raise Problem(422, "say what is to be forgotten: a key, or an input.")
    await desk_of(request).do(service.journal.flush, of_others=True)
    forget = service.home.predictions.erase
    if erasure.key is not None:
        return {"erased": await desk_of(request).do(forget, who(request), key=erasure.key)}
    assert erasure.input is not None, "one of both is there"
    return {"erased": await desk_of(request).do(erase_input, service.home, erasure.input, who(request))}


def _taken_over(service: Service, change: Callable[[], Found]) -> Found:
    """What a change of the keys gives, once this server goes by it: in one turn, for a new key is told only once."""
    found = change()
    service.refresh_keys()
    return found


def _refuse_other_overrides(overrides: Sequence[str]) -> None:
    for one in overrides:
        if re.fullmatch(OVERRIDE, one) is None:
            raise Problem(
                422,
                f"arguments: the override '{shown(one)}' is not taken over HTTP, only numbers, true, false and null of "
                "the section train, such as train.epochs=3; `burnish jobs --add` on the server takes all others.",
            )


def _told(key: Key) -> dict[str, Any]:
    return {name: value for name, value in asdict(key).items() if name != "digest"}
